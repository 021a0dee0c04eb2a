"""Composer: mosaicml/composer:composer/optim/scheduler.py, run by its trainer.

The trainer steps its schedulers before it advances the timestamp (composer/trainer/trainer.py, ``_train_loop``), so the
first two updates have the learning rate of batch 0.
"""

from collections.abc import Callable
from typing import Any

import composer
import torch
from case import Case, Framework
from composer import Callback, ComposerModel, Trainer
from composer.optim import scheduler as mosaic
from torch.utils.data import DataLoader, TensorDataset

UPDATES = 60
PEAK = 6e-4
WARM = {"lr_warmup_steps": 10}


class Model(ComposerModel):
    def __init__(self) -> None:
        super().__init__()
        self.net = torch.nn.Linear(1, 1)

    def forward(self, batch: Any) -> torch.Tensor:
        return self.net(batch[0])

    def loss(self, outputs: torch.Tensor, batch: Any, *_: Any) -> torch.Tensor:
        return (outputs - batch[1]).pow(2).mean()


class Recorder(Callback):
    def __init__(self) -> None:
        self.rates: list[float] = []

    def before_train_batch(self, state: Any, logger: Any) -> None:
        self.rates.append(state.optimizers[0].param_groups[0]["lr"])


def run(scheduler: mosaic.ComposerScheduler, **options: Any) -> Callable[[], list[float]]:
    """Return what trains with `scheduler`; an epoch has 20 updates."""

    def rates() -> list[float]:
        model, recorder = Model(), Recorder()
        trainer = Trainer(
            model=model,
            optimizers=torch.optim.SGD(model.parameters(), lr=PEAK),
            schedulers=scheduler,
            train_dataloader=DataLoader(TensorDataset(torch.ones(40, 1), torch.ones(40, 1)), batch_size=2),
            max_duration=f"{UPDATES}ba",
            callbacks=[recorder],
            device="cpu",
            progress_bar=False,
            **options,
        )
        trainer.fit()
        trainer.close()
        return recorder.rates

    return rates


def keys(style: Any, **others: Any) -> dict[str, Any]:
    start = {"clock": "iters", "train_iters": UPDATES, "max_lr": PEAK, "lr_decay_style": style}
    return {**start, "first_update": -1, **others}


def case(name: str, scheduler: mosaic.ComposerScheduler, style: Any, **others: Any) -> Case:
    return Case(name, UPDATES, run(scheduler), keys(style, **others))


def steps(milestones: list[str]) -> dict[str, Any]:
    return {"style": "multi-step", "milestones": milestones, "multipliers": [0.1, 0.01]}


def each(factor: float, every: str, **options: Any) -> dict[str, Any]:
    return {"style": "each", "factor": factor, "every": every, **options}


CASES = [
    case("StepScheduler('20ba')", mosaic.StepScheduler("20ba"), each(0.1, "20 iters", stairs=True)),
    case(
        "MultiStepScheduler(['20ba', '50ba'])",
        mosaic.MultiStepScheduler(["20ba", "50ba"]),
        steps(["20 iters", "50 iters"]),
    ),
    case(
        "MultiStepScheduler(['1ep', '2ep'])", mosaic.MultiStepScheduler(["1ep", "2ep"]), steps(["20 iters", "40 iters"])
    ),
    case("ConstantScheduler()", mosaic.ConstantScheduler(), "constant"),
    case(
        "ConstantScheduler(alpha=0.5, t_max='20ba')",
        mosaic.ConstantScheduler(0.5, "20ba"),
        "constant",
        lr_warmup_steps=20,
        lr_warmup_style="constant",
        init_lr="50%",
    ),
    case("LinearScheduler(alpha_f=0.1)", mosaic.LinearScheduler(alpha_f=0.1), "linear", min_lr="10%"),
    case(
        "LinearScheduler(t_max='0.5dur')", mosaic.LinearScheduler(t_max="0.5dur"), "linear", lr_decay_steps="50% of run"
    ),
    case("ExponentialScheduler(0.9, '5ba')", mosaic.ExponentialScheduler(0.9, "5ba"), each(0.9, "5 iters")),
    case("CosineAnnealingScheduler(alpha_f=0.1)", mosaic.CosineAnnealingScheduler(alpha_f=0.1), "cosine", min_lr="10%"),
    case(
        "CosineAnnealingWarmRestartsScheduler('20ba')",
        mosaic.CosineAnnealingWarmRestartsScheduler("20ba"),
        {"style": "cosine-restarts", "period_steps": "20 iters"},
    ),
    case(
        "CosineAnnealingWarmRestartsScheduler('20ba', t_mult=2, alpha_f=0.1)",
        mosaic.CosineAnnealingWarmRestartsScheduler("20ba", 2.0, 0.1),
        {"style": "cosine-restarts", "period_steps": "20 iters", "period_mult": 2},
        min_lr="10%",
    ),
    case(
        "PolynomialScheduler(2.0, alpha_f=0.1)",
        mosaic.PolynomialScheduler(2.0, alpha_f=0.1),
        {"style": "polynomial", "power": 2.0},
        min_lr="10%",
    ),
    case(
        "MultiStepWithWarmupScheduler('10ba', ['20ba', '50ba'])",
        mosaic.MultiStepWithWarmupScheduler("10ba", ["20ba", "50ba"]),
        steps(["20 iters", "50 iters"]),
        **WARM,
    ),
    case("ConstantWithWarmupScheduler('10ba')", mosaic.ConstantWithWarmupScheduler("10ba"), "constant", **WARM),
    case(
        "LinearWithWarmupScheduler('10ba', alpha_f=0.1)",
        mosaic.LinearWithWarmupScheduler("10ba", alpha_f=0.1),
        "linear",
        min_lr="10%",
        **WARM,
    ),
    case(
        "CosineAnnealingWithWarmupScheduler('10ba', alpha_f=0.1)",
        mosaic.CosineAnnealingWithWarmupScheduler("10ba", alpha_f=0.1),
        "cosine",
        min_lr="10%",
        **WARM,
    ),
    case(
        "CosineAnnealingWithWarmupScheduler('0.1dur')",
        mosaic.CosineAnnealingWithWarmupScheduler("0.1dur"),
        "cosine",
        lr_warmup_steps="10%",
    ),
    case(
        "PolynomialWithWarmupScheduler('10ba')",
        mosaic.PolynomialWithWarmupScheduler("10ba"),
        {"style": "polynomial", "power": 2.0},
        **WARM,
    ),
    Case(
        "CosineAnnealingWithWarmupScheduler('10ba'), scale_schedule_ratio 0.5",
        30,
        run(mosaic.CosineAnnealingWithWarmupScheduler("10ba"), scale_schedule_ratio=0.5),
        keys("cosine", train_iters=30, **WARM),
    ),
]
FRAMEWORK = Framework("Composer", f"mosaicml {composer.__version__}", CASES)
