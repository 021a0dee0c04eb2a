"""A small run of Hugging Face's Trainer: 40 updates of two micro-batches, but for the last, which has one."""

from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

from tests.adapters import one_file

ARGUMENTS: dict[str, Any] = {
    "per_device_train_batch_size": 4,
    "gradient_accumulation_steps": 2,
    "num_train_epochs": 1,
    "weight_decay": 0.1,
    "logging_steps": 1,
    "save_strategy": "no",
    "report_to": [],
    "use_cpu": True,
    "disable_tqdm": True,
}


class Data(torch.utils.data.Dataset[dict[str, torch.Tensor]]):
    """As many samples as `updates` updates need."""

    def __init__(self, updates: int = one_file.UPDATES) -> None:
        self.inputs = torch.randn(8 * updates - 4, 6, generator=torch.Generator().manual_seed(0))

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"x": self.inputs[index, :4], "labels": self.inputs[index, 4:]}


class Net(one_file.Net):
    """Returns its loss, as the Trainer expects."""

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        logits = super().forward(x)
        return {"loss": (logits - labels).square().mean(), "logits": logits}


class Recorder(TrainerCallback):
    """Keeps what the groups hold for each update."""

    def __init__(self) -> None:
        self.values: list[one_file.Values] = []

    def on_optimizer_step(self, *_: Any, optimizer: Any, **__: Any) -> None:
        self.values.append(one_file.values_of(optimizer))


class Stop(TrainerCallback):
    """Ends the run after an update, as a failure of the machine does."""

    def __init__(self, update: int) -> None:
        self.update = update

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self.update:
            raise RuntimeError("the machine fails")


def make(
    folder: Path,
    updates: int = one_file.UPDATES,
    *,
    trainer: type[Trainer] = Trainer,
    callbacks: tuple[TrainerCallback, ...] = (),
    options: dict[str, Any] | None = None,
    **arguments: Any,
) -> tuple[Trainer, Recorder]:
    """Return a trainer with `options` of its own, `arguments` of ``TrainingArguments``, and a recorder."""
    recorder = Recorder()
    args = TrainingArguments(str(folder), **{**ARGUMENTS, **arguments})
    options = {"model": Net(), **(options or {})}
    made = trainer(args=args, train_dataset=Data(updates), callbacks=[recorder, *callbacks], **options)
    return made, recorder


def weights(trainer: Trainer) -> list[torch.Tensor]:
    """Return the weights of the model."""
    return [parameter.detach().clone() for parameter in trainer.model.parameters()]
