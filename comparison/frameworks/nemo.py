"""NeMo: NVIDIA/NeMo:nemo/core/optim/lr_scheduler.py at 8cfedd7.

Lightning steps the schedulers after every optimizer step: the key ``interval: step`` of ``prepare_lr_scheduler`` there,
and of every scheduler in nemo/lightning/pytorch/optim/lr_scheduler.py. ``ExponentialLR`` is stepped after every epoch.
"""

from collections.abc import Callable
from typing import Any

import torch
from case import Case, Framework
from frameworks._checkout import checkout, leave_out, module

UPDATES = 100
PEAK = 0.05
EPOCH = 25
"""Updates of an epoch, where schedulers are stepped once in each."""

for name in ("nemo", "nemo.core", "nemo.core.config", "nemo.utils", "nemo.utils.model_utils"):
    leave_out(name)
nemo = module("nemo.core.optim.lr_scheduler", checkout("NeMo") / "nemo" / "core" / "optim" / "lr_scheduler.py")


def run(name: str, updates: int = UPDATES, every: int = 1, **options: Any) -> Callable[[], list[float]]:
    """Return what trains `updates` times with the scheduler `name`, stepped after each `every` updates."""

    def rates() -> list[float]:
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK, momentum=0.9)
        scheduler = nemo.get_scheduler(name, **options)(optimizer)
        read = []
        for update in range(1, updates + 1):
            read.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if update % every == 0:
                scheduler.step()
        return read

    return rates


def keys(style: Any, warmup: int = 10, warmup_style: str = "nemo", **others: Any) -> dict[str, Any]:
    rise = {"lr_warmup_steps": warmup, "lr_warmup_style": warmup_style} if warmup else {}
    return {"clock": "iters", "train_iters": UPDATES, "max_lr": PEAK, **rise, "lr_decay_style": style, **others}


def phases(*phases: dict[str, Any]) -> dict[str, Any]:
    return {"style": "phases", "phases": list(phases)}


HELD = {"style": "constant", "length": "20 iters"}
WARM = {"warmup_steps": 10, "max_steps": UPDATES}
HOLD = {**WARM, "hold_steps": 20}

