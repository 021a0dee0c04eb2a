"""Writes the tables and the picture of the page of evidence: ``python docs/make_evidence.py``.

It needs the public loss curves (see loss_curves.py) and matplotlib. Every table of docs/explanation/evidence.md stands
between ``<!-- made: NAME -->`` and ``<!-- end -->``.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import loss_curves
import matplotlib as mpl
import numpy as np
from loss_curves import Run, of
from matplotlib.figure import Figure

from schedframe.foresight import ForesightError, Law, Log, Reference, fit, log_of, loss_laws
from schedframe.foresight._declared import Declared, declared
from schedframe.foresight._fit import observed
from schedframe.foresight._law import End
from schedframe.foresight._least_squares import Model, solve
from schedframe.foresight._propose import chosen_of, plateau_of, steepness
from schedframe.foresight._same_run import reasons_of_target

DOCS = Path(__file__).parent
PAGE = DOCS / "explanation" / "evidence.md"
PICTURE = DOCS / "explanation" / "evidence.svg"

FITTED = ("cosine_24000", "constant_24000", "wsdcon_9")
PAPER = {"100M": (0.9983, 0.00435), "400M": (0.9978, 0.00484)}
"""What the paper of the multi-power law states for its own fit: R2 and mean absolute error."""

ONE_COSINE = ("cos_lr0.001_iters25000_final-1", "cos_lr0.001_iters25000", "cos_lr0.001_iters25000_final1e-07")
PEAKS = {"124M, 0.001": "1e-3", "124M, 0.0005": "5e-4", "124M, 0.002": "2e-3"}
BINS = ((0.0, 0.0025), (0.0025, 0.005), (0.005, 0.01), (0.01, 0.02), (0.02, 9.0))


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


def runs() -> tuple[Run, ...]:
    """Return every run, those of your own too."""
    return (*loss_curves.multi_power(), *loss_curves.scheduling(), *loss_curves.own())


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
def finals() -> tuple[Final, ...]:
    """Return a prediction for every run from every other one of its model, where neither is refused."""
    return tuple(_finals())


def _finals() -> Iterator[Final]:
    for fitted in runs():
        law = law_of(fitted)
        if law is None:
            continue
        for target in runs():
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
def pairs() -> tuple[Pair, ...]:
    """Return every pair of runs of one model and length, from every run of a cosine."""
    return tuple(_pairs())


def _pairs() -> Iterator[Pair]:
    for fitted in runs():
        law = law_of(fitted)
        if law is None or "cos" not in fitted.name:
            continue
        ends = [(each, _logged_end(law, each)) for each in finals() if each.fitted is fitted]
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
def choices() -> tuple[Choice, ...]:
    """Return the choice for every fitted run, peak and length for which there are several cooldowns to choose from."""
    return tuple(_choices())


class _Made(NamedTuple):
    final: float
    steepness: float
    measured: float
    share: float


def _choices() -> Iterator[Choice]:
    groups: dict[tuple[str, str, float], list[Final]] = {}
    for each in finals():
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


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of Markdown."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def protocol_table() -> str:
    """The paper's protocol."""
    rows = []
    for size, (score, error) in PAPER.items():
        rows.append((size, "multi-power, as the paper states it", f"{score:.4f}", f"{error:.5f}"))
        for name in loss_laws:
            score, error = protocol(name, size)
            rows.append((size, name, f"{score:.5f}", f"{error:.5f}"))
    return table(("model", "law", "R²", "mean absolute error"), rows)


def finals_table() -> str:
    """Final losses from one cosine."""
    found = one_cosine()
    rows = []
    for name, peak in PEAKS.items():
        of_peak = [each for each in found if each.target.set == name]
        lengths = sorted({each.run.curve.length for each in of_peak})
        cells = [mean(abs(each.error) for each in of_peak if each.run.curve.length == length) for length in lengths]
        each_cosine = [mean(abs(e.error) for e in of_peak if e.fitted.name == fitted) for fitted in ONE_COSINE]
        spread = f"{min(each_cosine):.4f} to {max(each_cosine):.4f}"
        by_length = [f"{cell:.4f}" for cell in cells if cell == cell]
        whole = mean(abs(each.error) for each in of_peak)
        rows.append((peak, f"{whole:.4f}", spread, *by_length[:2], *by_length[-2:]))
    return table(("peak", "mean absolute error", "of each cosine", "15,000", "25,000", "35,000", "50,000"), rows)


