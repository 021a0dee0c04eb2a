"""What predictions of the loss are worth on public loss curves: finals, pairs, choices, messy logs, and failures."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import loss_curves
import numpy as np
from loss_curves import Run, of

from schedframe.foresight import ForesightError, Law, Log, Reference, fit, log_of, loss_laws
from schedframe.foresight._declared import Declared, declared
from schedframe.foresight._fit import observed
from schedframe.foresight._law import End
from schedframe.foresight._least_squares import Model, solve
from schedframe.foresight._propose import chosen_of, plateau_of, steepness
from schedframe.foresight._same_run import reasons_of_target

FITTED = ("cosine_24000", "constant_24000", "wsdcon_9")
"""What the protocol of the multi-power law's paper fits."""

ONE_COSINE = ("cos_lr0.001_iters25000_final-1", "cos_lr0.001_iters25000", "cos_lr0.001_iters25000_final1e-07")
PEAKS = {"124M, 0.001": "1e-3", "124M, 0.0005": "5e-4", "124M, 0.002": "2e-3"}


class Final(NamedTuple):
    """A prediction of the last loss of a run that was not fitted."""

    law: Law
    fitted: Run
    target: Run
    run: Declared
    predicted: float
    measured: float
    half_width: float

    @property
    def error(self) -> float:
        """The prediction minus the measurement."""
        return self.predicted - self.measured

    @property
    def longer(self) -> float:
        """The length of the target over that of the fitted run."""
        return self.run.curve.length / self.law.longest


@cache
def chosen_on() -> tuple[Run, ...]:
    """Return the runs on which the priors and the widths of the bars were chosen."""
    return (*loss_curves.multi_power(), *loss_curves.scheduling())


def model_of(run: Run) -> str:
    """Return the model of a run: one set of curves has it at three peaks."""
    return run.set.partition(",")[0]


@cache
def known(run: Run) -> Declared:
    """Return what the schedule of a run declares."""
    return declared(run.schedule, run.name)


@cache
def law_of(run: Run) -> Law | None:
    """Return the law that is fitted to one run; ``None`` where that is refused."""
    try:
        return fit([(run.log, run.schedule)])
    except ForesightError:
        return None


def decays(run: Run) -> bool:
    """Return whether a run is a candidate: constant ones are not."""
    return known(run).trough < 0.5


@cache
def finals(runs: tuple[Run, ...]) -> tuple[Final, ...]:
    """Return a prediction for every one of `runs` from every other one of its model, where neither is refused."""
    return tuple(_finals(runs))


def _finals(runs: tuple[Run, ...]) -> Iterator[Final]:
    for fitted in runs:
        law = law_of(fitted)
        if law is None:
            continue
        for target in runs:
            if target is fitted or model_of(target) != model_of(fitted) or not decays(target):
                continue
            if not list(reasons_of_target(known(target), law.runs)):
                yield final(law, fitted, target)


def final(law: Law, fitted: Run, target: Run) -> Final:
    """Return the prediction of the last loss in the log of `target`."""
    last = float(target.log.steps[-1])
    forecast = law.forecast(known(target), [last])
    lower, upper = forecast.bounds(0.95)
    measured = float(target.log.loss[-1])
    return Final(law, fitted, target, known(target), forecast.loss[0], measured, (upper[0] - lower[0]) / 2)


def mean(values: Iterable[float]) -> float:
    """Return the mean of `values`."""
    return float(np.mean(list(values)))


def protocol(name: str, size: str) -> tuple[float, float]:
    """Return R2 and the mean absolute error of a law on the six runs that the paper's protocol does not fit."""
    curves = loss_curves.multi_power()
    law = fit([(run.log, run.schedule) for run in (of(curves, size, name_) for name_ in FITTED)], name)
    scores, errors = [], []
    for run in curves:
        if run.set == size and run.name not in FITTED:
            error = np.asarray(law.loss_at(run.schedule, run.log.steps)) - run.log.loss
            scores.append(1 - float((error**2).sum() / ((run.log.loss - run.log.loss.mean()) ** 2).sum()))
            errors.append(float(np.abs(error).mean()))
    return mean(scores), mean(errors)


