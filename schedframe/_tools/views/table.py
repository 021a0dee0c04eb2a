"""A schedule as a table: learning rate and weight decay at the steps that matter."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schedframe._errors import FAILURES, PluginError, SchedframeError
from schedframe._plan.rule import DEFAULT
from schedframe._schedule.schedule import Schedule
from schedframe._units.lengths import OPEN, parse_measure
from schedframe._units.numbers import whole


@dataclass(frozen=True)
class Row:
    """The schedule at one step.

    Attributes:
        step: the scheduler's count.
        label: why the step is shown; may be empty.
        units: the position in every other unit that is known, by the unit's name.
        lr: the learning rate.
        wd: the weight decay; ``None`` where it is not scheduled.
    """

    step: float
    label: str
    units: dict[str, float]
    lr: float
    wd: float | None

    def cells(self) -> dict[str, Any]:
        """Return the values by column.

        ``lr_wd`` is the share of a weight that AdamW removes in one update, and ``time_constant``, its inverse, the
        AdamW time scale in updates; ``None`` where nothing is removed.
        """
        cells = {"step": self.step, "label": self.label, **self.units, "lr": self.lr}
        if self.wd is None:
            return cells
        decay = self.lr * self.wd
        return {**cells, "wd": self.wd, "lr_wd": decay, "time_constant": 1 / decay if decay else None}


def evaluate(schedule: Schedule, labels: Mapping[float, str], role: str = DEFAULT) -> list[Row]:
    """Return `schedule` at the steps of `labels`, in order, for the param groups with `role`.

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
        except FAILURES as error:
            raise PluginError(f"the schedule fails at step {step:_}: {type(error).__name__}: {error}") from error
    return rows


def labelled_steps(schedule: Schedule, points: int = 0, also: Iterable[tuple[float, str]] = ()) -> dict[float, str]:
    """Return the steps that matter, each with its label.

    These are the landmarks of `schedule`, and the step after the end of the decay.

    Args:
        schedule: the schedule.
        points: how many evenly spaced steps of the run there are besides, without a label.
        also: further steps with their labels.
    """
    marks = [(step, label) for label, step in schedule.landmarks().items() if step >= 0]
    last = max(step for step, _ in marks)
    if schedule.lr_decay_steps == OPEN:
        last = max(2 * last, schedule.start_step + 1)
        marks.append((last, "open"))
    else:
        marks.append((schedule.start_step + schedule.lr_decay_steps + 1, "after the end"))
    labels: dict[float, list[str]] = {}
    for step, label in [*marks, *also, *((step, "") for step in _evenly_spaced(points, schedule.start_step, last))]:
        labels.setdefault(whole(step), []).append(label)
    return {step: ", ".join(filter(None, labels[step])) for step in labels}


def step_of(schedule: Schedule, text: str) -> float:
    """Return the step that `text` names: ``2000``, ``50M``, ``2000 iters``, or ``95%`` of ``lr_decay_steps``.

    Raises:
        ValueError: it is not a length, cannot be converted, or lies before ``start_step``.
    """
    try:
        if parse_measure(text).unit.startswith("%"):
            step = schedule.start_step + schedule.scale.steps(text)
        else:
            step = schedule.step_at(text)
    except ValueError as error:
        raise ValueError(f"{text!r} {error}") from None
    if step < schedule.start_step:
        raise ValueError(f"{text!r} lies before start_step, {schedule.start_step}")
    return step


def _evenly_spaced(points: int, first: float, last: float) -> Iterator[float]:
    """Yield every `points`-th of the way from `first` to `last`; in whole steps, where there are that many."""
    for part in range(1, points + 1):
        step = first + (last - first) * part / points
        yield round(step) if last - first >= points else step
