"""Levanter: stanford-crfm/levanter:src/levanter/optim/config.py at 9263f81, in float64.

The optimizer that ``AdamConfig.build`` makes there reads the schedule with the number of updates before the update.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from case import Case, Framework
from frameworks._checkout import checkout, leave_out, module

UPDATES = 100
PEAK = 0.05

jax.config.update("jax_enable_x64", True)
folder = checkout("levanter") / "src" / "levanter"
for name in ("haliax", "levanter", "levanter.tracker", "levanter.optim", "levanter.utils", "levanter.utils.jax_utils"):
    leave_out(name)
leave_out("levanter.optim.util")
leave_out("levanter.optim.skipstep", SkipStepConfig=object)
leave_out("levanter.optim.clip_update_norm", ClipUpdateNormConfig=object)
levanter = module("levanter.optim.config", folder / "optim" / "config.py")


def run(updates: int = UPDATES, **options: Any) -> Callable[[], list[float]]:
    """Return what trains `updates` times with the Adam of Levanter, in a run of 100 updates."""

    def rates() -> list[float]:
        config = levanter.AdamConfig(learning_rate=PEAK, weight_decay=0.0, **options)
        optimizer = config.build(UPDATES)
        weights = {"weight": jnp.ones(1)}
        state, read = jax.tree.map(_widen, optimizer.init(weights)), []
        for _ in range(updates):
            _, state = optimizer.update(weights, state, weights)
            read.append(float(state.hyperparams["learning_rate"]))
        return read

    return rates


def _widen(part: Any) -> Any:
    """Return a count with 64 bits: JAX divides one of 32 bits in float32."""
    return part.astype(jnp.int64) if part.dtype == jnp.int32 else part


def keys(style: Any, warmup: Any = 10, **others: Any) -> dict[str, Any]:
    rise = {"lr_warmup_steps": warmup} if warmup else {}
    return {"clock": "iters", "train_iters": UPDATES, "max_lr": PEAK, "min_lr": "10%", **rise} | {
        "lr_decay_style": style,
        **others,
    }


def phases(*phases: Mapping[str, Any]) -> dict[str, Any]:
    return {"style": "phases", "phases": list(phases)}


def wsd(curve: str, length: str) -> dict[str, Any]:
    return {"style": "WSD", "wsd_decay_steps": length, "lr_wsd_decay_style": curve}


def one_update_late(length: int) -> dict[str, Any]:
    """Return the decay of ``inv`` over `length` updates, whose first update has the learning rate of the second."""
    first = 1 / (9 / length + 1)
    return phases(
        {"style": "constant", "length": "1 iters", "from": first * PEAK, "jump": True},
        {"style": {"style": "harmonic", "ratio": 0.1 / first}},
    )


POWER = {"batch_size": 8, "seq_length": 16, "a": 0.2, "b": -0.51}
LAW = {
    "style": "power",
    "batch_size": 8,
    "tokens_per_step": 8 * 16,
    "amplitude": 0.2,
    "exponent": -0.51,
    "wsd_decay_steps": 0,
}

CASES = [
    Case("constant, warmup 0.1", UPDATES, run(warmup=0.1, lr_schedule="constant"), keys("constant", "10%")),
    Case("cosine, warmup 0.01, the defaults", UPDATES, run(), keys("cosine", "1%")),
    Case("cosine, min_lr_ratio 0, no warmup", UPDATES, run(warmup=0, min_lr_ratio=0.0), keys("cosine", 0, min_lr=0.0)),
    Case("cosine, past the end", 120, run(120, warmup=10), keys("cosine", train_iters=120, lr_decay_steps=UPDATES)),
    Case(
        "CosineLrSchedule(exponent=2.0)",
        UPDATES,
        run(warmup=10, lr_schedule=levanter.CosineLrSchedule(exponent=2.0)),
        keys({"style": "cosine-power", "power": 2}),
    ),
    Case("linear, warmup 10", UPDATES, run(warmup=10, lr_schedule="linear"), keys("linear")),
    Case(
        "linear, warmup 1",
        UPDATES,
        run(warmup=1, lr_schedule="linear"),
        keys("linear", "100%"),
        note="A warmup of 1 is the whole run, not an update.",
    ),
    Case(
        "linear, decay 0.2",
        UPDATES,
        run(warmup=10, decay=0.2, lr_schedule="linear"),
        keys(wsd("linear", "20 iters")),
    ),
    Case("cosine, decay 30", UPDATES, run(warmup=10, decay=30), keys(wsd("cosine", "30 iters"))),
    Case(
        "constant, cooldown 0.2",
        UPDATES,
        run(warmup=10, cooldown=0.2, lr_schedule="constant"),
        keys(wsd("linear", "20%")),
    ),
    Case(
        "linear, cycles 2",
        UPDATES,
        run(warmup=10, cycles=2, lr_schedule="linear"),
        keys(
            phases(
                {"style": "linear", "length": "40 iters"},
                {"style": "linear", "from": "100%", "jump": True},
            )
        ),
    ),
    Case(
        "cosine, cycles 4, no warmup",
        UPDATES,
        run(warmup=0, cycles=4),
        keys({"style": "cosine-restarts", "cycles": 4}, 0),
    ),
    Case(
        "cosine, cycle_length [30, 70], rewarmup 0.1, decay 0.5",
        UPDATES,
        run(warmup=10, cycle_length=[30, 70], rewarmup=0.1, decay=0.5),
        keys(
            phases(
                {"style": "constant", "length": "5 iters"},
                {"style": "cosine", "length": "15 iters"},
                {"style": "linear", "length": "7 iters", "to": "100%"},
                {"style": "constant", "length": "28 iters"},
                {"style": "cosine"},
            )
        ),
    ),
    Case(
        "InvSqrtLrSchedule(timescale=10), warmup 10",
        UPDATES,
        run(warmup=10, lr_schedule=levanter.InvSqrtLrSchedule(timescale=10)),
        keys("power-law"),
    ),
    Case(
        "InvSqrtLrSchedule(timescale=40), warmup 10",
        UPDATES,
        run(warmup=10, lr_schedule=levanter.InvSqrtLrSchedule(timescale=40)),
        keys(
            phases(
                {"style": "constant", "length": "30 iters"},
                {"style": {"style": "power-law", "timescale": "40 iters"}},
            )
        ),
        note="It falls from the update `timescale` on.",
    ),
    Case(
        "inv, warmup 10",
        UPDATES,
        run(warmup=10, lr_schedule="inv"),
        keys({"style": "harmonic", "ratio": 0.1}),
        keys(one_update_late(90)),
        "The first update after the warmup has the learning rate of the second.",
    ),
    Case(
        "PowerLrSchedule(batch_size=8, seq_length=16, a=0.2), no warmup",
        UPDATES,
        run(warmup=0, lr_schedule=levanter.PowerLrSchedule(**POWER)),
        keys(LAW, 0, min_lr=0.0),
    ),
    Case(
        "PowerLrSchedule(batch_size=8, seq_length=16, a=0.2), warmup 10",
        UPDATES,
        run(warmup=10, lr_schedule=levanter.PowerLrSchedule(**POWER)),
        keys(phases({"style": LAW}), min_lr=0.0),
        note="The law counts from the end of the warmup.",
    ),
]
FRAMEWORK = Framework("Levanter", "stanford-crfm/levanter at 9263f81", CASES)
