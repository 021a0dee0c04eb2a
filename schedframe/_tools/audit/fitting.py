"""What is fitted to logged values: the numbers with which another curve has them, and the values of such curves."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice, pairwise
from typing import Any

from schedframe._errors import FAILURES
from schedframe._plan.sampling import end_of, steps_of
from schedframe._tools.audit.comparison import Comparison
from schedframe._tools.audit.expected import Curve, plan_of
from schedframe._tools.audit.points import Restart
from schedframe._units.lengths import OPEN

_MOST_POINTS = 300
_REFERENCES = 5
_SAMPLES = 400
_MOST_ROOTS = 8

Value = Callable[[int], float]
"""The value that a cause expects at a point, by index."""


class Evidence:
    """The points with which causes are tried, by index.

    Attributes:
        comparison: in which values differ.
        restarts: of the logs.
        first: the first point whose value differs.
        known: the first one that does not lie before the schedule's start.
        points: up to 300 from the first difference to the end of the log.
        all: up to 300 of all that are known.
        references: a few whose values differ, with which numbers are fitted.
        plan: of the role.
    """

    def __init__(self, comparison: Comparison, restarts: Sequence[Restart]) -> None:
        self.comparison, self.restarts = comparison, restarts
        self.first = comparison.bad[0]
        count = len(comparison.expected)
        self.known = next(index for index in range(count) if comparison.expected[index] == comparison.expected[index])
        self.points = _spread(range(self.first, count), _MOST_POINTS)
        self.all = _spread(range(self.known, count), _MOST_POINTS)
        self.references = _spread(comparison.bad, _REFERENCES)
        self.plan = plan_of(comparison.schedule, comparison.role)

    @property
    def begins(self) -> bool:
        """Whether values differ from the first ones on; the first can be zero, as at the start of a warmup."""
        return self.first - self.known <= 1

    @property
    def is_from_the_start(self) -> bool:
        """Whether values differ from the first iterations of the run on, and not only from those of a resumed one."""
        iterations = self.comparison.points.iterations
        return self.begins and iterations[self.known] <= 1 + iterations[-1] // len(iterations)

    def restart(self) -> Restart | None:
        """Return the last restart before the first difference, with nothing right logged between them but a point."""
        iterations = self.comparison.points.iterations
        here = iterations[self.first]
        found = [restart for restart in self.restarts if restart.iteration <= here]
        if not found or self.comparison.points.index_of(found[-1].iteration) < self.first - 1:
            return None
        return found[-1]


def _spread(indices: Sequence[int], most: int) -> list[int]:
    """Return `most` of the `indices`, the first and the last among them."""
    if len(indices) <= most:
        return list(indices)
    return [indices[round(part * (len(indices) - 1) / (most - 1))] for part in range(most)]


def on(compared: Comparison, other: Curve) -> Value:
    """Return the values of another curve at the steps of the schedule."""
    return lambda index: other(compared.local(index))


def moved(compared: Comparison, shift: Callable[[int], float]) -> Value:
    """Return the values of the schedule some steps away from each point, not before its start."""
    return lambda index: compared.curve(max(compared.local(index) + shift(index), 0.0))


def moved_by(compared: Comparison, steps: float) -> Value:
    """Return the values of the schedule that many `steps` away from each point."""
    return moved(compared, lambda index: steps)


def moved_by_iterations(compared: Comparison, count: int) -> Value:
    """Return the values of the schedule `count` iterations away from each point."""
    return moved(compared, lambda index: count * compared.per_iteration(index))


def at_samples(compared: Comparison, samples: Callable[[int], float]) -> Value:
    """Return the values of the schedule where as many samples are consumed."""
    start = compared.schedule.start_step
    return lambda index: compared.curve(max(compared.positions.of_samples(samples(index)) - start, 0.0))


def scaled(compared: Comparison, factor: float) -> Value:
    """Return the values of the schedule where the scheduler's count is `factor` times as high."""
    start = compared.schedule.start_step
    return lambda index: compared.curve(max(compared.steps[index] * factor - start, 0.0))


def multiplied(compared: Comparison, factor: float) -> Value:
    """Return the values of the schedule times a factor."""
    return lambda index: compared.expected[index] * factor


def shifts(evidence: Evidence) -> Iterator[float]:
    """Yield how many steps away from its own the schedule has the value of a point; first as whole iterations."""
    compared, one = evidence.comparison, evidence.comparison.per_iteration(evidence.first)
    for reference in evidence.references:
        for step in _steps_with(evidence, reference):
            exact = step - compared.local(reference)
            yield from filter(None, dict.fromkeys((round(exact / one) * one, exact)))


