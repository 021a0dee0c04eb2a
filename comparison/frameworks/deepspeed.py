"""DeepSpeed: deepspeedai/DeepSpeed:deepspeed/runtime/lr_schedules.py.

Its engine calls ``step()`` after each update that did not overflow (deepspeed/runtime/engine.py, ``_take_model_step``).
"""

from collections.abc import Callable
from typing import Any

import deepspeed
import torch
from case import Case, Framework
from deepspeed.runtime import lr_schedules as ds
from frameworks._torch import trained

UPDATES = 100
PEAK, LOW = 1e-3, 1e-5
BEHIND = {"first_update": -1, "lr_warmup_steps": 10}
LOG = {**BEHIND, "lr_warmup_style": "deepspeed"}


def run(kind: Callable[..., Any], updates: int = UPDATES, **options: Any) -> Callable[[], list[float]]:
    def rates() -> list[float]:
        optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
        scheduler = kind(optimizer, **options)
        return trained(optimizer, updates, scheduler.step)

    return rates


def keys(style: Any, **others: Any) -> dict[str, Any]:
    return {"clock": "iters", "train_iters": UPDATES, "max_lr": PEAK, "lr_decay_style": style, **others}


def phases(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"style": "phases", "phases": list(parts)}


CYCLE = {"cycle_min_lr": LOW, "cycle_max_lr": PEAK, "cycle_first_step_size": 20, "cycle_momentum": False}
RANGE = {"lr_range_test_min_lr": LOW, "lr_range_test_step_size": 10, "lr_range_test_step_rate": 1.0}
COSINE_NOTE = "the warmup is one update behind, and the cosine is not"

CASES = [
    Case("WarmupLR", UPDATES, run(ds.WarmupLR, warmup_max_lr=PEAK, warmup_num_steps=10), keys("constant", **LOG)),
    Case(
        "WarmupLR, warmup_type linear, warmup_min_lr 1e-5",
        UPDATES,
        run(ds.WarmupLR, warmup_max_lr=PEAK, warmup_num_steps=10, warmup_type="linear", warmup_min_lr=LOW),
        keys("constant", init_lr=LOW, **BEHIND),
    ),
    Case(
        "WarmupDecayLR",
        UPDATES,
        run(ds.WarmupDecayLR, total_num_steps=UPDATES, warmup_max_lr=PEAK, warmup_num_steps=10),
        keys("linear", **LOG),
    ),
    Case(
        "WarmupDecayLR, warmup_type linear",
        UPDATES,
        run(ds.WarmupDecayLR, total_num_steps=UPDATES, warmup_num_steps=10, warmup_type="linear"),
        keys("linear", **BEHIND),
    ),
    Case(
        "WarmupCosineLR",
        UPDATES,
        run(ds.WarmupCosineLR, total_num_steps=UPDATES, warmup_num_steps=10),
        keys("cosine", lr_warmup_steps=10, lr_warmup_style={"style": "log", "delay": "1 iters"}, min_lr="0.01%"),
        note=COSINE_NOTE,
    ),
    Case(
        "WarmupCosineLR, warmup_type linear",
        UPDATES,
        run(ds.WarmupCosineLR, total_num_steps=UPDATES, warmup_num_steps=10, warmup_type="linear"),
        keys("cosine", lr_warmup_steps=10, lr_warmup_style={"style": "linear", "delay": "1 iters"}, min_lr="0.01%"),
        note=COSINE_NOTE,
    ),
    Case(
        "OneCycle, cycle_first_step_size 20",
        40,
        run(ds.OneCycle, 40, **CYCLE),
        keys({"style": "triangular", "up_steps": "20 iters"}, min_lr=LOW, train_iters=40),
    ),
    Case(
        "OneCycle, decay_lr_rate 0.5, decay_step_size 10",
        UPDATES,
        run(ds.OneCycle, **CYCLE, decay_lr_rate=0.5, decay_step_size=10),
        keys(
            phases(
                {"style": "linear", "length": "20 iters", "from": LOW, "to": "100%", "jump": True},
                {"style": "linear", "length": "20 iters", "to": LOW},
                {"style": {"style": "power-law", "exponent": -1.0, "timescale": "20 iters"}},
            )
        ),
    ),
    Case(
        "LRRangeTest, step_size 10",
        UPDATES,
        run(ds.LRRangeTest, **RANGE),
        keys("range-test", min_lr=LOW, max_lr=LOW * 11),
    ),
    Case(
        "LRRangeTest, step_size 10, staircase",
        UPDATES,
        run(ds.LRRangeTest, **RANGE, lr_range_test_staircase=True),
        keys({"style": "range-test", "stairs": "10 iters"}, min_lr=LOW, max_lr=LOW * 11),
    ),
]
FRAMEWORK = Framework("DeepSpeed", f"deepspeed {deepspeed.__version__}", CASES)
