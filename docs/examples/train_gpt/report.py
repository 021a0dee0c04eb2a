"""What the user sees: a progress bar, a table, three charts, the outcome of the check."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import mean

import plotext
from history import Row
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from schedframe import Schedule, source_of

_MOST_COLUMNS = 100
_INTERVALS = 8


def console(quiet: bool) -> Console:
    """Return what the functions below print on; a `quiet` one says nothing."""
    return Console(quiet=quiet, highlight=False, soft_wrap=True)


def introduce(console: Console, schedule: Schedule, run: str) -> None:
    """Say what is trained, and which styles make its schedule."""
    console.print(run)
    console.print(f"learning rate: {schedule.lr_style!r} from {source_of(schedule.lr_style)}")
    if schedule.start_wd is not None:
        console.print(f"weight decay:  {schedule.wd_style!r} from {source_of(schedule.wd_style)}")


def watch(console: Console, rows: Iterable[Row], total: int) -> Iterator[Row]:
    """Pass `rows` on, with a progress bar beside them."""
    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.2f}  lr {task.fields[lr]:.2e}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=total, loss=float("nan"), lr=0.0)
        for row in rows:
            progress.update(task, completed=row.iteration, loss=row.loss, lr=row.groups[0].lr)
            yield row


def conclude(console: Console, rows: Sequence[Row], schedule: Schedule, deviations: int) -> None:
    """Show the run, and say whether its param groups held what the schedule says."""
    console.print(_table(rows, schedule))
    console.print(_charts(rows, min(console.width, _MOST_COLUMNS)))
    groups = len(rows[0].groups)
    if deviations:
        console.print(f"[red]Check failed: {groups} param groups at {len(rows)} steps, {deviations} values differ")
    else:
        console.print(
            f"[green]Check: in {groups} param groups at {len(rows)} steps, "
            f"lr == lr_at(step) and weight_decay == wd_at(step) * wd_mult"
        )


def what_it_shows(console: Console, rows: Sequence[Row], schedule: Schedule, file: Path) -> None:
    """Print what a run that held its schedule shows, and what to do next."""
    style, first, last = schedule.lr_style.style, rows[0], rows[-1]
    name, program = _from_here(file), _from_here(Path(sys.executable).with_name("schedframe"))
    console.print(
        f"""
What this shows:
  - {name} alone determined learning rate and weight decay:
    {2 * len(rows) * len(first.groups):,} values in the optimizer's param groups equal the schedule's bit for bit.
  - Megatron Core's model and optimizer trained with them: the loss fell from {first.loss:.2f} to {last.loss:.2f}.
  - The style {style} is from {source_of(schedule.lr_style)}.

What to do next:
  {program} preview {name}
  {program} init   writes a schedule of your own
  Write cosine instead of {style} in {name}, and run this again.
  docs/how-to has a page for Megatron-LM's scripts, for PyTorch, and for other trainers."""
    )


def _from_here(path: Path) -> str:
    """Return `path` as it is typed in the present folder."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


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
        values = (f"{row.iteration:,}", f"{row.step:,}", f"{first.lr:.3e}", f"{first.weight_decay:.4f}", f"{loss:.3f}")
        grid.add_row(*values, "\n".join(marks.get(index, ())))
        above = index
    return grid


def _charts(rows: Sequence[Row], width: int) -> Text:
    """Return learning rate, weight decay and loss by step, one above the other."""
    steps = [row.step for row in rows]
    drawn = (
        _chart("learning rate", steps, [row.groups[0].lr for row in rows], "{:.1e}", "cyan", width),
        _chart("weight decay", steps, [row.groups[0].weight_decay for row in rows], "{:.3f}", "magenta", width),
        _chart("loss", steps, [row.loss for row in rows], "{:.2f}", "yellow", width),
    )
    return Text.from_ansi("\n".join(drawn))


def _chart(title: str, steps: Sequence[int], values: Sequence[float], form: str, color: str, width: int) -> str:
    plotext.terminal.limit(width=False, height=False)
    figure = plotext.figure.clear()
    figure.plot_size(width, 11)
    figure.theme("colorless")
    figure.draw(figure.signal(steps, values, marker=plotext.marker("braille", color)).lines().density("full"))
    figure.title(f"{title} by step")
    low, high = min(values), max(values)
    levels = [low + (high - low) * part / 2 for part in range(3)]
    figure.ruler("y").ticks(levels, [form.format(level).rjust(8) for level in levels])
    ticks = [steps[-1] * part // 4 for part in range(5)]
    figure.ruler("x").ticks(ticks, [f"{tick:,}" for tick in ticks])
    return figure.build().string()
