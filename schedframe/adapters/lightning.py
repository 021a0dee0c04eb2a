"""A schedule in Lightning: ``return configure(optimizer, "run.yaml", self.trainer)`` in ``configure_optimizers``.

- `configure` returns what ``LightningModule.configure_optimizers`` is to return: the optimizer, and a `ScheduledLR`
  with ``interval: step``, which Lightning steps once an update, also with ``accumulate_grad_batches``.
- `ScheduleCLI` is a ``LightningCLI`` that steps a `ScheduledLR` of its command line in the same way.
- `ScheduleMetrics` is a ``Callback`` that gives what runs to the trainer's loggers.

Lightning is published as two packages with separate classes. This module uses ``lightning`` or ``pytorch_lightning``,
whichever is imported already, and ``lightning`` where both are or none is: import yours first.
"""

import importlib
import sys
from math import inf
from typing import Any

from schedframe._errors import SchedframeError
from schedframe.adapters._updates import ScheduleLike, Updates
from schedframe.adapters.torch import ScheduledLR

_PACKAGES = ("lightning.pytorch", "pytorch_lightning")


def _imported() -> str:
    """Return the name of the Lightning package that the program uses."""
    return next((name for name in _PACKAGES if name in sys.modules), _PACKAGES[0])


_lightning: Any = importlib.import_module(_imported())
_cli: Any = importlib.import_module(f"{_imported()}.cli")


def configure(optimizer: Any, schedule: ScheduleLike, trainer: Any = None, **options: Any) -> dict[str, Any]:
    """Return what ``configure_optimizers`` returns to run `schedule` on `optimizer`, one step for each update.

    A param group that was made by `Schedule.param_groups` gets its role as its ``name``, by which
    ``LearningRateMonitor`` logs it.

    Args:
        optimizer: a torch optimizer. Where the schedule has rules by name, make its groups with
            ``schedule.param_groups(self)``.
        schedule: a `Schedule`, or the path of its file.
        trainer: ``self.trainer``, whose ``estimated_stepping_batches`` must be the length of the schedule's run.
            Without one, with ``fast_dev_run``, and where the trainer knows no end, nothing is compared. Leave it out
            where that number counts anything else than updates of this optimizer: with several optimizers, and with
            manual optimization that does not update after each batch.
        options: those of `ScheduledLR`.

    Raises:
        ConfigError: the schedule has problems, or is for another number of updates; see `ScheduledLR`.
        MisconfigurationException: of Lightning, where ``GradientAccumulationScheduler`` is used, with which the trainer
            cannot count its updates; leave `trainer` out.

    Lightning steps a scheduler with ``interval: step`` after each update, also where mixed precision skipped that one,
    and before a checkpoint is saved (Lightning-AI/pytorch-lightning:src/lightning/pytorch/loops/training_epoch_loop.py
    at 2.6.6, ``advance``; issue 18828 there).
    """
    scheduler = ScheduledLR(optimizer, schedule, num_training_steps=_updates_of(trainer), **options)
    return _stepped_by_update(optimizer, scheduler)


def _stepped_by_update(optimizer: Any, scheduler: ScheduledLR) -> dict[str, Any]:
    _name(optimizer.param_groups)
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step", "frequency": 1}}


def _name(groups: list[dict[str, Any]]) -> None:
    """Name each group that has a role; ``LearningRateMonitor`` refuses two groups with one name."""
    used = {group["name"] for group in groups if "name" in group}
    for index, group in enumerate(groups):
        if "role" not in group or "name" in group:
            continue
        name = group["role"]
        while name in used:
            name = f"{name}/{index}"
        group["name"] = name
        used.add(name)


def _updates_of(trainer: Any) -> int | None:
    """Return how many updates `trainer` makes; ``None`` where there is no number.

    ``estimated_stepping_batches`` is infinite where nothing ends the run, and -1 where the data have no length
    (Lightning-AI/pytorch-lightning:src/lightning/pytorch/trainer/trainer.py at 2.6.6).
    """
    if trainer is None or trainer.fast_dev_run:
        return None
    updates = trainer.estimated_stepping_batches
    return int(updates) if 0 < updates < inf else None


class ScheduleCLI(_cli.LightningCLI):
    """A ``LightningCLI`` whose ``--lr_scheduler`` may be a `ScheduledLR`.

    ``--lr_scheduler=schedframe.adapters.torch.ScheduledLR --lr_scheduler.schedule=run.yaml`` is stepped once an update,
    where ``LightningCLI`` steps every scheduler once an epoch, and its run must have the trainer's length. Other
    schedulers are configured as ever.
    """

    @staticmethod
    def configure_optimizers(lightning_module: Any, optimizer: Any, lr_scheduler: Any = None) -> Any:
        """Return what ``LightningModule.configure_optimizers`` returns; see `configure`.

        Raises:
            ConfigError: the schedule is for another number of updates than the trainer makes.
        """
        if not isinstance(lr_scheduler, ScheduledLR):
            return _cli.LightningCLI.configure_optimizers(lightning_module, optimizer, lr_scheduler)
        Updates(lr_scheduler.schedule).schedule_for(_updates_of(lightning_module.trainer))
        return _stepped_by_update(optimizer, lr_scheduler)


class ScheduleMetrics(_lightning.Callback):
    """Logs `ScheduledLR.metrics` to every logger of the trainer, for each update that ``log_every_n_steps`` admits.

    They are the values that the update uses, unrounded, at ``trainer.global_step``, in the rows of
    ``LearningRateMonitor``. With several `ScheduledLR` the index of each follows the prefix, or the ``name`` that its
    ``lr_scheduler`` dict has.
    """

    def __init__(self, prefix: str = "schedule/") -> None:
        """Log with `prefix` before every name."""
        self._prefix = prefix
        self._logged = -1

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Find out whether there is something to log.

        Raises:
            SchedframeError: no scheduler of the trainer is a `ScheduledLR`.
        """
        if not self._schedulers(trainer):
            raise SchedframeError(
                "ScheduleMetrics finds no ScheduledLR among the trainer's schedulers; return "
                "schedframe.adapters.lightning.configure(optimizer, schedule, self.trainer) in configure_optimizers"
            )
        self._logged = -1

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Log before the first batch of an update."""
        schedulers = self._schedulers(trainer)
        update = next(iter(schedulers.values())).last_epoch
        every = trainer.log_every_n_steps
        if update == self._logged or not every or (update + 1) % every:
            return
        self._logged = update
        metrics: dict[str, float] = {}
        for prefix, scheduler in schedulers.items():
            metrics |= scheduler.metrics(prefix)
        for logger in trainer.loggers:
            logger.log_metrics(metrics, step=trainer.global_step)

    def _schedulers(self, trainer: Any) -> dict[str, ScheduledLR]:
        """Return the schedulers of `trainer` that run a schedule, by the prefix of their metrics."""
        configs = [config for config in trainer.lr_scheduler_configs if isinstance(config.scheduler, ScheduledLR)]
        if len(configs) == 1:
            return {self._prefix: configs[0].scheduler}
        return {f"{self._prefix}{config.name or at}/": config.scheduler for at, config in enumerate(configs)}
