"""Schedule-Free: facebookresearch/schedule_free:schedulefree/.

Its optimizers warm up by themselves and keep the learning rate of an update in ``scheduled_lr``.
"""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import schedulefree
import torch
from case import Case, Framework

UPDATES = 100
PEAK = 1.0


def run(make: Callable[..., Any], warmup: int) -> Callable[[], list[float]]:
    def rates() -> list[float]:
        parameter = torch.nn.Parameter(torch.zeros(1))
        optimizer = make([parameter], lr=PEAK, warmup_steps=warmup)
        optimizer.train()
        read = []
        for _ in range(UPDATES):
            parameter.grad = torch.ones(1)
            optimizer.step()
            read.append(optimizer.param_groups[0]["scheduled_lr"])
        return read

    return rates


def case(name: str, make: Callable[..., Any], warmup: int) -> Case:
    warm = {"lr_warmup_steps": warmup, "lr_warmup_style": "torchtitan"} if warmup else {}
    keys = {"clock": "iters", "train_iters": UPDATES, "max_lr": PEAK, **warm, "lr_decay_style": "constant"}
    return Case(name, UPDATES, run(make, warmup), keys)


CASES = [
    case("SGDScheduleFree", schedulefree.SGDScheduleFree, 0),
    case("SGDScheduleFree, warmup_steps 10", schedulefree.SGDScheduleFree, 10),
    case("SGDScheduleFreeReference, warmup_steps 10", schedulefree.SGDScheduleFreeReference, 10),
    case("AdamWScheduleFree", schedulefree.AdamWScheduleFree, 0),
    case("AdamWScheduleFree, warmup_steps 10", schedulefree.AdamWScheduleFree, 10),
    case("AdamWScheduleFreeReference, warmup_steps 10", schedulefree.AdamWScheduleFreeReference, 10),
]
FRAMEWORK = Framework(
    "Schedule-Free",
    f"schedulefree {version('schedulefree')}",
    CASES,
    {
        "AdamWScheduleFreePaper": "Adam's bias correction is a factor of its learning rate",
        "RAdamScheduleFree": "RAdam's rectification is a factor of its learning rate",
    },
)
