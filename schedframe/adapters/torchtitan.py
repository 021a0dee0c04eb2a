"""A schedule as the container of schedulers of torchtitan.

``lr_scheduler=ScheduleContainer.Config(schedule="run.yaml")`` in the config of a ``Trainer`` takes the place of
``LRSchedulersContainer.Config``. The trainer builds it with its optimizers and ``training.steps``, steps it once an
update, logs its metrics, and saves its state with its checkpoints (pytorch/torchtitan:torchtitan/trainer.py at v0.3.0).

Param groups are those of ``OptimizersContainer``; rules of the schedule match them by the names of their parameters. No
group gains a key, so that the optimizers' part of a checkpoint is the same as without a schedule.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.hooks import RemovableHandle
from torchtitan.components.optimizer.lr_scheduler import LRSchedulersContainer

from schedframe._plan.evaluate import write_value
from schedframe.adapters._updates import ScheduleLike
from schedframe.adapters.torch import ScheduledLR

_READ = ("lr", "weight_decay")
_WRITTEN = (*_READ, "initial_lr")


class ScheduleContainer(LRSchedulersContainer):  # type: ignore[misc]
    """Writes the learning rate and the weight decay of a schedule into the groups of all optimizers.

    Attributes:
        schedulers: the one `ScheduledLR` of all groups.
    """

    @dataclass(kw_only=True, slots=True)
    class Config(LRSchedulersContainer.Config):  # type: ignore[misc]
        """What a config specifies of the schedule; the fields of torchtitan's own config are not used.

        Attributes:
            schedule: the path of the file.
            override_opt_param_scheduler: on resume take the position alone from the checkpoint, also from one of
                torchtitan's own scheduler, where the curves meet.
            allow_jump: let them not meet.
        """

        schedule: str = ""
        override_opt_param_scheduler: bool | None = None
        allow_jump: bool = False

        def build(self, *, optimizers: Any, training_steps: int) -> "ScheduleContainer":
            """Return the container, as the trainer asks for it.

            Raises:
                ConfigError: see `ScheduledLR`.
            """
            return ScheduleContainer(
                optimizers,
                self.schedule,
                num_training_steps=training_steps,
                override_opt_param_scheduler=self.override_opt_param_scheduler,
                allow_jump=self.allow_jump,
            )

    def __init__(self, optimizers: Any, schedule: ScheduleLike, **options: Any) -> None:
        """Schedule the groups of `optimizers`, an ``OptimizersContainer``; `options` are those of `ScheduledLR`."""
        self._groups = _Groups(optimizers)
        self._scheduled = ScheduledLR(self._groups, schedule, **options)
        self._groups.write()
        self.schedulers = [self._scheduled]
        optimizers.register_step_post_hook(lambda *_: self._groups.step())

    def step(self) -> None:
        """Advance by one update."""
        self._groups.read()
        self._scheduled.step()
        self._groups.write()

    def get_metrics(self) -> dict[str, float]:
        """Return what runs now, as the trainer logs it; see `ScheduledLR.metrics`."""
        return self._scheduled.metrics()

    def state_dict(self) -> dict[str, Any]:
        """Return the state of `ScheduledLR`.

        ``torch.distributed.checkpoint`` asks a checkpoint for the keys that it finds here. So with ``override`` it is,
        until the first update, torchtitan's own ``last_epoch`` alone, which a checkpoint of either scheduler has.
        """
        state = self._scheduled.state_dict()
        before_a_load = self._scheduled.running.override_opt_param_scheduler and not self._scheduled.rate.calls
        return {"last_epoch": state["last_epoch"]} if before_a_load else state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a checkpoint; see `ScheduledLR.load_state_dict`."""
        self._groups.read()
        self._scheduled.load_state_dict(state_dict)
        self._groups.write()


class _Groups(torch.optim.Optimizer):
    """The param groups of several optimizers as those of one, in dicts of their own.

    ``OptimizersContainer.param_groups`` is one group of everything, and torchtitan saves each key of the real groups.
    """

    def __init__(self, optimizers: Iterable[torch.optim.Optimizer]) -> None:
        self._optimizers = list(optimizers)
        super().__init__([dict(group) for group in self._real()], {})

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Count an update, which the optimizers have made."""

    def register_load_state_dict_post_hook(self, hook: Any, prepend: bool = False) -> RemovableHandle:
        """Call `hook` when the last of the optimizers is loaded, which is after the schedulers."""

        def loaded(_: torch.optim.Optimizer) -> None:
            self.read()
            hook(self)
            self.write()

        return self._optimizers[-1].register_load_state_dict_post_hook(loaded, prepend)

    def read(self) -> None:
        """Take over what the optimizers' groups hold."""
        for own, real in zip(self.param_groups, self._real(), strict=True):
            own.update({key: real[key] for key in _READ if key in real})

    def write(self) -> None:
        """Write learning rate and weight decay into the optimizers' groups."""
        for own, real in zip(self.param_groups, self._real(), strict=True):
            for key in _WRITTEN:
                if key in own:
                    write_value(real, key, own[key])

    def _real(self) -> list[dict[str, Any]]:
        return [group for optimizer in self._optimizers for group in optimizer.param_groups]
