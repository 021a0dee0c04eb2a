"""A schedule as a ``Scheduler`` of OLMo-core.

``scheduler=ScheduleFile(schedule="run.yaml")`` in the config of a train module, or ``{"type": "schedframe", ...}``
where configs are read as data. OLMo-core asks it for each param group before each update
(allenai/OLMo-core:olmo_core/train/train_module/transformer/train_module.py at v3.0.0, ``optim_step``). The position is
that of the trainer, so a checkpoint needs no state of a scheduler.

OLMo-core counts the step and its tokens before the update (olmo_core/train/trainer.py, ``_fit_epoch``): its own
schedulers are one step ahead. This one gives the n-th update what the file has after n - 1 updates, as everywhere.
"""

from dataclasses import dataclass
from typing import Any

from olmo_core.optim.scheduler import Scheduler, SchedulerUnits

from schedframe.adapters._position import Positioned
from schedframe.adapters._updates import as_schedule


@Scheduler.register("schedframe")
@dataclass
class ScheduleFile(Scheduler):  # type: ignore[misc]
    """Writes the learning rate and the weight decay of a schedule into the param groups.

    Attributes:
        schedule: the path of the file.
        units: ``steps``, which are iterations of the schedule, or ``tokens``.
        allow_jump: let the values jump where a checkpoint of another scheduler is continued.

    Raises:
        ConfigError: the file has problems; at the first update, its run has another length than the trainer's, or it
            contradicts the param groups.
        StateError: at the first update, the values jump.
    """

    schedule: str = ""
    allow_jump: bool = False

    def __post_init__(self, *_: Any) -> None:
        """Read the file."""
        self._schedule = as_schedule(self.schedule)
        self._unit = "tokens" if self.units == SchedulerUnits.tokens else "iters"
        self._positioned: Positioned | None = None

    def get_lr(self, initial_lr: Any, current: int, t_max: int) -> float:
        """Return the learning rate for the update after `current` steps or tokens; the rest is not used."""
        return self._schedule.lr_at(self._schedule.step_at(f"{current} {self._unit}"))

    def set_lr(self, group: dict[str, Any], trainer: Any) -> Any:
        """Write the values for the update that `trainer` makes, and return the learning rate of `group`."""
        if self._unit == "tokens":
            total, before = trainer.max_tokens, trainer.global_train_tokens_seen - trainer.data_loader.global_batch_size
        else:
            total, before = trainer.max_steps, trainer.global_step - 1
        if self._positioned is None:
            self._positioned = Positioned(
                self._schedule, _optimizers_of(trainer.train_module), self._unit, allow_jump=self.allow_jump
            )
            self._positioned.refuse_other_length(total, self._unit)
        self._positioned.go_to(before)
        return group["lr"]


def _optimizers_of(train_module: Any) -> Any:
    """Return the optimizer of a train module, or those of a pipeline."""
    optimizers = getattr(train_module, "optimizers", None)
    return train_module.optim if optimizers is None else list(optimizers)
