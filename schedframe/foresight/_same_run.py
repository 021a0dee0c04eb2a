"""What a law does not carry over to: another batch size, weight decay, length or peak than in the fitted runs."""

from collections.abc import Iterator, Sequence
from math import log2
from typing import NamedTuple

from schedframe._units.notation import rate, whole_number
from schedframe.foresight._declared import Declared
from schedframe.foresight._reasons import Reason

MOST_LONGER = 4.0
MOST_PEAK = 2.0
_SLACK = 1.001
_MOST_STEP = 0.3
_SHORT_COOLDOWN = 0.15
_CONCAVE = 0.55


class Run(NamedTuple):
    """A run that a law was fitted to.

    Attributes:
        log: its log.
        schedule: its schedule.
        peak: the highest learning rate.
        length: its updates.
        batch_sizes: stretches of the run by first update, first sample and batch size; empty where not declared.
        weight_decay: at 21 evenly spaced updates; empty where it is not scheduled.
    """

    log: str
    schedule: str
    peak: float
    length: float
    batch_sizes: tuple[tuple[int, int, int], ...]
    weight_decay: tuple[float, ...]


def reasons_of_difference(run: Declared, fitted: Run) -> Iterator[Reason]:
    """Yield what besides the learning rate is different in `run` than in a `fitted` run."""
    sizes, fitted_sizes = run.batch_sizes, fitted.batch_sizes
    if sizes and fitted_sizes and sizes[-1][2] != fitted_sizes[-1][2]:
        yield Reason(
            "other-batch-size",
            run.name,
            f"its batch size is {sizes[-1][2]}, and that of {fitted.schedule} is {fitted_sizes[-1][2]}; a law is of "
            f"one batch size",
        )
    other = _other_weight_decay(run.weight_decay, fitted.weight_decay)
    if other:
        yield Reason(
            "other-weight-decay",
            run.name,
            f"its weight decay {other} in {fitted.schedule}; a law is of one weight decay",
        )


def _other_weight_decay(own: Sequence[float], fitted: Sequence[float]) -> str:
    if not own or not fitted:
        words = ("is scheduled, and it is not", "is not scheduled, and it is")
        return "" if bool(own) == bool(fitted) else words[not own]
    for part, (mine, its) in enumerate(zip(own, fitted, strict=True)):
        if abs(mine - its) > 1e-6 * max(mine, its) + 1e-12:
            return f"is {rate(mine)} after {part / (len(own) - 1):.0%} of the run, and it is {rate(its)}"
    return ""


def reasons_of_target(run: Declared, fitted: Sequence[Run]) -> Iterator[Reason]:
    """Yield why the loss of `run` cannot be predicted from the `fitted` runs."""
    yield from run.reasons()
    yield from reasons_of_difference(run, fitted[0])
    longer = run.curve.length / max(each.length for each in fitted)
    if longer > MOST_LONGER * _SLACK:
        yield Reason(
            "long-horizon",
            run.name,
            f"it is {longer:.1f} times as long as the longest fitted run, and up to {MOST_LONGER:.0f} times is known; "
            f"fit a longer run",
        )
    apart = nearest_peak(run.curve.peak, fitted)
    if 2.0 ** abs(apart) > MOST_PEAK * _SLACK:
        yield Reason(
            "other-peak",
            run.name,
            f"its peak learning rate is {2.0**apart:.2f} times that of the nearest fitted run, and 0.5 to "
            f"{MOST_PEAK:.0f} times is known; fit a run with a nearer peak",
        )
    if run.largest_step > _MOST_STEP:
        yield Reason(
            "abrupt-step",
            run.name,
            f"the learning rate falls by {run.largest_step:.0%} of its peak at once, and up to {_MOST_STEP:.0%} is "
            f"known; let it fall over some updates",
        )


def nearest_peak(peak: float, fitted: Sequence[Run]) -> float:
    """Return the binary logarithm of `peak` over the nearest peak of the `fitted` runs."""
    return min((log2(peak / run.peak) for run in fitted), key=abs)


def warnings_of_target(run: Declared, fitted: Sequence[Run]) -> Iterator[str]:
    """Yield what is known to go wrong with a prediction like this one."""
    longer = run.curve.length / max(each.length for each in fitted)
    if longer > _SLACK:
        yield (
            f"{run.name} is {longer:.2g} times as long as the longest fitted run: predictions of longer runs are too "
            f"pessimistic, by 0.01 to 0.045 in the worst cases"
        )
    if 0 < run.decay_share < _SHORT_COOLDOWN:
        yield (
            f"the decay of {run.name} takes {run.decay_share:.0%} of the run: below {_SHORT_COOLDOWN:.0%} predictions "
            f"are 0.004 to 0.015 too optimistic"
        )
    elif run.fullness > _CONCAVE and run.decay_share:
        yield (
            f"the decay of {run.name} is concave (its mean is {run.fullness:.0%} of its height): predictions of such "
            f"ones are 0.004 to 0.015 too optimistic"
        )
    if run.curve.length < min(each.length for each in fitted) / MOST_LONGER:
        yield f"{run.name} ends at update {whole_number(run.curve.length)}, where hardly any loss was fitted"
