"""Schedules on the terminal: tables of the steps that matter, and charts of the curves."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from schedframe._cli.chart import canvas_of, chart
from schedframe._cli.console import console, print_parts, table
from schedframe._pictures.series import Picture
from schedframe._plan.rule import DEFAULT
from schedframe._schedule.schedule import Schedule
from schedframe._tools.views.table import Row
from schedframe._units.notation import positions, rates, whole_number

_HEADERS = {"lr_wd": "lr*wd", "time_constant": "1/(lr*wd)"}
_RATES = ("lr", "wd", "lr_wd")
_COUNTS = ("iters", "time_constant")
_WORDS = ("role", "label")
_LEAST_WORTH = ("time_constant", "lr_wd", "tokens", "samples", "epochs", "iters", "wd")
"""Columns that are left out where a terminal is too narrow, the first one first."""


def show_table(file: Path, schedule: Schedule, rows: Mapping[str, Sequence[Row]]) -> None:
    """Print the `rows` of each role in one table that fits the terminal."""
    roles = list(rows)
    alone = roles[0] if len(roles) == 1 else DEFAULT
    shown = schedule if alone == DEFAULT else schedule.for_role(alone)
    head = f"{file}{'' if alone == DEFAULT else f', {alone}'}: {shown.summary()}"
    out = console()
    print_parts(head, "", _fitting(_columns(rows, never="inf" if out.options.ascii_only else "∞"), out))
    if all(row.wd is None for of_role in rows.values() for row in of_role):
        typer.echo("\nweight decay is not scheduled: the file has no start_wd and no end_wd")


def _columns(rows: Mapping[str, Sequence[Row]], never: str) -> dict[str, list[str]]:
    """Return the texts of the cells by column; a role is named in the first of its rows."""
    cells = [row.cells() for of_role in rows.values() for row in of_role]
    names = list(dict.fromkeys(name for cell in cells for name in cell))
    columns = {name: _texts(name, [cell.get(name, "") for cell in cells], never) for name in names}
    if len(rows) == 1:
        return columns
    return {"role": [role if index == 0 else "" for role in rows for index in range(len(rows[role]))], **columns}


def _texts(name: str, values: Sequence[Any], never: str) -> list[str]:
    """Write the cells of a column; an empty one has no value, and ``None`` stands for infinity."""
    if name in _WORDS:
        return list(values)
    write = rates if name in _RATES else _whole_numbers if name in _COUNTS else positions
    texts = iter(write([value for value in values if value not in (None, "")]))
    return [never if value is None else "" if value == "" else next(texts) for value in values]


def _whole_numbers(values: Sequence[float]) -> list[str]:
    return [whole_number(value) for value in values]


def _fitting(columns: Mapping[str, list[str]], out: Console) -> Table:
    """Return the table of as many columns as fit; the parts of a label are in lines of their own if that helps."""
    for shown in _fewer_and_fewer(columns):
        for grid in (_grid(shown), _grid({**shown, "label": [text.replace(", ", ",\n") for text in shown["label"]]})):
            if _width(grid, out) <= out.width:
                return grid
    return grid


def _fewer_and_fewer(columns: Mapping[str, list[str]]) -> Iterator[dict[str, list[str]]]:
    shown = dict(columns)
    yield shown
    for name in _LEAST_WORTH:
        if name in shown:
            shown = {other: texts for other, texts in shown.items() if other != name}
            yield shown


def _width(grid: Table, out: Console) -> int:
    return Measurement.get(out, out.options.update(max_width=10**4), grid).maximum


def _grid(columns: Mapping[str, list[str]]) -> Table:
    grid = table(*(_HEADERS.get(name, name) for name in columns))
    for name, column in zip(columns, grid.columns, strict=True):
        column.justify = "left" if name in _WORDS else "right"
        column.no_wrap = True
    for index, cells in enumerate(zip(*columns.values(), strict=True)):
        if index and columns.get("role", [""] * (index + 1))[index]:
            grid.add_row()
        grid.add_row(*cells)
    return grid


_LOWER = 12
"""Rows of each chart but the first."""


def show_charts(picture: Picture) -> None:
    """Draw the panels of `picture`; weight decay only where it changes, or is all there is."""
    on = canvas_of(console())
    changing = [
        panel
        for panel in picture.panels
        if panel.quantity == "lr" or any(len(set(line.ys)) > 1 for line in panel.lines)
    ]
    for index, panel in enumerate(changing or picture.panels):
        typer.echo("\n" if index else "", nl=False)
        typer.echo(chart(panel, picture, on._replace(height=_LOWER) if index else on), color=on.coloured)
