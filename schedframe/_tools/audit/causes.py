"""Why logged values leave the schedule: what is tried, and what explains them.

A cause is a curve of its own. It is the likely one where it has the logged values at nine of ten points, from the
first one that differs to the end of the log; of several, the one that has the most, the simplest first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from schedframe._errors import FAILURES
from schedframe._plan.rule import DEFAULT
from schedframe._tools.audit.comparison import Comparison
from schedframe._tools.audit.expected import Curve, curve_of
from schedframe._tools.audit.fitting import (
    Evidence,
    Value,
    at_samples,
    bounds,
    lengths,
    moved,
    moved_by,
    moved_by_iterations,
    multiplied,
    on,
    ratios,
    scaled,
    shifts,
    speeds,
)
from schedframe._tools.audit.points import Restart
from schedframe._units.notation import rate, si

_ENOUGH = 0.9
_MOST_FACTOR = 1 << 20


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


@dataclass(frozen=True)
class _Trial:
    """A cause that is tried: its kind, its sentence, and the value that it expects at a point."""

    name: str
    sentence: str
    value: Value


def cause_of(comparison: Comparison, restarts: Sequence[Restart]) -> Cause:
    """Return the likely cause of the differences in `comparison`, of which there is at least one."""
    evidence, best = Evidence(comparison, restarts), UNKNOWN
    for tries in _KINDS:
        for trial in tries(evidence):
            share = _share(evidence, trial)
            if share >= _ENOUGH and share > best.share + 0.02:
                best = Cause(trial.name, trial.sentence, share)
        if best.share == 1.0:
            break
    return best


def _share(evidence: Evidence, trial: _Trial) -> float:
    points = evidence.all if trial.name in _FROM_THE_START else evidence.points
    try:
        return sum(evidence.comparison.fits(index, trial.value(index)) for index in points) / len(points)
    except FAILURES:
        return 0.0


def _off_by_one(evidence: Evidence) -> Iterator[_Trial]:
    compared = evidence.comparison
    for sign, words in ((-1, "before"), (1, "after")):
        sentence = (
            f"off by one: each iteration has the value of the one {words} it; the scheduler makes one step "
            f"{'less' if sign < 0 else 'more'} than the run has updates"
        )
        yield _Trial("off-by-one", sentence, moved_by_iterations(compared, sign))


def _other_role(evidence: Evidence) -> Iterator[_Trial]:
    compared = evidence.comparison
    for role in (DEFAULT, *(rule.role for rule in compared.schedule.groups)):
        of_role = curve_of(compared.schedule, compared.quantity, role)
        if role != compared.role and of_role is not None:
            sentence = f"the log has the values of the param groups {role!r}; compare with --role {role}"
            yield _Trial("other-role", sentence, on(compared, of_role))


def _batch_size(evidence: Evidence) -> Iterator[_Trial]:
    compared, here = evidence.comparison, evidence.first
    samples, iterations, positions = compared.points.samples, compared.points.iterations, compared.positions
    if positions.by_iteration and samples[here] == samples[here]:
        sentence = (
            "the batch size, or its ramp-up, differs from the file: the values match the samples that the "
            f"log has ({si(samples[here])} consumed at iteration {iterations[here]})"
        )
        if positions.of_samples(samples[here]) != compared.steps[here]:
            yield _Trial("batch-size", sentence, at_samples(compared, samples.__getitem__))
    if positions.is_ramped and positions.batch_size:
        size, own = positions.batch_size, compared.shown == "own"
        sentence = f"the batch size was not ramped: the values match {size} samples per iteration"
        yield _Trial("batch-size", sentence, at_samples(compared, lambda i: (iterations[i] - own) * size))


def _logged_skips(evidence: Evidence) -> Iterator[_Trial]:
    compared = evidence.comparison
    total = list(accumulate(compared.points.skipped))
    if total and total[-1] > 0:
        at = compared.points.iterations[next(i for i, count in enumerate(total) if count > 0)]
        sentence = (
            f"{_times(total[-1], 'update')} skipped, as the log has it (first at iteration {at}): the scheduler makes "
            f"no step for an update that overflows"
        )
        yield _Trial("steps-skipped", sentence, moved(compared, lambda i: -total[i] * compared.per_iteration(i)))


def _other_unit(evidence: Evidence) -> Iterator[_Trial]:
    compared = evidence.comparison
    units, clock = compared.schedule.scale.units, compared.schedule.clock
    size, length = compared.positions.batch_size, units.seq_length
    per_iteration = {"iters": 1, "samples": size, "tokens": size * length if size and length else None}
    own = per_iteration[clock]
    for unit, steps in per_iteration.items():
        if unit != clock and steps and own:
            sentence = (
                f"another unit: the scheduler is given {unit}, but the file counts {clock} "
                f"({steps} instead of {own} per iteration)"
            )
            factor = steps / own
            yield _Trial("other-unit", sentence, scaled(compared, factor))


def _not_stepped(evidence: Evidence) -> Iterator[_Trial]:
    compared, first = evidence.comparison, evidence.first
    stuck = compared.points.values[first]
    known = [compared.expected[index] for index in evidence.points]
    if max(known) - min(known) > 4 * compared.points.half_unit(first) and len(known) > 1:
        since = compared.points.iterations[first]
        sentence = f"the scheduler makes no step: the value stays {rate(stuck, 4)} from iteration {since} on"
        yield _Trial("not-stepped", sentence, lambda i: stuck)


def _shifted(evidence: Evidence) -> Iterator[_Trial]:
    for shift in shifts(evidence):
        name, sentence = _words_of_shift(evidence, shift, evidence.comparison.per_iteration(evidence.first))
        yield _Trial(name, sentence, moved_by(evidence.comparison, shift))


def _words_of_shift(evidence: Evidence, shift: float, one: float) -> tuple[str, str]:
    compared, iterations, restart = evidence.comparison, evidence.comparison.points.iterations, evidence.restart()
    here, iters = iterations[evidence.first], shift / one
    away = f"{_times(abs(iters), 'iteration')} {'behind' if iters < 0 else 'ahead of'} the run"
    before = iterations[evidence.first - 1] if evidence.first else 0
    came = restart.iteration - 1 if restart is not None else before
    if iters < 0 and came > 0 and abs(came + iters) <= here - before:
        return "not-restored", (
            f"the scheduler restarted at 0 when the run was resumed at iteration {round(-iters)}, and is {away}: its "
            f"state was not loaded"
        )
    value = moved_by(compared, shift)
    arrived = next((i for i in evidence.points if compared.fits(i, value(i))), evidence.first)
    if restart is None and not evidence.begins and 0 < -iters <= iterations[arrived] - before:
        return "steps-skipped", f"{_times(-iters, 'step')} skipped: the scheduler is {away} from iteration {here} on"
    return "resumed-elsewhere", (
        f"resumed at another position: the scheduler is {away}; check which checkpoint its state was loaded from"
    )


def _whole_factor(evidence: Evidence) -> Iterator[_Trial]:
    for ratio in ratios(evidence) if evidence.is_from_the_start else ():
        whole = round(ratio) if ratio >= 1 else round(1 / ratio)
        if 2 <= whole <= _MOST_FACTOR:
            told = f"{whole}" if ratio >= 1 else f"1/{whole}"
            sentence = (
                f"a factor of {told}: check for a factor such as the world size, the number of accumulated batches or "
                f"an lr_mult"
            )
            factor = float(whole) if ratio >= 1 else 1 / whole
            yield _Trial("factor", sentence, multiplied(evidence.comparison, factor))


def _any_factor(evidence: Evidence) -> Iterator[_Trial]:
    for ratio in ratios(evidence):
        yield _Trial("factor", f"a factor of {ratio:.4g}", multiplied(evidence.comparison, ratio))


def _old_bounds(evidence: Evidence) -> Iterator[_Trial]:
    for found in bounds(evidence):
        told = " and ".join(f"{name} {rate(value, 4)}" for name, value in found.items())
        sentence = (
            f"the curve with {told}: the schedule of another file or flags, such as an old one that was restored from "
            f"a checkpoint"
        )
        yield _Trial("old-bounds", sentence, on(evidence.comparison, Curve(evidence.plan, "lr", found)))


def _other_length(evidence: Evidence) -> Iterator[_Trial]:
    one = evidence.comparison.per_iteration(evidence.first)
    for field, name in (("lr_warmup_steps", "other-warmup"), ("lr_decay_steps", "other-decay")):
        declared = getattr(evidence.plan, field)
        for length, other in lengths(evidence, field):
            sentence = (
                f"the curve with {field} of {si(length / one)} iterations instead of {si(declared / one)}: another "
                f"file or flags, such as an old schedule that was restored from a checkpoint"
            )
            yield _Trial(name, sentence, on(evidence.comparison, other))


def _other_speed(evidence: Evidence) -> Iterator[_Trial]:
    for ratio in speeds(evidence):
        whole = round(ratio) if ratio >= 1 else round(1 / ratio) if ratio > 0 else 0
        if 2 <= whole <= _MOST_FACTOR:
            factor = float(whole) if ratio >= 1 else 1 / whole
            told = f"{whole} times as fast" if ratio >= 1 else f"{whole} times as slowly"
            sentence = (
                f"another unit: the scheduler advances {told} as in the file; check whether every rank or micro-batch "
                f"calls step(), or whether step() is given another batch size"
            )
            yield _Trial("other-unit", sentence, scaled(evidence.comparison, factor))


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


def _times(count: float, noun: str) -> str:
    number = round(count, 2)
    return f"{number:,.10g} {noun}{'' if number == 1 else 's'}"
