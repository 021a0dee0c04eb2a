"""Writes the tables and the picture of the page of evidence: ``python docs/make_evidence.py``.

It needs the public loss curves (see loss_curves.py) and matplotlib. Every table of docs/explanation/evidence.md stands
between ``<!-- made: NAME -->`` and ``<!-- end -->``.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import loss_curves
import matplotlib as mpl
from loss_curves import Run, of
from loss_measures import (
    MESSY,
    ONE_COSINE,
    PEAKS,
    choices,
    chosen_on,
    coverage_of,
    error_by_peak,
    errors_behind_a_step,
    finals,
    half,
    mean,
    messy,
    one_cosine,
    pairs,
    protocol,
    smoothed,
    unrefused,
)
from matplotlib.figure import Figure

from schedframe.foresight import fit, loss_laws

DOCS = Path(__file__).parent
PAGE = DOCS / "explanation" / "evidence.md"
PICTURE = DOCS / "explanation" / "evidence.svg"

PAPER = {"100M": (0.9983, 0.00435), "400M": (0.9978, 0.00484)}
"""What the paper of the multi-power law states for its own fit: R2 and mean absolute error."""

BINS = ((0.0, 0.0025), (0.0025, 0.005), (0.005, 0.01), (0.01, 0.02), (0.02, 9.0))


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


def pairs_table(runs: tuple[Run, ...]) -> str:
    """How often the sign of a difference was right."""
    rows = []
    for low, high in BINS:
        here = [pair for pair in pairs(runs) if low <= abs(pair.predicted) < high]
        right = mean(pair.is_right for pair in here)
        stated = mean(pair.reliability for pair in here)
        close = mean(pair.is_close for pair in here)
        span = f"{low:g} to {high:g}" if high < 1 else f"above {low:g}"
        rows.append((span, f"{len(here):,}", f"{right:.2f}", f"{stated:.2f}", f"{close:.0%}"))
    return table(("predicted difference", "pairs", "sign right", "as predicted", "too close to call"), rows)


def coverage_table(runs: tuple[Run, ...]) -> str:
    """The errors of final losses, and the coverage of their bars, by set."""
    found = finals(runs)
    sets = {name: [each for each in found if each.target.set == name] for name in dict.fromkeys(r.set for r in runs)}
    rows = []
    for name, here in {**sets, "all": found}.items():
        if here:
            error, bias = mean(abs(each.error) for each in here), mean(each.error for each in here)
            share, width = coverage_of(here)
            rows.append((name, f"{len(here):,}", f"{error:.4f}", f"{bias:+.4f}", f"{share:.1%}", f"{width:.4f}"))
    headers = ("set", "finals", "mean absolute error", "mean error", "within the bars of 95 %", "mean half-width")
    return table(headers, rows)


def choices_table() -> str:
    """The regret of proposals."""
    rows = []
    for name in [*dict.fromkeys(choice.set for choice in choices(chosen_on())), "all"]:
        here = [choice for choice in choices(chosen_on()) if name in (choice.set, "all")]
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

    usual = [each for each in finals(chosen_on()) if each.longer <= 1.01 and each.run.decay_share >= 0.15]
    yield row("for comparison: as long or shorter, decay of 15 % or more", [e.error for e in usual], "predicted")
    far = [each.error for each in finals(chosen_on()) if each.longer > 2.01]
    yield row("more than 2 times as long as the fitted run", far, "a warning, and wider bars")
    short = [each.error for each in finals(chosen_on()) if each.run.decay_share < 0.15 and each.longer <= 1.01]
    yield row("a cooldown below 15 %", short, "a warning")
    yield row("an abrupt step, over 300 updates behind it", list(errors_behind_a_step()), "refused")
    yield row("half of a cosine is fitted", list(unrefused(half)), "refused")
    yield row(
        "a smoothed log (average of 0.9)",
        list(unrefused(smoothed)),
        "refused",
    )


def own_table() -> str:
    """Runs of your own."""
    found = finals(loss_curves.own())
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
    "pairs": lambda: pairs_table(chosen_on()),
    "coverage": lambda: coverage_table(chosen_on()),
    "choices": choices_table,
    "messy": messy_table,
    "failures": failures_table,
    "unseen": lambda: coverage_table(loss_curves.unseen()),
    "unseen-pairs": lambda: pairs_table(loss_curves.unseen()),
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
        if name.startswith("unseen") and not loss_curves.unseen():
            print("left as it is without its curves, see unseen_curves.py:", name)
            continue
        page = made(page, name, write())
        print("made", name)
    PAGE.write_text(page)
    picture().savefig(PICTURE, metadata={"Date": None})
    print("wrote", PAGE, PICTURE, PICTURE.stat().st_size)
