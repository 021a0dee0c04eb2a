"""``schedframe preview``: learning rate and weight decay at the steps that matter."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import schedframe
from schedframe._errors import ConfigError, PluginError, Problem, SchedframeError
from schedframe._plan.rule import DEFAULT

if TYPE_CHECKING:
    from schedframe._schedule.schedule import Schedule

EPILOG = """\b
Examples:
  schedframe preview run.yaml
  schedframe preview run.yaml --at 50M --at 95%
  schedframe preview run.yaml --points 1000 --format csv > run.csv
  schedframe preview run.yaml --plot run.png
  schedframe preview run.yaml --role router
  schedframe preview run.yaml --import ./my_styles.py
"""


class Format(str, Enum):
    """What ``schedframe preview`` prints."""

    table = "table"
    csv = "csv"
    json = "json"


_HEADERS = {"lr_wd": "lr*wd", "time_constant": "1/(lr*wd)"}


@dataclass(frozen=True)
class Row:
    """The schedule at one step; `wd` is ``None`` where weight decay is left alone.

    `units` has the position in every unit that is known beside the clock's own. ``lr_wd`` is the share of a weight
    that AdamW takes in one update; ``time_constant``, its inverse, the updates after which the weight is forgotten.
    """

    step: float
    label: str
    units: dict[str, float]
    lr: float
    wd: float | None

    def cells(self) -> dict[str, Any]:
        """Return what is shown, by column."""
        cells = {"step": self.step, "label": self.label, **self.units, "lr": self.lr}
        if self.wd is None:
            return cells
        decay = self.lr * self.wd
        return {**cells, "wd": self.wd, "lr_wd": decay, "time_constant": 1 / decay if decay else None}


def preview(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The schedule: YAML, TOML or JSON.")],
    points: Annotated[
        int, typer.Option(metavar="N", min=0, help="Also show N evenly spaced steps of the run.", show_default=False)
    ] = 0,
    at: Annotated[
        list[str] | None,
        typer.Option(metavar="STEP", help="Also show this step: 2000, 50M, or 95% of lr_decay_steps. Repeatable."),
    ] = None,
    format: Annotated[Format, typer.Option(help="What to print; csv and json hold exact values.")] = Format.table,
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
    """
    schedule = schedframe.load(file)
    _refuse_current(file, schedule)
    roles = _roles(schedule, role)
    labels = {name: _labels(schedule.for_role(name), points, at or []) for name in roles}
    rows = {name: evaluate(schedule, labels[name], name) for name in roles}
    if plot is not None:
        from schedframe._cli.picture import draw

        draw(plot, str(file), _all_curves(schedule, labels, 2000))
    if format is Format.csv:
        _print_csv(rows, with_roles=bool(schedule.groups))
    elif format is Format.json:
        _print_json(file, rows, with_roles=bool(schedule.groups))
    else:
        for position, (name, own) in enumerate(rows.items()):
            if position:
                typer.echo()
            _print_table(file, schedule, name, own)
        if not no_chart:
            _print_charts(schedule, labels)


def _refuse_current(file: Path, schedule: "Schedule") -> None:
    from schedframe._plan.plan import CURRENT

    if schedule.init_lr == CURRENT:
        fault = (
            f"is what a checkpoint has at start_step {schedule.start_step}, which is not known here; look at it with "
            f"`schedframe inspect CHECKPOINT --with {file}`, or give a number"
        )
        raise ConfigError(str(file), [Problem("init_lr", fault, CURRENT)])


def _roles(schedule: "Schedule", asked: list[str] | None) -> list[str]:
    from schedframe._plan.rule import rules_named

    if not asked:
        return [DEFAULT, *(rule.role for rule in schedule.groups)]
    for role in asked:
        try:
            rules_named(schedule.groups, role)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="'--role'") from None
    return list(dict.fromkeys(asked))


def evaluate(schedule: "Schedule", labels: dict[float, str], role: str = DEFAULT) -> list[Row]:
    """Return `schedule` at the steps of `labels`, in order, as the param groups with `role` have it.

    Raises:
        PluginError: a style fails at one of the steps.
    """
    rows = []
    for step, label in sorted(labels.items()):
        try:
            _, *units = schedule.units_at(step).items()
            rows.append(Row(step, label, dict(units), schedule.lr_at(step, role), schedule.wd_at(step, role)))
        except SchedframeError:
            raise
        except Exception as error:
            raise PluginError(f"the schedule fails at step {step:_}: {type(error).__name__}: {error}") from error
    return rows


