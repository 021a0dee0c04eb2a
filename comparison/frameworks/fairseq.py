"""fairseq: facebookresearch/fairseq:fairseq/optim/lr_scheduler at 3d262bb.

The calls are those of fairseq/trainer.py and fairseq_cli/train.py there: ``step_update(0)`` first, then
``step_begin_epoch`` and ``step_update`` at every epoch's begin, ``step_update`` after every update, and ``step`` at an
epoch's end.
"""

import importlib
import logging
from argparse import Namespace
from collections.abc import Callable
from typing import Any

import torch
from case import Case, Framework
from frameworks._checkout import checkout, leave_out

UPDATES = 100
PEAK = 0.05
EPOCH = 25
"""Updates of an epoch."""

folder = checkout("fairseq") / "fairseq"
leave_out("fairseq", folder, utils=None)
leave_out("fairseq.dataclass", FairseqDataclass=object)
leave_out("fairseq.dataclass.utils")
leave_out("fairseq.optim", folder / "optim")
FairseqOptimizer = importlib.import_module("fairseq.optim.fairseq_optimizer").FairseqOptimizer
importlib.import_module("fairseq.optim").FairseqOptimizer = FairseqOptimizer
schedules = importlib.import_module("fairseq.optim.lr_scheduler")
logging.getLogger("fairseq.optim.lr_scheduler.manual_lr_scheduler").setLevel(logging.ERROR)


class Optimizer(FairseqOptimizer):  # type: ignore[misc, valid-type]
    """SGD, as fairseq wraps optimizers."""

    def __init__(self) -> None:
        self._optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)


def run(name: str, updates: int = UPDATES, **options: Any) -> Callable[[], list[float]]:
    """Return what trains `updates` times, in epochs, with the scheduler that fairseq calls `name`."""

    def rates() -> list[float]:
        optimizer = Optimizer()
        make_config = schedules.LR_SCHEDULER_DATACLASS_REGISTRY.get(name, Namespace)
        config = make_config(**{"lr": [PEAK], **options})
        scheduler = schedules.LR_SCHEDULER_REGISTRY[name](config, optimizer)
        scheduler.step_update(0)
        read = []
        for update in range(updates):
            epoch, inside = divmod(update, EPOCH)
            if inside == 0:
                scheduler.step_begin_epoch(epoch + 1)
                scheduler.step_update(update)
            read.append(optimizer.get_lr())
            scheduler.step_update(update + 1)
            if inside == EPOCH - 1:
                scheduler.step(epoch + 1, 1.0)
                scheduler.step_update(update + 1)
        return read

    return rates


def keys(style: Any, warmup: int = 10, **others: Any) -> dict[str, Any]:
    rise = {"lr_warmup_steps": warmup} if warmup else {}
    return {"clock": "iters", "train_iters": UPDATES, "max_lr": PEAK, **rise, "lr_decay_style": style, **others}


def phases(*phases: dict[str, Any]) -> dict[str, Any]:
    return {"style": "phases", "phases": list(phases)}


def stairs(factor: float, every: int) -> dict[str, Any]:
    return {"style": "each", "factor": factor, "every": f"{every} iters", "stairs": True}


def with_minimum(style: dict[str, Any], minimum: str, factor: float, every: int) -> dict[str, Any]:
    """Return `style` down to `minimum`, both of which every period multiplies by `factor`."""
    return {"style": "product", "of": [phases({"style": style, "to": minimum}), stairs(factor, every)]}


def restarts(**options: Any) -> dict[str, Any]:
    return {"style": "cosine-restarts", "period_steps": "30 iters", **options}


COSINE = {"max_update": UPDATES, "warmup_updates": 10}
CYCLES = {"max_lr": PEAK, "lr": [0.005], "lr_period_updates": 20}
TRIANGLES = {"style": "triangular", "up_steps": "10 iters"}