CASES = [
    Case("WarmupPolicy(warmup_steps=10)", UPDATES, run("WarmupPolicy", **WARM), keys("constant")),
    Case(
        "WarmupPolicy(max_steps=100, min_lr=0.005), past the end",
        120,
        run("WarmupPolicy", 120, **WARM, min_lr=0.005),
        keys({"style": "multi-step", "milestones": ["101 iters"], "multipliers": [0.1]}, train_iters=120),
    ),
    Case(
        "WarmupHoldPolicy(warmup_ratio=0.1, hold_ratio=0.2)",
        UPDATES,
        run("WarmupHoldPolicy", warmup_ratio=0.1, hold_ratio=0.2, max_steps=UPDATES),
        keys("constant"),
    ),
    Case(
        "SquareAnnealing(warmup_steps=10, min_lr=0.001)",
        UPDATES,
        run("SquareAnnealing", **WARM, min_lr=0.001),
        keys({"style": "polynomial", "power": 2, "floor": "cut"}, min_lr=0.001),
    ),
    Case(
        "SquareRootAnnealing(), no warmup",
        UPDATES,
        run("SquareRootAnnealing", max_steps=UPDATES),
        keys({"style": "polynomial", "power": 0.5}, 0),
    ),
    Case(
        "SquareRootAnnealing(warmup_steps=10, min_lr=0.01)",
        UPDATES,
        run("SquareRootAnnealing", **WARM, min_lr=0.01),
        keys({"style": "polynomial", "power": 0.5, "floor": "cut"}, decay_from=0, min_lr=0.01),
        keys({"style": "polynomial", "power": 0.5, "floor": "cut"}, 11, "torchtitan", decay_from=0, min_lr=0.01),
        "The decay counts from the start of the run, and begins one update after the warmup.",
    ),
    Case(
        "CosineAnnealing(), no warmup",
        UPDATES,
        run("CosineAnnealing", max_steps=UPDATES),
        keys("cosine", 0),
    ),
    Case(
        "CosineAnnealing(warmup_steps=10, min_lr=0.005), past the end",
        120,
        run("CosineAnnealing", 120, **WARM, min_lr=0.005),
        keys("cosine", train_iters=120, lr_decay_steps=UPDATES, min_lr=0.005),
    ),
    Case(
        "CosineAnnealing(warmup_steps=10, constant_steps=20, min_lr=0.005)",
        UPDATES,
        run("CosineAnnealing", **WARM, constant_steps=20, min_lr=0.005),
        keys("cosine", 10, "linear", lr_decay_steps=80, min_lr=0.005),
        note="With constant_steps the warmup is Megatron's, and the decay ends that long before max_steps.",
    ),
    Case(
        "NoamAnnealing(d_model=512, warmup_steps=10)",
        UPDATES,
        run("NoamAnnealing", d_model=512, **WARM),
        keys({"style": "noam", "d_model": 512, "factor": PEAK}, 10, "gpt-neox", max_lr=PEAK / (512 * 10) ** 0.5),
        note="lr is only a factor; the first update is that of step 1, as in GPT-NeoX.",
    ),
    Case(
        "NoamAnnealing(d_model=512, min_lr=0.0005), no warmup",
        UPDATES,
        run("NoamAnnealing", d_model=512, max_steps=UPDATES, min_lr=0.0005),
        keys("inverse-square-root", 0, max_lr=PEAK / 512**0.5, min_lr=0.0005),
    ),
    Case(
        "NoamHoldAnnealing(warmup_steps=10, hold_steps=20)",
        UPDATES,
        run("NoamHoldAnnealing", **HOLD),
        keys(phases(HELD, {"style": {"style": "power-law", "timescale": "10 iters"}})),
    ),
    Case(
        "NoamHoldAnnealing(decay_rate=1.0, min_lr=0.01)",
        UPDATES,
        run("NoamHoldAnnealing", **HOLD, decay_rate=1.0, min_lr=0.01),
        keys(phases(HELD, {"style": {"style": "power-law", "exponent": -1, "timescale": "10 iters"}}), min_lr=0.01),
    ),
    Case(
        "WarmupHoldAnnealOneMinusSquareRoot(warmup_steps=10, hold_steps=20, min_lr=0.005)",
        UPDATES,
        run("WarmupHoldAnnealOneMinusSquareRoot", **HOLD, min_lr=0.005),
        keys(phases(HELD, {"style": {"style": "minus_sqrt", "floor": "cut"}}), min_lr=0.005),
    ),
    Case(
        "WarmupHoldAnnealLinear(warmup_steps=10, hold_steps=20, min_lr=0.005)",
        UPDATES,
        run("WarmupHoldAnnealLinear", **HOLD, min_lr=0.005),
        keys(phases(HELD, {"style": "linear"}), min_lr=0.005),
    ),
    Case(
        "WarmupAnnealing(warmup_ratio=0.1, min_lr=0.005), past the end",
        120,
        run("WarmupAnnealing", 120, warmup_ratio=0.1, max_steps=UPDATES, min_lr=0.005),
        keys("linear", train_iters=120, lr_decay_steps=UPDATES, min_lr=0.005),
    ),
    Case(
        "InverseSquareRootAnnealing(warmup_steps=10)",
        UPDATES,
        run("InverseSquareRootAnnealing", **WARM),
        keys({"style": "power-law", "timescale": "11 iters"}),
        note="The time scale is that of the warmup, warmup_steps + 1.",
    ),
    Case(
        "T5InverseSquareRootAnnealing(constant_steps=10)",
        UPDATES,
        run("T5InverseSquareRootAnnealing", constant_steps=10, max_steps=UPDATES),
        keys("inverse-square-root", 10, "constant", init_lr="100%", max_lr=10**-0.5),
        note="lr is not used: the peak is 1 / sqrt(constant_steps).",
    ),
    Case(
        "PolynomialDecayAnnealing(warmup_steps=10, power=2.0, min_lr=0.005)",
        UPDATES,
        run("PolynomialDecayAnnealing", **WARM, power=2.0, min_lr=0.005),
        keys({"style": "polynomial", "power": 2}, min_lr=0.005),
    ),
    Case(
        "PolynomialDecayAnnealing(warmup_steps=10, cycle=True), past the end",
        120,
        run("PolynomialDecayAnnealing", 120, **WARM, cycle=True),
        keys("linear", train_iters=120, lr_decay_steps=UPDATES),
        note="There is no second cycle: past max_steps it is min_lr.",
    ),
    Case(
        "PolynomialHoldDecayAnnealing(warmup_steps=10, hold_steps=20, power=3.0)",
        UPDATES,
        run("PolynomialHoldDecayAnnealing", **HOLD, power=3.0),
        keys(phases(HELD, {"style": {"style": "polynomial", "power": 3}})),
    ),
    Case(
        "StepLR(step_size=30, gamma=0.5)",
        UPDATES,
        run("StepLR", step_size=30, gamma=0.5),
        keys({"style": "each", "factor": 0.5, "every": "30 iters", "stairs": True}, 0),
    ),
    Case(
        "ExponentialLR(gamma=0.5), in epochs of 25 updates",
        UPDATES,
        run("ExponentialLR", every=EPOCH, gamma=0.5),
        keys({"style": "each", "factor": 0.5, "every": f"{EPOCH} iters", "stairs": True}, 0),
    ),
    Case(
        "CyclicLR(0.005, 0.05, step_size_up=20)",
        UPDATES,
        run("CyclicLR", base_lr=0.005, max_lr=PEAK, step_size_up=20),
        keys({"style": "triangular", "up_steps": "20 iters"}, 0, min_lr=0.005),
    ),
]
FRAMEWORK = Framework(
    "NVIDIA NeMo",
    "NVIDIA/NeMo at 8cfedd7",
    CASES,
    {
        "ReduceLROnPlateau": "it follows a metric",
        "reset_lr of the optimizer": "it starts again where training resumes: another file, with `start_step`",
    },
)
