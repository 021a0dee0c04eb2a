"""Lightning: Lightning-AI/pytorch-lightning:src/lightning/pytorch/loops/training_epoch_loop.py.

It has no schedules, and steps PyTorch's: with ``interval: step`` after every update, also where gradients are
accumulated, with ``interval: epoch``, its default, after every epoch. ``frequency`` counts batches, not updates.
"""

import logging
from collections.abc import Callable
from typing import Any

import lightning
import torch
from case import Case, Framework
from lightning.pytorch.demos.boring_classes import BoringModel, RandomDataset
from torch.optim import lr_scheduler as lrs

UPDATES = 100
PEAK = 1e-3
BATCHES = 20

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Model(BoringModel):
    """A model that keeps the learning rate of each update."""

    def __init__(self, make: Callable[..., Any], config: dict[str, Any]) -> None:
        super().__init__()
        self.make, self.config = make, config
        self.read: list[float] = []

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), lr=PEAK)
        return [optimizer], [{"scheduler": self.make(optimizer), **self.config}]

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        self.read.append(optimizer.param_groups[0]["lr"])


def run(make: Callable[..., Any], config: dict[str, Any], accumulate: int = 1) -> Callable[[], list[float]]:
    def rates() -> list[float]:
        trainer = lightning.Trainer(
            accelerator="cpu",
            max_steps=UPDATES,
            max_epochs=-1,
            accumulate_grad_batches=accumulate,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        model = Model(make, config)
        trainer.fit(model, torch.utils.data.DataLoader(RandomDataset(32, BATCHES * accumulate)))
        return model.read

    return rates


def keys(style: Any, **others: Any) -> dict[str, Any]:
    return {"clock": "iters", "train_iters": UPDATES, "max_lr": PEAK, "lr_decay_style": style, **others}


def stairs(factor: float, every: int) -> dict[str, Any]:
    return {"style": "each", "factor": factor, "every": f"{every} iters", "stairs": True}


def cosine(optimizer: torch.optim.Optimizer) -> Any:
    return lrs.CosineAnnealingLR(optimizer, UPDATES, 1e-5)


def warm_cosine(optimizer: torch.optim.Optimizer) -> Any:
    warmup = lrs.LinearLR(optimizer, start_factor=0.1, total_iters=10)
    return lrs.SequentialLR(optimizer, [warmup, lrs.CosineAnnealingLR(optimizer, T_max=90)], milestones=[10])


def one_cycle(optimizer: torch.optim.Optimizer) -> Any:
    return lrs.OneCycleLR(optimizer, PEAK, total_steps=UPDATES)


def exponential(optimizer: torch.optim.Optimizer) -> Any:
    return lrs.ExponentialLR(optimizer, 0.5)


def milestones(optimizer: torch.optim.Optimizer) -> Any:
    return lrs.MultiStepLR(optimizer, [2, 4], 0.1)


STEP = {"interval": "step"}
EPOCH = {"interval": "epoch"}
CASES = [
    Case("interval step, CosineAnnealingLR(100, 1e-5)", UPDATES, run(cosine, STEP), keys("cosine", min_lr=1e-5)),
    Case(
        "interval step, accumulate_grad_batches=4, CosineAnnealingLR(100, 1e-5)",
        UPDATES,
        run(cosine, STEP, 4),
        keys("cosine", min_lr=1e-5),
    ),
    Case(
        "interval step, SequentialLR([LinearLR, CosineAnnealingLR], [10])",
        UPDATES,
        run(warm_cosine, STEP),
        keys("cosine", lr_warmup_steps=10, init_lr="10%"),
    ),
    Case("interval step, OneCycleLR(total_steps=100)", UPDATES, run(one_cycle, STEP), keys("one-cycle")),
    Case(
        "interval step, frequency 5, ExponentialLR(0.5)",
        UPDATES,
        run(exponential, {**STEP, "frequency": 5}),
        keys(stairs(0.5, 5)),
    ),
    Case(
        "interval step, frequency 8, accumulate_grad_batches=4, ExponentialLR(0.5)",
        UPDATES,
        run(exponential, {**STEP, "frequency": 8}, 4),
        keys(stairs(0.5, 2)),
        note="frequency counts batches, so that the scheduler is stepped every 2 updates",
    ),
    Case(
        "interval epoch, 20 batches an epoch, ExponentialLR(0.5)",
        UPDATES,
        run(exponential, EPOCH),
        keys(stairs(0.5, 20)),
    ),
    Case(
        "interval epoch, 20 updates an epoch, accumulate_grad_batches=2, MultiStepLR([2, 4], 0.1)",
        UPDATES,
        run(milestones, EPOCH, 2),
        keys({"style": "multi-step", "milestones": ["40 iters", "80 iters"], "multipliers": [0.1, 0.01]}),
    ),
    Case(
        "interval epoch, 20 batches an epoch, CosineAnnealingLR(5)",
        UPDATES,
        run(lambda optimizer: lrs.CosineAnnealingLR(optimizer, 5), EPOCH),
        keys("cosine", interval="20 iters"),
    ),
    Case(
        "interval epoch, 20 batches an epoch, SequentialLR([LinearLR, CosineAnnealingLR], [10])",
        UPDATES,
        run(warm_cosine, EPOCH),
        keys("cosine", lr_warmup_steps=200, lr_decay_steps=2000, init_lr="10%", interval="20 iters"),
    ),
]
FRAMEWORK = Framework(
    "Lightning", f"lightning {lightning.__version__}", CASES, {"ReduceLROnPlateau": "it follows a metric"}
)
