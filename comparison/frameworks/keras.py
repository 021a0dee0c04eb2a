"""Keras: keras-team/keras:keras/src/optimizers/schedules/learning_rate_schedule.py.

An optimizer reads its schedule at the number of updates before this one (keras/src/optimizers/base_optimizer.py,
``_get_current_learning_rate``).
"""

import os
from collections.abc import Callable
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

import keras
from case import Case, Framework
from keras.optimizers import schedules

UPDATES = 100
PEAK = 0.01
LOW = 1e-4

keras.config.set_floatx("float64")


def run(make: Callable[..., Any], updates: int = UPDATES, **options: Any) -> Callable[[], list[float]]:
    def rates() -> list[float]:
        optimizer = keras.optimizers.SGD(make(**options))
        weight = keras.Variable([0.0])
        read = []
        for _ in range(updates):
            read.append(float(optimizer.learning_rate))
            optimizer.apply([keras.ops.ones((1,))], [weight])
        return read

    return rates


def keys(style: Any, updates: int = UPDATES, **others: Any) -> dict[str, Any]:
    return {"clock": "iters", "train_iters": updates, "max_lr": PEAK, "lr_decay_style": style, **others}


def case(kind: Callable[..., Any], style: Any, options: dict[str, Any], updates: int = UPDATES, **others: Any) -> Case:
    name = ", ".join([kind.__name__, *(f"{key} {value}" for key, value in options.items())])
    start = {} if kind is schedules.PiecewiseConstantDecay else {"initial_learning_rate": PEAK}
    past = ", past its end" if "lr_decay_steps" in others else ""
    return Case(name + past, updates, run(kind, updates, **{**start, **options}), keys(style, updates, **others))


def cycles(low: float, updates: int = UPDATES) -> dict[str, Any]:
    """Return lines of 40 updates, each from the point that a line from the start of the run has there."""
    starts = [low + (PEAK - low) / cycle for cycle in (2, 3)]
    again = [{"style": "linear", "length": "40 iters", "from": start, "jump": True} for start in starts]
    lines = [{"style": "linear", "length": "40 iters"}, *again]
    return keys({"style": "phases", "phases": lines, "boundaries": "closed"}, updates, min_lr=low, lr_decay_steps=120)


EXPONENTIAL, POLYNOMIAL, INVERSE = schedules.ExponentialDecay, schedules.PolynomialDecay, schedules.InverseTimeDecay
COSINE, RESTARTS = schedules.CosineDecay, schedules.CosineDecayRestarts
WARM = {"warmup_target": PEAK, "warmup_steps": 10}
HYPERBOLA = {"style": "power-law", "exponent": -1.0}

CASES = [
    case(EXPONENTIAL, {"style": "each", "factor": 0.5, "every": "20 iters"}, {"decay_steps": 20, "decay_rate": 0.5}),
    case(
        EXPONENTIAL,
        {"style": "each", "factor": 0.5, "every": "20 iters", "stairs": True},
        {"decay_steps": 20, "decay_rate": 0.5, "staircase": True},
    ),
    case(
        schedules.PiecewiseConstantDecay,
        {
            "style": "multi-step",
            "milestones": ["30 iters", "80 iters"],
            "multipliers": [0.5, 0.1],
            "boundaries": "closed",
        },
        {"boundaries": [30, 80], "values": [0.01, 0.005, 0.001]},
    ),
    case(POLYNOMIAL, "linear", {"decay_steps": 100}, min_lr=LOW),
    case(
        POLYNOMIAL,
        {"style": "polynomial", "power": 0.5},
        {"decay_steps": 100, "power": 0.5, "end_learning_rate": 0.001},
        min_lr=0.001,
    ),
    case(POLYNOMIAL, "linear", {"decay_steps": 100}, 120, min_lr=LOW, lr_decay_steps=100),
    Case(
        "PolynomialDecay, decay_steps 40, cycle True",
        UPDATES,
        run(POLYNOMIAL, initial_learning_rate=PEAK, decay_steps=40, cycle=True),
        cycles(LOW),
    ),
    case(INVERSE, {**HYPERBOLA, "timescale": "40 iters"}, {"decay_steps": 20, "decay_rate": 0.5}),
    Case(
        "InverseTimeDecay, decay_steps 20, decay_rate 0.5, staircase True",
        UPDATES,
        run(INVERSE, initial_learning_rate=PEAK, decay_steps=20, decay_rate=0.5, staircase=True),
        keys({**HYPERBOLA, "timescale": "40 iters"}, interval="20 iters"),
    ),
    case(COSINE, "cosine", {"decay_steps": 100}),
    case(COSINE, "cosine", {"decay_steps": 100, "alpha": 0.1}, min_lr="10%"),
    Case(
        "CosineDecay, decay_steps 90, alpha 0.1, warmup_steps 10",
        UPDATES,
        run(COSINE, initial_learning_rate=0.0, decay_steps=90, alpha=0.1, **WARM),
        keys("cosine", min_lr="10%", lr_warmup_steps=10),
    ),
    Case(
        "CosineDecay, initial_learning_rate 0.001, decay_steps 90, warmup_steps 10, past its end",
        UPDATES + 20,
        run(COSINE, UPDATES + 20, initial_learning_rate=0.001, decay_steps=90, **WARM),
        keys("cosine", UPDATES + 20, lr_decay_steps=UPDATES, lr_warmup_steps=10, init_lr=0.001),
    ),
    case(
        RESTARTS,
        {"style": "cosine-restarts", "period_steps": "15 iters", "period_mult": 2},
        {"first_decay_steps": 15},
    ),
    case(
        RESTARTS,
        {"style": "cosine-restarts", "period_steps": "25 iters"},
        {"first_decay_steps": 25, "t_mul": 1.0, "alpha": 0.1},
        min_lr="10%",
    ),
    case(
        RESTARTS,
        {"style": "cosine-restarts", "period_steps": "15 iters", "period_mult": 2, "peak_mult": 0.8},
        {"first_decay_steps": 15, "m_mul": 0.8},
    ),
    case(
        RESTARTS,
        {"style": "cosine-restarts", "period_steps": "25 iters", "peak_mult": 0.8, "floor": "tend"},
        {"first_decay_steps": 25, "t_mul": 1.0, "m_mul": 0.8, "alpha": 0.1},
        min_lr="10%",
    ),
]
FRAMEWORK = Framework(
    "Keras",
    f"keras {keras.__version__}",
    CASES,
    {
        "gradient_accumulation_steps": "Keras counts batches then: the learning rate of an update is that of its last "
        "batch",
        "ReduceLROnPlateau, LearningRateScheduler": "they follow a metric, or any function of Python",
    },
)
