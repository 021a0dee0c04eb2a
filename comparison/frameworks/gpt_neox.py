"""GPT-NeoX: EleutherAI/gpt-neox:megatron/learning_rates.py at ea7aefd.

megatron/training.py there makes it with step 0, and DeepSpeed steps it after every optimizer step.
"""

import math
from collections.abc import Callable
from typing import Any

from case import Case, Framework
from frameworks._checkout import checkout, leave_out, module
from frameworks._torch import optimizer_with, trained

UPDATES = 100
PEAK = 0.05

leave_out("megatron")
neox = module("gpt_neox_learning_rates", checkout("gpt-neox") / "megatron" / "learning_rates.py")


def run(
    decay_style: str, warmup: float = 0.1, min_lr: float = 0.0, updates: int = UPDATES
) -> Callable[[], list[float]]:
    """Return what trains `updates` times; `warmup` is the part of the run that the config of GPT-NeoX gives."""

    def rates() -> list[float]:
        optimizer = optimizer_with(PEAK)
        scheduler = neox.AnnealingLR(optimizer, PEAK, warmup * UPDATES, UPDATES, decay_style, 0, min_lr)
        return trained(optimizer, updates, scheduler.step)

    return rates


def keys(style: Any, warmup: str = "10%", updates: int = UPDATES, **others: Any) -> dict[str, Any]:
    rise = {"lr_warmup_steps": warmup, "lr_warmup_style": "gpt-neox"} if warmup else {}
    end = {"lr_decay_steps": UPDATES} if updates > UPDATES else {}
    return {"clock": "iters", "train_iters": updates, **end, "max_lr": PEAK, **rise, "lr_decay_style": style, **others}


def exponential(length: int) -> dict[str, Any]:
    return {"style": "each", "factor": math.exp(-0.693), "every": f"{length} iters"}


def rising_again(warmup: int, updates: int) -> dict[str, Any]:
    return {"style": "cosine-cycles", "cycles": 0.5 * (updates - warmup) / (UPDATES - warmup)}


CUT = {"style": "linear", "floor": "cut"}
CASES = [
    Case("constant, warmup 0.1", UPDATES, run("constant"), keys("constant")),
    Case("linear, warmup 0.1", UPDATES, run("linear"), keys("linear")),
    Case("linear, no warmup", UPDATES, run("linear", 0), keys("linear", "")),
    Case("linear, min_lr 0.005", UPDATES, run("linear", min_lr=0.005), keys(CUT, min_lr=0.005)),
    Case(
        "linear, min_lr 0.005, past the end",
        120,
        run("linear", min_lr=0.005, updates=120),
        keys(CUT, updates=120, min_lr=0.005),
    ),
    Case("cosine, warmup 0.01", UPDATES, run("cosine", 0.01), keys("cosine", "1%")),
    Case("cosine, min_lr 0.005", UPDATES, run("cosine", min_lr=0.005), keys("cosine", min_lr=0.005)),
    Case(
        "cosine, warmup 0.015, a part of an update",
        UPDATES,
        run("cosine", 0.015, 0.005),
        keys("cosine", "1.5%", min_lr=0.005),
    ),
    Case(
        "cosine, min_lr 0.005, which rises past the end",
        120,
        run("cosine", min_lr=0.005, updates=120),
        {**keys(rising_again(10, 120), min_lr=0.005), "train_iters": 120, "lr_warmup_steps": 10},
    ),
    Case("exponential, no warmup", UPDATES, run("exponential", 0), keys(exponential(100), "")),
    Case(
        "exponential, min_lr 0.03",
        UPDATES,
        run("exponential", min_lr=0.03),
        keys(exponential(90), min_lr=0.03),
        note="The factor is exp(-0.693), which GPT-NeoX takes for a half.",
    ),
    Case(
        "exponential, past the end",
        120,
        run("exponential", updates=120),
        keys(exponential(90), updates=120),
    ),
]
FRAMEWORK = Framework("GPT-NeoX", "EleutherAI/gpt-neox at ea7aefd", CASES)