def pairs_table() -> str:
    """How often the sign of a difference was right."""
    rows = []
    for low, high in BINS:
        here = [pair for pair in pairs() if low <= abs(pair.predicted) < high]
        right = mean(pair.is_right for pair in here)
        said = mean(pair.reliability for pair in here)
        close = mean(pair.is_close for pair in here)
        span = f"{low:g} to {high:g}" if high < 1 else f"above {low:g}"
        rows.append((span, f"{len(here):,}", f"{right:.2f}", f"{said:.2f}", f"{close:.0%}"))
    return table(("predicted difference", "pairs", "sign right", "as predicted", "too close to call"), rows)


def coverage_of(found: Sequence[Final]) -> tuple[float, float]:
    """Return the share of finals within their bars of 95 %, and the mean half-width of these."""
    return mean(abs(each.error) <= each.half_width for each in found), mean(each.half_width for each in found)


def coverage_table() -> str:
    """The coverage of the bars."""
    sets = {
        name: [each for each in finals() if each.target.set == name] for name in dict.fromkeys(r.set for r in runs())
    }
    rows = []
    for name, found in {**sets, "all": list(finals())}.items():
        if found:
            share, width = coverage_of(found)
            rows.append((name, f"{len(found):,}", f"{share:.1%}", f"{width:.4f}"))
    return table(("set", "finals", "within the bars of 95 %", "mean half-width"), rows)


def choices_table() -> str:
    """The regret of proposals."""
    rows = []
    for name in [*dict.fromkeys(choice.set for choice in choices()), "all"]:
        here = [choice for choice in choices() if name in (choice.set, "all")]
        if not here:
            continue
        regret, most = mean(choice.regret for choice in here), max(choice.regret for choice in here)
        against = [choice.against_rule for choice in here if choice.against_rule == choice.against_rule]
        beside = (f"{mean(against):+.4f}", f"{max(against):+.4f}") if against else ("no such run", "")
        rows.append((name, f"{len(here)}", f"{regret:.4f}", f"{most:.4f}", *beside))
    headers = ("set", "proposals", "mean regret", "largest", "against the 40 % rule", "worst against it")
    return table(headers, rows)


def messy_table() -> str:
    """Messy logs."""
    clean = error_by_peak(one_cosine())
    rows = [("clean", *(f"{clean[peak]:.4f}" for peak in PEAKS))]
    for name in MESSY:
        errors = messy(name)
        rows.append((name, *(f"{errors[peak]:.4f} ({errors[peak] / clean[peak] - 1:+.0%})" for peak in PEAKS)))
    return table(("log", *(f"error at {peak}" for peak in PEAKS.values())), rows)


def failures_table() -> str:
    """Where it breaks."""
    return table(("what", "finals", "mean error", "mean absolute error", "what happens"), _failures())


def _failures() -> Iterator[Sequence[str]]:
    def row(what: str, errors: Sequence[float], happens: str) -> Sequence[str]:
        bias, size = mean(errors), mean(map(abs, errors))
        return what, f"{len(errors):,}", f"{bias:+.4f}", f"{size:.4f}", happens

    usual = [each for each in finals() if each.longer <= 1.01 and each.run.decay_share >= 0.15]
    yield row("for comparison: as long or shorter, decay of 15 % or more", [e.error for e in usual], "predicted")
    far = [each.error for each in finals() if each.longer > 2.01]
    yield row("more than 2 times as long as the fitted run", far, "a warning, and wider bars")
    short = [each.error for each in finals() if each.run.decay_share < 0.15 and each.longer <= 1.01]
    yield row("a cooldown below 15 %", short, "a warning")
    yield row("an abrupt step, over 300 updates behind it", list(_abrupt()), "refused")
    yield row("half of a cosine is fitted", list(_unrefused(_half)), "refused")
    yield row(
        "a smoothed log (average of 0.9)",
        list(_unrefused(smoothed)),
        "refused",
    )


