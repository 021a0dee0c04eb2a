"""PyTorch: pytorch/pytorch:torch/optim/lr_scheduler.py."""

from collections.abc import Callable
from typing import Any

import torch
from case import Case, Framework
from frameworks._torch import stepped
from torch.optim import lr_scheduler as lrs

UPDATES = 100
PEAK = 0.05


def run(make: Callable[[torch.optim.Optimizer], Any], updates: int = UPDATES) -> Callable[[], list[float]]:
    return stepped(make, PEAK, updates)


def keys(style: Any, **others: Any) -> dict[str, Any]:
    return {"clock": "iters", "train_iters": UPDATES, "max_lr": PEAK, "lr_decay_style": style, **others}


def each(factor: float, every: int, **options: Any) -> dict[str, Any]:
    return {"style": "each", "factor": factor, "every": f"{every} iters", **options}


def warm_then_cosine(optimizer: torch.optim.Optimizer) -> Any:
    warmup = lrs.LinearLR(optimizer, start_factor=0.1, total_iters=10)
    return lrs.SequentialLR(optimizer, [warmup, lrs.CosineAnnealingLR(optimizer, T_max=90)], milestones=[10])


def chained(optimizer: torch.optim.Optimizer) -> Any:
    return lrs.ChainedScheduler(
        [
            lrs.LinearLR(optimizer, start_factor=0.1, total_iters=10),
            lrs.CosineAnnealingLR(optimizer, T_max=100),
        ]
    )


CASES = [
    Case(
        "ConstantLR(factor=0.5, total_iters=10)",
        UPDATES,
        run(lambda o: lrs.ConstantLR(o, 0.5, 10)),
        keys("constant", lr_warmup_steps=10, lr_warmup_style="constant", init_lr="50%"),
    ),
    Case(
        "LinearLR(start_factor=0.1, total_iters=10)",
        UPDATES,
        run(lambda o: lrs.LinearLR(o, 0.1, 1.0, 10)),
        keys("constant", lr_warmup_steps=10, init_lr="10%"),
    ),
    Case(
        "LinearLR(1.0, end_factor=0.1, total_iters=100)",
        UPDATES,
        run(lambda o: lrs.LinearLR(o, 1.0, 0.1, 100)),
        keys("linear", min_lr="10%"),
    ),
    Case(
        "StepLR(step_size=30, gamma=0.1)",
        UPDATES,
        run(lambda o: lrs.StepLR(o, 30, 0.1)),
        keys(each(0.1, 30, stairs=True)),
    ),
    Case(
        "MultiStepLR([30, 80], gamma=0.1)",
        UPDATES,
        run(lambda o: lrs.MultiStepLR(o, [30, 80], 0.1)),
        keys({"style": "multi-step", "milestones": ["30 iters", "80 iters"], "multipliers": [0.1, 0.01]}),
    ),
    Case("ExponentialLR(gamma=0.95)", UPDATES, run(lambda o: lrs.ExponentialLR(o, 0.95)), keys(each(0.95, 1))),
    Case(
        "PolynomialLR(total_iters=100, power=2)",
        UPDATES,
        run(lambda o: lrs.PolynomialLR(o, 100, 2.0)),
        keys({"style": "polynomial", "power": 2.0}),
    ),
    Case(
        "CosineAnnealingLR(T_max=100, eta_min=0.005)",
        UPDATES,
        run(lambda o: lrs.CosineAnnealingLR(o, 100, 0.005)),
        keys("cosine", min_lr=0.005),
    ),
    Case(
        "CosineAnnealingLR(T_max=30), which goes on past T_max",
        UPDATES,
        run(lambda o: lrs.CosineAnnealingLR(o, 30)),
        keys({"style": "cosine-cycles", "cycles": 0.5 * UPDATES / 30}),
        note="Each learning rate is computed from the one before, which loses digits near 0; the formula of its own "
        "`_get_closed_form_lr` differs by 8e-16.",
    ),
    Case(
        "CosineAnnealingWarmRestarts(T_0=20)",
        UPDATES,
        run(lambda o: lrs.CosineAnnealingWarmRestarts(o, 20)),
        keys({"style": "cosine-restarts", "period_steps": "20 iters"}),
    ),
    Case(
        "CosineAnnealingWarmRestarts(T_0=20, T_mult=2, eta_min=0.001)",
        UPDATES,
        run(lambda o: lrs.CosineAnnealingWarmRestarts(o, 20, 2, 0.001)),
        keys({"style": "cosine-restarts", "period_steps": "20 iters", "period_mult": 2}, min_lr=0.001),
    ),
    Case(
        "OneCycleLR(total_steps=100)",
        UPDATES,
        run(lambda o: lrs.OneCycleLR(o, PEAK, total_steps=100), 100),
        keys("one-cycle"),
    ),
    Case(
        "OneCycleLR(anneal_strategy='linear', three_phase=True)",
        UPDATES,
        run(lambda o: lrs.OneCycleLR(o, PEAK, total_steps=100, anneal_strategy="linear", three_phase=True)),
        keys({"style": "one-cycle", "shape": "linear", "three_phase": True}),
    ),
    Case(
        "CyclicLR(0.005, 0.05, step_size_up=20)",
        UPDATES,
        run(lambda o: lrs.CyclicLR(o, 0.005, PEAK, 20)),
        keys({"style": "triangular", "up_steps": "20 iters"}, min_lr=0.005),
    ),
    Case(
        "CyclicLR(step_size_up=10, step_size_down=30, mode='triangular2')",
        UPDATES,
        run(lambda o: lrs.CyclicLR(o, 0.005, PEAK, 10, 30, "triangular2")),
        keys({"style": "triangular", "up_steps": "10 iters", "down_steps": "30 iters", "peak_mult": 0.5}, min_lr=0.005),
    ),
    Case(
        "CyclicLR(mode='exp_range', gamma=0.99)",
        UPDATES,
        run(lambda o: lrs.CyclicLR(o, 0.005, PEAK, 10, mode="exp_range", gamma=0.99)),
        keys(
            {"style": "product", "of": [{"style": "triangular", "up_steps": "10 iters"}, each(0.99, 1)]}, min_lr=0.005
        ),
    ),
    Case(
        "SequentialLR([LinearLR, CosineAnnealingLR], [10])",
        UPDATES,
        run(warm_then_cosine),
        keys("cosine", lr_warmup_steps=10, init_lr="10%"),
    ),
    Case(
        "ChainedScheduler([LinearLR, CosineAnnealingLR])",
        UPDATES,
        run(chained),
        keys(
            {
                "style": "product",
                "of": [
                    "cosine",
                    {
                        "style": "phases",
                        "phases": [
                            {"style": "linear", "length": "10 iters", "from": "10%", "to": "100%", "jump": True},
                            {"style": "constant"},
                        ],
                    },
                ],
            }
        ),
    ),
]
FRAMEWORK = Framework(
    "PyTorch",
    f"torch {torch.__version__.partition('+')[0]}",
    CASES,
    {
        "LambdaLR, MultiplicativeLR": "any function of Python; a style of a plugin can hold it",
        "ReduceLROnPlateau": "it follows a metric",
    },
)
