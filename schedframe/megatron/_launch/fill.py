"""Fills Megatron-LM's arguments from a schedule, so that Megatron's optimizer and loop agree with it."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from schedframe._errors import Problem
from schedframe._plan.plan import CURRENT
from schedframe._schedule.schedule import Schedule
from schedframe._units.units import RUN_KEYS
from schedframe.megatron._launch.flags import BATCHES, LENGTHS, PLACES, flag_of
from schedframe.styles._flat_wsd import flat_of


def fill(args: Any, schedule: Schedule, given: Collection[str]) -> None:
    """Set every argument of Megatron's scheduler in `args` that is not `given`.

    Megatron takes lengths all in iterations or all in samples. Those that are given in the other unit are converted.

    Args:
        args: Megatron's namespace, before its validation.
        schedule: the run's.
        given: the arguments that are given, which agree with the schedule: see `combine`.

    Raises:
        ConfigError: the run is less than one sample or iteration.
    """
    unit, other = ("iters", "samples") if _is_in_iters(schedule, given) else ("samples", "iters")
    in_other_unit = {argument for argument in given if argument.endswith(f"_{other}") and argument in PLACES}
    for argument in in_other_unit:
        setattr(args, argument, 0 if argument.startswith("lr_warmup") else None)
    values = {**_values(schedule), **_lengths(schedule, unit)}
    if "lr_warmup_fraction" in given:
        del values[f"lr_warmup_{unit}"]
    for argument, value in values.items():
        if argument not in given and value is not None:
            setattr(args, argument, value)


def rounding(args: Any, schedule: Schedule) -> str:
    """Return a sentence on what Megatron trains if the run is not a whole number of it; else an empty text.

    Args:
        args: Megatron's namespace, filled.
        schedule: the run's.
    """
    if schedule.train_steps is None:
        return ""
    unit = "samples" if args.train_samples else "iters"
    exact = schedule.units_at(schedule.start_step + schedule.train_steps).get(unit)
    trained = getattr(args, f"train_{unit}")
    if exact in (None, trained):
        return ""
    return f"the run is {exact} {unit}, and Megatron trains whole ones: {trained}"


def unreached(args: Any, schedule: Schedule) -> str:
    """Return a sentence on the samples that Megatron does not train where it decreases batches; else an empty text.

    Of a run in samples it trains as many iterations as there were before the decrease
    (``update_train_iters`` of NVIDIA/Megatron-LM:megatron/training/training.py at core_v0.19.0).

    Args:
        args: Megatron's namespace, once its loop's ``train_iters`` are set.
        schedule: the run's.
    """
    if not schedule.decrease_batch_size_if_needed or schedule.train_steps is None:
        return ""
    end, trained = schedule.start_step + schedule.train_steps, schedule.step_at(f"{args.train_iters} iters")
    if end - trained < schedule.step_at(f"{args.train_iters + 1} iters") - trained:
        return ""
    return (
        f"Megatron trains {args.train_iters} iterations, which are {trained} of {end} samples: it does not count that "
        f"batches are decreased; give the run in iterations, or batch sizes that need no decrease"
    )


def refuse_other_batches(args: Any, schedule: Schedule, *, takes_ramps: bool) -> None:
    """Refuse a run with other batches than those with which the schedule's lengths were converted.

    Args:
        args: Megatron's namespace, after its validation.
        schedule: the run's.
        takes_ramps: whether this Megatron Core ramps the batch size up.

    Raises:
        ConfigError: they differ, or Megatron ignores the schedule's ramp-up.
    """
    problems = []
    if schedule.rampup_batch_size is not None and not takes_ramps:
        fault = (
            "this Megatron-LM ignores --rampup-batch-size, as from 0.18 on; give --step-batch-size-schedule instead, "
            "such as '0:768 250B:1536'"
        )
        problems.append(Problem("rampup_batch_size", fault, str(schedule.rampup_batch_size)))
    for key in (*BATCHES, "data_parallel_size"):
        declared, megatrons = getattr(schedule, key), getattr(args, key, None)
        if key == "rampup_batch_size" and megatrons is not None:
            megatrons = tuple(int(size) for size in megatrons)
        if declared not in (None, False, megatrons):
            fault = f"Megatron runs with {megatrons}; make both the same, pass {flag_of(key)} to Megatron"
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
        "weight_decay_incr_style": None if wd is None else style.style,
        "weight_decay": wd,
        "start_weight_decay": wd if changes else None,
        "end_weight_decay": schedule.end_wd if changes else None,
        "override_opt_param_scheduler": policy == "override" or None,
        "use_checkpoint_opt_param_scheduler": policy == "checkpoint" or None,
    }


def _is_in_iters(schedule: Schedule, given: Collection[str]) -> bool:
    """Return whether Megatron's lengths shall be in iterations: as in the first flag that has a length, else the file.

    Samples are all that Megatron takes beside a ramp-up of the batch size. Of decreased batches it trains too few
    where the run is in samples: it divides them by the batch size before the decrease.
    """
    if schedule.rampup_batch_size is not None:
        return False
    for arguments in LENGTHS.values():
        for argument in arguments:
            if argument in given and argument != "lr_warmup_fraction":
                return argument.endswith("_iters")
    return schedule.train_iters is not None or schedule.decrease_batch_size_if_needed


def _lengths(schedule: Schedule, unit: str) -> dict[str, Any]:
    """Return the lengths in `unit`."""
    scale = schedule.scale
    lengths: dict[str, Any] = {
        f"lr_decay_{unit}": scale.in_unit(schedule.lr_decay_steps, unit),
        f"lr_warmup_{unit}": scale.in_unit(schedule.lr_warmup_steps, unit),
    }
    if schedule.train_steps is not None:
        lengths[f"train_{unit}"] = _trained(schedule, unit)
    wsd = flat_of(schedule.lr_style)
    if wsd is not None:
        begin = schedule.start_step + schedule.lr_decay_steps - wsd.wsd_decay_steps
        lengths[f"lr_wsd_decay_{unit}"] = replace(scale, start=begin).in_unit(wsd.wsd_decay_steps, unit)
        lengths["lr_wsd_decay_style"] = wsd.lr_wsd_decay_style.style
    return lengths


def _trained(schedule: Schedule, unit: str) -> int:
    """Return the end of the run in whole samples, or in the whole iterations that these are.

    Raises:
        ConfigError: it is less than one.
    """
    samples = round(schedule.start_step + (schedule.train_steps or 0))
    amount = samples if unit == "samples" else int(schedule.units_at(samples)[unit])
    if not amount:
        key = next(key for key in RUN_KEYS if getattr(schedule, key))
        one = "iteration" if unit == "iters" else "sample"
        fault = f"is less than one {one}, and Megatron trains whole ones"
        raise schedule.origin.error([Problem(key, fault, str(getattr(schedule, key)))])
    return amount
