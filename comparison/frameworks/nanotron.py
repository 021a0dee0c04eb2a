"""nanotron: huggingface/nanotron:src/nanotron/helpers.py (``lr_scheduler_builder``) at 2411b02.

The trainer gives it the config (src/nanotron/config/config.py), which fills ``lr_decay_steps``, and steps the scheduler
once after every optimizer step, whatever the number of micro-batches (src/nanotron/trainer.py, ``training_step``).
"""

import sys
from collections.abc import Callable
from typing import Any

import torch
from case import Case, Framework
from frameworks._checkout import checkout, leave_out

UPDATES = 100
PEAK, LOW = 3e-4, 3e-5
WARM = {"lr_warmup_steps": 10}

sys.path.insert(0, str(checkout("nanotron") / "src"))
leave_out("nanotron.nn.attention", ALL_ATTENTION_FUNCTIONS=("flash_attention_2",))
for kernels in ("nanotron.nn.layer_norm", "nanotron.nn.moe"):
    leave_out(kernels)
for package in ("transformers", "datasets", "datasets.download", "datasets.download.streaming_download_manager"):
    leave_out(package)

from nanotron import config, helpers  # noqa: E402
from nanotron.optim.named_optimizer import NamedOptimizer  # noqa: E402

torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)


def filled(schedule: Any) -> Any:
    """Return `schedule` as it is in a whole config of a run."""
    return config.Config(
        general=None,
        parallelism=config.ParallelismArgs(dp=1, pp=1, tp=1),
        model=config.ModelArgs(config.LlamaConfig(), config.RandomInit(std=0.02)),
        tokens=config.TokensArgs(32, UPDATES, micro_batch_size=1, batch_accumulation_per_replica=4),
        optimizer=config.OptimizerArgs(config.SGDOptimizerArgs(), 0, 0.1, 1.0, False, schedule),
    ).optimizer.learning_rate_scheduler


def run(updates: int, **options: Any) -> Callable[[], list[float]]:
    def rates() -> list[float]:
        parameters = [("weight", torch.nn.Parameter(torch.zeros(1)))]
        optimizer = NamedOptimizer(parameters, lambda groups: torch.optim.AdamW(groups, lr=PEAK))
        schedule = filled(config.LRSchedulerArgs(PEAK, **options))
        scheduler = helpers.lr_scheduler_builder(optimizer, schedule, UPDATES)
        read = []
        for _ in range(updates):
            read.append(optimizer.get_base_optimizer().param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        return read

    return rates


def case(
    options: dict[str, Any],
    style: Any,
    *,
    updates: int = UPDATES,
    exact: dict[str, Any] | None = None,
    note: str = "",
    **others: Any,
) -> Case:
    every = {"lr_warmup_steps": 10, "lr_warmup_style": "linear", **options}
    keys = {"clock": "iters", "train_iters": updates, "max_lr": PEAK, "lr_decay_style": style, **others}
    name = ", ".join(f"{key} {value}" for key, value in every.items()) + (", past its end" if updates > UPDATES else "")
    return Case(name, updates, run(updates, **every), keys, keys | exact if exact else None, note)


def cooldown(length: int, curve: str) -> dict[str, Any]:
    return {"style": "WSD", "wsd_decay_steps": f"{length} iters", "lr_wsd_decay_style": curve}


def late(start: int, length: int, curve: str = "linear") -> dict[str, Any]:
    return {
        "lr_decay_style": curve,
        "lr_decay_starting_step": start,
        "lr_decay_steps": length,
        "min_decay_lr": LOW,
    }


FLAT = {"lr_warmup_style": "constant", "min_decay_lr": LOW}
HELD = {"lr_warmup_style": "constant", "init_lr": "100%", "min_lr": LOW, **WARM}
COLD = {"lr_warmup_steps": 0, "min_decay_lr": LOW}
AT_ZERO = "without a warmup, nanotron makes the first update at a learning rate of 0"
CURVES = {"linear": "linear", "cosine": "cosine", "1-sqrt": "minus_sqrt"}

CASES = [
    *(case({"lr_decay_style": name, "min_decay_lr": LOW}, curve, min_lr=LOW, **WARM) for name, curve in CURVES.items()),
    *(
        case({"lr_decay_style": name, "min_decay_lr": 0.0}, curve, updates=120, lr_decay_steps=UPDATES, **WARM)
        for name, curve in CURVES.items()
    ),
    case({}, "constant", note="without min_decay_lr nothing decays", **WARM),
    *(case(late(80, 20, name), cooldown(20, curve), min_lr=LOW, **WARM) for name, curve in CURVES.items()),
    case(late(60, 20, "cosine"), cooldown(20, "cosine"), lr_decay_steps=80, min_lr=LOW, **WARM),
    case(
        {"lr_decay_style": "cosine", "lr_decay_steps": 50, "min_decay_lr": LOW},
        "cosine",
        lr_decay_steps=60,
        min_lr=LOW,
        **WARM,
    ),
    case(
        {"lr_decay_starting_step": 80, "min_decay_lr": LOW},
        cooldown(90, "linear"),
        lr_decay_steps=170,
        min_lr=LOW,
        note="the config sets lr_decay_steps to the run without its warmup, so that the run ends within the cooldown",
        **WARM,
    ),
    *(case({**FLAT, "lr_decay_style": name}, curve, **HELD) for name, curve in CURVES.items()),
    case({**FLAT, **late(80, 20)}, cooldown(20, "linear"), **HELD),
    *(
        case({**FLAT, "lr_decay_style": name, "lr_warmup_steps": 0}, curve, min_lr=LOW)
        for name, curve in CURVES.items()
    ),
    case(
        {**COLD, "lr_decay_style": "cosine"},
        "cosine",
        exact={"lr_warmup_steps": 1, "decay_from": 0},
        note=AT_ZERO,
        min_lr=LOW,
    ),
    case({**COLD, **late(80, 20)}, cooldown(20, "linear"), exact={"lr_warmup_steps": 1}, note=AT_ZERO, min_lr=LOW),
    case(
        {"lr_warmup_steps": 0, "lr_decay_steps": 0},
        "constant",
        exact={"max_lr": PEAK**2},
        note="nanotron multiplies the learning rate by itself",
    ),
]
FRAMEWORK = Framework(
    "nanotron",
    "huggingface/nanotron 2411b02",
    CASES,
    {
        "lr_decay_starting_step within the warmup": "the decay counts from there, and the learning rate jumps onto its "
        "curve after the last update of the warmup",
        "a resumed run": "nanotron steps the scheduler once more as it loads it, and its min LR becomes "
        "min_decay_lr * learning_rate / the learning rate at the checkpoint",
    },
)
