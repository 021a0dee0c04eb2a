"""What tests of importers need: a source as a file, its schedule, and curves that are compared at every update."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from schedframe import Schedule, load
from schedframe.importers import _run, _source

SMALL = 1e-14
"""The largest difference, as a share of the peak."""


def imported(path: Path, name: str | None = None, **answers: Any) -> _run.Imported:
    """Return what is imported of the file at `path`; nothing but the file is read."""
    return _run.import_source(_source.read(path, {}), name, answers)


def schedule_of(path: Path, name: str | None = None, **answers: Any) -> Schedule:
    """Return the schedule of the file that `schedframe import` writes beside the source at `path`."""
    target = path.with_name(f"{path.name}.schedule.yaml")
    target.write_text(_run.text_of(imported(path, name, **answers), target))
    return load(target)


def assert_equal(schedule: Schedule, lr: Callable[[int], float], updates: int, peak: float, batch: int = 1) -> None:
    """Compare the schedule with the learning rate of a framework at every update.

    Args:
        schedule: counts iterations, or samples.
        lr: the framework's learning rate at an update, from 0.
        updates: how many are compared.
        peak: the max LR.
        batch: samples of an update; 1 where the schedule counts iterations.
    """
    for update in range(updates):
        ours, theirs = schedule.lr_at(update * batch), lr(update)
        assert abs(ours - theirs) <= SMALL * peak, (update, ours, theirs)


def some_updates(run: int, *boundaries: int) -> list[int]:
    """Return two thousand updates of a run, and those up to two from its boundaries, its begin and its end."""
    near = {boundary + offset for boundary in (0, run, *boundaries) for offset in range(-2, 3)}
    return sorted(update for update in near | set(range(0, run, max(1, run // 2000))) if 0 <= update < run)
