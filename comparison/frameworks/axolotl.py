"""Axolotl: axolotl-ai-cloud/axolotl:src/axolotl/utils/schedulers.py.

Its trainer is the Trainer of transformers, which steps the scheduler after each update.
src/axolotl/core/trainers/mixins/scheduler.py has the arguments.
"""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import torch
from axolotl.utils import schedulers as axolotl
from case import Case, Framework
from frameworks._torch import stepped
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

UPDATES = 100
PEAK = 2e-4
WARM = {"lr_warmup_steps": 10}
LENGTHS = {"num_warmup_steps": 10, "num_training_steps": UPDATES}
REX = {"style": "rex", "beta": 0.9}
COSINE = axolotl.get_cosine_schedule_with_min_lr
QUADRATIC = axolotl.get_cosine_schedule_with_quadratic_warmup
CONSTANT = axolotl.get_cosine_schedule_with_warmup_decay_constant


def case(name: str, make: Callable[..., Any], style: Any, options: dict[str, Any], **others: Any) -> Case:
    keys = {"clock": "iters", "train_iters": UPDATES, "max_lr": PEAK, "lr_decay_style": style, **others}
    return Case(name, UPDATES, stepped(make, PEAK, UPDATES, **options), keys)


def rex(warmup: int, min_lr: float) -> dict[str, Any]:
    return {"max_lr": PEAK, "min_lr": min_lr, "total_steps": UPDATES, "num_warmup_steps": warmup}


def jagged(optimizer: torch.optim.Optimizer, **options: Any) -> LRScheduler:
    return axolotl.JaggedLRRestartScheduler(optimizer, QUADRATIC(optimizer, **LENGTHS), **options)


def restarts(before: int, *, scale: str, anneal: int = 0) -> dict[str, Any]:
    """Return the cosine, with a restart every 40 updates from the start of the run; `before` of the first lie here."""
    jump = {} if anneal else {"from": scale, "jump": True}
    rise = {"style": "linear", "length": "5 iters", **jump, "to": "100%"}
    fall = {"style": "linear", "length": f"{anneal} iters", "to": scale}
    falls = [fall] if anneal else []
    hold = {"style": "constant", "length": f"{35 - anneal} iters"}
    first = {"style": "constant", "length": f"{before - anneal} iters"}
    phases = [first, *falls, rise, hold, *falls, rise, {"style": "constant"}]
    return {"style": "product", "of": ["cosine", {"style": "phases", "phases": phases}]}


LOW = 1e-6
SWEEP = {
    "clock": "iters",
    "train_iters": UPDATES,
    "max_lr": PEAK,
    "min_lr": LOW,
    "lr_decay_style": {"style": "range-test", "rise": "geometric"},
}
JAGGED = {"jagged_restart_steps": 40, "jagged_restart_warmup_steps": 5}
SQUARED = {**WARM, "lr_warmup_style": "quadratic"}

CASES = [
    case("rex", axolotl.RexLR, REX, rex(10, 0.0), first_update=1, **WARM),
    case("rex, min_lr 2e-5", axolotl.RexLR, REX, rex(10, 2e-5), first_update=1, min_lr=2e-5, **WARM),
    case("rex, without a warmup", axolotl.RexLR, REX, rex(0, 2e-5), first_update=1, min_lr=2e-5),
    case(
        "one_cycle, warmup_steps 10",
        OneCycleLR,
        {"style": "one-cycle", "pct_start": 0.1},
        {"max_lr": PEAK, "total_steps": UPDATES, "pct_start": 0.1, "anneal_strategy": "cos"},
    ),
    case("cosine, lr_quadratic_warmup", QUADRATIC, "cosine", LENGTHS, **SQUARED),
    case(
        "cosine, lr_quadratic_warmup, num_cycles 1.5",
        QUADRATIC,
        {"style": "cosine-cycles", "cycles": 1.5},
        {**LENGTHS, "num_cycles": 1.5},
        **SQUARED,
    ),
    case("cosine, cosine_min_lr_ratio 0.1", COSINE, "cosine", {**LENGTHS, "min_lr_ratio": 0.1}, min_lr="10%", **WARM),
    case(
        "cosine, cosine_min_lr_ratio 0.1, without a warmup",
        COSINE,
        "cosine",
        {**LENGTHS, "num_warmup_steps": 0, "min_lr_ratio": 0.1},
        min_lr="10%",
    ),
    case(
        "cosine, cosine_min_lr_ratio 0.1, cosine_constant_lr_ratio 0.8",
        CONSTANT,
        "cosine",
        {**LENGTHS, "min_lr_ratio": 0.1, "constant_lr_ratio": 0.8},
        min_lr="10%",
        lr_decay_steps=80,
        **WARM,
    ),
    case(
        "cosine, lr_quadratic_warmup, jagged_restart_steps 40, jagged_restart_warmup_steps 5",
        jagged,
        restarts(30, scale="0.1%"),
        JAGGED,
        first_update=1,
        **SQUARED,
    ),
    case(
        "cosine, lr_quadratic_warmup, cosine_min_lr_ratio 0.1, jagged_restart_steps 40, jagged_restart_anneal_steps 8",
        jagged,
        restarts(30, scale="10%", anneal=8),
        {**JAGGED, "jagged_restart_anneal_steps": 8, "min_lr_scale": 0.1},
        first_update=1,
        **SQUARED,
    ),
    Case(
        "InterpolatingLogScheduler(num_steps=100)",
        UPDATES,
        stepped(axolotl.InterpolatingLogScheduler, PEAK, UPDATES, num_steps=UPDATES, min_lr=LOW, max_lr=PEAK),
        {**SWEEP, "first_update": -1},
        {**SWEEP, "first_update": -1, "lr_decay_steps": UPDATES - 1},
        "its first two updates have min_lr, and the update after num_steps is the first with max_lr",
    ),
]
FRAMEWORK = Framework("Axolotl", f"axolotl {version('axolotl')}", CASES)
