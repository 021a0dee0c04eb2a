"""A run's logged values beside those that its schedule specifies."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from math import nan
from operator import eq, sub

from schedframe._files.logs.record import Shown
from schedframe._schedule.schedule import Schedule
from schedframe._tools.audit.expected import Curve, Positions
from schedframe._tools.audit.points import FLOAT32, Points

_AT_ONCE = 1024
"""How many points are evaluated and compared at once."""

_NOTHING = 1e-9
"""A difference below this share of the highest value is none."""


@dataclass(frozen=True)
class Difference:
    """A logged value that the schedule does not specify.

    Attributes:
        iteration: the iteration at which it is logged.
        step: the scheduler's count, by the schedule.
        logged: the value in the log.
        expected: the value that the schedule specifies.
    """

    iteration: int
    step: float
    logged: float
    expected: float


@dataclass(frozen=True)
class Comparison:
    """One number of a log beside its curve.

    Attributes:
        schedule: the schedule.
        role: of the param groups whose values are expected.
        quantity: ``lr`` or ``wd``.
        points: what is logged.
        positions: converts iterations.
        shown: which value the log has at an iteration.
        curve: of the schedule, from its own step 0.
        steps: the scheduler's count at each point; NaN before the schedule's start.
        expected: the value at each point; NaN before the schedule's start.
    """

    schedule: Schedule
    role: str
    quantity: str
    points: Points
    positions: Positions
    shown: Shown
    curve: Curve
    steps: Sequence[float]
    expected: Sequence[float]

    @cached_property
    def peak(self) -> float:
        """The highest value that is expected anywhere."""
        return max(compress(self.expected, map(eq, self.expected, self.expected)), default=0.0)

    @cached_property
    def compared(self) -> int:
        """How many points do not lie before the schedule's start."""
        return sum(map(eq, self.expected, self.expected))

    @cached_property
    def bad(self) -> list[int]:
        """The points whose values differ, by index."""
        found: list[int] = []
        for begin in range(0, len(self.expected), _AT_ONCE):
            end = min(begin + _AT_ONCE, len(self.expected))
            gaps = map(abs, map(sub, self.points.values[begin:end], self.expected[begin:end]))
            if not max(gaps) <= self.points.least_half_unit(begin, end) + _NOTHING * self.peak:
                found += filter(self._differs, range(begin, end))
        return found

    def _differs(self, index: int) -> bool:
        expected = self.expected[index]
        tolerance = self.points.half_unit(index) + FLOAT32 * expected + _NOTHING * self.peak
        return abs(self.points.values[index] - expected) > tolerance

    def fits(self, index: int, expected: float) -> bool:
        """Return whether the value of the point at `index` is `expected`, but for rounding."""
        tolerance = self.points.half_unit(index) + FLOAT32 * abs(expected) + _NOTHING * self.peak
        return abs(self.points.values[index] - expected) <= 1.001 * tolerance

    def local(self, index: int) -> float:
        """Return the schedule's own step of the point at `index`."""
        return self.steps[index] - self.schedule.start_step

    def per_iteration(self, index: int) -> float:
        """Return how many steps the iteration of the point at `index` has."""
        if self.positions.by_iteration:
            iteration = self.points.iterations[index]
            return self.positions.of_iteration(iteration) - self.positions.of_iteration(max(iteration - 1, 0)) or 1.0
        return self.steps[index] / max(self.points.iterations[index], 1) or 1.0

    def differences(self) -> Iterator[Difference]:
        """Yield every value that differs, in the order of iterations."""
        for index in self.bad:
            yield self.difference(index)

    def difference(self, index: int) -> Difference:
        """Return what is known of the point at `index`."""
        points = self.points
        return Difference(points.iterations[index], self.steps[index], points.values[index], self.expected[index])


def compare(schedule: Schedule, role: str, quantity: str, points: Points, curve: Curve) -> Comparison:
    """Compare `points` with a `curve` of `schedule`.

    Where it is not known which value a log shows at an iteration, the one is taken with which fewer points differ.

    Raises:
        LogError: iterations cannot be converted.
        PluginError: a style fails at a step of the log.
    """
    shown: tuple[Shown, ...] = ("next", "own") if points.shown is None else (points.shown,)
    found = [_compare(schedule, role, quantity, points, curve, which) for which in shown]
    return min(found, key=lambda comparison: len(comparison.bad))


def _compare(schedule: Schedule, role: str, quantity: str, points: Points, curve: Curve, shown: Shown) -> Comparison:
    positions, start = Positions(schedule), schedule.start_step
    steps, expected = array("d", positions.of_all(points, shown)), array("d")
    if min(steps) < start:
        steps = array("d", (step if step >= start else nan for step in steps))
        expected.extend(curve(step - start) if step == step else nan for step in steps)
    else:
        for begin in range(0, len(steps), _AT_ONCE):
            some = steps[begin : begin + _AT_ONCE]
            expected.extend(curve.values([step - start for step in some] if start else some))
    return Comparison(schedule, role, quantity, points, positions, shown, curve, steps, expected)