def one_cosine(change: Callable[[Log], Log] = lambda log: log) -> list[Final]:
    """Return the finals of the 124M model that one cosine at 1e-3 predicts, of three such cosines.

    Args:
        change: what is done to the log of the cosine.
    """
    found = []
    for name in ONE_COSINE:
        cosine = of(loss_curves.scheduling(), "124M, 0.001", name)
        law = fit([(change(cosine.log), cosine.schedule)])
        found += [final(law, cosine, target) for target in loss_curves.scheduling() if _is_another(target)]
    return found


def _is_another(target: Run) -> bool:
    return decays(target) and target.name not in ONE_COSINE


def error_by_peak(found: Sequence[Final]) -> dict[str, float]:
    """Return the mean absolute error of the finals by the peak learning rate of the target."""
    return {name: mean(abs(each.error) for each in found if each.target.set == name) for name in PEAKS}


class Pair(NamedTuple):
    """Two runs of one length: how far apart they are predicted to end, and measured, and how sure that is."""

    predicted: float
    measured: float
    reliability: float
    is_close: bool

    @property
    def is_right(self) -> bool:
        """Whether the sign of the prediction is right."""
        return self.predicted * self.measured > 0


@cache
def pairs(runs: tuple[Run, ...]) -> tuple[Pair, ...]:
    """Return every pair of `runs` of one model and length, from every run of a cosine."""
    return tuple(_pairs(runs))


def _pairs(runs: tuple[Run, ...]) -> Iterator[Pair]:
    for fitted in runs:
        law = law_of(fitted)
        if law is None or "cos" not in fitted.name:
            continue
        ends = [(each, _logged_end(law, each)) for each in finals(runs) if each.fitted is fitted]
        for index, (first, end) in enumerate(ends):
            for second, other in ends[:index]:
                if first.run.curve.length == second.run.curve.length:
                    difference = law.difference_of(end, other)
                    measured = first.measured - second.measured
                    yield Pair(difference.difference, measured, difference.reliability, difference.is_close)


def _logged_end(law: Law, found: Final) -> End:
    """Return the end of the log of a run, at which its loss was measured."""
    return law.end_of(found.run)._replace(loss=found.predicted)


class Choice(NamedTuple):
    """What would be proposed among the runs that were really made, against the best one and the rule of thumb."""

    set: str
    regret: float
    against_rule: float


@cache
def choices(runs: tuple[Run, ...]) -> tuple[Choice, ...]:
    """Return the choice for every fitted run, peak and length for which there are several cooldowns to choose from."""
    return tuple(_choices(runs))


class _Made(NamedTuple):
    final: float
    steepness: float
    measured: float
    share: float


def _choices(runs: tuple[Run, ...]) -> Iterator[Choice]:
    groups: dict[tuple[str, str, float], list[Final]] = {}
    for each in finals(runs):
        key = (f"{each.fitted.set}/{each.fitted.name}", each.target.set, each.run.curve.length)
        groups.setdefault(key, []).append(each)
    for (_, name, _), group in groups.items():
        made = [
            _Made(each.predicted, steepness(each.run), each.measured, round(each.run.decay_share, 2))
            for each in group
            if each.target.name.startswith("wsd") and not each.target.name.endswith("run2")
        ]
        rule = next((run for run in made if run.share == 0.4), None)
        if len(made) < 2 or (rule is None and len(made) > 5):
            continue
        plateau = plateau_of(made)
        chosen = chosen_of(plateau, rule or max(made))
        best = min(each.measured for each in group)
        against = chosen.measured - rule.measured if rule else float("nan")
        yield Choice(name, chosen.measured - best, against)


def noisy(log: Log, rng: np.random.Generator) -> Log:
    """Return `log` with noise of 0.005 nats."""
    return log_of(log.steps, log.loss + rng.normal(0.0, 0.005, len(log)), name=log.name)


