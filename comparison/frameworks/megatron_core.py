"""Megatron Core: NVIDIA/Megatron-LM:megatron/core/optimizer_param_scheduler.py, with iterations as its steps."""

from collections.abc import Callable
from typing import Any

import megatron.core
import torch
from case import Case, Framework
from frameworks._torch import trained
from megatron.core.optimizer_param_scheduler import OptimizerParamScheduler

UPDATES = 120
DECAY = 100
PEAK, LOW = 3e-4, 3e-5
WSD = {"style": "WSD", "wsd_decay_steps": "20 iters"}


def run(style: str, warmup: int = 10, init_lr: float = 0.0, **options: Any) -> Callable[[], list[float]]:
    def rates() -> list[float]:
        optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
        lengths = {"lr_warmup_steps": warmup, "lr_decay_steps": DECAY, "wd_incr_steps": DECAY}
        decay = {"start_wd": 0.1, "end_wd": 0.1, "wd_incr_style": "constant"}
        scheduler = OptimizerParamScheduler(
            optimizer, init_lr, PEAK, LOW, lr_decay_style=style, **lengths, **decay, **options
        )
        return trained(optimizer, UPDATES, lambda: scheduler.step(1))

    return rates


def keys(style: Any, **others: Any) -> dict[str, Any]:
    lengths = {"train_iters": UPDATES, "lr_decay_steps": DECAY, "lr_warmup_steps": 10}
    return {"clock": "iters", **lengths, "max_lr": PEAK, "min_lr": LOW, "lr_decay_style": style, **others}


CASES = [
    *(
        Case(style, UPDATES, run(style), keys(style))
        for style in ("constant", "linear", "cosine", "inverse-square-root")
    ),
    Case("cosine, without a warmup", UPDATES, run("cosine", 0), keys("cosine", lr_warmup_steps=0)),
    Case("cosine, init_lr 1e-6", UPDATES, run("cosine", init_lr=1e-6), keys("cosine", init_lr=1e-6)),
    *(
        Case(
            f"WSD, {curve}",
            UPDATES,
            run("WSD", wsd_decay_steps=20, lr_wsd_decay_style=curve),
            keys({**WSD, "lr_wsd_decay_style": curve}),
        )
        for curve in ("linear", "cosine", "exponential", "minus_sqrt")
    ),
]
FRAMEWORK = Framework("Megatron Core", f"megatron-core {megatron.core.__version__}", CASES)
