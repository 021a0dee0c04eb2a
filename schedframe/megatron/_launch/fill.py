"""Megatron-LM's arguments that a schedule fills, so that Megatron's optimizer and loop agree with it."""

from collections.abc import Collection, Iterator
from typing import Any

from schedframe._errors import Problem
from schedframe._plan.plan import CURRENT
from schedframe._schedule.schedule import Schedule
from schedframe.megatron._launch.flags import BATCHES
from schedframe.styles._flat_wsd import flat_of


def fill(args: Any, schedule: Schedule, said: Collection[str]) -> None:
    """Set every argument of Megatron's scheduler in `args` that is not `said`.

    Args:
        args: Megatron's namespace, before its validation.
        schedule: what it is to say.
        said: the arguments that the command line says; they are no different, see `declared`.

    Raises:
        ConfigError: the run is no whole number of samples.
    """
    for argument, value in _values(schedule):
        if argument not in said:
            setattr(args, argument, value)


def refuse_other_batches(args: Any, schedule: Schedule) -> None:
    """Refuse a run whose batches are not those with which the schedule's lengths were converted.

    Args:
        args: Megatron's namespace, after its validation.
        schedule: the run's.

    Raises:
        ConfigError: they differ.
    """
    problems = []
    for key in (*BATCHES, "data_parallel_size"):
        own = getattr(schedule, key)
        theirs = getattr(args, key, None)
        if own in (None, False):
            continue
        if key == "rampup_batch_size":
            theirs = None if theirs is None else tuple(int(size) for size in theirs)
        if own != theirs:
            fault = f"Megatron runs with {theirs}; make both the same, --{key.replace('_', '-')} says it to Megatron"
            problems.append(Problem(key, fault, str(own)))
    if problems:
        raise schedule.origin.error(problems)


def _values(schedule: Schedule) -> Iterator[tuple[str, Any]]:
    yield "lr", schedule.max_lr
    yield "min_lr", schedule.min_lr
    if schedule.init_lr != CURRENT:
        yield "lr_warmup_init", schedule.init_lr
    yield "lr_decay_style", schedule.lr_style.style
    yield from _lengths(schedule)
    yield from _weight_decay(schedule)
    if schedule.resume.policy == "override":
        yield "override_opt_param_scheduler", True
    if schedule.resume.policy == "checkpoint":
        yield "use_checkpoint_opt_param_scheduler", True


def _lengths(schedule: Schedule) -> Iterator[tuple[str, Any]]:
    """The lengths, in iterations where the run is said in them, else in samples."""
    batch = None if schedule.train_iters is None or schedule.rampup_batch_size else schedule.global_batch_size
    unit, size = ("samples", 1) if batch is None else ("iters", batch)
    steps = {"lr_decay": schedule.lr_decay_steps, "lr_warmup": schedule.lr_warmup_steps}
    if schedule.train_steps is not None:
        steps["train"] = schedule.start_step + schedule.train_steps
    wsd = flat_of(schedule.lr_style)
    if wsd is not None:
        steps["lr_wsd_decay"] = wsd.wsd_decay_steps
        yield "lr_wsd_decay_style", wsd.lr_wsd_decay_style.style
    for argument, length in steps.items():
        amount = length / size if length % size else length // size
        if argument == "train" and amount != int(amount):
            key = next(key for key in ("train_samples", "train_iters", "train_tokens") if getattr(schedule, key))
            fault = f"is {amount} {unit}, and Megatron trains whole ones"
            raise schedule.origin.error([Problem(key, fault, str(getattr(schedule, key)))])
        yield f"{argument}_{unit}", int(amount) if amount == int(amount) else amount


def _weight_decay(schedule: Schedule) -> Iterator[tuple[str, Any]]:
    """The weight decay, which Megatron takes in one argument where it is constant, and in two where it is not."""
    if schedule.start_wd is None:
        return
    yield "weight_decay_incr_style", schedule.wd_style.style
    yield "weight_decay", schedule.start_wd
    if not schedule.wd_style.is_constant:
        yield "start_weight_decay", schedule.start_wd
        yield "end_weight_decay", schedule.end_wd
