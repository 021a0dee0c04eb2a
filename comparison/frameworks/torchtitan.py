"""torchtitan: pytorch/torchtitan:torchtitan/components/optimizer/lr_scheduler.py.

Its trainer calls ``step()`` of the schedulers after each update (torchtitan/trainer.py, ``train_step``).
"""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import torch
from case import Case, Framework
from frameworks._torch import trained
from torchtitan.components.optimizer import LRSchedulersContainer

UPDATES = 100
PEAK = 8e-4
WARM = {"lr_warmup_steps": 10, "lr_warmup_style": "torchtitan"}


def run(updates: int = UPDATES, steps: int = UPDATES, **options: Any) -> Callable[[], list[float]]:
    def rates() -> list[float]:
        optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
        schedulers = LRSchedulersContainer.Config(**options).build(optimizers=[optimizer], training_steps=steps)
        return trained(optimizer, updates, schedulers.step)

    return rates


def keys(style: Any, **others: Any) -> dict[str, Any]:
    return {"clock": "iters", "train_iters": UPDATES, "max_lr": PEAK, "lr_decay_style": style, **others}


def wsd(length: int, curve: str) -> dict[str, Any]:
    return {"style": "WSD", "wsd_decay_steps": f"{length} iters", "lr_wsd_decay_style": curve}


CASES = [
    Case("warmup_steps 10", UPDATES, run(warmup_steps=10), keys("linear", **WARM)),
    Case("decay_type cosine", UPDATES, run(warmup_steps=10, decay_type="cosine"), keys("cosine", **WARM)),
    Case(
        "decay_type sqrt, min_lr_factor 0.1",
        UPDATES,
        run(warmup_steps=10, decay_type="sqrt", min_lr_factor=0.1),
        keys("minus_sqrt", min_lr="10%", **WARM),
    ),
    Case("decay_ratio 0.2", UPDATES, run(warmup_steps=10, decay_ratio=0.2), keys(wsd(20, "linear"), **WARM)),
    Case(
        "decay_ratio 0.2, decay_type cosine, min_lr_factor 0.1",
        UPDATES,
        run(warmup_steps=10, decay_ratio=0.2, decay_type="cosine", min_lr_factor=0.1),
        keys(wsd(20, "cosine"), min_lr="10%", **WARM),
    ),
    Case(
        "decay_ratio 0.2, decay_type sqrt",
        UPDATES,
        run(warmup_steps=10, decay_ratio=0.2, decay_type="sqrt"),
        keys(wsd(20, "minus_sqrt"), **WARM),
    ),
    Case("warmup_steps 0", UPDATES, run(warmup_steps=0), keys("linear")),
    Case(
        "total_steps 200, stopped after 100",
        UPDATES,
        run(warmup_steps=10, total_steps=200),
        keys("linear", lr_decay_steps=200, **WARM),
    ),
    Case("a run that is all warmup", 10, run(10, 10, warmup_steps=20), {**keys("linear", **WARM), "train_iters": 10}),
]
FRAMEWORK = Framework("torchtitan", f"torchtitan {version('torchtitan')}", CASES)