def _abrupt() -> Iterator[float]:
    """Yield the errors behind a fall of 40 to 90 % of the peak at once, at update 8,000."""
    for fitted in loss_curves.multi_power():
        law = law_of(fitted)
        for target in loss_curves.multi_power():
            if law is not None and target.set == fitted.set and "wsdcon" in target.name and target is not fitted:
                behind = (target.log.steps > 8000) & (target.log.steps <= 8300)
                loss = law.loss_at(target.schedule, target.log.steps[behind])
                yield float(np.mean(np.asarray(loss) - target.log.loss[behind]))


def _half(log: Log) -> Log:
    kept = log.steps <= 0.5 * log.steps[-1]
    return log_of(log.steps[kept], log.loss[kept], name=log.name)


def _unrefused(change: Callable[[Log], Log]) -> Iterator[float]:
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


def own_table() -> str:
    """Runs of your own."""
    found = [each for each in finals() if each.target.set in {run.set for run in loss_curves.own()}]
    if not found:
        return "None were there when this page was made."
    rows = [(e.fitted.name, e.target.name, f"{e.predicted:.4f}", f"{e.measured:.4f}", f"{e.error:+.4f}") for e in found]
    return table(("fitted", "predicted run", "predicted", "measured", "error"), rows)


def picture() -> Figure:
    """Return measured and predicted losses of three runs at the peak of the one that was fitted."""
    cosine = of(loss_curves.scheduling(), "124M, 0.001", ONE_COSINE[0])
    law = fit([(cosine.log, cosine.schedule)])
    shown = {
        "cosine to 10 % (fitted)": ONE_COSINE[0],
        "WSD, 20 %": "wsd_lr0.001_iters25000_cooldown0.2_linear",
        "WSD, 60 %": "wsd_lr0.001_iters25000_cooldown0.6_linear",
    }
    figure = Figure(figsize=(7.2, 3.4), layout="constrained")
    axis = figure.subplots()
    for (label, name), colour in zip(shown.items(), ("#0072B2", "#D55E00", "#009E73"), strict=True):
        run = of(loss_curves.scheduling(), "124M, 0.001", name)
        forecast = law.predict(run.schedule)
        lower, upper = forecast.bounds(0.95)
        axis.fill_between(forecast.steps, lower, upper, color=colour, alpha=0.15, linewidth=0)
        axis.plot(forecast.steps, forecast.loss, color=colour, linewidth=1.4, label=f"{label}, predicted")
        kept = run.log.steps >= forecast.steps[0]
        axis.plot(run.log.steps[kept], run.log.loss[kept], ".", color=colour, markersize=3)
    axis.set(xlabel="updates", ylabel="validation loss", xlim=(10_000, 25_000), ylim=(2.97, 3.24))
    axis.legend(fontsize=8, frameon=False)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    return figure


TABLES: dict[str, Callable[[], str]] = {
    "protocol": protocol_table,
    "finals": finals_table,
    "pairs": pairs_table,
    "coverage": coverage_table,
    "choices": choices_table,
    "messy": messy_table,
    "failures": failures_table,
    "own": own_table,
}
"""Each table of the page, by name."""


def made(page: str, name: str, text: str) -> str:
    """Return `page` with `text` as its table `name`."""
    pattern = re.compile(rf"(<!-- made: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    return pattern.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", page)


if __name__ == "__main__":
    mpl.rcParams["svg.fonttype"] = "none"
    mpl.rcParams["svg.hashsalt"] = "schedframe"
    page = PAGE.read_text()
    for name, write in TABLES.items():
        page = made(page, name, write())
        print("made", name)
    PAGE.write_text(page)
    picture().savefig(PICTURE, metadata={"Date": None})
    print("wrote", PAGE, PICTURE, PICTURE.stat().st_size)
