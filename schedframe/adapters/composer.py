"""A schedule as an ``Algorithm`` of Composer, for LLM Foundry too.

``Trainer(algorithms=[ScheduleAlgorithm("run.yaml")])``, without ``schedulers``. Before each batch it writes the values
at the trainer's timestamp, which is what a checkpoint of Composer has anyway. Composer's own schedulers return a factor
of the learning rate, and cannot change the weight decay (mosaicml/composer:composer/optim/scheduler.py at v0.32.1).
"""

from typing import Any, Literal

from composer.core import Algorithm, Event, TimeUnit

from schedframe._errors import ConfigError, Problem
from schedframe.adapters._position import Positioned
from schedframe.adapters._updates import ScheduleLike, as_schedule

Unit = Literal["batch", "sample", "token"]
"""What a timestamp of Composer counts."""

_UNITS = {"batch": "iters", "sample": "samples", "token": "tokens"}
_LENGTHS = {TimeUnit(name): unit for name, unit in _UNITS.items()}


class ScheduleAlgorithm(Algorithm):  # type: ignore[misc]
    """Writes the learning rate and the weight decay of a schedule into the optimizer's param groups.

    Args:
        schedule: a `Schedule`, or the path of its file.
        unit: the part of the timestamp that is the position: ``batch``, ``sample`` or ``token``; by default the one
            that the schedule's clock counts.
        allow_jump: let the values jump where a checkpoint of other schedulers is continued.

    Raises:
        ConfigError: the schedule has problems; when training starts, its run has another length than ``max_duration``,
            the trainer has schedulers too, or the schedule contradicts the param groups.
        StateError: when training starts, the values jump.
    """

    def __init__(self, schedule: ScheduleLike, *, unit: Unit | None = None, allow_jump: bool = False) -> None:
        """Read the schedule."""
        self.schedule = as_schedule(schedule)
        self._in_unit = self.schedule.clock if unit is None else _UNITS[unit]
        self._unit = next(name for name, ours in _UNITS.items() if ours == self._in_unit)
        self._allows_jump = allow_jump
        self._positioned: Positioned | None = None

    def match(self, event: Any, state: Any) -> bool:
        """Return whether training, or a batch, starts."""
        return event in (Event.FIT_START, Event.BATCH_START)

    def apply(self, event: Any, state: Any, logger: Any) -> None:
        """Write the values at the timestamp."""
        if event == Event.FIT_START:
            self._start(state)
        assert self._positioned is not None
        self._positioned.go_to(state.timestamp.get(self._unit).value)

    def _start(self, state: Any) -> None:
        if state.schedulers:
            fault = f"has {type(state.schedulers[0]).__name__} too, which would write the learning rate; remove it"
            raise ConfigError("the trainer", [Problem("schedulers", fault)])
        if self._positioned is None or self._positioned.running.optimizer is not state.optimizers[0]:
            self._positioned = Positioned(
                self.schedule, state.optimizers[0], self._in_unit, allow_jump=self._allows_jump
            )
        duration = state.max_duration
        if duration.unit in _LENGTHS:
            self._positioned.refuse_other_length(duration.value, _LENGTHS[duration.unit])
        elif duration.unit == TimeUnit.EPOCH and state.dataloader_len is not None:
            self._positioned.refuse_other_length(duration.value * state.dataloader_len.value, "iters")
