"""Why logged values leave the schedule: what is tried, and what explains them.

A cause is a curve of its own. It is the likely one where it has the logged values at nine of ten points, from the
first one that differs to the end of the log; of several, the one that has the most, the simplest first.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate, islice, pairwise
from typing import Any

from schedframe._errors import FAILURES
from schedframe._plan.plan import Plan
from schedframe._plan.rule import DEFAULT
from schedframe._plan.sampling import end_of, steps_of
from schedframe._tools.audit.comparison import Comparison
from schedframe._tools.audit.expected import Curve, curve_of, plan_of
from schedframe._tools.audit.points import Restart
from schedframe._units.lengths import OPEN
from schedframe._units.notation import rate, si

_ENOUGH = 0.9
_MOST_POINTS = 300
_REFERENCES = 5
_MOST_FACTOR = 1 << 20
_SAMPLES = 400
_MOST_ROOTS = 8


@dataclass(frozen=True)
class Cause:
    """A likely reason.

    Attributes:
        name: of its kind: ``off-by-one``, ``batch-size``, ``steps-skipped``, ``other-unit``, ``not-stepped``,
            ``not-restored``, ``resumed-elsewhere``, ``factor``, ``old-bounds``, ``other-warmup``, ``other-decay``,
            ``other-role`` or ``unknown``.
        sentence: what the run did, and what to look at.
        share: of the points from the first difference on, how many it explains.
    """

    name: str
    sentence: str
    share: float


UNKNOWN = Cause("unknown", "no cause that is known to schedframe explains the values", 0.0)

_Value = Callable[[int], float]
"""The value that a cause expects at a point, by index."""


@dataclass(frozen=True)
class _Trial:
    """A cause that is tried: its kind, its sentence, and the value that it expects at a point."""

    name: str
    sentence: str
    value: _Value


class _Evidence:
    """The points with which causes are tried."""

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


def cause_of(comparison: Comparison, restarts: Sequence[Restart]) -> Cause:
    """Return the likely cause of the differences in `comparison`, of which there is at least one."""
    evidence, best = _Evidence(comparison, restarts), UNKNOWN
    for tries in _KINDS:
        for trial in tries(evidence):
            share = _share(evidence, trial)
            if share >= _ENOUGH and share > best.share + 0.02:
                best = Cause(trial.name, trial.sentence, share)
        if best.share == 1.0:
            break
    return best


def _share(evidence: _Evidence, trial: _Trial) -> float:
    points = evidence.all if trial.name in _FROM_THE_START else evidence.points
    try:
        return sum(evidence.comparison.fits(index, trial.value(index)) for index in points) / len(points)
    except FAILURES:
        return 0.0


def _spread(indices: Sequence[int], most: int) -> list[int]:
    """Return `most` of the `indices`, the first and the last among them."""
    if len(indices) <= most:
        return list(indices)
    return [indices[round(part * (len(indices) - 1) / (most - 1))] for part in range(most)]


def _off_by_one(evidence: _Evidence) -> Iterator[_Trial]:
    compared = evidence.comparison
    for sign, words in ((-1, "before"), (1, "after")):
        sentence = (
            f"off by one: each iteration has the value of the one {words} it; the scheduler makes one step "
            f"{'less' if sign < 0 else 'more'} than the run has updates"
        )
        yield _Trial("off-by-one", sentence, _by_iterations(compared, sign))


def _other_role(evidence: _Evidence) -> Iterator[_Trial]:
    compared = evidence.comparison
    for role in (DEFAULT, *(rule.role for rule in compared.schedule.groups)):
        of_role = curve_of(compared.schedule, compared.quantity, role)
        if role != compared.role and of_role is not None:
            sentence = f"the log has the values of the param groups {role!r}; compare with --role {role}"
            yield _Trial("other-role", sentence, _on(compared, of_role))


def _batch_size(evidence: _Evidence) -> Iterator[_Trial]:
    compared, here = evidence.comparison, evidence.first
    samples, iterations, positions = compared.points.samples, compared.points.iterations, compared.positions
    if positions.by_iteration and samples[here] == samples[here]:
        sentence = (
            f"another batch size, or ramp of it, than in the file: the values are right for the samples that the log "
            f"has ({si(samples[here])} consumed at iteration {iterations[here]})"
        )
        if positions.of_samples(samples[here]) != compared.steps[here]:
            yield _Trial("batch-size", sentence, _at_samples(compared, samples.__getitem__))
    if positions.is_ramped and positions.batch_size:
        size, own = positions.batch_size, compared.shown == "own"
        sentence = f"the batch size was not ramped: the values are right for {size} samples in each iteration"
        yield _Trial("batch-size", sentence, _at_samples(compared, lambda i: (iterations[i] - own) * size))


def _logged_skips(evidence: _Evidence) -> Iterator[_Trial]:
    compared = evidence.comparison
    total = list(accumulate(compared.points.skipped))
    if total and total[-1] > 0:
        at = compared.points.iterations[next(i for i, count in enumerate(total) if count > 0)]
        sentence = (
            f"{_times(total[-1], 'update')} skipped, as the log has it (first at iteration {at}): the scheduler makes "
            f"no step with an update that overflows"
        )
        yield _Trial("steps-skipped", sentence, _moved(compared, lambda i: -total[i] * compared.per_iteration(i)))


def _other_unit(evidence: _Evidence) -> Iterator[_Trial]:
    compared = evidence.comparison
    units, clock = compared.schedule.scale.units, compared.schedule.clock
    size, length = compared.positions.batch_size, units.seq_length
    per_iteration = {"iters": 1, "samples": size, "tokens": size * length if size and length else None}
    own = per_iteration[clock]
    for unit, steps in per_iteration.items():
        if unit != clock and steps and own:
            sentence = (
                f"another unit: the scheduler is given {unit}, and the file counts {clock} "
                f"({steps} instead of {own} for each iteration)"
            )
            factor = steps / own
            yield _Trial("other-unit", sentence, _scaled(compared, factor))


def _not_stepped(evidence: _Evidence) -> Iterator[_Trial]:
    compared, first = evidence.comparison, evidence.first
    stuck = compared.points.values[first]
    known = [compared.expected[index] for index in evidence.points]
    if max(known) - min(known) > 4 * compared.points.half_unit(first) and len(known) > 1:
        since = compared.points.iterations[first]
        sentence = f"the scheduler makes no step: the value stays {rate(stuck, 4)} from iteration {since} on"
        yield _Trial("not-stepped", sentence, lambda i: stuck)


def _shifted(evidence: _Evidence) -> Iterator[_Trial]:
    compared, one = evidence.comparison, evidence.comparison.per_iteration(evidence.first)
    for reference in evidence.references:
        for step in _steps_with(evidence, reference):
            exact = step - compared.local(reference)
            for shift in dict.fromkeys((round(exact / one) * one, exact)):
                if shift:
                    name, sentence = _words_of_shift(evidence, shift, one)
                    yield _Trial(name, sentence, _shifted_by(compared, shift))


def _words_of_shift(evidence: _Evidence, shift: float, one: float) -> tuple[str, str]:
    compared, iterations, restart = evidence.comparison, evidence.comparison.points.iterations, evidence.restart()
    here, iters = iterations[evidence.first], shift / one
    away = f"{_times(abs(iters), 'iteration')} {'behind' if iters < 0 else 'ahead of'} the run"
    before = iterations[evidence.first - 1] if evidence.first else 0
    came = restart.iteration - 1 if restart is not None else before
    if iters < 0 and came > 0 and abs(came + iters) <= here - before:
        return "not-restored", (
            f"the scheduler began again at 0 when the run was resumed at iteration {round(-iters)}, and is {away}: its "
            f"state was not loaded"
        )
    arrived = next((i for i in evidence.points if compared.fits(i, _shifted_by(compared, shift)(i))), evidence.first)
    if restart is None and not evidence.begins and 0 < -iters <= iterations[arrived] - before:
        return "steps-skipped", f"{_times(-iters, 'step')} skipped: the scheduler is {away} from iteration {here} on"
    return "resumed-elsewhere", (
        f"resumed at another position: the scheduler is {away}; check which checkpoint its state was loaded from"
    )


def _whole_factor(evidence: _Evidence) -> Iterator[_Trial]:
    for ratio in _ratios(evidence) if evidence.is_from_the_start else ():
        whole = round(ratio) if ratio >= 1 else round(1 / ratio)
        if 2 <= whole <= _MOST_FACTOR:
            told = f"{whole}" if ratio >= 1 else f"1/{whole}"
            sentence = (
                f"a factor of {told}: look for a whole number such as the world size, the accumulated batches or "
                f"an lr_mult"
            )
            factor = float(whole) if ratio >= 1 else 1 / whole
            yield _Trial("factor", sentence, _multiplied(evidence.comparison, factor))


def _any_factor(evidence: _Evidence) -> Iterator[_Trial]:
    for ratio in _ratios(evidence):
        yield _Trial("factor", f"a factor of {ratio:.4g}", _multiplied(evidence.comparison, ratio))


def _ratios(evidence: _Evidence) -> Iterator[float]:
    compared = evidence.comparison
    for index in evidence.references:
        value, expected = compared.points.values[index], compared.expected[index]
        if value > 0 and expected > 0:
            yield value / expected


def _old_bounds(evidence: _Evidence) -> Iterator[_Trial]:
    """Fit the max LR and the min LR: values are linear in both."""
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
        for bounds in (rounded, exact):
            if any(value < 0 for value in bounds.values()):
                continue
            told = " and ".join(f"{name} {rate(value, 4)}" for name, value in bounds.items())
            sentence = (
                f"the curve with {told}: the schedule of another file or flags, such as an old one that a checkpoint "
                f"brought back when the run was resumed"
            )
            other = Curve(plan, "lr", bounds)
            yield _Trial("old-bounds", sentence, _on(compared, other))


def _other_length(evidence: _Evidence) -> Iterator[_Trial]:
    for name, words in (("lr_warmup_steps", "other-warmup"), ("lr_decay_steps", "other-decay")):
        yield from _with_other(evidence, name, words)


def _with_other(evidence: _Evidence, name: str, words: str) -> Iterator[_Trial]:
    compared, plan = evidence.comparison, evidence.plan
    declared = getattr(plan, name)
    if declared == OPEN or not declared:
        return
    one = compared.per_iteration(evidence.first)
    for reference in evidence.references[:3]:
        for exact in _roots(partial(_off, evidence, name, reference), [declared * 1.03**n for n in range(-120, 121)]):
            for length in dict.fromkeys((round(exact / one / 10) * 10 * one, round(exact / one) * one, exact)):
                if not length or length == declared:
                    continue
                told = si(length / one)
                sentence = (
                    f"the curve with {name} of {told} iterations instead of {si(declared / one)}: another file or "
                    f"flags, such as an old schedule that a checkpoint brought back when the run was resumed"
                )
                other = Curve(_with(plan, name, length), compared.quantity)
                yield _Trial(words, sentence, _on(compared, other))


def _off(evidence: _Evidence, name: str, index: int, length: float) -> float:
    """Return how far the value of a point is from the curve with another length."""
    compared = evidence.comparison
    other = Curve(_with(evidence.plan, name, length), compared.quantity)
    return other(compared.local(index)) - compared.points.values[index]


def _with(plan: Plan, name: str, length: float) -> Plan:
    changed: dict[str, Any] = {name: length}
    return replace(plan, **changed)


def _other_speed(evidence: _Evidence) -> Iterator[_Trial]:
    compared = evidence.comparison
    for reference in evidence.references:
        here = compared.local(reference)
        for step in _steps_with(evidence, reference):
            ratio = step / here if here > 0 else 0.0
            whole = round(ratio) if ratio >= 1 else round(1 / ratio) if ratio > 0 else 0
            if 2 <= whole <= _MOST_FACTOR:
                factor = float(whole) if ratio >= 1 else 1 / whole
                told = f"{whole} times as fast" if ratio >= 1 else f"{whole} times as slowly"
                sentence = (
                    f"another unit: the scheduler advances {told} as in the file; look for a step() that is made by "
                    f"every rank or micro-batch, or is given another batch size"
                )
                yield _Trial("other-unit", sentence, _scaled(compared, factor))


_KINDS = (
    _off_by_one,
    _other_role,
    _logged_skips,
    _batch_size,
    _other_unit,
    _not_stepped,
    _shifted,
    _whole_factor,
    _other_speed,
    _old_bounds,
    _other_length,
    _any_factor,
)
"""What is tried, the simplest first."""

_FROM_THE_START = ("off-by-one", "other-role", "other-unit")
"""Causes that are there from the first iteration on."""


def _on(compared: Comparison, other: Curve) -> _Value:
    """Return the values of another curve at the steps of the schedule."""
    return lambda index: other(compared.local(index))


def _moved(compared: Comparison, shift: Callable[[int], float]) -> _Value:
    """Return the values of the schedule some steps away from each point, not before its start."""
    return lambda index: compared.curve(max(compared.local(index) + shift(index), 0.0))


def _shifted_by(compared: Comparison, steps: float) -> _Value:
    return _moved(compared, lambda index: steps)


def _by_iterations(compared: Comparison, count: int) -> _Value:
    return _moved(compared, lambda index: count * compared.per_iteration(index))


def _at_samples(compared: Comparison, samples: Callable[[int], float]) -> _Value:
    start = compared.schedule.start_step
    return lambda index: compared.curve(max(compared.positions.of_samples(samples(index)) - start, 0.0))


def _scaled(compared: Comparison, factor: float) -> _Value:
    """Return the values of the schedule where the scheduler's count is `factor` times as high."""
    start = compared.schedule.start_step
    return lambda index: compared.curve(max(compared.steps[index] * factor - start, 0.0))


def _multiplied(compared: Comparison, factor: float) -> _Value:
    return lambda index: compared.expected[index] * factor


def _steps_with(evidence: _Evidence, reference: int) -> Iterator[float]:
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


def _times(count: float, noun: str) -> str:
    number = round(count, 2)
    return f"{number:,.10g} {noun}{'' if number == 1 else 's'}"
