"""LitGPT: litgpt/pretrain.py and litgpt/finetune/full.py of the distribution litgpt.

Pretraining sets the learning rate before every micro-batch, and an update has that of its last one. Finetuning (full,
lora, adapter and adapter_v2 have the same function) steps the scheduler after every update.
"""

import math
from collections.abc import Callable
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any

import torch
from case import Case, Framework
from frameworks._checkout import definitions
from frameworks._torch import optimizer_with, trained

UPDATES = 100
PEAK = 4e-4

folder = Path(str(distribution("litgpt").locate_file("litgpt")))
pretrain = definitions(folder / "pretrain.py", "get_lr", math=math)
finetune = definitions(folder / "finetune" / "full.py", "get_lr_scheduler", torch=torch)


def pretraining(warmup: int, min_lr: float, micro: int = 1, updates: int = UPDATES) -> Callable[[], list[float]]:
    """Return the learning rates of pretraining with `micro` micro-batches in an update; the decay ends after 100."""

    def rates() -> list[float]:
        last = [(update + 1) * micro - 1 for update in range(updates)]
        return [pretrain.get_lr(PEAK, index, warmup * micro, UPDATES * micro, min_lr) for index in last]

    return rates


def finetuning(warmup: int, max_steps: int = UPDATES) -> Callable[[], list[float]]:
    """Return what trains with the scheduler of finetuning."""

    def rates() -> list[float]:
        optimizer = optimizer_with(PEAK)
        scheduler = finetune.get_lr_scheduler(optimizer, warmup_steps=warmup, max_steps=max_steps)
        return trained(optimizer, UPDATES, scheduler.step)

    return rates


def keys(style: Any = "cosine", warmup: Any = 10, **others: Any) -> dict[str, Any]:
    rise = {"lr_warmup_steps": warmup} if warmup else {}
    return {"clock": "iters", "train_iters": UPDATES, "max_lr": PEAK, **rise, "lr_decay_style": style, **others}


AHEAD = {"style": "linear", "shift": "0.75 iters", "stretched": True}
CASES = [
    Case("pretrain, lr_warmup_steps 10", UPDATES, pretraining(10, 4e-5), keys(min_lr=4e-5)),
    Case("pretrain, no warmup, min_lr 0", UPDATES, pretraining(0, 0.0), keys(warmup=0)),
    Case(
        "pretrain, 4 micro-batches in an update",
        UPDATES,
        pretraining(10, 4e-5, 4),
        keys(min_lr=4e-5),
        keys(warmup=9.25, lr_warmup_style=AHEAD, lr_decay_steps=99.25, min_lr=4e-5),
        "The learning rate is that of the last micro-batch, three quarters of an update ahead.",
    ),
    Case("finetune, lr_warmup_steps 10", UPDATES, finetuning(10), keys()),
    Case(
        "finetune, decay of 60 updates, which rises past its end",
        UPDATES,
        finetuning(10, 70),
        keys({"style": "cosine-cycles", "cycles": 0.75}),
    ),
]
FRAMEWORK = Framework("LitGPT", f"litgpt {version('litgpt')}", CASES)
