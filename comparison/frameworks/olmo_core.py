"""OLMo-core: allenai/OLMo-core:src/olmo_core/optim/scheduler.py.

Its trainer counts an update before it trains, and calls ``set_lr`` after that (src/olmo_core/train/trainer.py), so the
n-th update from 0 has the learning rate of step n + 1.
"""

from collections.abc import Callable
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

from case import Case, Framework
from olmo_core.optim import scheduler as olmo

UPDATES = 100
PEAK = 4e-4
WARM = {"lr_warmup_steps": 10}


def run(scheduler: olmo.Scheduler, updates: int = UPDATES, length: int = UPDATES) -> Callable[[], list[float]]:
    def rates() -> list[float]:
        group: dict[str, Any] = {"lr": PEAK, "params": []}
        trainer = SimpleNamespace(global_step=0, max_steps=length)
        read = []
        for _ in range(updates):
            trainer.global_step += 1
            read.append(scheduler.set_lr(group, trainer))
        return read

    return rates


def keys(style: Any, updates: int = UPDATES, **others: Any) -> dict[str, Any]:
    start = {"clock": "iters", "train_iters": updates, "max_lr": PEAK, "lr_decay_style": style}
    return {**start, "first_update": 1, **others}


def case(scheduler: olmo.Scheduler, name: str, style: Any, note: str = "", **others: Any) -> Case:
    return Case(name, UPDATES, run(scheduler), keys(style, **others), note=note)


def line(length: int, **options: Any) -> dict[str, Any]:
    return {"style": "linear", "length": f"{length} iters", **options}


def phases(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"style": "phases", "phases": list(parts)}


def wsd(length: int) -> dict[str, Any]:
    return {"style": "WSD", "wsd_decay_steps": f"{length} iters", "lr_wsd_decay_style": "linear"}


def wsd_s(**options: Any) -> dict[str, Any]:
    periods = {"period_steps": ["50 iters", "50 iters"], "first_period": "from-start", "boundaries": "closed"}
    return {"style": "wsd-s", **periods, **options}


Stage = olmo.ComposableSchedulerStage
COSINE_STAGE = {"shape": olmo.ComposableSchedulerStageType.cosine}

