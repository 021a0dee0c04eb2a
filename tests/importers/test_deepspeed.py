"""DeepSpeed's JSON. The formulas are those of deepspeed/runtime/lr_schedules.py at v0.19.8.

The engine steps them after each update, and they begin at index -1: update n has index n - 1.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from schedframe import ConfigError

from .imports import assert_equal, imported, schedule_of


def config(kind: str, params: dict[str, Any], optimizer: dict[str, Any] | None = None) -> str:
    """Return the text of a config with a scheduler."""
    return json.dumps(
        {
            "train_batch_size": 64,
            "gradient_accumulation_steps": 1,
            "optimizer": {"type": "AdamW", "params": optimizer or {"lr": 1e-3, "weight_decay": 0.01}},
            "scheduler": {"type": kind, "params": params},
            "bf16": {"enabled": True},
            "zero_optimization": {"stage": 2},
        },
        indent=2,
    )


def lr(update: int, low: float, peak: float, warmup: int, total: int | None) -> float:
    index = update - 1
    if index < 0:
        return low
    if index < warmup:
        share = index / warmup
    else:
        share = 1.0 if total is None else max(0.0, (total - index) / max(1.0, total - warmup))
    return low + (peak - low) * share


CASES: dict[str, tuple[str, dict[str, Any], int | None, float, tuple[float, float, int, int | None]]] = {
    "a line to the end": (
        "WarmupDecayLR",
        {"total_num_steps": 500, "warmup_min_lr": 0, "warmup_max_lr": 2e-5, "warmup_num_steps": 50},
        None,
        2e-5,
        (0.0, 2e-5, 50, 500),
    ),
    "from a rate above 0": (
        "WarmupDecayLR",
        {"total_num_steps": 1000, "warmup_min_lr": 1e-6, "warmup_max_lr": 1e-4, "warmup_num_steps": 100},
        None,
        1e-4,
        (1e-6, 1e-4, 100, 1000),
    ),
    "the default max LR": (
        "WarmupDecayLR",
        {"total_num_steps": 300, "warmup_num_steps": 30},
        None,
        1e-3,
        (0.0, 1e-3, 30, 300),
    ),
    "a warmup that stays": (
        "WarmupLR",
        {"warmup_min_lr": 0, "warmup_max_lr": 3e-5, "warmup_num_steps": 20},
        200,
        3e-5,
        (0.0, 3e-5, 20, None),
    ),
    "the optimizer's rate": ("WarmupLR", {"warmup_num_steps": 10}, 60, 1e-3, (0.0, 1e-3, 10, None)),
    "a warmup of 1 is 2": (
        "WarmupLR",
        {"warmup_num_steps": 1, "warmup_max_lr": 1e-3},
        40,
        1e-3,
        (0.0, 1e-3, 2, None),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_update_is_the_engines(name: str, tmp_path: Path) -> None:
    kind, params, run, peak, arguments = CASES[name]
    (tmp_path / "ds_config.json").write_text(config(kind, {**params, "warmup_type": "linear"}))
    answers = {} if run is None else {"train_iters": run}
    schedule = schedule_of(tmp_path / "ds_config.json", **answers)
    total = run or arguments[3]
    assert schedule.train_steps == total
    assert_equal(schedule, lambda update: lr(update, *arguments), int(total or 0), peak)


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "the default warmup": ("WarmupDecayLR", {"total_num_steps": 100}, "which has no word yet"),
    "auto": ("WarmupDecayLR", {"total_num_steps": "auto", "warmup_type": "linear"}, "is filled by the trainer"),
    "a cosine": ("WarmupCosineLR", {"total_num_steps": 100}, "write it by hand as `phases`"),
    "a range test": ("LRRangeTest", {}, "is a range test"),
    "a cycle": ("OneCycle", {"cycle_min_lr": 0}, "in cycles"),
    "an unknown scheduler": ("WarmupDecay", {}, "did you mean 'WarmupDecayLR'?"),
    "an unknown key": ("WarmupLR", {"warmup_steps": 5}, "did you mean 'warmup_num_steps'?"),
    "no end": ("WarmupLR", {"warmup_type": "linear"}, "give it with --train-iters"),
    "no room": ("WarmupDecayLR", {"warmup_type": "linear", "total_num_steps": 10}, "is not above the 1000"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_written_is_refused(name: str, tmp_path: Path) -> None:
    kind, params, expected = REFUSED[name]
    (tmp_path / "ds_config.json").write_text(config(kind, params))
    with pytest.raises(ConfigError) as error:
        imported(tmp_path / "ds_config.json")
    assert expected in str(error.value)
