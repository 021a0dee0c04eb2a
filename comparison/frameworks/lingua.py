"""Lingua: facebookresearch/lingua:lingua/optim.py at 437d680.

``build_lr_fn`` is given to PyTorch's ``LambdaLR``, which is stepped after every update (apps/main/train.py).
"""

from functools import partial
from typing import Any

from case import Case, Framework
from frameworks._checkout import checkout, module
from frameworks._torch import stepped
from torch.optim.lr_scheduler import LambdaLR

UPDATES = 100
PEAK = 3e-4
WARM = {"lr_warmup_steps": 10}
lingua = module("lingua_optim", checkout("lingua") / "lingua" / "optim.py")


def case(scheduler: str, style: Any, options: dict[str, Any], updates: int = UPDATES, **others: Any) -> Case:
    arguments = lingua.OptimArgs(scheduler=scheduler, lr=PEAK, **options)
    run = {"clock": "iters", "train_iters": updates, "max_lr": PEAK, "lr_decay_style": style}
    name = ", ".join([scheduler, *(f"{key} {value}" for key, value in options.items())])
    scheduled = partial(LambdaLR, lr_lambda=lingua.build_lr_fn(arguments, UPDATES))
    past = ", past its end" if updates > UPDATES else ""
    return Case(name + past, updates, stepped(scheduled, PEAK, updates), {**run, **others})


def cooldown(length: int, ratio: float) -> dict[str, Any]:
    return {"style": {"style": "harmonic", "ratio": ratio}, "length": f"{length} iters"}


def wsd(length: int, ratio: float) -> dict[str, Any]:
    curve = {"style": "harmonic", "ratio": ratio}
    return {"style": "WSD", "wsd_decay_steps": f"{length} iters", "lr_wsd_decay_style": curve}


TWO_PERIODS = [
    {"style": "constant"},
    cooldown(5, 0.1),
    {"style": "constant", "from": "100%", "jump": True, "length": "40 iters"},
    cooldown(10, 0.1),
]

CASES = [
    case("constant", "constant", {}),
    case("linear", "linear", {"warmup": 10}, min_lr="10%", **WARM),
    case("linear", "linear", {"warmup": 0, "lr_min_ratio": 0.0}),
    case("linear", "linear", {"warmup": 10}, 120, lr_decay_steps=UPDATES, min_lr="10%", **WARM),
    case("inv_sqrt", "inverse-square-root", {"warmup": 10, "lr_min_ratio": 0.0}, **WARM),
    case("inv_sqrt", "inverse-square-root", {"warmup": 10, "lr_min_ratio": 0.4}, min_lr="40%", **WARM),
    case("inv_sqrt", {"style": "power-law", "exponent": -0.8}, {"warmup": 10, "exp_factor": 0.8}, min_lr="10%", **WARM),
    case("cosine", "cosine", {"warmup": 10}, min_lr="10%", **WARM),
    case("cosine", "cosine", {"warmup": 0, "lr_min_ratio": 0.0}),
    case("cosine", {"style": "k-decay", "k": 1.5}, {"warmup": 10, "cosine_theta": 1.5}, min_lr="10%", **WARM),
    case(
        "cosine",
        {"style": "cosine-restarts", "cycles": 2},
        {"warmup": 0, "cycle_length": 0.5},
        min_lr="10%",
    ),
    case("wsd", wsd(10, 0.1), {"warmup": 10}, min_lr="10%", **WARM),
    case(
        "wsd",
        wsd(20, 0.01),
        {"warmup": 0, "decay_fraction": 0.2, "lr_min_ratio": 0.01},
        min_lr="1%",
    ),
    case(
        "wsd",
        {"style": "phases", "phases": TWO_PERIODS},
        {"warmup": 10, "cycle_length": 0.5},
        min_lr="10%",
        **WARM,
    ),
]
FRAMEWORK = Framework(
    "Lingua",
    "facebookresearch/lingua 437d680",
    CASES,
    {
        "cosine with a cycle_length and a warmup": "its restarts count from the start of the run and its curve from "
        "the end of the warmup, so that the learning rate jumps between them",
        "cosine past its end": "the first update after the end is at the max LR, the others are at the min LR",
    },
)