CASES = [
    Case(
        "fixed, one lr for each epoch",
        UPDATES,
        run("fixed", lr=[PEAK, 0.02, 0.01], force_anneal=None),
        keys({"style": "multi-step", "milestones": ["25 iters", "50 iters"], "multipliers": [0.4, 0.2]}, 0),
    ),
    Case(
        "fixed --warmup-updates 10 --force-anneal 2 --lr-shrink 0.5",
        UPDATES,
        run("fixed", warmup_updates=10, force_anneal=2, lr_shrink=0.5),
        keys(
            {
                "style": "multi-step",
                "milestones": ["25 iters", "50 iters", "75 iters"],
                "multipliers": [0.5, 0.25, 0.125],
            },
            lr_warmup_style="torchtitan",
        ),
    ),
    Case(
        "inverse_sqrt --warmup-updates 10",
        UPDATES,
        run("inverse_sqrt", warmup_updates=10),
        keys("power-law"),
    ),
    Case(
        "inverse_sqrt --warmup-updates 10 --warmup-init-lr 1e-7, past the end",
        150,
        run("inverse_sqrt", 150, warmup_updates=10, warmup_init_lr=1e-7),
        keys("power-law", init_lr=1e-7),
    ),
    Case(
        "polynomial_decay --warmup-updates 10",
        UPDATES,
        run("polynomial_decay", warmup_updates=10, total_num_update=UPDATES),
        keys("linear"),
    ),
    Case(
        "polynomial_decay --power 2 --end-learning-rate 0.005, no warmup, past the end",
        120,
        run("polynomial_decay", 120, power=2.0, end_learning_rate=0.005, total_num_update=UPDATES),
        keys({"style": "polynomial", "power": 2}, 0, min_lr=0.005),
    ),
    Case(
        "polynomial_decay --force-anneal 3",
        UPDATES,
        run("polynomial_decay", force_anneal=3, total_num_update=UPDATES),
        keys(
            phases(
                {"style": "linear", "length": "50 iters", "to": "50%"},
                {"style": "linear", "length": "25 iters", "from": "25%", "to": "12.5%", "jump": True},
                {"style": "linear", "from": "3.125%", "jump": True},
            ),
            0,
        ),
        note="From that epoch on, each epoch multiplies the line by where it stands.",
    ),
    Case(
        "cosine --warmup-updates 10 --max-update 100",
        UPDATES,
        run("cosine", **COSINE),
        keys("cosine"),
    ),
    Case(
        "cosine --lr-period-updates 30 --lr-shrink 0.5",
        UPDATES,
        run("cosine", **COSINE, lr_period_updates=30, lr_shrink=0.5),
        keys(restarts(peak_mult=0.5)),
    ),
    Case(
        "cosine --lr-period-updates 30 --t-mult 2 --lr-shrink 1 --min-lr 0.005 --warmup-init-lr 0",
        UPDATES,
        run("cosine", **COSINE, lr_period_updates=30, t_mult=2, lr_shrink=1.0, min_lr=0.005, warmup_init_lr=0.0),
        keys(restarts(period_mult=2), min_lr=0.005),
    ),
    Case(
        "cosine --lr-period-updates 30 --lr-shrink 0.5 --min-lr 0.005",
        UPDATES,
        run("cosine", **COSINE, lr_period_updates=30, lr_shrink=0.5, min_lr=0.005),
        keys(with_minimum(restarts(), "10%", 0.5, 30), init_lr=0.005),
        note="lr_shrink lowers the peak and min_lr; the warmup begins at min_lr.",
    ),
    Case(
        "step --lr-deacy-period 30 --lr-decay 0.5",
        UPDATES,
        run("step", lr_deacy_period=30, lr_decay=0.5),
        keys(stairs(0.5, 30), 0),
    ),
    Case(
        "step --warmup-updates 10 --lr-decay 0.1 --min-lr 0.001",
        UPDATES,
        run("step", warmup_updates=10, lr_deacy_period=30, lr_decay=0.1, min_lr=0.001),
        keys(stairs(0.1, 30), init_lr=0.001, min_lr=0.001),
        note="The warmup begins at min_lr.",
    ),
    Case(
        "tri_stage --phase-ratio [0.1, 0.4, 0.5]",
        120,
        run("tri_stage", 120, phase_ratio=(0.1, 0.4, 0.5), max_update=UPDATES),
        keys({"style": "tri-stage", "hold_steps": "40 iters"}, init_lr="1%", min_lr="1%"),
    ),
    Case(
        "tri_stage --warmup-steps 10 --decay-steps 90 --final-lr-scale 0.05",
        UPDATES,
        run("tri_stage", warmup_steps=10, decay_steps=90, final_lr_scale=0.05),
        keys("geometric", init_lr="1%", min_lr="5%"),
    ),
    Case(
        "triangular --lr-period-updates 20 --lr-shrink 1",
        UPDATES,
        run("triangular", **CYCLES, lr_shrink=1.0),
        keys(TRIANGLES, 0, min_lr=0.005),
    ),
    Case(
        "triangular --lr-shrink 0.5 --shrink-min",
        UPDATES,
        run("triangular", **CYCLES, lr_shrink=0.5, shrink_min=True),
        keys(with_minimum(TRIANGLES, "10%", 0.5, 20), 0),
    ),
    Case(
        "triangular --lr-period-updates 50 --lr-shrink 0.5",
        UPDATES,
        run("triangular", **{**CYCLES, "lr_period_updates": 50}, lr_shrink=0.5),
        keys({"style": "triangular", "up_steps": "25 iters", "peak_mult": 0.5}, 0, min_lr=0.005),
        keys(
            phases(
                {"style": "linear", "length": "25 iters", "from": "10%", "to": "100%", "jump": True},
                {"style": "linear", "length": "25 iters"},
                {"style": "linear", "length": "25 iters", "to": "50%"},
                {"style": "linear", "length": "25 iters"},
            ),
            0,
            min_lr=0.005,
        ),
        "lr_shrink lowers the peak, and peak_mult the height above min_lr.",
    ),
    Case(
        "manual --update2lr, from updates 40 and 70 on",
        UPDATES,
        run("manual", update2lr="{'40': 0.02, '70-80': 0.01}", epoch2lr="{}"),
        keys({"style": "multi-step", "milestones": ["40 iters", "70 iters"], "multipliers": [0.4, 0.2]}, 0),
    ),
    Case(
        "manual --epoch2lr, from epochs 2 and 4 on",
        UPDATES,
        run("manual", update2lr="{}", epoch2lr="{'1': 0.05, '2,3': 0.02, '4': 0.01}"),
        keys({"style": "multi-step", "milestones": ["25 iters", "75 iters"], "multipliers": [0.4, 0.2]}, 0),
    ),
]
FRAMEWORK = Framework(
    "fairseq",
    "facebookresearch/fairseq at 3d262bb",
    CASES,
    {
        "reduce_lr_on_plateau": "it follows a metric",
        "pass_through": "the optimizer has a schedule of its own",
    },
)
