"""Whether a log can be fitted, and how well it was: each reason has the number that decided."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from schedframe._units.notation import rate, whole_number
from schedframe.foresight._curve import Array
from schedframe.foresight._declared import Declared
from schedframe.foresight._log import Log
from schedframe.foresight._reasons import Reason

FEWEST = 10
_LOSSES = (1e-4, 1e4)
_HALF = 0.5
_ENOUGH_DECAY = 0.75
_EARLY = 1 / 3
_MOST_BAD = 0.2
_SPIKE = 0.03
_UNUSUAL = 6.0
_WINDOW = 7
_SAME_LR = 0.005
_MOST_RESIDUAL = 0.01
_SMOOTHED = 0.1
_AROUND = 9
_NOTHING = 1e-4
_FEWEST_TO_SEE_SMOOTHING = 20
_PARTS = 20


def reasons_of_log(log: Log, run: Declared) -> Iterator[Reason]:
    """Yield why `log` cannot be fitted as a log of `run`, before any law is."""
    lowest, highest = _LOSSES
    odd = np.flatnonzero((log.loss < lowest) | (log.loss > highest))
    if len(odd):
        at, loss = log.steps[odd[0]], log.loss[odd[0]]
        yield Reason(
            "no-loss",
            log.name,
            f"the loss at update {whole_number(at)} is {loss:.3g}, and losses in nats lie between {lowest:g} and "
            f"{highest:g}; name the column of the loss",
        )
        return
    beyond = log.steps[-1] - run.curve.length
    if beyond > max(1.0, 1e-3 * run.curve.length):
        yield Reason(
            "other-length",
            log.name,
            f"it goes on to update {whole_number(log.steps[-1])}, and {run.name} ends at update "
            f"{whole_number(run.curve.length)}; give the schedule that the run had",
        )
    usable = int((log.steps >= run.fit_from).sum())
    if usable < FEWEST:
        yield Reason(
            "few-points",
            log.name,
            f"it has {usable} losses from update {whole_number(run.fit_from)} on, and at least {FEWEST} are needed; "
            f"log more often",
        )
    bad, count = log.unreadable + int(spikes(log.loss).sum()), len(log) + log.unreadable
    if bad > _MOST_BAD * count:
        yield Reason(
            "spikes",
            log.name,
            f"{bad} of {count} losses are not finite or stand out above their neighbours, and up to {_MOST_BAD:.0%} "
            f"may; a run that diverges follows no law",
        )
    other = first_other_lr(log, run)
    if other is not None:
        logged, expected = log.lr[other] if log.lr is not None else 0.0, run.curve.at(log.steps[other])
        yield Reason(
            "other-learning-rate",
            log.name,
            f"its learning rate at iteration {whole_number(log.steps[other])} is {rate(logged, 4)}, and "
            f"{rate(float(expected), 4)} in {run.name}; schedframe audit names the likely cause",
        )


def spikes(loss: Array) -> NDArray[np.bool_]:
    """Return which losses stand out above the median of the seven around them: by 3 %, and six times the usual."""
    if len(loss) < _WINDOW:
        return np.zeros(len(loss), bool)
    padded = np.pad(loss, _WINDOW // 2, mode="edge")
    around = np.median(np.lib.stride_tricks.sliding_window_view(padded, _WINDOW), axis=1)
    usual = 1.4826 * float(np.median(np.abs(loss - around)))
    return np.asarray(loss - around > np.maximum(_SPIKE * around, _UNUSUAL * usual))


def first_other_lr(log: Log, run: Declared) -> int | None:
    """Return the index of the first logged learning rate that is none of those of the updates beside it.

    Formats differ in whether they log the learning rate of the last update or of the next one.
    """
    if log.lr is None:
        return None
    beside = np.stack([run.curve.at(log.steps + shift) for shift in (-1.0, 0.0, 1.0)])
    slack = _SAME_LR * run.curve.peak
    with np.errstate(invalid="ignore"):
        other = (log.lr < beside.min(axis=0) - slack) | (log.lr > beside.max(axis=0) + slack)
    found = np.flatnonzero(other)
    return int(found[0]) if len(found) else None


def reasons_of_set(logs: Sequence[Log], runs: Sequence[Declared]) -> Iterator[Reason]:
    """Yield why the logs together do not determine a law."""
    low = [float(run.curve.at(log.steps).min()) / run.curve.peak for log, run in _behind_warmup(logs, runs)]
    names = ", ".join(log.name for log in logs)
    if min(low) > _HALF:
        yield Reason(
            "no-decay",
            names,
            f"the learning rate never falls below {min(low):.0%} of its peak where losses are logged, and a law needs "
            f"to see it below {_HALF:.0%}; run one cosine to its end, or one cooldown",
        )
        return
    seen = [_share_of_decay(log, run) for log, run, lowest in zip(logs, runs, low, strict=True) if lowest <= _HALF]
    if max(seen) < _ENOUGH_DECAY:
        yield Reason(
            "half-a-decay",
            names,
            f"losses are logged over {max(seen):.0%} of the decay, and {_ENOUGH_DECAY:.0%} are needed; run one cosine "
            f"to its end",
        )
    begins = [float(log.steps[0]) / run.curve.length for log, run in _behind_warmup(logs, runs)]
    if min(begins) > _EARLY:
        yield Reason(
            "late-log",
            names,
            f"the first loss is logged after {min(begins):.0%} of the run, and the first third is needed; put the log "
            f"of what came before in the same file, or fit its run too",
        )


def _behind_warmup(logs: Sequence[Log], runs: Sequence[Declared]) -> Iterator[tuple[Log, Declared]]:
    for log, run in zip(logs, runs, strict=True):
        kept = log.steps >= run.fit_from
        yield Log(log.steps[kept], log.loss[kept]), run


def _share_of_decay(log: Log, run: Declared) -> float:
    begin, end = run.decay
    return float(np.clip((log.steps[-1] - begin) / max(end - begin, 1.0), 0.0, 1.0))


def reasons_of_residuals(logs: Sequence[Log], residuals: Sequence[Array]) -> Iterator[Reason]:
    """Yield why a fit with these relative residuals is not to be trusted."""
    for log, residual in zip(logs, residuals, strict=True):
        size = coarse(residual)
        if size > _MOST_RESIDUAL:
            yield Reason(
                "no-fit",
                log.name,
                f"the law leaves a residual of {size:.1%} of the loss, and up to {_MOST_RESIDUAL:.0%} is usual; it "
                f"does not describe this run (another optimizer, data that change, or a loss of another kind)",
            )
        likeness = follows(residual)
        if likeness > _SMOOTHED and float(np.median(np.abs(residual))) > _NOTHING:
            yield Reason(
                "smoothed",
                log.name,
                f"its losses seem to be smoothed: the changes from one to the next are alike (correlation "
                f"{likeness:.2f}, raw losses have less than 0), which delays them; give the raw loss",
            )


def coarse(residual: Array) -> float:
    """Return the root mean square of the residuals' means over 20 parts, which noise does not raise."""
    return float(np.sqrt(np.mean([part.mean() ** 2 for part in np.array_split(residual, min(_PARTS, len(residual)))])))


def follows(residual: Array) -> float:
    """Return how much a change from one residual to the next is like the change before: its correlation.

    The mean of the nine residuals around each is subtracted first, so that a law that does not quite fit is no matter.
    """
    if len(residual) < _FEWEST_TO_SEE_SMOOTHING:
        return -1.0
    around = np.convolve(np.pad(residual, _AROUND // 2, mode="reflect"), np.full(_AROUND, 1 / _AROUND), "valid")
    changes = np.diff(residual - around)
    most = 4 * 1.4826 * float(np.median(np.abs(changes))) + 1e-12
    changes = np.clip(changes, -most, most)
    changes = changes - changes.mean()
    return float((changes[1:] * changes[:-1]).sum() / max(float((changes**2).sum()), 1e-300))
