"""The steps at which a curve is drawn: every breakpoint, and between them as densely as the curve needs."""

from collections.abc import Callable, Iterable
from functools import cache
from heapq import heapify, heappop, heappush
from itertools import pairwise

from schedframe._plan.evaluate import curves_at
from schedframe._plan.plan import Plan
from schedframe._units.lengths import OPEN

_BESIDE = 1e-9
"""So much of the whole lies right before and right behind a breakpoint, where a curve may jump."""

_MOST_BREAKPOINTS = 400

_CLOSE = 1e-3
"""Lines are as close as this, as a part of the scales, however few points are asked for."""

_MOST_POINTS = 10_000
"""No more points than this, or than are asked for, make lines close."""

_SHORT = 1 / 50
"""No stretch is longer, as a part of the whole, where lines are close with fewer points than asked for."""

_PARTS = (0.25, 0.382, 0.5, 0.618, 0.75)
"""Where a line is compared with the curve; two of them are never whole periods of a curve that repeats itself."""

_Point = tuple[float, ...]


def breakpoints(plan: Plan, end: float) -> list[float]:
    """Return the breakpoints and jumps of the curves within the first `end` steps of `plan`, 400 at most."""
    found = {*plan.ends(), *plan.landmarks().values(), *plan.jumps(), *plan.stairs()}
    if plan.start_wd is not None:
        of_wd = (plan.wd_incr_steps, *plan.wd_style.landmarks(plan.wd_incr_steps).values())
        found |= {plan.position_of(step) for step in of_wd}
    return sorted(step for step in found if 0 < step < end)[:_MOST_BREAKPOINTS]


def steps_between(
    marks: Iterable[float], points: int, value_at: Callable[[float], _Point], scales: _Point, close: float = 0.0
) -> list[float]:
    """Return `points` steps: the `marks`, a step right before and right behind each, and steps between them.

    A stretch is divided again and again where a straight line over it is farthest from the curve, until a line through
    all points is within a thousandth of the scales, or there are 10,000.

    Args:
        marks: rising; the first and the last are the ends.
        points: how many steps there are, more where lines are not close with so few.
        value_at: the values of all curves at a step.
        scales: what an error of each curve is measured with.
        close: where lines are as close as this, as a part of the scales, fewer steps will do, and those lie evenly.
    """
    marks = sorted(set(marks))
    beside = _BESIDE * (marks[-1] - marks[0])
    near = (step for mark in marks for step in (mark - beside, mark, mark + beside))
    known = {step: value_at(step) for step in near if marks[0] <= step <= marks[-1]}

    def error(first: float, last: float) -> float:
        worst = 0.0
        for part in _PARTS:
            step = first + (last - first) * part
            if not first < step < last:
                return 0.0
            for value, before, after, scale in zip(value_at(step), known[first], known[last], scales, strict=True):
                worst = max(worst, abs(value - (before + (after - before) * part)) / scale)
        return worst

    whole = marks[-1] - marks[0]

    def stretch(first: float, last: float) -> tuple[float, float, float, float]:
        # Errors first; where lines are exact, the longest stretch, so that points lie evenly.
        far = error(first, last) if last - first > beside else 0.0
        return -far if far > close else 0.0, -(last - first) / whole, first, last

    stretches = [stretch(first, last) for first, last in pairwise(sorted(known))]
    heapify(stretches)
    while stretches:
        far, length, first, last = heappop(stretches)
        if len(known) >= (max(points, _MOST_POINTS) if -far > _CLOSE else points):
            break
        if close and not far and -length < _SHORT:
            break
        middle = (first + last) / 2
        if last - first <= beside or not first < middle < last:
            continue
        known[middle] = value_at(middle)
        heappush(stretches, stretch(first, middle))
        heappush(stretches, stretch(middle, last))
    return sorted(known)


def steps_of(plan: Plan, end: float, points: int, also: Iterable[float] = (), close: float = 0.0) -> list[float]:
    """Return about `points` steps from 0 to `end` for the curves of `plan`, with every breakpoint and the steps `also`.

    Args:
        plan: the plan; its `init_lr` is a number.
        end: the last step, in steps from the plan's own step 0.
        points: how many steps there are.
        also: steps that are among them, where they lie within.
        close: where lines are as close as this to the curves, as a part of the highest value of each, fewer steps will
            do. The curves are the learning rate, weight decay, and their product.
    """

    @cache
    def value_at(step: float) -> _Point:
        lr, wd = curves_at(plan, step)
        return lr, wd or 0.0, lr * (wd or 0.0)

    marks = sorted({0.0, *breakpoints(plan, end), *(step for step in also if 0 < step < end), end})
    middles = [(first + last) / 2 for first, last in pairwise(marks)]
    highest = tuple(max(values) or 1.0 for values in zip(*map(value_at, [*marks, *middles]), strict=True))
    return steps_between(marks, points, value_at, highest, close)


def end_of(plan: Plan, run_steps: float | None) -> float:
    """Return the last step to look at: of the run, else of the decay, else a while behind the last breakpoint."""
    if run_steps is not None:
        return run_steps
    if plan.lr_decay_steps != OPEN:
        return plan.lr_decay_steps
    marks = plan.landmarks().values()
    return 2 * max((plan.lr_warmup_steps, 1000, *(mark for mark in marks if mark < OPEN / 2)))
