"""What would have been predicted for runs that are finished, against what was measured."""

from collections.abc import Iterable
from dataclasses import dataclass

from schedframe._errors import ForesightError
from schedframe._schedule.schedule import Schedule
from schedframe.foresight._declared import declared
from schedframe.foresight._fit import fit
from schedframe.foresight._laws.installed import DEFAULT
from schedframe.foresight._log import Log
from schedframe.foresight._quality import spikes
from schedframe.foresight._reasons import Reason, refuse

_LAST = 0.02


@dataclass(frozen=True)
class Tested:
    """One run that was left out of the fit.

    Attributes:
        log: its log.
        schedule: its schedule.
        updates: where the end of its log lies: the mean of the updates that `measured` is of.
        measured: the mean loss over the last 2 % of the run that are logged.
        predicted: the loss that the other runs predict there; ``None`` where they do not determine it.
        bounds: between which losses it lies in 95 of 100 such cases.
        reasons: why nothing is predicted.
    """

    log: str
    schedule: str
    updates: float
    measured: float
    predicted: float | None
    bounds: tuple[float, float] | None
    reasons: tuple[Reason, ...] = ()

    @property
    def error(self) -> float | None:
        """The prediction minus the measurement, in nats."""
        return None if self.predicted is None else self.predicted - self.measured


def backtest(runs: Iterable[tuple[Log, Schedule]], law: str = DEFAULT) -> list[Tested]:
    """Predict each of several finished runs from the others.

    Args:
        runs: the log and the schedule of each, two at least.
        law: the name of one of `loss_laws`.

    Raises:
        ForesightError: there are fewer than two runs, or one of them has no usable log.
        PluginError: there is no such law, or it cannot be used.
    """
    pairs = list(runs)
    if len(pairs) < 2:
        refuse([Reason("few-runs", "backtest", f"{len(pairs)} runs were given, and two at least are needed")])
    return [_tested(pairs, index, law) for index in range(len(pairs))]


def _tested(pairs: list[tuple[Log, Schedule]], index: int, law: str) -> Tested:
    log, schedule = pairs[index]
    run = declared(schedule)
    last = (log.steps >= log.steps[-1] - _LAST * run.curve.length) & ~spikes(log.loss)
    steps = log.steps[last].clip(run.fit_from, run.curve.length)
    updates, measured = float(steps.mean()), float(log.loss[last].mean())
    try:
        forecast = fit([*pairs[:index], *pairs[index + 1 :]], law).predict(schedule, steps.tolist())
    except ForesightError as error:
        return Tested(log.name, run.name, updates, measured, None, None, error.reasons)
    lower, upper = forecast.bounds()
    count = len(forecast.loss)
    bounds = sum(lower) / count, sum(upper) / count
    return Tested(log.name, run.name, updates, measured, sum(forecast.loss) / count, bounds)
