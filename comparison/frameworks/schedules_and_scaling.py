"""schedules-and-scaling: epfml/schedules-and-scaling:src/optim/utils.py and src/main.py at 17e78d6.

src/optim/base.py there steps the scheduler after every update. Its numbers are 100 for the warmup's and 0.1 for the
last division of the peak.
"""

from collections.abc import Callable
from typing import Any

import torch
from case import Case, Framework
from frameworks._checkout import checkout, leave_out, module

UPDATES = 100
PEAK = 1e-3

leave_out("wandb")
theirs = module("schedules_and_scaling_utils", checkout("schedules-and-scaling") / "src" / "optim" / "utils.py")


def run(make: Callable[[torch.optim.Optimizer], Any], updates: int = UPDATES) -> Callable[[], list[float]]:
    """Return what trains `updates` times with the scheduler that `make` makes."""

    def rates() -> list[float]:
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK, momentum=0.9)
        scheduler = make(optimizer)
        read = []
        for update in range(updates):
            read.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if update < updates - 1:
                scheduler.step()
        return read

    return rates


def one_cycle(anneal_strategy: str) -> Callable[[], list[float]]:
    """Return what trains with the scheduler that src/main.py makes for ``cos`` and ``linear``."""
    return run(
        lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(
            optimizer=optimizer,
            max_lr=[PEAK],
            total_steps=UPDATES,
            pct_start=10 / UPDATES,
            anneal_strategy=anneal_strategy,
            cycle_momentum=False,
            div_factor=1e2,
            final_div_factor=0.1,
        )
    )


def cos_inf(n_inf: int) -> Callable[[], list[float]]:
    factor = theirs.cos_inf_schedule(UPDATES, 10, div_factor=1e2, final_div_factor=0.1, n_inf=n_inf)
    return run(lambda optimizer: torch.optim.lr_scheduler.LambdaLR(optimizer, factor))


def wsd(decay_type: str, final: float = 0.1, share: float = 0.2, updates: int = UPDATES) -> Callable[[], list[float]]:
    factor = theirs.wsd_schedule(UPDATES, final, 10, 1e2, share, decay_type)
    return run(lambda optimizer: torch.optim.lr_scheduler.LambdaLR(optimizer, factor), updates)


def keys(style: Any, updates: int = UPDATES, **others: Any) -> dict[str, Any]:
    end = {"lr_decay_steps": UPDATES} if updates > UPDATES else {}
    rise = {"lr_warmup_steps": 10, "init_lr": "1%"}
    return {"clock": "iters", "train_iters": updates, **end, "max_lr": PEAK, **rise, "lr_decay_style": style, **others}


def cycle(shape: str) -> dict[str, Any]:
    style = {"style": "one-cycle", "pct_start": 0.1, "div_factor": 100, "final_div_factor": 0.1, "shape": shape}
    return {"clock": "iters", "train_iters": UPDATES, "max_lr": PEAK, "lr_decay_style": style}


def cooldown(curve: Any, share: str = "20%") -> dict[str, Any]:
    return {"style": "WSD", "wsd_decay_steps": share, "lr_wsd_decay_style": curve}


FALL = [{"style": "constant"}, {"style": "geometric", "length": "20%"}]
CASES = [
    Case("--scheduler cos", UPDATES, one_cycle("cos"), cycle("cosine")),
    Case("--scheduler linear", UPDATES, one_cycle("linear"), cycle("linear")),
    Case(
        "--scheduler cos_inf, 20 updates constant",
        UPDATES,
        cos_inf(20),
        keys("cosine", min_lr="10%", lr_decay_steps=80),
    ),
    Case("--scheduler cos_inf, none", UPDATES, cos_inf(0), keys("cosine", min_lr="10%")),
    Case("wsd --decay-type linear, to 0", UPDATES, wsd("linear", 0.0), keys(cooldown("linear"))),
    Case(
        "wsd --decay-type linear, 35 %",
        UPDATES,
        wsd("linear", 0.1, 0.35),
        keys(cooldown("linear", "35%"), min_lr="10%"),
    ),
    Case("wsd --decay-type cosine", UPDATES, wsd("cosine"), keys(cooldown("cosine"), min_lr="10%")),
    Case(
        "wsd --decay-type miror_cosine",
        UPDATES,
        wsd("miror_cosine"),
        keys(cooldown("mirror-cosine"), min_lr="10%"),
    ),
    Case(
        "wsd --decay-type square",
        UPDATES,
        wsd("square"),
        keys(cooldown({"style": "minus-power", "power": 2}), min_lr="10%"),
    ),
    Case("wsd --decay-type sqrt", UPDATES, wsd("sqrt"), keys(cooldown("1-sqrt"), min_lr="10%")),
    Case(
        "wsd --decay-type exp",
        UPDATES,
        wsd("exp"),
        keys({"style": "phases", "phases": FALL}, min_lr="10%"),
    ),
    Case(
        "wsd --decay-type sqrt, past the end",
        120,
        wsd("sqrt", updates=120),
        keys(cooldown("1-sqrt"), 120, min_lr="10%"),
    ),
    Case(
        "wsd --decay-type exp, to 0",
        UPDATES,
        wsd("exp", 0.0),
        keys({"style": "multi-step", "milestones": ["81 iters"], "multipliers": [0]}),
        note="A power of 0 is 0, so the learning rate drops at once, one update after the cooldown begins.",
    ),
]
FRAMEWORK = Framework("schedules-and-scaling", "epfml/schedules-and-scaling at 17e78d6", CASES)