def _labels(schedule: "Schedule", points: int, at: list[str]) -> dict[float, str]:
    """Map each step that is shown to its label, which may be empty."""
    from schedframe._units.lengths import OPEN
    from schedframe._units.numbers import whole

    marks = [(step, label) for label, step in schedule.landmarks().items() if step >= 0]
    last = max(step for step, _ in marks)
    if schedule.lr_decay_steps == OPEN:
        last = max(2 * last, schedule.start_step + 1)
        marks.append((last, "open"))
    else:
        marks.append((schedule.start_step + schedule.lr_decay_steps + 1, "after the end"))
    marks += [(_step(text, schedule), f"at {text}") for text in at]
    marks += [(step, "") for step in _evenly_spaced(points, schedule.start_step, last)]
    labels: dict[float, list[str]] = {}
    for step, label in marks:
        labels.setdefault(whole(step), []).append(label)
    return {step: ", ".join(filter(None, labels[step])) for step in labels}


def _step(text: str, schedule: "Schedule") -> float:
    from schedframe._units.lengths import parse_measure

    try:
        if parse_measure(text).unit.startswith("%"):
            step = schedule.start_step + schedule.scale.steps(text)
        else:
            step = schedule.step_at(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} {error}", param_hint="'--at'") from None
    if step < schedule.start_step:
        raise typer.BadParameter(f"{text!r} lies before start_step, {schedule.start_step}", param_hint="'--at'")
    return step


def _evenly_spaced(points: int, first: float, last: float) -> Iterator[float]:
    """Yield every `points`-th of the way from `first` to `last`; in whole steps, where there are that many."""
    for part in range(1, points + 1):
        step = first + (last - first) * part / points
        yield round(step) if last - first >= points else step


def _print_csv(rows: dict[str, list[Row]], *, with_roles: bool) -> None:
    cells = [{"role": role, **row.cells()} if with_roles else row.cells() for role, own in rows.items() for row in own]
    text = io.StringIO()
    columns = dict.fromkeys(column for row in cells for column in row)
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(cells)
    typer.echo(text.getvalue(), nl=False)


def _print_json(file: Path, rows: dict[str, list[Row]], *, with_roles: bool) -> None:
    points = {role: [row.cells() for row in own] for role, own in rows.items()}
    said = {"roles": points} if with_roles else {"points": points[DEFAULT]}
    typer.echo(json.dumps({"file": str(file), **said}, indent=2))


def _print_table(file: Path, schedule: "Schedule", role: str, rows: list[Row]) -> None:
    from schedframe._cli.console import print_parts, table
    from schedframe._cli.words import summary

    columns = list(rows[0].cells())
    grid = table(*(_HEADERS.get(column, column) for column in columns))
    for column in grid.columns:
        column.justify = "left" if column.header == "label" else "right"
        column.no_wrap = column.header != "label"
    for row in rows:
        grid.add_row(*(_written(column, value) for column, value in row.cells().items()))
    own = schedule if role == DEFAULT else schedule.for_role(role)
    print_parts(f"{file}{'' if role == DEFAULT else f', {role}'}: {summary(own)}", "", grid)
    if "wd" not in columns:
        typer.echo("\nweight decay is left alone: the file has no start_wd and no end_wd")


def _written(column: str, value: Any) -> str:
    if value is None:
        return "never"
    if column in ("lr", "wd", "lr_wd"):
        return f"{value:.6g}"
    if column == "time_constant":
        return f"{value:_.0f}"
    return str(value) if column == "label" else f"{value:_}" if value == int(value) else f"{value:_.2f}"


def _print_charts(schedule: "Schedule", labels: dict[str, dict[float, str]]) -> None:
    from schedframe._cli.chart import chart, chart_size
    from schedframe._cli.console import console

    out = console()
    size = chart_size(out)
    coloured = out.color_system is not None and not out.no_color
    for title, (steps, values) in _all_curves(schedule, labels, 2 * size[0]).items():
        typer.echo(f"\n{chart(title, steps, values, size, coloured=coloured)}", color=coloured)


def _all_curves(
    schedule: "Schedule", labels: dict[str, dict[float, str]], points: int
) -> dict[str, tuple[list[float], list[float]]]:
    found = {}
    for role, own in labels.items():
        rows = evaluate(schedule, _densely(own, points), role)
        of_role = "" if role == DEFAULT else f" of {role}"
        found.update({f"{title}{of_role}": curve for title, curve in curves(rows).items()})
    return found


def _densely(labels: dict[float, str], points: int) -> dict[float, str]:
    return dict.fromkeys([*labels, *_evenly_spaced(points, min(labels), max(labels))], "")


def curves(rows: list[Row]) -> dict[str, tuple[list[float], list[float]]]:
    """Return steps and values of each curve that is worth drawing, by its title."""
    steps = [row.step for row in rows]
    drawn = {"learning rate": (steps, [row.lr for row in rows])}
    wds = [row.wd for row in rows if row.wd is not None]
    if len(set(wds)) > 1:
        drawn["weight decay"] = (steps, wds)
    return drawn