def thinned(log: Log, rng: np.random.Generator) -> Log:
    """Return ten points of `log`, evenly over the part that is fitted."""
    usable = np.flatnonzero(log.steps >= 0.1 * log.steps[-1])
    kept = usable[np.linspace(0, len(usable) - 1, 10).round().astype(int)]
    return log_of(log.steps[kept], log.loss[kept], name=log.name)


def spiked(log: Log, rng: np.random.Generator) -> Log:
    """Return `log` with spikes in a tenth of its points, of 0.3 nats on average."""
    loss = log.loss.copy()
    at = rng.choice(len(loss), len(loss) // 10, replace=False)
    loss[at] += rng.exponential(0.3, len(at))
    return log_of(log.steps, loss, name=log.name)


def restarted(log: Log, rng: np.random.Generator) -> Log:
    """Return `log` as it is where the run was resumed twice, each time from a fifth of the run before, a little off."""
    count = len(log)
    order = [*range(count * 6 // 10), *range(count * 4 // 10, count * 8 // 10), *range(count * 6 // 10, count)]
    loss = log.loss[order].copy()
    loss[: count * 6 // 10] += rng.normal(0.0, 0.01, count * 6 // 10)
    return log_of([*log.steps[order], *log.steps], [*loss, *log.loss], name=log.name)


def smoothed(log: Log, share: float = 0.9) -> Log:
    """Return `log` as an exponential moving average."""
    loss = log.loss.copy()
    for index in range(1, len(loss)):
        loss[index] = share * loss[index - 1] + (1 - share) * loss[index]
    return log_of(log.steps, loss, name=log.name)


MESSY = {
    "10 points": thinned,
    "noise of 0.005": noisy,
    "spikes in a tenth": spiked,
    "two restarts": restarted,
    "10 points with noise of 0.005": lambda log, rng: noisy(thinned(log, rng), rng),
}
"""What logs can be like, and still be fitted."""


def messy(name: str, tries: int = 5) -> dict[str, float]:
    """Return the mean absolute error by peak, of one cosine whose log is messy."""
    rng = np.random.default_rng(0)
    found = [error_by_peak(one_cosine(lambda log: MESSY[name](log, rng))) for _ in range(tries)]
    return {peak: mean(each[peak] for each in found) for peak in PEAKS}


def coverage_of(found: Sequence[Final]) -> tuple[float, float]:
    """Return the share of finals within their bars of 95 %, and the mean half-width of these."""
    return mean(abs(each.error) <= each.half_width for each in found), mean(each.half_width for each in found)


def errors_behind_a_step() -> Iterator[float]:
    """Yield the errors behind a fall of 40 to 90 % of the peak at once, at update 8,000."""
    for fitted in loss_curves.multi_power():
        law = law_of(fitted)
        for target in loss_curves.multi_power():
            if law is not None and target.set == fitted.set and "wsdcon" in target.name and target is not fitted:
                behind = (target.log.steps > 8000) & (target.log.steps <= 8300)
                loss = law.loss_at(target.schedule, target.log.steps[behind])
                yield float(np.mean(np.asarray(loss) - target.log.loss[behind]))


def half(log: Log) -> Log:
    """Return the first half of `log`."""
    kept = log.steps <= 0.5 * log.steps[-1]
    return log_of(log.steps[kept], log.loss[kept], name=log.name)


def unrefused(change: Callable[[Log], Log]) -> Iterator[float]:
    """Yield the errors of finals at the same peak, from a log that `fit` refuses."""
    for name in ONE_COSINE:
        cosine = of(loss_curves.scheduling(), "124M, 0.001", name)
        run = known(cosine)
        model = Model(loss_laws["intrinsic-time"], Reference(run.curve.peak, run.curve.length))
        vector = solve(model, [observed(change(cosine.log), run)]).vector
        for target in loss_curves.scheduling():
            if target.set == cosine.set and _is_another(target):
                loss = model.loss(vector, known(target).curve.grid([float(target.log.steps[-1])]))
                yield float(loss[0] - target.log.loss[-1])
