"""Builds the scheduler of a declared schedule for Megatron's loop."""

from typing import Any

from schedframe._errors import Problem
from schedframe._run.scheduler import OptimizerParamScheduler
from schedframe._schedule.schedule import Schedule
from schedframe.megatron._scheduler import refuse_other_clocks
from schedframe.megatron._versions import constant_batch_size


def build(schedule: Schedule, optimizer: Any, **options: Any) -> OptimizerParamScheduler:
    """Return the scheduler that runs `schedule` in Megatron's loop, which passes samples: `Schedule.build`.

    Args:
        schedule: its clock must count samples.
        optimizer: Megatron's optimizer, or several.
        options: those of `Schedule.build`.

    Raises:
        ConfigError: the clock counts something else, Megatron is set up for other batches than those of the
            schedule, or what `Schedule.build` refuses.
        PluginError: an installed hook plugin fails.
    """
    refuse_other_clocks(schedule)
    _refuse_other_batches(schedule)
    return schedule.build(optimizer, **options)


def _refuse_other_batches(schedule: Schedule) -> None:
    """Refuse a schedule whose lengths were converted with other batches than Megatron's, as far as those are known.

    Raises:
        ConfigError: all batches of Megatron have one size, and those of the schedule change or have another one.
    """
    size = constant_batch_size()
    declared = {key: getattr(schedule, key) for key in ("rampup_batch_size", "step_batch_size_schedule")}
    if schedule.global_batch_size != size:
        declared["global_batch_size"] = schedule.global_batch_size
    fault = (
        f"all batches of Megatron's loop have {size} samples here, and lengths in iterations were converted with "
        f"others; make both the same. Megatron Core ignores a ramp-up from 0.18 on; it takes a step schedule there"
    )
    problems = [Problem(key, fault, str(value)) for key, value in declared.items() if value is not None]
    if size is not None and problems:
        raise schedule.origin.error(problems)