CASES = [
    case(olmo.ConstantScheduler(), "ConstantScheduler", "constant"),
    case(olmo.ConstantWithWarmup(warmup=10), "ConstantWithWarmup(warmup=10)", "constant", **WARM),
    case(olmo.CosWithWarmup(warmup=10), "CosWithWarmup(warmup=10)", "cosine", min_lr="10%", **WARM),
    case(olmo.CosWithWarmup(warmup=0), "CosWithWarmup(warmup=0)", "cosine", min_lr="10%"),
    case(
        olmo.CosWithWarmup(warmup_fraction=0.05, alpha_f=0.0, warmup_min_lr=1e-5),
        "CosWithWarmup(warmup_fraction=0.05, alpha_f=0, warmup_min_lr=1e-5)",
        "cosine",
        lr_warmup_steps="5%",
        init_lr=1e-5,
    ),
    case(
        olmo.CosWithWarmup(warmup=10, t_max=80),
        "CosWithWarmup(warmup=10, t_max=80)",
        "cosine",
        min_lr="10%",
        lr_decay_steps=80,
        **WARM,
    ),
    case(olmo.LinearWithWarmup(warmup=10), "LinearWithWarmup(warmup=10)", "linear", min_lr="10%", **WARM),
    case(olmo.LinearWithWarmup(warmup=0, alpha_f=0.0), "LinearWithWarmup(warmup=0, alpha_f=0)", "linear"),
    case(
        olmo.InvSqrtWithWarmup(warmup=10),
        "InvSqrtWithWarmup(warmup=10)",
        {"style": "power-law", "floor": "tend"},
        min_lr="10%",
        **WARM,
    ),
    case(olmo.InvSqrtWithWarmup(warmup=10, alpha_f=0.0), "InvSqrtWithWarmup(alpha_f=0)", "inverse-square-root", **WARM),
    case(
        olmo.HalfCosWithWarmup(warmup=10),
        "HalfCosWithWarmup(warmup=10)",
        "half-cosine",
        "its base learning rate is that of the whole cosine, so max_lr is (1 + alpha_f) / 2 of it",
        max_lr=PEAK * 0.55,
        min_lr=PEAK * 0.1,
        **WARM,
    ),
    case(olmo.WSD(warmup=10), "WSD(warmup=10)", wsd(10), **WARM),
    case(
        olmo.WSD(warmup=10, decay=30, decay_fraction=None, decay_min_lr=4e-5),
        "WSD(warmup=10, decay=30, decay_min_lr=4e-5)",
        wsd(30),
        min_lr=4e-5,
        **WARM,
    ),
    case(olmo.WSD(warmup=0, decay_fraction=0.2), "WSD(warmup=0, decay_fraction=0.2)", wsd(20)),
    Case(
        "PowerLR(warmup=10, decay_fraction=0)",
        UPDATES - 1,
        run(olmo.PowerLR(warmup=10, decay_fraction=0.0), UPDATES - 1),
        keys({"style": "power-law", "exponent": -0.51}, **WARM),
        note="OLMo-core's last update is a division by zero",
    ),
    case(
        olmo.PowerLR(warmup=10, decay_fraction=0.2),
        "PowerLR(warmup=10, decay_fraction=0.2)",
        phases(
            {"style": {"style": "power-law", "exponent": -0.51, "timescale": "10 iters"}, "length": "70 iters"},
            line(20),
        ),
        **WARM,
    ),
    case(
        olmo.CosWithWarmupAndLinearDecay(warmup=10, decay_fraction=0.2),
        "CosWithWarmupAndLinearDecay(warmup=10, decay_fraction=0.2)",
        phases(
            {"style": {"style": "cosine-cycles", "cycles": 0.5 * 70 / 90}, "length": "70 iters", "to": "10%"}, line(20)
        ),
        **WARM,
    ),
    case(
        olmo.ComposableScheduler(
            stages=[
                Stage(duration=10, start_lr=0.0, end_lr_fraction=1.0),
                Stage(duration=50, end_lr_fraction=0.5, **COSINE_STAGE),
                Stage(duration=40, end_lr=0.0),
            ]
        ),
        "ComposableScheduler, three stages",
        phases({"style": "cosine", "length": "50 iters", "to": "50%"}, line(40)),
        **WARM,
    ),
    case(
        olmo.SequentialScheduler(
            schedulers=[olmo.ConstantWithWarmup(warmup=10), olmo.CosWithWarmup(warmup=0, alpha_f=0.1)],
            schedulers_max=[40],
        ),
        "SequentialScheduler, constant for 40 steps, then a cosine",
        phases({"style": "constant", "length": "30 iters"}, {"style": "cosine", "length": "60 iters"}),
        min_lr="10%",
        **WARM,
    ),
    case(
        olmo.WSDS(period_lengths=[50, 50], warmup=10, decay_fraction=0.2),
        "WSDS(period_lengths=[50, 50], warmup=10, decay_fraction=0.2)",
        wsd_s(decay_share=0.2),
        **WARM,
    ),
    case(
        olmo.WSDS(period_lengths=[50, 50], warmup=0, decay=15, decay_min_lr=4e-5),
        "WSDS(period_lengths=[50, 50], warmup=0, decay=15, decay_min_lr=4e-5)",
        wsd_s(decay_steps="15 iters"),
        min_lr=4e-5,
    ),
    case(
        olmo.ExponentialScheduler(lr_min=1e-6),
        "ExponentialScheduler(lr_min=1e-6)",
        {"style": "range-test", "rise": "geometric"},
        min_lr=1e-6,
    ),
]
FRAMEWORK = Framework("OLMo-core", f"ai2-olmo-core {version('ai2-olmo-core')}", CASES, {})
