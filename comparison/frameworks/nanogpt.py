"""nanoGPT: karpathy/nanoGPT:train.py at 3adf61e, whose loop reads ``get_lr(iter_num)`` before every update."""

import math
from collections.abc import Callable
from typing import Any

from case import Case, Framework
from frameworks._checkout import checkout, definitions

UPDATES = 100
PEAK = 6e-4


def run(warmup_iters: int, min_lr: float, updates: int = UPDATES) -> Callable[[], list[float]]:
    """Return the learning rates of `updates` updates; the decay ends after 100."""
    settings = {"warmup_iters": warmup_iters, "min_lr": min_lr, "learning_rate": PEAK, "lr_decay_iters": UPDATES}
    script = definitions(checkout("nanoGPT") / "train.py", "get_lr", math=math, **settings)
    return lambda: [script.get_lr(update) for update in range(updates)]


def keys(warmup: int, updates: int = UPDATES, **others: Any) -> dict[str, Any]:
    rise = {"lr_warmup_steps": warmup, "lr_warmup_style": "nanogpt"} if warmup else {}
    end = {"lr_decay_steps": UPDATES} if updates > UPDATES else {}
    run = {"clock": "iters", "train_iters": updates, **end, "max_lr": PEAK}
    return {**run, **rise, "lr_decay_style": "cosine", **others}


CASES = [
    Case("warmup_iters=10, min_lr=6e-5", UPDATES, run(10, 6e-5), keys(10, min_lr=6e-5)),
    Case("warmup_iters=0, min_lr=6e-5", UPDATES, run(0, 6e-5), keys(0, min_lr=6e-5)),
    Case("warmup_iters=10, min_lr=0", UPDATES, run(10, 0.0), keys(10)),
    Case("warmup_iters=10, past lr_decay_iters", 120, run(10, 6e-5, 120), keys(10, 120, min_lr=6e-5)),
]
FRAMEWORK = Framework("nanoGPT", "karpathy/nanoGPT at 3adf61e", CASES)
