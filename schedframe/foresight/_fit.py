"""Fits a law to the logs of finished runs."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from schedframe._schedule.schedule import Schedule
from schedframe.foresight._curve import Array
from schedframe.foresight._declared import Declared, declared
from schedframe.foresight._law import Law
from schedframe.foresight._laws.installed import DEFAULT, loss_laws
from schedframe.foresight._laws.law import Reference
from schedframe.foresight._least_squares import Fitted, Model, Observed, solve
from schedframe.foresight._log import Log
from schedframe.foresight._quality import (
    reasons_of_log,
    reasons_of_residuals,
    reasons_of_set,
    spikes,
)
from schedframe.foresight._reasons import Reason, refuse
from schedframe.foresight._same_run import Run, reasons_of_difference

_MOST_POINTS = 200
_LEAST_NOISE = 3e-4
_FAR = 2.0
_UNRECONCILED = 0.003
_SHORT_COOLDOWN = 0.15
_MOST_CORRELATION = 0.98
_FEWEST_TO_CORRELATE = 8


def fit(runs: Iterable[tuple[Log, Schedule]], law: str = DEFAULT) -> Law:
    """Fit a law to finished runs of one model: the same data, batch size, optimizer and weight decay.

    One run whose learning rate falls to less than half of its peak is enough; one cosine to its end is best.

    Args:
        runs: the log and the schedule of each.
        law: the name of one of `loss_laws`.

    Raises:
        ForesightError: there is no run, or the runs do not determine a law, with every reason.
        PluginError: there is no such law, or it cannot be used.
    """
    pairs = list(runs)
    if not pairs:
        refuse([Reason("no-runs", "fit", "there is no run to fit; give the log and the schedule of a finished one")])
    logs = [log for log, _ in pairs]
    known = [declared(schedule) for _, schedule in pairs]
    refuse(_reasons_before(logs, known))
    reference = Reference(known[0].curve.peak, max(run.curve.length for run in known))
    model = Model(loss_laws[law], reference)
    fitted = solve(model, [observed(log, run) for log, run in zip(logs, known, strict=True)])
    refuse(reasons_of_residuals(logs, fitted.residuals))
    noise = _noise(fitted)
    return Law(
        name=law,
        vector=tuple(fitted.vector.tolist()),
        covariance=tuple(map(tuple, _covariance(model, fitted, noise).tolist())),
        reference=reference,
        noise=noise,
        runs=tuple(_run(log, run) for log, run in zip(logs, known, strict=True)),
        warnings=tuple(_warnings(model, fitted, logs, known)),
    )


def _reasons_before(logs: Sequence[Log], known: Sequence[Declared]) -> list[Reason]:
    pairs = list(zip(logs, known, strict=True))
    found = [reason for run in known for reason in run.reasons()]
    found += [reason for log, run in pairs for reason in reasons_of_log(log, run)]
    found += [reason for run in known[1:] for reason in reasons_of_difference(run, _run(logs[0], known[0]))]
    return found or list(reasons_of_set(logs, known))


def observed(log: Log, run: Declared) -> Observed:
    """Return the losses of `log` that are fitted: those that a law describes, without spikes, 200 means at most."""
    kept = (log.steps >= run.fit_from) & ~spikes(log.loss)
    steps, loss = log.steps[kept], log.loss[kept]
    if len(steps) > _MOST_POINTS:
        parts = np.array_split(np.arange(len(steps)), _MOST_POINTS)
        steps = np.array([steps[part].mean() for part in parts])
        loss = np.array([loss[part].mean() for part in parts])
    return Observed(run.curve.grid(steps), loss)


def _noise(fitted: Fitted) -> float:
    """Return the relative noise that an independent point has: residuals follow each other, so there are fewer."""
    size = max(1.4826 * float(np.median(np.abs(np.concatenate(fitted.residuals)))), _LEAST_NOISE)
    alike = float(np.mean([_correlation(residual) for residual in fitted.residuals]))
    alike = min(max(alike, 0.0), _MOST_CORRELATION)
    return size * float(np.sqrt((1 + alike) / (1 - alike)))


def _correlation(residual: Array) -> float:
    """Return how much each residual is like the one before; 0.5 where that cannot be seen."""
    if len(residual) < _FEWEST_TO_CORRELATE:
        return 0.5
    with np.errstate(invalid="ignore"):
        found = float(np.corrcoef(residual[:-1], residual[1:])[0, 1])
    return found if found == found else 0.5


def _covariance(model: Model, fitted: Fitted, noise: float) -> Array:
    """Return the covariance of the fitted vector, of losses with this relative `noise` and of the priors."""
    prior = np.zeros((len(fitted.vector),) * 2)
    count = len(model.names)
    prior[range(count), range(count)] = model.widths**-2.0
    return np.asarray(np.linalg.pinv(fitted.jacobian.T @ fitted.jacobian / noise**2 + prior))


def _run(log: Log, run: Declared) -> Run:
    curve = run.curve
    return Run(log.name, run.name, curve.peak, curve.length, run.batch_sizes, run.weight_decay)


def _warnings(model: Model, fitted: Fitted, logs: Sequence[Log], known: Sequence[Declared]) -> Iterator[str]:
    if model.law.name != DEFAULT:
        yield f"the widths of the bars are those of {DEFAULT}: how far {model.law.name} errs was not measured"
    if len({run.shape for run in known}) == 1:
        yield f"fitted on one shape only ({known[0].shape}); a second one would show whether the law holds for others"
    far = (fitted.vector[: len(model.names)] - model.centers) / model.widths
    for name, distance in zip(model.names, far, strict=True):
        if abs(distance) > _FAR:
            yield f"the parameter {name} lies {abs(distance):.1f} widths from its prior; the run is unlike those known"
    if len(logs) > 1:
        for log, residual in zip(logs, fitted.residuals, strict=True):
            if abs(residual.mean()) > _UNRECONCILED:
                yield (
                    f"{log.name} lies {residual.mean():+.1%} beside the law on average: the fitted runs may differ in "
                    f"more than their schedule"
                )
    for log, run in zip(logs, known, strict=True):
        if 0 < run.decay_share < _SHORT_COOLDOWN and len(logs) == 1:
            yield (
                f"the decay of {run.name} takes {run.decay_share:.0%} of the run, and less than {_SHORT_COOLDOWN:.0%} "
                f"determines the law badly"
            )
        if log.unreadable:
            yield f"{log.name}: {log.unreadable} losses that are no finite numbers were left out"
        left_out = int(spikes(log.loss).sum())
        if left_out:
            yield f"{log.name}: {left_out} losses that stand out above their neighbours were left out"
