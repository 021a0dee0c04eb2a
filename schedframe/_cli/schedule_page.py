"""One schedule on the terminal: the table of the steps that matter, and the curves below it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import typer

from schedframe._cli.chart import chart, chart_size
from schedframe._cli.console import console, print_parts, table
from schedframe._plan.rule import DEFAULT
from schedframe._schedule.schedule import Schedule
from schedframe._tools.views.table import Row, curves

_HEADERS = {"lr_wd": "lr*wd", "time_constant": "1/(lr*wd)"}


def show_tables(file: Path, schedule: Schedule, rows: Mapping[str, list[Row]]) -> None:
    """Print the `rows` of each role."""
    for position, (role, rows_of_role) in enumerate(rows.items()):
        if position:
            typer.echo()
        _show_table(file, schedule, role, rows_of_role)


def _show_table(file: Path, schedule: Schedule, role: str, rows: Iterable[Row]) -> None:
    cells = [row.cells() for row in rows]
    grid = table(*(_HEADERS.get(column, column) for column in cells[0]))
    for column in grid.columns:
        column.justify = "left" if column.header == "label" else "right"
        column.no_wrap = column.header != "label"
    for row in cells:
        grid.add_row(*(_cell(column, value) for column, value in row.items()))
    head = (schedule if role == DEFAULT else schedule.for_role(role)).summary()
    print_parts(f"{file}{'' if role == DEFAULT else f', {role}'}: {head}", "", grid)
    if "wd" not in cells[0]:
        typer.echo("\nweight decay is left alone: the file has no start_wd and no end_wd")


def _cell(column: str, value: Any) -> str:
    if value is None:
        return "never"
    if column in ("lr", "wd", "lr_wd"):
        return f"{value:.6g}"
    if column == "time_constant":
        return f"{value:_.0f}"
    return str(value) if column == "label" else f"{value:_}" if value == int(value) else f"{value:_.2f}"


def show_charts(schedule: Schedule, labels: Mapping[str, Mapping[float, str]]) -> None:
    """Draw the curves of each role over the steps of its `labels` and those between them."""
    out = console()
    size = chart_size(out)
    coloured = out.color_system is not None and not out.no_color
    for title, (steps, values) in curves(schedule, labels, 2 * size[0]).items():
        typer.echo(f"\n{chart(title, steps, values, size, coloured=coloured)}", color=coloured)
