"""``schedframe preview``: learning rate and weight decay at the steps that matter."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import typer

from schedframe._cli.arguments import File, importing
from schedframe._cli.output import print_json
from schedframe._cli.picture import write_picture
from schedframe._errors import ConfigError, Problem
from schedframe._pictures.series import Named, picture_of
from schedframe._plan.plan import CURRENT
from schedframe._plan.rule import DEFAULT, rules_named
from schedframe._schedule.schedule import Schedule, load
from schedframe._tools.views.table import Row, evaluate, labelled_steps, step_of

_MOST_POINTS = 1_000_000


@importing
def preview(
    file: File,
    points: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, max=_MOST_POINTS, help="Also show N evenly spaced steps of the run.", show_default=False
        ),
    ] = 0,
    at: Annotated[
        list[str] | None,
        typer.Option(metavar="STEP", help="Also show this step: 2000, 50M, or 95% of lr_decay_steps. Repeatable."),
    ] = None,
    format: Annotated[
        Literal["table", "csv", "json"], typer.Option(help="What to print; csv and json hold exact values.")
    ] = "table",
    role: Annotated[
        list[str] | None,
        typer.Option(metavar="ROLE", help="Only this rule of groups, or `default`. Repeatable.", show_default=False),
    ] = None,
    no_chart: Annotated[bool, typer.Option("--no-chart", help="Leave out the chart below the table.")] = False,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="PICTURE", help="Also draw the curves into this file: .png, .svg or .pdf (extra: plot)."),
    ] = None,
) -> None:
    """Show learning rate and weight decay at the steps that matter.

    These are the start, the end of the warm-up, where the styles bend, the end of the decay and of the
    run, and the step after the end of the decay. Where the file has rules for param groups, each rule's
    schedule is shown, with its wd_mult.

    Examples:
      schedframe preview run.yaml
      schedframe preview run.yaml --at 50M --at 95%
      schedframe preview run.yaml --points 1000 --format csv > run.csv
      schedframe preview run.yaml --plot run.png
      schedframe preview run.yaml --role router
      schedframe preview run.yaml --import ./my_styles.py
    """
    schedule = load(file)
    _refuse_current(file, schedule)
    labels = {name: _labels(schedule.for_role(name), points, at or ()) for name in _roles(schedule, role)}
    rows = {name: evaluate(schedule, steps, name) for name, steps in labels.items()}
    if plot is not None:
        write_picture(plot, picture_of([Named(str(file), schedule)]), "--plot")
    if format == "csv":
        _print_csv(rows, with_roles=bool(schedule.groups))
    elif format == "json":
        _print_json(file, rows, with_roles=bool(schedule.groups))
    else:
        from schedframe._cli.schedule_page import show_charts, show_tables

        show_tables(file, schedule, rows)
        if not no_chart:
            show_charts(schedule, labels)


def _refuse_current(file: Path, schedule: Schedule) -> None:
    if schedule.init_lr == CURRENT:
        fault = (
            f"is what a checkpoint has at start_step {schedule.start_step}, which is not known here; look at it with "
            f"`schedframe inspect CHECKPOINT --with {file}`, or give a number"
        )
        raise ConfigError(str(file), [Problem("init_lr", fault, CURRENT)])


def _roles(schedule: Schedule, roles: Iterable[str] | None) -> list[str]:
    if not roles:
        return [DEFAULT, *(rule.role for rule in schedule.groups)]
    for role in roles:
        try:
            rules_named(schedule.groups, role)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="'--role'") from None
    return list(dict.fromkeys(roles))


def _labels(schedule: Schedule, points: int, at: Iterable[str]) -> dict[float, str]:
    try:
        also = [(step_of(schedule, text), f"at {text}") for text in at]
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'--at'") from None
    return labelled_steps(schedule, points, also)


def _print_csv(rows: dict[str, list[Row]], *, with_roles: bool) -> None:
    cells = [{"role": role} | row.cells() if with_roles else row.cells() for role in rows for row in rows[role]]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(column for row in cells for column in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(cells)
    typer.echo(text.getvalue(), nl=False)


def _print_json(file: Path, rows: dict[str, list[Row]], *, with_roles: bool) -> None:
    points = {role: [row.cells() for row in rows[role]] for role in rows}
    content = {"roles": points} if with_roles else {"points": points[DEFAULT]}
    print_json({"file": str(file), **content})
