"""GPT-NeoX's YAML. The formula is that of ``AnnealingLR`` in megatron/learning_rates.py at ea7aefd."""

import os
import sys
from math import cos, exp, pi
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from schedframe import ConfigError

from .imports import SMALL, imported, schedule_of

SOURCES = os.environ.get("SCHEDFRAME_SOURCES")
"""A folder with a checkout of gpt-neox, as for ``comparison/compare.py``."""

PUBLISHED: dict[str, dict[str, Any]] = {
    "pythia/70M": {"lr": 0.001, "min_lr": 0.0001, "iters": 143000},
    "pythia/1B": {"lr": 0.00025, "min_lr": 0.000025, "iters": 143000},
    "pythia/12B": {"lr": 0.00012, "min_lr": 0.000012, "iters": 143000},
    "20B": {"lr": 0.97e-4, "min_lr": 0.97e-5, "iters": 150000, "weight_decay": 0.01},
    "125M": {"lr": 0.0006, "min_lr": 0.00006, "iters": 320000},
    "llemma/7B": {"lr": 1e-4, "min_lr": 0.0, "iters": 48000},
}
"""The numbers of EleutherAI/gpt-neox:configs/NAME.yml at ea7aefd, all with a cosine and a warmup of 1 %."""

OWN: dict[str, dict[str, Any]] = {
    "a line that is cut": {"lr": 0.01, "min_lr": 0.001, "iters": 300, "style": "linear", "warmup": 0.1},
    "half of an exponential": {"lr": 0.01, "min_lr": 0.006, "iters": 300, "style": "exponential", "warmup": 0.1},
    "an exponential that is not cut": {"lr": 0.01, "min_lr": 0.0, "iters": 300, "style": "exponential"},
    "constant": {"lr": 0.01, "min_lr": 0.0, "iters": 300, "style": "constant"},
    "a line that ends before the run": {"lr": 0.01, "min_lr": 0.001, "iters": 200, "run": 300, "style": "linear"},
    "an exponential that ends before the run": {
        "lr": 0.01,
        "min_lr": 0.0,
        "iters": 200,
        "run": 300,
        "style": "exponential",
    },
    "a warmup of no whole number": {"lr": 0.01, "min_lr": 0.001, "iters": 150, "warmup": 0.05},
    "no warmup": {"lr": 0.01, "min_lr": 0.001, "iters": 150, "warmup": 0},
}


def text(numbers: dict[str, Any], dash: str = "_") -> str:
    """Return a config with `numbers`, in the mixture of JSON and comments that GPT-NeoX's have."""
    values = {"style": "cosine", "warmup": 0.01, "weight_decay": 0.1, **numbers}
    values.setdefault("run", values["iters"])
    lines = """\
# GPT-2 pretraining setup
{{
  "pipe_parallel_size": 1,
  "optimizer": {{
    "type": "Adam",
    "params": {{"lr": {lr}, "betas": [0.9, 0.95], "eps": 1.0e-8}}
  }},
  "min_lr": {min_lr},
  "train_micro_batch_size_per_gpu": 32,
  "weight_decay": {weight_decay},
  # misc. training settings
  "train_iters": {run},
  "lr_decay_iters": {iters},
  "lr_decay_style": "{style}",
  "warmup": {warmup},
}}
""".format(**values)
    return lines.replace("_iters", f"{dash}iters").replace("decay_style", f"decay{dash}style")


def lr(n: int, max_lr: float, min_lr: float, end: int, share: float, style: str) -> float:
    warmup = share * end
    if warmup > 0 and n <= warmup:
        return max_lr * max(1, n) / warmup
    p = (n - warmup) / (end - warmup)
    curve = {
        "linear": max_lr * (1 - p),
        "cosine": min_lr + (max_lr - min_lr) * (1 + cos(pi * p)) / 2,
        "exponential": max_lr * exp(-0.693 * p),
        "constant": max_lr,
    }[style]
    return max(curve, min_lr)


