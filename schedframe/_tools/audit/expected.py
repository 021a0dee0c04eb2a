"""What a schedule specifies at the iterations of a log."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, repeat
from typing import Any

from schedframe._errors import LogError
from schedframe._files.logs.record import Shown
from schedframe._plan import evaluate
from schedframe._plan.plan import Plan
from schedframe._plan.rule import DEFAULT, merge, rules_named
from schedframe._schedule.schedule import Schedule
from schedframe._tools.audit.points import Points


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
        return self.schedule.scale.units.converter("iters", self._clock)(iteration)

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

    def of_all(self, points: Points, shown: Shown) -> Sequence[float]:
        """Return `at` of each point.

        Raises:
            LogError: neither the file nor the log has what converts iterations.
        """
        if self.by_iteration:
            return self._of_iterations(points.iterations, int(shown == "own"))
        if any(samples != samples for samples in points.samples):
            raise LogError(
                f"the schedule counts {self._clock}, and iterations cannot be converted: give global_batch_size in its "
                f"file (the log has no consumed samples at some iterations)"
            )
        return list(map(self.at, points.iterations, points.samples, repeat(shown)))

    def _of_iterations(self, iterations: Sequence[int], back: int) -> Sequence[float]:
        """Return `of_iteration` of each of `iterations`, which rise, from which `back` is taken away before."""
        if self._clock == "iters" or self._sizes is None:
            return [iteration - back for iteration in iterations]
        each = (self._length or 1) if self._clock == "tokens" else 1
        firsts = [first + back for first, _, _ in self._sizes.stretches]
        bounds = [0, *(bisect_left(iterations, first) for first in firsts[1:]), len(iterations)]
        stretches = zip(self._sizes.stretches, firsts, pairwise(bounds), strict=True)
        return [
            (sample + (iteration - first) * size) * each
            for (_, sample, size), first, (begin, end) in stretches
            for iteration in iterations[begin:end]
        ]


def plan_of(schedule: Schedule, role: str) -> Plan:
    """Return the plan of the param groups with `role`.

    Raises:
        ValueError: there is no such role.
    """
    return schedule.plan if role == DEFAULT else schedule.plan.under(rules_named(schedule.groups, role))


@dataclass(frozen=True)
class Curve:
    """The values of one quantity at steps that are counted from the schedule's own step 0.

    Attributes:
        plan: everything that determines them.
        quantity: ``lr`` or ``wd``.
        bounds: other ones than those of the plan.
        factor: on each value.
    """

    plan: Plan
    quantity: str
    bounds: Mapping[str, Any] = field(default_factory=dict)
    factor: float = 1.0

    def __call__(self, step: float) -> float:
        """Return the value at `step`."""
        if self.quantity == "lr":
            return evaluate.lr_at(self.plan, step, self.bounds) * self.factor
        return (evaluate.wd_at(self.plan, step, self.bounds) or 0.0) * self.factor

    def values(self, steps: Sequence[float]) -> Iterable[float]:
        """Return the value at each of `steps`."""
        if self.quantity == "lr" and not self.bounds and self.factor == 1.0:
            return evaluate.lrs_at(self.plan, steps)
        return map(self, steps)


def curve_of(schedule: Schedule, quantity: str, role: str = DEFAULT) -> Curve | None:
    """Return the curve of ``lr`` or ``wd``; ``None`` where weight decay is not scheduled."""
    plan = plan_of(schedule, role)
    if quantity == "lr":
        return Curve(plan, "lr")
    if plan.start_wd is None:
        return None
    return Curve(plan, "wd", factor=merge(rules_named(schedule.groups, role)).get("wd_mult", 1.0))
