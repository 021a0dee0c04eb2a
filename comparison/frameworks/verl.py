"""verl: verl-project/verl:verl/utils/torch_functional.py.

Its FSDP engine makes the schedules (verl/workers/engine/fsdp/transformer_impl.py, ``_build_lr_scheduler``) and steps
them once a batch of training, after its updates (verl/workers/engine_workers.py); here a batch is one update.
"""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from case import Case, Framework
from frameworks._torch import stepped
from verl.utils import torch_functional as verl

UPDATES = 100
PEAK = 1e-6
WARM = {"lr_warmup_steps": 10}
LENGTHS = {"num_warmup_steps": 10, "num_training_steps": UPDATES}
COSINE = verl.get_cosine_schedule_with_warmup
CONSTANT = verl.get_constant_schedule_with_warmup


def case(name: str, make: Callable[..., Any], style: Any, options: dict[str, Any], **others: Any) -> Case:
    keys = {"clock": "iters", "train_iters": UPDATES, "max_lr": PEAK, "lr_decay_style": style, **others}
    return Case(name, UPDATES, stepped(make, PEAK, UPDATES, **options), keys)


CASES = [
    case("constant", CONSTANT, "constant", {"num_warmup_steps": 0}),
    case("constant, num_warmup_steps 10", CONSTANT, "constant", {"num_warmup_steps": 10}, **WARM),
    case("cosine", COSINE, "cosine", LENGTHS, **WARM),
    case("cosine, without a warmup", COSINE, "cosine", {**LENGTHS, "num_warmup_steps": 0}),
    case("cosine, min_lr_ratio 0.1", COSINE, "cosine", {**LENGTHS, "min_lr_ratio": 0.1}, min_lr="10%", **WARM),
    case(
        "cosine, min_lr_ratio 0.1, num_cycles 1.5",
        COSINE,
        {"style": "cosine-cycles", "cycles": 1.5},
        {**LENGTHS, "min_lr_ratio": 0.1, "num_cycles": 1.5},
        min_lr="10%",
        **WARM,
    ),
    case("cosine, init_lr_ratio 0.2", COSINE, "cosine", {**LENGTHS, "init_lr_ratio": 0.2}, init_lr="20%", **WARM),
    case(
        "cosine, zero_indexed_step false",
        COSINE,
        "cosine",
        {**LENGTHS, "zero_indexed_step": False, "min_lr_ratio": 0.1},
        min_lr="10%",
        first_update=1,
        **WARM,
    ),
    case(
        "cosine, zero_indexed_step false, without a warmup",
        COSINE,
        "cosine",
        {**LENGTHS, "num_warmup_steps": 0, "zero_indexed_step": False},
        first_update=1,
    ),
]
FRAMEWORK = Framework(
    "verl",
    f"verl {version('verl')}",
    CASES,
    {"schedules of the Megatron, VeOmni, torchtitan and Automodel engines": "they are those of these frameworks"},
)
