"""What ``schedframe predict``, ``propose`` and ``backtest`` share: the runs to fit, and how a law is described."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from schedframe import foresight
from schedframe._cli.findings import wrapped
from schedframe._schedule.schedule import Schedule, load
from schedframe._units.notation import rate, whole_number

Fits = Annotated[
    list[str],
    typer.Option("--fit", metavar="LOG:FILE", help="The log of a finished run and its schedule. Repeatable."),
]
Loss = Annotated[
    str | None, typer.Option("--loss", metavar="NAME", help="The column of the loss.  [default: loss, lm loss]")
]
Step = Annotated[
    str | None, typer.Option("--step", metavar="NAME", help="The column of the updates.  [default: iteration, step]")
]

EVIDENCE = (
    "evidence: AdamW, constant weight decay, fixed batch size, one epoch, models of up to 400M parameters, peaks of "
    "3e-4 to 2e-3; cosine, linear, 1-sqrt and exponential decays to 0..10% of the peak. At a peak of 1e-4, 95% "
    "intervals contained 80% of the losses. There is no evidence for Muon, MoE, 7B, batch ramps or weight-decay "
    "schedules."
)
HOLDS_FOR = "holds for: the same model, data, batch size, optimizer and weight decay"


class Finished(NamedTuple):
    """A finished run.

    Attributes:
        log: its losses.
        file: its schedule's file.
        schedule: its schedule.
    """

    log: foresight.Log
    file: Path
    schedule: Schedule

    @property
    def pair(self) -> tuple[foresight.Log, Schedule]:
        """What `foresight.fit` takes."""
        return self.log, self.schedule


def finished(fits: Sequence[str], loss: str | None, step: str | None) -> list[Finished]:
    """Return the runs that ``--fit`` names.

    Raises:
        typer.BadParameter: one of them is no LOG:FILE.
        LogError: a log cannot be read.
        ConfigError: a schedule cannot be.
    """
    pairs = [_split(text) for text in fits]
    return [Finished(foresight.read(log, loss, step), file, load(file)) for log, file in pairs]


def _split(text: str) -> tuple[Path, Path]:
    """Split at the colon with a file on both sides; at the last one where no such files are there."""
    colons = [index for index, letter in enumerate(text) if letter == ":" and 0 < index < len(text) - 1]
    if not colons:
        raise typer.BadParameter(
            f"{text!r} is not of the form LOG:FILE, such as train.log:run.yaml", param_hint="'--fit'"
        )
    parts = [(Path(text[:index]), Path(text[index + 1 :])) for index in colons]
    return next((pair for pair in parts if all(map(_is_file, pair))), parts[-1])


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def print_law(law: foresight.Law) -> None:
    """Print what was fitted, what it holds for, and what makes it doubtful."""
    formula = foresight.loss_laws[law.name].formula
    for run in law.runs:
        typer.echo(f"fitted: {run.log} with {run.schedule}, {whole_number(run.length)} updates, peak {rate(run.peak)}")
    values = ", ".join(f"{name} {value:.4g}" for name, value in law.parameters.items())
    typer.echo(wrapped(f"law: {law.name}, {formula}; {values}", ""))
    typer.echo(wrapped(HOLDS_FOR, ""))
    typer.echo(wrapped(EVIDENCE, ""))
    for warning in law.warnings:
        typer.echo(wrapped(f"warning: {warning}", ""))


def second_opinions(runs: Sequence[Finished], law: foresight.Law) -> Iterator[foresight.Law]:
    """Yield every other built-in or installed law that the runs determine."""
    for name in foresight.loss_laws:
        if name != law.name:
            try:
                yield foresight.fit([run.pair for run in runs], name)
            except foresight.ForesightError:
                continue


def in_hundred(difference: foresight.Difference) -> str:
    """Describe how sure a difference is: ``right in 93 of 100 such cases``, or that it is too close to call."""
    if difference.is_close:
        return "too close to call"
    return f"right in {min(99, round(100 * difference.reliability))} of 100 such cases"


def law_as_data(law: foresight.Law) -> dict[str, object]:
    """Return what is known of a fitted law as plain data for JSON."""
    return {
        "law": law.name,
        "formula": foresight.loss_laws[law.name].formula,
        "parameters": law.parameters,
        "widths_from_prior": law.widths_from_prior,
        "noise": law.noise,
        "fitted": [run._asdict() for run in law.runs],
        "warnings": list(law.warnings),
        "evidence": EVIDENCE,
        "holds_for": HOLDS_FOR,
    }
