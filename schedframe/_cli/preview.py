"""``schedframe preview``: learning rate and weight decay at the steps that matter."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from schedframe._cli.arguments import Files, importing
from schedframe._cli.opening import open_schedule
from schedframe._cli.output import print_json
from schedframe._cli.picture import named, write_picture
from schedframe._errors import ConfigError, Problem
from schedframe._pictures.series import Named, Picture, picture_of
from schedframe._plan.plan import CURRENT
from schedframe._plan.rule import DEFAULT, rules_named
from schedframe._schedule.schedule import Schedule
from schedframe._tools.views.table import Row, evaluate, labelled_steps, step_of

_MOST_POINTS = 1_000_000


@importing
def preview(
    files: Files,
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
        Literal["table", "csv", "json"], typer.Option(help="Output format; csv and json have exact values.")
    ] = "table",
    role: Annotated[
        list[str] | None,
        typer.Option(metavar="ROLE", help="Only this rule of groups, or `default`. Repeatable.", show_default=False),
    ] = None,
    no_chart: Annotated[bool, typer.Option("--no-chart", help="Leave out the chart.")] = False,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="PICTURE", help="Also draw the curves into this file: .png, .svg or .pdf (extra: plot)."),
    ] = None,
) -> None:
    """Show learning rate and weight decay at key steps.

    These are the start, the end of the warmup, breakpoints of the styles, the end of the decay and of the
    run, and the step after the end of the decay. Where the file has rules for param groups, each rule's
    schedule is shown, with its wd_mult. A terminal shows as many columns as fit.

    Examples:
      schedframe preview run.yaml
      schedframe preview run.yaml --at 50M --at 95%
      schedframe preview run.yaml --points 1000 --format csv > run.csv
      schedframe preview run.yaml --plot run.png
      schedframe preview run.yaml --role router
      schedframe preview run.yaml configs/run.yaml
      schedframe preview run.yaml --import ./my_styles.py
    """
    schedules = {file: open_schedule(file).schedule for file in files}
    tables = {}
    for file, schedule in schedules.items():
        _refuse_current(file, schedule)
        labels = {name: _labels(schedule.for_role(name), points, at or ()) for name in _roles(schedule, role)}
        tables[file] = {name: evaluate(schedule, steps, name) for name, steps in labels.items()}
    drawn = named(list(schedules), list(schedules.values()))
    if plot is not None:
        write_picture(plot, _picture(drawn), "--plot")
    if format == "csv":
        _print_csv(tables, with_roles=any(schedule.groups for schedule in schedules.values()))
    elif format == "json":
        _print_json(tables, schedules)
    else:
        from schedframe._cli.schedule_page import show_charts, show_table

        for index, (file, rows) in enumerate(tables.items()):
            typer.echo("\n" if index else "", nl=False)
            show_table(file, schedules[file], rows)
        if not no_chart:
            typer.echo()
            show_charts(_picture(drawn, role or ()))


def _picture(schedules: Sequence[Named], roles: Sequence[str] = ()) -> Picture:
    try:
        return picture_of(schedules, roles=roles)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'FILE'") from None


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


def _print_csv(tables: dict[Path, dict[str, list[Row]]], *, with_roles: bool) -> None:
    """Print the rows; those of several files and of several roles have a column that names them."""
    cells = [
        ({"file": str(file)} if len(tables) > 1 else {}) | ({"role": role} if with_roles else {}) | row.cells()
        for file, rows in tables.items()
        for role in rows
        for row in rows[role]
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(column for row in cells for column in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(cells)
    typer.echo(text.getvalue(), nl=False)


def _print_json(tables: dict[Path, dict[str, list[Row]]], schedules: dict[Path, Schedule]) -> None:
    contents = [_as_data(file, rows, with_roles=bool(schedules[file].groups)) for file, rows in tables.items()]
    print_json(contents[0] if len(contents) == 1 else {"files": contents})


def _as_data(file: Path, rows: dict[str, list[Row]], *, with_roles: bool) -> dict[str, Any]:
    points = {role: [row.cells() for row in rows[role]] for role in rows}
    return {"file": str(file), **({"roles": points} if with_roles else {"points": points[DEFAULT]})}
