"""dion: microsoft/dion:train.py at 0a059a4, whose loop steps a ``LambdaLR`` of ``get_lr`` after every update."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
from case import Case, Framework
from frameworks._checkout import checkout, definitions
from frameworks._torch import optimizer_with, trained

UPDATES = 100
PEAK = 0.02


def run(warmup_ratio: float, warmdown_ratio: float) -> Callable[[], list[float]]:
    """Return what trains with the learning rate of the script."""

    def rates() -> list[float]:
        settings = SimpleNamespace(
            warmup_ratio=warmup_ratio, warmdown_ratio=warmdown_ratio, num_iterations=UPDATES, lr=PEAK
        )
        script = definitions(checkout("dion") / "train.py", "get_lr", hp=settings)
        optimizer = optimizer_with(PEAK)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, script.get_lr)
        return trained(optimizer, UPDATES, scheduler.step)

    return rates


def keys(warmup: str, cooldown: str) -> dict[str, Any]:
    rise = {"lr_warmup_steps": warmup, "lr_warmup_style": "nanochat"} if warmup else {}
    wsd = {"style": "WSD", "wsd_decay_steps": cooldown, "lr_wsd_decay_style": "linear"}
    return {
        "clock": "iters",
        "train_iters": UPDATES,
        "max_lr": PEAK,
        **rise,
        "lr_decay_style": wsd if cooldown else "constant",
    }


CASES = [
    Case("warmup_ratio=0.01, warmdown_ratio=0.2", UPDATES, run(0.01, 0.2), keys("1%", "20%")),
    Case("warmup_ratio=0.1, warmdown_ratio=0.4", UPDATES, run(0.1, 0.4), keys("10%", "40%")),
    Case("warmup_ratio=0, warmdown_ratio=0.2", UPDATES, run(0.0, 0.2), keys("", "20%")),
    Case("warmup_ratio=0.1, warmdown_ratio=0", UPDATES, run(0.1, 0.0), keys("10%", "")),
    Case("warmup_ratio=0, warmdown_ratio=1", UPDATES, run(0.0, 1.0), keys("", "100%")),
]
FRAMEWORK = Framework("dion", "microsoft/dion at 0a059a4", CASES)
