"""transformers: huggingface/transformers:src/transformers/optimization.py.

Its Trainer calls ``step()`` of the scheduler after each update (trainer.py, ``_inner_training_loop``), also where
gradients are accumulated.
"""

from collections.abc import Callable
from typing import Any

import transformers
from case import Case, Framework
from frameworks._torch import stepped
from transformers import optimization as hf

UPDATES = 100
PEAK = 5e-5
WARM = {"lr_warmup_steps": 10}
PLAIN = {"num_warmup_steps": 10, "num_training_steps": UPDATES}


def run(make: Callable[..., Any], updates: int = UPDATES, **options: Any) -> Callable[[], list[float]]:
    return stepped(make, PEAK, updates, **options)


def keys(style: Any, updates: int = UPDATES, **others: Any) -> dict[str, Any]:
    return {"clock": "iters", "train_iters": updates, "max_lr": PEAK, "lr_decay_style": style, **others}


def case(name: str, make: Callable[..., Any], style: Any, options: dict[str, Any], **others: Any) -> Case:
    return Case(name, UPDATES, run(make, **options), keys(style, **others))


def wsd(name: str, cooldown: str, options: dict[str, Any], **others: Any) -> Case:
    style = {"style": "WSD", "wsd_decay_steps": "20 iters", "lr_wsd_decay_style": cooldown}
    lengths = {"num_warmup_steps": 10, "num_decay_steps": 20, "num_training_steps": UPDATES}
    return case(name, hf.get_wsd_schedule, style, {**lengths, **options}, **WARM, **others)


COSINE_MIN = hf.get_cosine_with_min_lr_schedule_with_warmup
COSINE_RATE = hf.get_cosine_with_min_lr_schedule_with_warmup_lr_rate
POWER_LAW = {"style": "power-law", "timescale": "10 iters"}

CASES = [
    case("constant", hf.get_constant_schedule, "constant", {}),
    case("constant_with_warmup", hf.get_constant_schedule_with_warmup, "constant", {"num_warmup_steps": 10}, **WARM),
    case("linear", hf.get_linear_schedule_with_warmup, "linear", PLAIN, **WARM),
    case("linear, without a warmup", hf.get_linear_schedule_with_warmup, "linear", {**PLAIN, "num_warmup_steps": 0}),
    Case(
        "linear, past its end",
        UPDATES + 20,
        run(hf.get_linear_schedule_with_warmup, UPDATES + 20, **PLAIN),
        keys("linear", UPDATES + 20, lr_decay_steps=UPDATES, **WARM),
    ),
    case("cosine", hf.get_cosine_schedule_with_warmup, "cosine", PLAIN, **WARM),
    case(
        "cosine, num_cycles 1.5",
        hf.get_cosine_schedule_with_warmup,
        {"style": "cosine-cycles", "cycles": 1.5},
        {**PLAIN, "num_cycles": 1.5},
        **WARM,
    ),
    case(
        "cosine_with_restarts, num_cycles 3",
        hf.get_cosine_with_hard_restarts_schedule_with_warmup,
        {"style": "cosine-restarts", "cycles": 3},
        {**PLAIN, "num_cycles": 3},
        **WARM,
    ),
    case("polynomial", hf.get_polynomial_decay_schedule_with_warmup, "polynomial", PLAIN, min_lr=1e-7, **WARM),
    case(
        "polynomial, power 2, lr_end 1e-6",
        hf.get_polynomial_decay_schedule_with_warmup,
        {"style": "polynomial", "power": 2.0},
        {**PLAIN, "power": 2.0, "lr_end": 1e-6},
        min_lr=1e-6,
        **WARM,
    ),
    case("inverse_sqrt", hf.get_inverse_sqrt_schedule, "inverse-square-root", {"num_warmup_steps": 10}, **WARM),
    case(
        "inverse_sqrt, timescale 40",
        hf.get_inverse_sqrt_schedule,
        {"style": "power-law", "timescale": "40 iters"},
        {"num_warmup_steps": 10, "timescale": 40},
        **WARM,
    ),
    case("cosine_with_min_lr, min_lr 5e-6", COSINE_MIN, "cosine", {**PLAIN, "min_lr": 5e-6}, min_lr=5e-6, **WARM),
    case(
        "cosine_with_min_lr, min_lr_rate 0.1", COSINE_MIN, "cosine", {**PLAIN, "min_lr_rate": 0.1}, min_lr="10%", **WARM
    ),
    case(
        "cosine_warmup_with_min_lr, min_lr_rate 0.1",
        COSINE_RATE,
        "cosine",
        {**PLAIN, "min_lr_rate": 0.1},
        min_lr="10%",
        first_update=1,
        **WARM,
    ),
    Case(
        "cosine_warmup_with_min_lr, warmup_lr_rate 0.2",
        UPDATES,
        run(COSINE_RATE, **PLAIN, min_lr_rate=0.1, warmup_lr_rate=0.2),
        keys("cosine", min_lr="10%", init_lr="20%", first_update=1, **WARM),
        keys("cosine", UPDATES - 1, min_lr="10%", init_lr="20%", lr_warmup_steps=9),
        "the warmup counts from 0 to num_warmup_steps - 1, and the cosine is one update ahead",
    ),
    wsd("warmup_stable_decay", "cosine", {}),
    wsd("warmup_stable_decay, decay_type linear", "linear", {"decay_type": "linear"}),
    wsd("warmup_stable_decay, decay_type 1-sqrt", "minus_sqrt", {"decay_type": "1-sqrt"}),
    wsd("warmup_stable_decay, min_lr_ratio 0.1", "cosine", {"min_lr_ratio": 0.1}, min_lr="10%", init_lr="10%"),
    wsd("warmup_stable_decay, warmup_type cosine", "cosine", {"warmup_type": "cosine"}, lr_warmup_style="cosine"),
    wsd("warmup_stable_decay, warmup_type 1-sqrt", "cosine", {"warmup_type": "1-sqrt"}, lr_warmup_style="1-sqrt"),
]
FRAMEWORK = Framework(
    "transformers",
    f"transformers {transformers.__version__}",
    CASES,
    {
        "reduce_lr_on_plateau, greedy": "they follow a metric",
        "get_adafactor_schedule": "the learning rate is Adafactor's own",
    },
)
