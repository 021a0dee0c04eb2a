"""Trains the small net of `one_file` with Lightning, as `test_lightning` does and as a process that is killed."""

import os
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

import schedframe
from schedframe import SchedframeWarning
from schedframe.adapters.lightning import configure
from tests.adapters.one_file import Net, Values, values_of

BATCHES = 9
"""Of an epoch. With accumulation over 2 they are 5 updates, the last of one batch."""

EPOCHS = 8


class Model(pl.LightningModule):
    """Keeps what its optimizer holds for each update."""

    def __init__(self, schedule: Any, wrap: Any = configure) -> None:
        super().__init__()
        self.net = Net()
        self.schedule = schedule if isinstance(schedule, schedframe.Schedule) else schedframe.load(schedule)
        self.wrap = wrap
        self.values: dict[int, Values] = {}

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(self.schedule.param_groups(self), lr=1.0, weight_decay=0.1)
        return self.wrap(optimizer, self.schedule, self.trainer)

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        self.values[self.trainer.global_step] = values_of(self.trainer.optimizers[0])
        return self.net(batch).square().mean()

    def train_dataloader(self) -> Any:
        samples = torch.randn(BATCHES * 4, 4, generator=torch.Generator().manual_seed(1))
        return torch.utils.data.DataLoader(samples, batch_size=4)


def fit(model: pl.LightningModule, folder: Path, *, ckpt_path: Any = None, **options: Any) -> pl.Trainer:
    """Train `model` for 40 updates; a warning of schedframe is an error, those of Lightning are its own affair."""
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu", "devices": 1}
    usual = {"max_epochs": EPOCHS, "accumulate_grad_batches": 2, "logger": False, "enable_checkpointing": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", SchedframeWarning)
        trainer = pl.Trainer(default_root_dir=folder, **{**quiet, **usual, **options})
        trainer.fit(model, ckpt_path=ckpt_path)
    return trainer


def checkpoints(folder: Path) -> ModelCheckpoint:
    """Return what keeps a checkpoint of every second epoch, after 10, 20, 30 and 40 updates."""
    return ModelCheckpoint(folder, filename="{step}", every_n_epochs=2, save_top_k=-1)


class KilledAt(pl.Callback):
    """Kills the process within the update after `update` of them."""

    def __init__(self, update: int) -> None:
        self.update = update

    def on_after_backward(self, trainer: Any, pl_module: Any) -> None:
        if trainer.global_step == self.update:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    file, folder = map(Path, sys.argv[1:])
    fit(Model(file), folder, enable_checkpointing=True, callbacks=[checkpoints(folder), KilledAt(23)])
