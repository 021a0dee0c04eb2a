"""The values of a run as a list, for frameworks that need them as a function of the number of updates."""

from math import ceil, nan

from schedframe._errors import Problem
from schedframe._plan.rule import DEFAULT
from schedframe._schedule.schedule import Schedule
from schedframe.adapters._updates import ScheduleLike, Updates, as_schedule


def lrs_by_update(schedule: ScheduleLike, num_training_steps: int | None, role: str | None) -> list[float]:
    """Return the learning rate after 0, 1, 2, ... updates, to the end of the run; before the schedule starts, NaN.

    Args:
        schedule: a `Schedule`, or the path of its file.
        num_training_steps: how many updates the trainer makes; needed where the schedule does not specify it.
        role: the param groups: the name of a rule of ``groups``, several with ``+`` between them, or ``default``.

    Raises:
        ConfigError: the schedule has problems, its run has another length, or there is none.
        ValueError: there is no such rule.
    """
    known, before, counts = _counts_of(schedule, num_training_steps)
    return before + known.lr_at(counts, role or DEFAULT)


def wds_by_update(schedule: ScheduleLike, num_training_steps: int | None, role: str | None) -> list[float]:
    """Return the weight decay in the same way.

    Raises:
        ConfigError: as above, or the schedule has no weight decay.
        ValueError: there is no such rule.
    """
    known, before, counts = _counts_of(schedule, num_training_steps)
    wds = [wd for wd in known.wd_at(counts, role or DEFAULT) if wd is not None]
    if len(wds) < len(counts):
        raise known.origin.error([Problem("start_wd", "is missing: the schedule has no weight decay")])
    return before + wds


def _counts_of(schedule: ScheduleLike, num_training_steps: int | None) -> tuple[Schedule, list[float], list[float]]:
    """Return the schedule, the values of the updates before it starts, and its counts after each of the others."""
    updates = Updates(as_schedule(schedule))
    known = updates.schedule_for(num_training_steps)
    last = updates.last if num_training_steps is None else updates.first + num_training_steps
    if last is None:
        raise known.origin.error([Problem("train_iters", "is missing: give it, or num_training_steps")])
    first = ceil(updates.first)
    return known, [nan] * first, [updates.count_after(update) for update in range(first, ceil(last) + 1)]