def ratios(evidence: Evidence) -> Iterator[float]:
    """Yield by how much a value is higher than the schedule's."""
    compared = evidence.comparison
    for index in evidence.references:
        value, expected = compared.points.values[index], compared.expected[index]
        if value > 0 and expected > 0:
            yield value / expected


def speeds(evidence: Evidence) -> Iterator[float]:
    """Yield how many times as far the schedule is where it has the value of a point; 0 for before its start."""
    for reference in evidence.references:
        here = evidence.comparison.local(reference)
        for step in _steps_with(evidence, reference):
            yield step / here if here > 0 else 0.0


def bounds(evidence: Evidence) -> Iterator[dict[str, float]]:
    """Yield the max LR and the min LR with which the curve has the values of points: it is linear in both.

    Where one of them cannot be seen it is left out; each is first yielded with 3 digits.
    """
    compared, plan = evidence.comparison, evidence.plan
    if compared.quantity != "lr" or plan.min_lr > plan.max_lr:
        return
    height = plan.max_lr - plan.min_lr or 1.0
    bad = [index for index in evidence.references if compared.local(index) > plan.lr_warmup_steps]
    shares = {index: (compared.expected[index] - plan.min_lr) / height for index in bad}
    values = compared.points.values
    fits = []
    for one in bad:
        if shares[one] < 1e-6:
            fits.append({"min_lr": values[one]})
        elif shares[one] > 1 - 1e-6:
            fits.append({"max_lr": values[one]})
    for one, next_ in pairwise(sorted(bad, key=shares.__getitem__)):
        if shares[next_] - shares[one] > 1e-3:
            rise = (values[next_] - values[one]) / (shares[next_] - shares[one])
            low = values[one] - shares[one] * rise
            fits.append({"max_lr": low + rise, "min_lr": max(low, 0.0)})
    for exact in fits:
        rounded = {name: float(f"{value:.3g}") for name, value in exact.items()}
        yield from (found for found in (rounded, exact) if min(found.values()) >= 0)


def lengths(evidence: Evidence, name: str) -> Iterator[tuple[float, Curve]]:
    """Yield other lengths than that of the plan's field `name` with which the curve has the value of a point.

    Each comes with its curve, first as tens of iterations, then as whole ones.
    """
    declared = getattr(evidence.plan, name)
    if declared == OPEN or not declared:
        return
    one = evidence.comparison.per_iteration(evidence.first)
    tried = [declared * 1.03**n for n in range(-120, 121)]
    for reference in evidence.references[:3]:
        for exact in _roots(partial(_off, evidence, name, reference), tried):
            for length in dict.fromkeys((round(exact / one / 10) * 10 * one, round(exact / one) * one, exact)):
                if length and length != declared:
                    yield length, _with(evidence, name, length)


def _off(evidence: Evidence, name: str, index: int, length: float) -> float:
    """Return how far the value of a point is from the curve with another length."""
    compared = evidence.comparison
    return _with(evidence, name, length)(compared.local(index)) - compared.points.values[index]


def _with(evidence: Evidence, name: str, length: float) -> Curve:
    changed: dict[str, Any] = {name: length}
    return Curve(replace(evidence.plan, **changed), evidence.comparison.quantity)


def _steps_with(evidence: Evidence, reference: int) -> Iterator[float]:
    """Yield the steps at which the curve has the value of a point."""
    compared = evidence.comparison
    value = compared.points.values[reference]
    end = max(end_of(evidence.plan, compared.schedule.train_steps), 1.0)
    steps = steps_of(evidence.plan, end, _SAMPLES)
    yield from islice(_roots(lambda step: compared.curve(step) - value, steps), _MOST_ROOTS)


def _roots(function: Callable[[float], float], marks: Sequence[float]) -> Iterator[float]:
    """Yield where `function` is zero, as bisected between `marks` of different sign."""
    try:
        values = [function(mark) for mark in marks]
    except FAILURES:
        return
    for (low, at_low), (high, at_high) in pairwise(zip(marks, values, strict=True)):
        if at_low == 0:
            yield low
        elif at_low * at_high < 0:
            rises = at_high > at_low
            for _ in range(60):
                middle = (low + high) / 2
                if (function(middle) > 0) == rises:
                    high = middle
                else:
                    low = middle
            yield (low + high) / 2
