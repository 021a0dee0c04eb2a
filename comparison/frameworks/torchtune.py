"""torchtune: pytorch/torchtune:torchtune/training/lr_schedulers.py.

Its recipes call ``step()`` of the scheduler after each update (recipes/full_finetune_distributed.py), also where
gradients are accumulated. torchtune 0.6.1 runs with torchao 0.10.
"""

from importlib.metadata import version
from typing import Any

from case import Case, Framework
from frameworks._torch import stepped
from torchtune.training.lr_schedulers import get_cosine_schedule_with_warmup

UPDATES = 100
PEAK = 2e-5


def case(name: str, style: Any, updates: int = UPDATES, warmup: int = 10, **options: Any) -> Case:
    lengths = {"num_warmup_steps": warmup, "num_training_steps": UPDATES}
    run = {"clock": "iters", "train_iters": updates, "max_lr": PEAK}
    warm = {"lr_warmup_steps": warmup} if warmup else {}
    return Case(
        name,
        updates,
        stepped(get_cosine_schedule_with_warmup, PEAK, updates, **lengths, **options),
        {**run, **warm, "lr_decay_style": style},
    )


CASES = [
    case("cosine", "cosine"),
    case("cosine, without a warmup", "cosine", warmup=0),
    case("cosine, num_cycles 1.5", {"style": "cosine-cycles", "cycles": 1.5}, num_cycles=1.5),
    case(
        "cosine, past its end, where it rises again",
        {"style": "cosine-cycles", "cycles": 0.5 * 110 / 90},
        UPDATES + 20,
    ),
    case("cosine, num_cycles 0.25", {"style": "cosine-cycles", "cycles": 0.25}, num_cycles=0.25),
]
FRAMEWORK = Framework("torchtune", f"torchtune {version('torchtune')}", CASES)