def positions(run: int) -> list[int]:
    return sorted({*range(0, run, max(1, run // 2000)), *range(min(run, 50)), *range(1400, min(run, 1600)), run - 1})


@pytest.mark.parametrize("name", [*PUBLISHED, *OWN])
@pytest.mark.parametrize("dash", ["_", "-"])
def test_a_config_has_the_learning_rates_of_its_framework(name: str, dash: str, tmp_path: Path) -> None:
    numbers = {**PUBLISHED, **OWN}[name]
    path = tmp_path / "config.yml"
    path.write_text(text(numbers, dash))
    schedule = schedule_of(path)
    share, style = numbers.get("warmup", 0.01), numbers.get("style", "cosine")
    for n in positions(numbers.get("run", numbers["iters"])):
        theirs = lr(n, numbers["lr"], numbers["min_lr"], numbers["iters"], share, style)
        assert abs(schedule.lr_at(n) - theirs) <= SMALL * numbers["lr"], n
    assert schedule.start_wd == numbers.get("weight_decay", 0.1)


@pytest.mark.skipif(SOURCES is None, reason="needs a checkout of gpt-neox; SCHEDFRAME_SOURCES names its folder")
@pytest.mark.parametrize("name", [*PUBLISHED, *OWN])
def test_a_config_has_the_learning_rates_of_the_code(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    megatron = ModuleType("megatron")
    megatron.__dict__["print_rank_0"] = lambda *_: None
    monkeypatch.setitem(sys.modules, "megatron", megatron)
    code: dict[str, Any] = {}
    exec(Path(str(SOURCES), "gpt-neox", "megatron", "learning_rates.py").read_text(), code)
    numbers = {**PUBLISHED, **OWN}[name]
    path = tmp_path / "config.yml"
    path.write_text(text(numbers))
    schedule, end = schedule_of(path), numbers["iters"]
    optimizer = type("Optimizer", (), {"param_groups": [{}]})()
    annealing = code["AnnealingLR"](
        optimizer,
        numbers["lr"],
        numbers.get("warmup", 0.01) * end,
        end,
        numbers.get("style", "cosine"),
        0,
        numbers["min_lr"],
    )
    for n in positions(numbers.get("run", end)):
        annealing.step(n)
        assert abs(schedule.lr_at(n) - optimizer.param_groups[0]["lr"]) <= SMALL * numbers["lr"], n


def test_what_is_missing_is_its_default_and_noted(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("optimizer: {params: {}}\nlr-decay-style: cosine\ntrain-iters: 1000\n")
    found = imported(path)
    assert {
        "max_lr": 0.001,
        "min_lr": 0.0,
        "start_wd": 0.1,
        "lr_warmup_steps": "10 iters",
    }.items() <= found.keys.items()
    assert len([sentence for sentence in found.assumed if "by default" in sentence]) == 4


def test_a_fraction_of_the_run_is_the_decay(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text(
        "optimizer: {params: {lr: 1e-3}}\nlr_decay_style: linear\nlr_decay_fraction: 0.5\ntrain_iters: 1001\n"
    )
    assert imported(path).keys["lr_decay_steps"] == "500 iters"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("lr_decay_style: cosin", "line 3.*is no style of GPT-NeoX; did you mean 'cosine'"),
        ("lr_decay_style: cosine\nlr_decay_iters: 500", "rises again after the 500 iterations of its decay"),
        ("lr_decay_style: linear\nwarmup: 1.5", "line 4.*must lie between 0 and 1"),
        ("lr_decay_style: linear\nwarmup: 100 steps", "line 4.*must be a finite number"),
        ("lr_decay_style: linear\nuse_mup: true", "line 4.*divides the learning rate of some parameters"),
        ("lr_decay_style: linear\nlr_decay_iters: 0", "line 4.*leaves no decay"),
        ("lr_decay_style: linear\nmin-lr: [1]", "line 4.*must be a finite number"),
        ("lr_decay_style: {cosine: 1}", "line 3.*must be a string"),
    ],
)
def test_what_cannot_be_written_is_refused_with_its_line(line: str, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text(f"optimizer: {{params: {{lr: 1e-3}}}}\ntrain_iters: 1000\n{line}\n")
    with pytest.raises(ConfigError, match=fault):
        imported(path)


def test_the_length_of_the_run_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("optimizer: {params: {lr: 1e-3}}\nlr_decay_style: linear\ntrain_epochs: 2\n")
    with pytest.raises(ConfigError, match="has no train_iters; give it with --train-iters"):
        imported(path)
    assert imported(path, train_iters=100).keys["train_iters"] == 100


def test_the_scheduler_of_deepspeed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("optimizer: {type: OneBitAdam, params: {lr: 1e-3}}\ntrain_iters: 10\nlr_decay_style: linear\n")
    with pytest.raises(ConfigError, match="has DeepSpeed's scheduler"):
        imported(path)
