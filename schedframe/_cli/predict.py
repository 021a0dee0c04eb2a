"""``schedframe predict``: the final loss of schedules, from finished runs, with error bars."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from schedframe import foresight
from schedframe._cli.arguments import TextOrJson, importing
from schedframe._cli.console import print_parts, table
from schedframe._cli.exit_codes import Findings
from schedframe._cli.findings import wrapped
from schedframe._cli.fitting import (
    Finished,
    Fits,
    Loss,
    Step,
    finished,
    in_hundred,
    law_as_data,
    print_law,
    second_opinions,
)
from schedframe._cli.losses import loss_page, loss_picture
from schedframe._cli.output import print_json
from schedframe._cli.page import SUFFIX, write_page
from schedframe._cli.picture import SUFFIXES, check_suffix, named, write_picture
from schedframe._cli.schedule_page import show_charts
from schedframe._schedule.schedule import Schedule, load
from schedframe._tools.views.page.data import Shown


class _Row(NamedTuple):
    """One file.

    Attributes:
        file: its path.
        schedule: the schedule.
        forecast: its predicted loss.
        to_fitted: its final loss minus that of the first fitted file.
        others: the same difference by each of the other laws, by name.
    """

    file: Path
    schedule: Schedule
    forecast: foresight.Forecast
    to_fitted: foresight.Difference
    others: dict[str, float]


class _Verdict(NamedTuple):
    """Which file ends lowest, which next, and how far apart they are."""

    best: Path
    second: Path
    difference: foresight.Difference


@importing
def predict(
    fit: Fits,
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Schedules whose loss to predict.")],
    law: Annotated[str, typer.Option(metavar="NAME", help="The law to fit.")] = "intrinsic-time",
    plot: Annotated[bool, typer.Option("--plot", help="Draw the predicted losses in the terminal too.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Write a page (.html) or a picture (.png, .svg, .pdf; extra: plot) with bands and measured losses.",
            show_default=False,
        ),
    ] = None,
    loss: Loss = None,
    step: Step = None,
    format: TextOrJson = "text",
) -> None:
    """Predict the final loss of schedules from finished runs.

    One run whose learning rate falls to less than half of its peak is enough; a complete cosine is best. For each
    FILE, the output has the predicted final loss, the interval in which 95 of 100 such runs end, and the difference
    to the fitted file, with how often the sign of such a difference is right. The predictions of the other laws are
    shown for comparison.

    The exit code is 1 if the best two files, the fitted one included, are too close to call, and 2 if nothing can be
    predicted.

    Examples:
      schedframe predict --fit train.log:cosine.yaml wsd.yaml
      schedframe predict --fit train.log:cosine.yaml wsd.yaml -o losses.html
      schedframe predict --fit a.log:a.yaml --fit b.log:b.yaml c.yaml d.yaml --format json
    """
    if output is not None:
        check_suffix(output, (SUFFIX, *SUFFIXES), "--output")
    runs = finished(fit, loss, step)
    fitted = foresight.fit([run.pair for run in runs], law)
    opinions = list(second_opinions(runs, fitted))
    rows = [_row(file, load(file), runs[0].schedule, fitted, opinions) for file in files]
    verdict = _verdict(runs[0], rows, fitted)
    if output is not None and output.suffix.lower() == SUFFIX:
        write_page(output, loss_page(fitted, runs, _shown(rows)))
    elif output is not None:
        write_picture(output, loss_picture(fitted, runs, _shown(rows)), "--output")
    if format == "json":
        print_json(_as_data(fitted, rows, verdict))
    else:
        _print(fitted, runs[0], rows, verdict)
        if plot:
            typer.echo()
            show_charts(loss_picture(fitted, runs, _shown(rows)))
        if output is not None:
            typer.echo(f"wrote {output}")
    if verdict is not None and verdict.difference.is_close:
        raise Findings


def _row(file: Path, schedule: Schedule, base: Schedule, law: foresight.Law, opinions: Sequence[foresight.Law]) -> _Row:
    others = {}
    for other in opinions:
        first, second = (other.loss_at(each, [_end(each)])[0] for each in (schedule, base))
        others[other.name] = first - second
    return _Row(file, schedule, law.predict(schedule), law.compare(schedule, base), others)


def _shown(rows: Sequence[_Row]) -> list[Shown]:
    names = named([row.file for row in rows], [row.schedule for row in rows])
    return [Shown(name, row.schedule) for (name, _), row in zip(names, rows, strict=True)]


def _end(schedule: Schedule) -> float:
    return schedule.units_at(schedule.start_step + (schedule.train_steps or schedule.lr_decay_steps))["iters"]


def _verdict(run: Finished, rows: Sequence[_Row], law: foresight.Law) -> _Verdict | None:
    """Return the best two of the files, the fitted one among them; ``None`` where that is the only one."""
    finals = {row.file: (row.forecast.final, row.schedule) for row in rows}
    finals.setdefault(run.file, (law.predict(run.schedule).final, run.schedule))
    if len(finals) == 1:
        return None
    (best, (_, first)), (second, (_, other)), *_ = sorted(finals.items(), key=lambda item: item[1][0])
    return _Verdict(best, second, law.compare(first, other))


def _print(law: foresight.Law, base: Finished, rows: Sequence[_Row], verdict: _Verdict | None) -> None:
    print_law(law)
    typer.echo()
    grid = table("file", "final loss", "95 of 100 such runs", f"to {base.file.name}", "", "other laws")
    for column in (1, 3):
        grid.columns[column].justify = "right"
    for row in rows:
        lower, upper = row.forecast.final_bounds(0.95)
        grid.add_row(
            str(row.file),
            f"{row.forecast.final:.4f}",
            f"{lower:.4f} to {upper:.4f}",
            f"{row.to_fitted.difference:+.4f}",
            in_hundred(row.to_fitted),
            _range(row.others),
        )
    print_parts(grid)
    for warning in dict.fromkeys(warning for row in rows for warning in row.forecast.warnings):
        typer.echo(wrapped(f"warning: {warning}", ""))
    if verdict is None:
        return
    typer.echo()
    difference = verdict.difference
    if difference.is_close:
        typer.echo(f"{verdict.best} and {verdict.second}: too close to call ({difference.difference:+.4f})")
    else:
        typer.echo(
            f"lowest: {verdict.best}, {difference.difference:+.4f} to {verdict.second}, {in_hundred(difference)}"
        )


def _range(others: dict[str, float]) -> str:
    if not others:
        return "none"
    return f"{min(others.values()):+.4f} to {max(others.values()):+.4f}"


def _as_data(law: foresight.Law, rows: Sequence[_Row], verdict: _Verdict | None) -> dict[str, Any]:
    return {
        **law_as_data(law),
        "files": [
            {
                "file": str(row.file),
                "final": row.forecast.final,
                "bounds": row.forecast.final_bounds(0.95),
                "difference": row.to_fitted.difference,
                "reliability": row.to_fitted.reliability,
                "too_close_to_call": row.to_fitted.is_close,
                "other_laws": row.others,
                "warnings": list(row.forecast.warnings),
                "steps": row.forecast.steps,
                "loss": row.forecast.loss,
            }
            for row in rows
        ],
        "lowest": None
        if verdict is None
        else {
            "file": str(verdict.best),
            "next": str(verdict.second),
            "difference": verdict.difference.difference,
            "reliability": verdict.difference.reliability,
            "too_close_to_call": verdict.difference.is_close,
        },
    }
