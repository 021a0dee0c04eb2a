"""DeepSpeed's JSON. The formulas are those of deepspeed/runtime/lr_schedules.py at v0.19.8.

The engine steps them after each update, and they begin at index -1: update n has index n - 1.
"""

import json
from math import cos, floor, log, pi
from pathlib import Path
from typing import Any

import pytest

from schedframe import ConfigError, Schedule

from .imports import assert_equal, imported, schedule_of, some_updates


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


def rate(update: int, kind: str, params: dict[str, Any], peak: float) -> float:
    """Return the learning rate of an update, from 0, of a scheduler on an optimizer with the rate `peak`."""
    if kind == "LRRangeTest":
        stretches = update / params["lr_range_test_step_size"]
        whole = floor(stretches) if params.get("lr_range_test_staircase") else stretches
        return float(params["lr_range_test_min_lr"] * (1 + params.get("lr_range_test_step_rate", 1.0) * whole))
    if kind == "OneCycle":
        return cycle(update, params)
    index, warmup = update - 1, max(2, params.get("warmup_num_steps", 1000))
    is_log = params.get("warmup_type", "log") == "log"
    rise = log(max(index, 0) + 1) / log(warmup) if is_log else max(index, 0) / warmup
    if kind == "WarmupCosineLR":
        if index < warmup:
            return peak * rise
        least, part = params.get("cos_min_ratio", 0.0001), (update - warmup) / (params["total_num_steps"] - warmup)
        return float(peak * (least + (1 - least) * (1 + cos(pi * part)) / 2))
    low, high = params.get("warmup_min_lr", 0.0), params.get("warmup_max_lr", peak)
    total = params.get("total_num_steps")
    share = rise if index < warmup else 1.0 if total is None else (total - index) / (total - warmup)
    return float(low + (high - low) * share)


def cycle(update: int, params: dict[str, Any]) -> float:
    low, high, first = params["cycle_min_lr"], params["cycle_max_lr"], params["cycle_first_step_size"]
    second = params.get("cycle_second_step_size", first)
    if update <= first:
        return float(low + (high - low) * update / first)
    if update <= first + second:
        return float(low + (high - low) * (first + second - update) / second)
    every = params.get("decay_step_size", 0)
    falls = params.get("decay_lr_rate", 0.0) * (update - first - second) / every if every else 0.0
    return float(low / (1 + falls))


