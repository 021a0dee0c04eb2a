"""Where the updates of a trainer lie on a schedule."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor, inf
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from schedframe._errors import ConfigError, Problem, SchedframeError
from schedframe._schedule.schedule import Schedule, load
from schedframe._units.units import RUN_KEYS

ScheduleLike = Schedule | str | Path
"""A schedule, or the path of its file."""


def as_schedule(schedule: object) -> Schedule:
    """Return `schedule`, read from its file where it is a path.

    Raises:
        ConfigError: it is neither, or the file has problems.
    """
    if isinstance(schedule, Schedule):
        return schedule
    if not isinstance(schedule, str | PathLike):
        fault = f"must be a schedframe.Schedule or the path of its file, and is a {type(schedule).__name__}"
        if isinstance(schedule, Mapping):
            fault += "; a table of keys becomes one by schedframe.Schedule(**keys)"
        raise ConfigError("schedule", [Problem("", fault)])
    return load(Path(schedule))


class Stretch(NamedTuple):
    """Updates with one batch size.

    Attributes:
        increment: what each adds to the scheduler's count.
        until: the update at which the next stretch begins; infinity for the last one.
    """

    increment: int
    until: float


class Updates:
    """Converts between updates of the optimizer, from the start of the run, and the scheduler's count.

    An update is one iteration of the run: the config's batch size, its ramp and its sequence length count.

    Attributes:
        first: the update before which the schedule starts; above 0 where the schedule continues another one.
        last: the update with which the run ends; ``None`` where its length is not given.
    """

    def __init__(self, schedule: Schedule) -> None:
        """Convert for `schedule`.

        Raises:
            ConfigError: the clock counts samples or tokens, and the keys that give the size of an update are missing.
        """
        self._schedule = schedule
        self._scale = replace(schedule.scale, start=0)
        units = schedule.scale.units
        if "iters" not in units.known():
            needed = "global_batch_size and seq_length" if units.clock == "tokens" else "global_batch_size"
            fault = f"is {units.clock}, and how many an update of the optimizer has is not given; give {needed}"
            raise schedule.origin.error([Problem("clock", fault, units.clock)])
        self.first = self.update_at(schedule.start_step)
        steps = schedule.train_steps
        self.last = None if steps is None else self.update_at(schedule.start_step + steps)

    def update_at(self, count: float) -> float:
        """Return after how many updates the scheduler's count is `count`."""
        return self._scale.in_unit(count, "iters")

    def count_after(self, update: int) -> float:
        """Return the scheduler's count after so many updates."""
        return self._scale.absolute(f"{update} iters")

    def stretch_at(self, update: float) -> Stretch:
        """Return how the count goes on from `update`."""
        units = self._scale.units
        if units.clock == "iters" or units.batch_sizes is None:
            return Stretch(1, inf)
        factor = units.seq_length if units.clock == "tokens" and units.seq_length is not None else 1
        stretches = units.batch_sizes.stretches
        at = max(index for index, (first, _, _) in enumerate(stretches) if index == 0 or first <= update)
        until = stretches[at + 1][0] if at + 1 < len(stretches) else inf
        return Stretch(stretches[at][2] * factor, until)

    def schedule_for(self, num_training_steps: int | None) -> Schedule:
        """Return the schedule for a trainer that makes `num_training_steps` updates, which becomes its run's length.

        A run that continues another one is counted from its own start, or from that of the first one.

        Raises:
            ConfigError: the schedule's own run has another length; with both numbers.
        """
        if num_training_steps is None:
            return self._schedule
        if self.last is None:
            return (
                self._schedule if self.first else self._schedule.model_copy(update={"train_iters": num_training_steps})
            )
        own = self.last - self.first
        if num_training_steps in {round_(length) for length in (self.last, own) for round_ in (floor, ceil)}:
            return self._schedule
        key = next(key for key in reversed(RUN_KEYS) if getattr(self._schedule, key) is not None)
        span = f", from update {self.first:g} to {self.last:g}" if self.first else ""
        fault = f"is {own:g} updates{span}, and the trainer makes {num_training_steps}; make both the same"
        raise self._schedule.origin.error([Problem(key, fault, str(getattr(self._schedule, key)))])


def whole(update: object) -> int:
    """Return `update` as a number of updates.

    Raises:
        SchedframeError: it is not a whole number of at least 0.
    """
    try:
        number = Fraction(str(update))
    except ValueError:
        number = Fraction(-1)
    if number < 0 or number.denominator != 1:
        raise SchedframeError(f"a number of updates is a whole number of at least 0, not {update!r}")
    return int(number)
