"""What the user sees: a progress bar, a table, three charts, what the run proves, what to do next."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from statistics import mean

import plotext
from history import Row
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from schedframe import Schedule, source_of

_TRAINERS = "https://schedframe.readthedocs.io/en/latest/reference/frameworks.html"
_MOST_COLUMNS = 100
_INTERVALS = 8


def console(quiet: bool) -> Console:
    """Return what the functions below print on; a `quiet` one prints nothing."""
    return Console(quiet=quiet, highlight=False, soft_wrap=True)


def introduce(console: Console, schedule: Schedule, run: str) -> None:
    """Show what is trained, and with which styles."""
    console.print(run)
    console.print(f"learning rate: {schedule.lr_style!r} from {source_of(schedule.lr_style)}")
    if schedule.start_wd is not None:
        console.print(f"weight decay:  {schedule.wd_style!r} from {source_of(schedule.wd_style)}")


def watch(console: Console, rows: Iterable[Row], total: int, name: str = "training") -> Iterator[Row]:
    """Pass `rows` on, with a progress bar beside them."""
    columns = (
        TextColumn(name),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.2f}  lr {task.fields[lr]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=total, loss=float("nan"), lr="0")
        for row in rows:
            progress.update(task, completed=row.iteration, loss=row.loss, lr=_rate(row.groups[0].lr))
            yield row


def show(console: Console, rows: Sequence[Row], schedule: Schedule) -> None:
    """Show the run as a table and as charts."""
    console.print(_table(rows, schedule))
    console.print(_charts(rows, min(console.width, _MOST_COLUMNS)))


def conclude(
    console: Console, rows: Sequence[Row], resumed: Sequence[Row], schedule: Schedule, deviations: int, departures: int
) -> None:
    """Show what the run proves, or how many `deviations` and `departures` contradict it."""
    source = source_of(schedule.lr_style)
    origin = f"{source.distribution} {source.version}" if source.distribution else source
    groups, first, updates = len(rows[0].groups), resumed[0].iteration, len(resumed) - 1
    console.print("What this run proves")
    for name, proved, differences in (
        ("values", f"lr and weight_decay of {groups} param groups equal the file's at {len(rows)} steps", deviations),
        ("checkpoint", f"resumed at iteration {first}, {updates} updates are bit-for-bit identical", departures),
        ("style", f"{source.name} is from {origin}, with no fork of Megatron", 0),
    ):
        outcome = f"[red]{differences} differences; expected: {proved}" if differences else f"[green]{proved}"
        console.print(f"  {name:<12}{outcome}")


def suggest(console: Console, file: Path) -> None:
    """Show what to do next."""
    console.print("\nWhat to do next")
    console.print(f"  change it   edit lr_decay_style in {_near(file)}")
    console.print(f"  see it      {_near(Path(sys.executable).with_name('schedframe'))} preview {_near(file)}")
    console.print(f"  use it      {_TRAINERS}")


def _near(path: Path) -> Path:
    """Return `path` from the current folder on, where it lies below that."""
    absolute = Path.cwd() / path
    return absolute.relative_to(Path.cwd()) if absolute.is_relative_to(Path.cwd()) else path


def _rate(lr: float) -> str:
    """Return a learning rate with four significant digits: ``2.886e-3``."""
    mantissa, _, exponent = f"{lr:.3e}".partition("e")
    return f"{float(mantissa):g}e{int(exponent)}" if lr else "0"


def _table(rows: Sequence[Row], schedule: Schedule) -> Table:
    """Return rows spread evenly over the run, and those at the schedule's landmarks."""
    marks: dict[int, list[str]] = {}
    for label, step in schedule.landmarks().items():
        index = next((index for index, row in enumerate(rows) if row.step >= step), None)
        if index is not None:
            marks.setdefault(index, []).append(label)
    evenly = {round(part * (len(rows) - 1) / _INTERVALS) for part in range(_INTERVALS + 1)}

    grid = Table("iteration", "step", "learning rate", "weight decay", "loss", "landmark")
    grid.caption = "loss: mean over the iterations since the row above"
    for column in grid.columns[:-1]:
        column.justify = "right"
    above = -1
    for index in sorted(evenly | set(marks)):
        row = rows[index]
        first = row.groups[0]
        loss = mean(row.loss for row in rows[above + 1 : index + 1])
        values = (f"{row.iteration:,}", f"{row.step:,}", _rate(first.lr), f"{first.weight_decay:.4f}", f"{loss:.3f}")
        grid.add_row(*values, "\n".join(marks.get(index, ())))
        above = index
    return grid


def _charts(rows: Sequence[Row], width: int) -> Text:
    """Return learning rate, weight decay and loss by step, one above the other."""
    steps = [row.step for row in rows]
    drawn = (
        _chart("learning rate", steps, [row.groups[0].lr for row in rows], _rate, "cyan", width),
        _chart("weight decay", steps, [row.groups[0].weight_decay for row in rows], "{:.3f}".format, "magenta", width),
        _chart("loss", steps, [row.loss for row in rows], "{:.2f}".format, "yellow", width),
    )
    return Text.from_ansi("\n".join(drawn))


def _chart(
    title: str, steps: Sequence[int], values: Sequence[float], form: Callable[[float], str], color: str, width: int
) -> str:
    plotext.terminal.limit(width=False, height=False)
    figure = plotext.figure.clear()
    figure.plot_size(width, 11)
    figure.theme("colorless")
    figure.draw(figure.signal(steps, values, marker=plotext.marker("braille", color)).lines().density("full"))
    figure.title(f"{title} by step")
    low, high = min(values), max(values)
    levels = [low + (high - low) * part / 2 for part in range(3)]
    figure.ruler("y").ticks(levels, [form(level).rjust(8) for level in levels])
    ticks = [steps[-1] * part // 4 for part in range(5)]
    figure.ruler("x").ticks(ticks, [f"{tick:,}" for tick in ticks])
    return figure.build().string()