LINEAR = {"warmup_type": "linear"}
CASES: dict[str, tuple[str, dict[str, Any], int]] = {
    "a line to the end": (
        "WarmupDecayLR",
        {"total_num_steps": 500, "warmup_min_lr": 0, "warmup_max_lr": 2e-5, "warmup_num_steps": 50, **LINEAR},
        500,
    ),
    "from a rate above 0": (
        "WarmupDecayLR",
        {"total_num_steps": 1000, "warmup_min_lr": 1e-6, "warmup_max_lr": 1e-4, "warmup_num_steps": 100, **LINEAR},
        1000,
    ),
    "the default max LR": ("WarmupDecayLR", {"total_num_steps": 300, "warmup_num_steps": 30, **LINEAR}, 300),
    "a warmup that stays": (
        "WarmupLR",
        {"warmup_min_lr": 0, "warmup_max_lr": 3e-5, "warmup_num_steps": 20, **LINEAR},
        200,
    ),
    "the optimizer's rate": ("WarmupLR", {"warmup_num_steps": 10, **LINEAR}, 60),
    "a warmup of 1 is 2": ("WarmupLR", {"warmup_num_steps": 1, "warmup_max_lr": 1e-3, **LINEAR}, 40),
    "the warmup by logarithm": (
        "WarmupDecayLR",
        {"total_num_steps": 300, "warmup_min_lr": 1e-6, "warmup_max_lr": 1e-4, "warmup_num_steps": 30},
        300,
    ),
    "two steps by logarithm": ("WarmupLR", {"warmup_num_steps": 2, "warmup_max_lr": 1e-3}, 40),
    "a cosine": ("WarmupCosineLR", {"total_num_steps": 250, "warmup_num_steps": 25}, 250),
    "a cosine with a line": (
        "WarmupCosineLR",
        {"total_num_steps": 250, "warmup_num_steps": 25, "cos_min_ratio": 0.1, **LINEAR},
        250,
    ),
    "one cycle": (
        "OneCycle",
        {"cycle_min_lr": 1e-4, "cycle_max_lr": 1e-3, "cycle_first_step_size": 40, "cycle_second_step_size": 60},
        150,
    ),
    "one cycle, shorter than itself": (
        "OneCycle",
        {"cycle_min_lr": 0.0, "cycle_max_lr": 1e-3, "cycle_first_step_size": 40},
        70,
    ),
    "one cycle with its decay": (
        "OneCycle",
        {
            "cycle_min_lr": 1e-4,
            "cycle_max_lr": 1e-3,
            "cycle_first_step_size": 40,
            "decay_step_size": 10,
            "decay_lr_rate": 0.3,
            "cycle_momentum": False,
        },
        200,
    ),
    "a range test": ("LRRangeTest", {"lr_range_test_min_lr": 1e-4, "lr_range_test_step_size": 20}, 130),
    "a range test in stairs": (
        "LRRangeTest",
        {
            "lr_range_test_min_lr": 1e-4,
            "lr_range_test_step_size": 20,
            "lr_range_test_step_rate": 2.5,
            "lr_range_test_staircase": True,
        },
        130,
    ),
}
PUBLISHED: dict[str, tuple[str, dict[str, Any], float, int]] = {
    "Supreeth04/ResNet50-ImageNet-1k:deepspeed_train.py": (
        "WarmupLR",
        {"warmup_min_lr": 0, "warmup_max_lr": 0.001, "warmup_num_steps": 1000},
        0.001,
        93_750,
    ),
    "IDEA-Research/hana:config/deepspeed.py": (
        "WarmupLR",
        {"last_batch_iteration": -1, "warmup_min_lr": 0, "warmup_max_lr": 1e-4, "warmup_num_steps": 10_000},
        1e-4,
        300_000,
    ),
    "a guide of lightning_habana": (
        "WarmupDecayLR",
        {
            "warmup_min_lr": 0.02,
            "warmup_max_lr": 0.05,
            "warmup_num_steps": 4,
            "total_num_steps": 8,
            "warmup_type": "linear",
        },
        0.05,
        8,
    ),
    "the range test of DeepSpeed's tutorial": (
        "LRRangeTest",
        {
            "lr_range_test_min_lr": 0.0001,
            "lr_range_test_step_size": 200,
            "lr_range_test_step_rate": 5,
            "lr_range_test_staircase": False,
        },
        0.001,
        1000,
    ),
    "a fine-tuning with ZeRO 3 and offloading": (
        "WarmupDecayLR",
        {"warmup_min_lr": 0, "warmup_max_lr": 1e-4, "warmup_num_steps": 1000, "total_num_steps": 100_000},
        1e-4,
        100_000,
    ),
    "a model in the style of GPT-3": (
        "WarmupDecayLR",
        {"total_num_steps": 300_000, "warmup_min_lr": 0, "warmup_max_lr": 6e-5, "warmup_num_steps": 2000},
        6e-5,
        300_000,
    ),
}
"""Schedulers of published configs, with the learning rate of the optimizer and a length of the run."""


def converted(folder: Path, kind: str, params: dict[str, Any], run: int, lr: float = 1e-3) -> Schedule:
    """Return the schedule of a config, of a run of that length."""
    (folder / "ds_config.json").write_text(config(kind, params, {"lr": lr, "weight_decay": 0.01}))
    answers = {} if "total_num_steps" in params else {"train_iters": run}
    schedule = schedule_of(folder / "ds_config.json", **answers)
    assert schedule.train_steps == run
    return schedule


@pytest.mark.parametrize("name", CASES)
def test_every_update_is_the_engines(name: str, tmp_path: Path) -> None:
    kind, params, run = CASES[name]
    schedule = converted(tmp_path, kind, params, run)
    assert_equal(schedule, lambda update: rate(update, kind, params, 1e-3), run, schedule.max_lr)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_configs(name: str, tmp_path: Path) -> None:
    kind, params, peak, run = PUBLISHED[name]
    schedule = converted(tmp_path, kind, params, run, peak)
    for update in some_updates(run, params.get("warmup_num_steps", 0)):
        assert abs(schedule.lr_at(update) - rate(update, kind, params, peak)) <= 1e-14 * schedule.max_lr


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "an unknown warmup": ("WarmupLR", {"warmup_type": "cubic"}, "must be log or linear"),
    "auto": ("WarmupDecayLR", {"total_num_steps": "auto", "warmup_type": "linear"}, "is filled by the trainer"),
    "a warmup without steps": ("WarmupLR", {"warmup_num_steps": 0}, "must be above 0"),
    "a cosine that begins above 0": (
        "WarmupCosineLR",
        {"total_num_steps": 100, "warmup_num_steps": 10, "warmup_min_ratio": 0.1},
        "other than 0 is not imported",
    ),
    "a range test without steps": ("LRRangeTest", {"lr_range_test_step_size": 0}, "above 0"),
    "stairs": (
        "OneCycle",
        {"cycle_min_lr": 1e-4, "cycle_max_lr": 1e-3, "cycle_first_stair_count": 500},
        "makes stairs",
    ),
    "a cycle without its top": ("OneCycle", {"cycle_min_lr": 0}, "needs cycle_min_lr and cycle_max_lr"),
    "a run that goes on": ("WarmupLR", {"last_batch_iteration": 7}, "of a run that goes on"),
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
