"""timm, in updates: huggingface/pytorch-image-models:timm/scheduler/.

Its training script calls ``step_update(n)`` after the n-th update, and the constructor sets the learning rate of the
first (train.py, ``train_one_epoch``).
"""

from collections.abc import Callable
from itertools import count
from typing import Any

import timm
from case import Case, Framework
from frameworks._torch import optimizer_with, trained
from timm import scheduler as timms

UPDATES = 100
PEAK = 1e-3
LOW = 1e-5
WARMUP = {"warmup_t": 10, "warmup_lr_init": 1e-6}
WARM = {"lr_warmup_steps": 10, "init_lr": 1e-6}
BELOW = {**WARM, "decay_from": 0}


def run(kind: Callable[..., Any], updates: int = UPDATES, **options: Any) -> Callable[[], list[float]]:
    def rates() -> list[float]:
        optimizer = optimizer_with(PEAK)
        scheduler = kind(optimizer, t_in_epochs=False, **options)
        counted = count(1)
        return trained(optimizer, updates, lambda: scheduler.step_update(next(counted)))

    return rates


def keys(style: Any, updates: int = UPDATES, **others: Any) -> dict[str, Any]:
    return {"clock": "iters", "train_iters": updates, "max_lr": PEAK, "lr_decay_style": style, **others}


def prefixed(style: Any, **others: Any) -> dict[str, Any]:
    return keys(style, UPDATES + 10, **WARM, **others)


def restarts(**options: Any) -> dict[str, Any]:
    return {"style": "cosine-restarts", "period_steps": "25 iters", **options}


def wsd(cooldown: Any, updates: int = UPDATES, **options: Any) -> dict[str, Any]:
    style = {"style": "WSD", "wsd_decay_steps": "20 iters", "lr_wsd_decay_style": cooldown}
    return keys(style, updates, **options)


COSINE, POLY, TANH = timms.CosineLRScheduler, timms.PolyLRScheduler, timms.TanhLRScheduler
STEP, MULTI, WSD = timms.StepLRScheduler, timms.MultiStepLRScheduler, timms.WSDLRScheduler
MILESTONES = {"style": "multi-step", "multipliers": [0.1, 0.01]}

