"""What a schedule specifies at the iterations of a log."""

from collections.abc import Callable, Iterator, Mapping
from itertools import repeat
from typing import Any

from schedframe._errors import LogError
from schedframe._files.logs.record import Shown
from schedframe._plan import evaluate
from schedframe._plan.plan import Plan
from schedframe._plan.rule import DEFAULT, merge, rules_named
from schedframe._schedule.schedule import Schedule
from schedframe._tools.audit.points import Points
from schedframe._units.batches import BatchSizes

Curve = Callable[[float], float]
"""The value at a step, counted from the schedule's own step 0."""


class Positions:
    """Where the scheduler stands at an iteration, in its own steps.

    Attributes:
        schedule: the schedule.
        by_iteration: the file has what converts iterations; else the samples in the log are used.
    """

    def __init__(self, schedule: Schedule) -> None:
        units = schedule.scale.units
        self.schedule, self._clock = schedule, units.clock
        self._sizes, self._length = units.batch_sizes, units.seq_length
        self.by_iteration = self._clock == "iters" or "iters" in units.known()

    def at(self, iteration: int, samples: float, shown: Shown) -> float:
        """Return the step whose value the log has at `iteration`; NaN where that is not known.

        Args:
            iteration: how many updates were made.
            samples: consumed up to there, as the log has it; NaN where it has not.
            shown: ``own`` for the value of the update itself, whose step is that before it.
        """
        if self.by_iteration:
            return self.of_iteration(iteration - (shown == "own"))
        return self.of_samples(samples * (1 - 1 / iteration) if shown == "own" and iteration else samples)

    def of_iteration(self, iteration: int) -> float:
        """Return the step after `iteration` updates, by the batch sizes of the schedule."""
        if self._clock == "iters" or self._sizes is None:
            return iteration
        stretches = self._sizes.stretches
        if len(stretches) == 1:
            return self.of_samples(iteration * stretches[0][2])
        return self.of_samples(_samples_at(self._sizes, iteration))

    def of_samples(self, samples: float) -> float:
        """Return the step after `samples`."""
        if self._clock == "tokens":
            return samples * (self._length or 1)
        return samples if self._clock == "samples" else samples / (self.batch_size or 1)

    @property
    def batch_size(self) -> int | None:
        """The last global batch size of the run, in samples."""
        return None if self._sizes is None else self._sizes.stretches[-1][2]

    @property
    def is_ramped(self) -> bool:
        """Whether the batch size changes."""
        return self._sizes is not None and len(self._sizes.stretches) > 1

    def of_all(self, points: Points, shown: Shown) -> Iterator[float]:
        """Return `at` of each point.

        Raises:
            LogError: neither the file nor the log has what converts iterations.
        """
        if not self.by_iteration and any(samples != samples for samples in points.samples):
            raise LogError(
                f"the schedule counts {self._clock}, and iterations cannot be converted: give global_batch_size in its "
                f"file (the log has no consumed samples at some iterations)"
            )
        return map(self.at, points.iterations, points.samples, repeat(shown))


def _samples_at(sizes: BatchSizes, iteration: int) -> float:
    first, sample, size = next(stretch for stretch in reversed(sizes.stretches) if stretch[0] <= max(iteration, 0))
    return sample + (iteration - first) * size


def plan_of(schedule: Schedule, role: str) -> Plan:
    """Return the plan of the param groups with `role`.

    Raises:
        ValueError: there is no such role.
    """
    return schedule.plan if role == DEFAULT else schedule.plan.under(rules_named(schedule.groups, role))


def curve_of(schedule: Schedule, quantity: str, role: str = DEFAULT) -> Curve | None:
    """Return the curve of ``lr`` or ``wd``; ``None`` where weight decay is not scheduled."""
    plan = plan_of(schedule, role)
    if quantity == "lr":
        return curve(plan, "lr")
    if plan.start_wd is None:
        return None
    wd_mult = merge(rules_named(schedule.groups, role)).get("wd_mult", 1.0)
    return curve(plan, "wd", {}, wd_mult)


def curve(plan: Plan, quantity: str, bounds: Mapping[str, Any] | None = None, factor: float = 1.0) -> Curve:
    """Return the curve of `plan`, with other `bounds`, times a `factor`."""
    group, function = bounds or {}, evaluate.lr_at if quantity == "lr" else evaluate.wd_at
    if factor == 1.0 and quantity == "lr":
        return lambda step: evaluate.lr_at(plan, step, group)
    return lambda step: (function(plan, step, group) or 0.0) * factor
