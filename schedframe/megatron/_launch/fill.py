"""Fills Megatron-LM's arguments from a schedule, so that Megatron's optimizer and loop agree with it."""

from collections.abc import Collection
from typing import Any

from schedframe._errors import Problem
from schedframe._plan.plan import CURRENT
from schedframe._schedule.schedule import Schedule
from schedframe._units.numbers import whole
from schedframe._units.units import RUN_KEYS
from schedframe.megatron._launch.flags import BATCHES, flag_of
from schedframe.styles._flat_wsd import flat_of


def fill(args: Any, schedule: Schedule, given: Collection[str]) -> None:
    """Set every argument of Megatron's scheduler in `args` that is not `given`.

    Args:
        args: Megatron's namespace, before its validation.
        schedule: the run's.
        given: the arguments that are given, which agree with the schedule: see `combine`.

    Raises:
        ConfigError: the run is not a whole number of samples.
    """
    for argument, value in _values(schedule).items():
        if argument not in given and value is not None:
            setattr(args, argument, value)


def refuse_other_batches(args: Any, schedule: Schedule) -> None:
    """Refuse a run with other batches than those with which the schedule's lengths were converted.

    Args:
        args: Megatron's namespace, after its validation.
        schedule: the run's.

    Raises:
        ConfigError: they differ.
    """
    problems = []
    for key in (*BATCHES, "data_parallel_size"):
        declared, megatrons = getattr(schedule, key), getattr(args, key, None)
        if key == "rampup_batch_size" and megatrons is not None:
            megatrons = tuple(int(size) for size in megatrons)
        if declared not in (None, False, megatrons):
            fault = f"Megatron runs with {megatrons}; make both the same, {flag_of(key)} says it to Megatron"
            problems.append(Problem(key, fault, str(declared)))
    if problems:
        raise schedule.origin.error(problems)


def _values(schedule: Schedule) -> dict[str, Any]:
    """Return the value of each argument; ``None`` where Megatron's default stays."""
    wd, style, policy = schedule.start_wd, schedule.wd_style, schedule.resume.policy
    changes = wd is not None and not style.is_constant
    return {
        "lr": schedule.max_lr,
        "min_lr": schedule.min_lr,
        "lr_warmup_init": None if schedule.init_lr == CURRENT else schedule.init_lr,
        "lr_decay_style": schedule.lr_style.style,
        **_lengths(schedule),
        "weight_decay_incr_style": None if wd is None else style.style,
        "weight_decay": wd,
        "start_weight_decay": wd if changes else None,
        "end_weight_decay": schedule.end_wd if changes else None,
        "override_opt_param_scheduler": policy == "override" or None,
        "use_checkpoint_opt_param_scheduler": policy == "checkpoint" or None,
    }


def _lengths(schedule: Schedule) -> dict[str, Any]:
    """Return the lengths, in iterations where the run is given in them, else in samples."""
    batch = None if schedule.train_iters is None or schedule.rampup_batch_size else schedule.global_batch_size
    unit, size = ("samples", 1) if batch is None else ("iters", batch)
    steps = {"lr_decay": schedule.lr_decay_steps, "lr_warmup": schedule.lr_warmup_steps}
    if schedule.train_steps is not None:
        steps["train"] = schedule.start_step + schedule.train_steps
    wsd = flat_of(schedule.lr_style)
    if wsd is not None:
        steps["lr_wsd_decay"] = wsd.wsd_decay_steps
    amounts = {name: whole(length / size if length % size else length // size) for name, length in steps.items()}
    if not isinstance(amounts.get("train", 0), int):
        key = next(key for key in RUN_KEYS if getattr(schedule, key))
        fault = f"is {amounts['train']} {unit}, and Megatron trains whole ones"
        raise schedule.origin.error([Problem(key, fault, str(getattr(schedule, key)))])
    lengths: dict[str, Any] = {f"{name}_{unit}": amount for name, amount in amounts.items()}
    return lengths if wsd is None else {**lengths, "lr_wsd_decay_style": wsd.lr_wsd_decay_style.style}