CASES = [
    Case("cosine, t_initial 100", UPDATES, run(COSINE, t_initial=100), keys("cosine")),
    Case(
        "cosine, lr_min, warmup_t 10",
        UPDATES,
        run(COSINE, t_initial=100, lr_min=LOW, **WARMUP),
        keys("cosine", min_lr=LOW, **BELOW),
    ),
    Case(
        "cosine, warmup_prefix",
        UPDATES + 10,
        run(COSINE, UPDATES + 10, t_initial=100, lr_min=LOW, warmup_prefix=True, **WARMUP),
        prefixed("cosine", min_lr=LOW),
    ),
    Case(
        "cosine, k_decay 2",
        UPDATES,
        run(COSINE, t_initial=100, lr_min=LOW, k_decay=2.0),
        keys({"style": "k-decay", "k": 2.0}, min_lr=LOW),
    ),
    Case(
        "cosine, cycle_limit 4",
        UPDATES,
        run(COSINE, t_initial=25, lr_min=LOW, cycle_limit=4),
        keys(restarts(), min_lr=LOW),
    ),
    Case(
        "cosine, cycle_limit 4, cycle_decay 0.5",
        UPDATES,
        run(COSINE, t_initial=25, lr_min=LOW, cycle_limit=4, cycle_decay=0.5),
        keys(restarts(peak_mult=0.5), min_lr=LOW),
    ),
    Case(
        "cosine, cycle_limit 2, cycle_mul 3",
        UPDATES,
        run(COSINE, t_initial=25, lr_min=LOW, cycle_limit=2, cycle_mul=3.0),
        keys(restarts(period_mult=3), min_lr=LOW),
    ),
    Case(
        "cosine, warmup_prefix, past its end",
        UPDATES + 30,
        run(COSINE, UPDATES + 30, t_initial=100, lr_min=LOW, warmup_prefix=True, **WARMUP),
        keys("cosine", UPDATES + 30, min_lr=LOW, lr_decay_steps=UPDATES + 10, **WARM),
    ),
    Case(
        "poly, power 0.5",
        UPDATES,
        run(POLY, t_initial=100, lr_min=LOW),
        keys({"style": "polynomial", "power": 0.5}, min_lr=LOW),
    ),
    Case(
        "poly, power 2, k_decay 1.5, warmup_prefix",
        UPDATES + 10,
        run(POLY, UPDATES + 10, t_initial=100, lr_min=LOW, power=2.0, k_decay=1.5, warmup_prefix=True, **WARMUP),
        prefixed({"style": "polynomial", "power": 2.0, "k": 1.5}, min_lr=LOW),
    ),
    Case(
        "poly, warmup_t 10",
        UPDATES,
        run(POLY, t_initial=100, lr_min=LOW, power=0.9, **WARMUP),
        keys({"style": "polynomial", "power": 0.9}, min_lr=LOW, **BELOW),
    ),
    Case("tanh, lb -7, ub 3", UPDATES, run(TANH, t_initial=100, lr_min=LOW), keys("tanh-decay", min_lr=LOW)),
    Case(
        "tanh, lb -4, ub 4",
        UPDATES,
        run(TANH, t_initial=100, lb=-4.0, ub=4.0, lr_min=LOW),
        keys({"style": "tanh-decay", "lower": -4.0, "upper": 4.0}, min_lr=LOW),
    ),
    Case(
        "step, decay_t 30, decay_rate 0.1",
        UPDATES,
        run(STEP, decay_t=30, decay_rate=0.1),
        keys({"style": "each", "factor": 0.1, "every": "30 iters", "stairs": True}),
    ),
    Case(
        "step, decay_t 2.4, decay_rate 0.97, warmup_t 10",
        UPDATES + 10,
        run(STEP, UPDATES + 10, decay_t=2.4, decay_rate=0.97, **WARMUP),
        prefixed({"style": "each", "factor": 0.97, "every": "2.4 iters", "stairs": True}),
    ),
    Case(
        "multistep, decay_t [30, 80], decay_rate 0.1",
        UPDATES,
        run(MULTI, decay_t=[30, 80], decay_rate=0.1),
        keys({**MILESTONES, "milestones": ["30 iters", "80 iters"]}),
        keys({**MILESTONES, "milestones": ["29 iters", "79 iters"]}),
        "timm lowers the learning rate one update before each entry of decay_t",
    ),
    Case("wsd, decay_t 20", UPDATES, run(WSD, t_initial=100, decay_t=20, lr_min=LOW), wsd("minus_sqrt", min_lr=LOW)),
    Case(
        "wsd, decay_fn linear, warmup_t 10",
        UPDATES + 10,
        run(WSD, UPDATES + 10, t_initial=100, decay_t=20, decay_fn="linear", **WARMUP),
        wsd("linear", UPDATES + 10, **WARM),
    ),
    Case(
        "wsd, decay_fn cosine",
        UPDATES,
        run(WSD, t_initial=100, decay_t=20, decay_fn="cosine", lr_min=LOW),
        wsd("cosine", min_lr=LOW),
    ),
    Case(
        "wsd, decay_fn power, decay_power 2",
        UPDATES,
        run(WSD, t_initial=100, decay_t=20, decay_fn="power", decay_power=2.0),
        wsd({"style": "minus-power", "power": 2.0}),
    ),
    Case(
        "wsd, decay_fn exp, decay_ratio 0.1",
        UPDATES,
        run(WSD, t_initial=100, decay_t=20, decay_fn="exp", decay_ratio=0.1, lr_min=LOW),
        wsd({"style": "exponential-to", "ratio": 0.1}, min_lr=LOW),
    ),
    Case(
        "wsd, stable_fn rsqrt, decay_fn linear, warmup_t 10",
        UPDATES + 10,
        run(WSD, UPDATES + 10, t_initial=100, decay_t=20, stable_fn="rsqrt", decay_fn="linear", **WARMUP),
        keys(
            {
                "style": "product",
                "of": ["power-law", {"style": "WSD", "wsd_decay_steps": "20 iters", "lr_wsd_decay_style": "linear"}],
            },
            UPDATES + 10,
            **WARM,
        ),
    ),
]
FRAMEWORK = Framework(
    "timm",
    f"timm {timm.__version__}",
    CASES,
    {
        "PlateauLRScheduler": "it follows a metric",
        "noise_range_t": "it adds random numbers",
        "wsd with a function as decay_fn": "it is any function of Python; a style of a plugin can hold it",
        "tanh with a warmup": "timm's warmup ends at the value of the tangent, that of a file at max_lr; with the "
        "default lb and warmup_prefix they differ by 8e-7",
    },
)
