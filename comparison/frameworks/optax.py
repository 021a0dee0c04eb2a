"""optax: google-deepmind/optax:optax/schedules/.

An optimizer reads its schedule at the number of updates before this one (optax/_src/transform.py,
``scale_by_schedule``). It counts in int32, which JAX divides in float32; here the count has 64 bits, so that rounding
does not hide a difference.
"""

from collections.abc import Callable
from typing import Any

import jax
import optax
from case import Case, Framework

UPDATES = 100
PEAK = 1e-3
LOW = 1e-5

jax.config.update("jax_enable_x64", True)


def run(schedule: optax.Schedule, updates: int = UPDATES) -> Callable[[], list[float]]:
    def rates() -> list[float]:
        optimizer = optax.sgd(schedule)
        ones = jax.numpy.ones(())
        state = jax.tree.map(lambda count: count.astype("int64"), optimizer.init(ones))
        read = []
        for _ in range(updates):
            change, state = optimizer.update(ones, state)
            read.append(-float(change))
        return read

    return rates


def keys(style: Any, updates: int = UPDATES, **others: Any) -> dict[str, Any]:
    return {"clock": "iters", "train_iters": updates, "max_lr": PEAK, "lr_decay_style": style, **others}


def case(name: str, schedule: optax.Schedule, style: Any, updates: int = UPDATES, **others: Any) -> Case:
    return Case(name, updates, run(schedule, updates), keys(style, updates, **others))


def phases(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"style": "phases", "phases": list(parts)}


def part(style: Any, length: int, to: Any = None, start: Any = None) -> dict[str, Any]:
    """Return a phase, which jumps to `start` if there is one."""
    target = {} if to is None else {"to": to}
    jump = {} if start is None else {"from": start, "jump": True}
    return {"style": style, "length": f"{length} iters", **jump, **target}


def each(factor: float, every: int, **options: Any) -> dict[str, Any]:
    return {"style": "each", "factor": factor, "every": f"{every} iters", **options}


def cycle(rise: int, fall: int, peak: float = PEAK) -> dict[str, Any]:
    lengths = {"warmup_steps": rise, "decay_steps": rise + fall}
    return {"init_value": 0.0, "peak_value": peak, **lengths, "end_value": LOW}


WARM = {"lr_warmup_steps": 10}
HALF, TENTH = {30: 0.5, 80: 0.1}, "5%"
SQUARE = {"style": "polynomial", "power": 2.0}
WAIT = {"style": "WSD", "wsd_decay_steps": "80 iters"}

CASES = [
    case("constant_schedule", optax.constant_schedule(PEAK), "constant"),
    case("linear_schedule", optax.linear_schedule(PEAK, LOW, 100), "linear", min_lr=LOW),
    case(
        "linear_schedule, transition_begin 20",
        optax.linear_schedule(PEAK, LOW, 80, 20),
        {**WAIT, "lr_wsd_decay_style": "linear"},
        min_lr=LOW,
    ),
    case(
        "linear_schedule, past its end",
        optax.linear_schedule(PEAK, LOW, 100),
        "linear",
        UPDATES + 20,
        min_lr=LOW,
        lr_decay_steps=UPDATES,
    ),
    case("polynomial_schedule, power 2", optax.polynomial_schedule(PEAK, LOW, 2, 100), SQUARE, min_lr=LOW),
    case(
        "polynomial_schedule, power 2, transition_begin 20",
        optax.polynomial_schedule(PEAK, 0.0, 2, 80, 20),
        {**WAIT, "lr_wsd_decay_style": SQUARE},
    ),
    case(
        "piecewise_constant_schedule, {30: 0.5, 80: 0.1}",
        optax.piecewise_constant_schedule(PEAK, HALF),
        {"style": "multi-step", "milestones": ["30 iters", "80 iters"], "multipliers": ["50%", TENTH]},
    ),
    case(
        "piecewise_interpolate_schedule, linear, {30: 0.5, 80: 0.1}",
        optax.piecewise_interpolate_schedule("linear", PEAK, HALF),
        phases(part("linear", 30, "50%"), part("linear", 50, TENTH), {"style": "constant"}),
    ),
    case(
        "piecewise_interpolate_schedule, cosine, {30: 0.5, 80: 0.1}",
        optax.piecewise_interpolate_schedule("cosine", PEAK, HALF),
        phases(part("cosine", 30, "50%"), part("cosine", 50, TENTH), {"style": "constant"}),
    ),
    case("exponential_decay, 20, 0.5", optax.exponential_decay(PEAK, 20, 0.5), each(0.5, 20)),
    case(
        "exponential_decay, 20, 0.5, staircase, end_value 1e-4",
        optax.exponential_decay(PEAK, 20, 0.5, staircase=True, end_value=1e-4),
        each(0.5, 20, stairs=True),
        min_lr=1e-4,
    ),
    case(
        "exponential_decay, 20, 0.5, transition_begin 30",
        optax.exponential_decay(PEAK, 20, 0.5, transition_begin=30),
        phases(part("constant", 30), {"style": each(0.5, 20)}),
    ),
    case(
        "exponential_decay from 1e-5, 100, 100, end_value 1e-3",
        optax.exponential_decay(LOW, 100, 100.0, end_value=PEAK),
        {"style": "range-test", "rise": "geometric"},
        min_lr=LOW,
    ),
    case("cosine_decay_schedule", optax.cosine_decay_schedule(PEAK, 100), "cosine"),
    case("cosine_decay_schedule, alpha 0.1", optax.cosine_decay_schedule(PEAK, 100, 0.1), "cosine", min_lr="10%"),
    case(
        "cosine_decay_schedule, alpha 0.1, exponent 2",
        optax.cosine_decay_schedule(PEAK, 100, 0.1, 2.0),
        {"style": "cosine-power", "power": 2.0},
        min_lr="10%",
    ),
    case(
        "cosine_decay_schedule, past its end",
        optax.cosine_decay_schedule(PEAK, 100, 0.1),
        "cosine",
        UPDATES + 20,
        min_lr="10%",
        lr_decay_steps=UPDATES,
    ),
    case(
        "linear_onecycle_schedule",
        optax.linear_onecycle_schedule(100, PEAK),
        phases(part("linear", 30, "100%", "4%"), part("linear", 55, "4%"), part("linear", 15, "0.0004%")),
    ),
    case(
        "cosine_onecycle_schedule",
        optax.cosine_onecycle_schedule(100, PEAK),
        phases(part("cosine", 30, "100%", "4%"), part("cosine", 70, "0.0004%")),
    ),
    case("warmup_constant_schedule", optax.warmup_constant_schedule(LOW, PEAK, 10), "constant", init_lr=LOW, **WARM),
    case(
        "warmup_cosine_decay_schedule",
        optax.warmup_cosine_decay_schedule(0.0, PEAK, 10, 100, LOW),
        "cosine",
        min_lr=LOW,
        **WARM,
    ),
    case(
        "warmup_cosine_decay_schedule, init_value 1e-5, exponent 2",
        optax.warmup_cosine_decay_schedule(LOW, PEAK, 10, 100, LOW, 2.0),
        {"style": "cosine-power", "power": 2.0},
        init_lr=LOW,
        min_lr=LOW,
        **WARM,
    ),
    case(
        "warmup_exponential_decay_schedule",
        optax.warmup_exponential_decay_schedule(0.0, PEAK, 10, 20, 0.5),
        each(0.5, 20),
        **WARM,
    ),
    case(
        "warmup_exponential_decay_schedule, staircase, transition_begin 20, end_value 2e-4",
        optax.warmup_exponential_decay_schedule(0.0, PEAK, 10, 20, 0.5, 20, True, 2e-4),
        phases(part("constant", 20), {"style": each(0.5, 20, stairs=True)}),
        min_lr=2e-4,
        **WARM,
    ),
    case(
        "sgdr_schedule, 10 + 30 and 5 + 55 steps, the second peak half of the first",
        optax.sgdr_schedule([cycle(10, 30), cycle(5, 55, PEAK / 2)]),
        phases(part("cosine", 30, LOW), part("linear", 5, "50%", "0%"), part("cosine", 55, LOW)),
        **WARM,
    ),
    case(
        "join_schedules, linear, constant, linear",
        optax.join_schedules(
            [optax.linear_schedule(0.0, PEAK, 10), optax.constant_schedule(PEAK), optax.linear_schedule(PEAK, LOW, 20)],
            [10, 80],
        ),
        {"style": "WSD", "wsd_decay_steps": "20 iters", "lr_wsd_decay_style": "linear"},
        min_lr=LOW,
        **WARM,
    ),
    case(
        "join_schedules, cosine, cosine from half",
        optax.join_schedules(
            [optax.cosine_decay_schedule(PEAK, 40), optax.cosine_decay_schedule(PEAK / 2, 60, 0.1)], [40]
        ),
        phases(part("cosine", 40), part("cosine", 60, TENTH, "50%")),
    ),
]
FRAMEWORK = Framework(
    "optax",
    f"optax {optax.__version__}, in 64 bits",
    CASES,
    {"contrib.reduce_on_plateau": "it follows a metric", "a schedule of one's own": "it is any function of Python"},
)
