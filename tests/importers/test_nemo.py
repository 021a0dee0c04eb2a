"""NeMo's and Megatron-Bridge's YAML: the formulas are those of nemo/core/optim/lr_scheduler.py at 8cfedd7."""

import warnings
from math import cos, pi
from pathlib import Path
from typing import Any

import pytest

from schedframe import ConfigError

from .imports import assert_equal, imported, schedule_of

TEXT = """\
trainer:
  devices: 8
  max_steps: {run}
model:
  micro_batch_size: 4
  global_batch_size: 8
  optim:
    name: distributed_fused_adam
    lr: {rate}
    weight_decay: 0.01
    betas: [0.9, 0.98]
    sched:
      name: CosineAnnealing
{sched}
"""


def text(run: int, rate: str, **sched: object) -> str:
    return TEXT.format(run=run, rate=rate, sched="\n".join(f"      {key}: {value}" for key, value in sched.items()))


def lr(step: int, peak: float, warmup: int, hold: int, end: int, low: float) -> float:
    if hold:
        decay = end - hold - warmup
        if warmup and step <= warmup:
            return peak * step / warmup
        if step > warmup + decay:
            return low
        return low + 0.5 * (cos(pi * (step - warmup) / decay) + 1.0) * (peak - low)
    if warmup and step <= warmup:
        return peak * (step + 1) / (warmup + 1)
    return (peak - low) * 0.5 * (1 + cos(pi * (step - warmup) / (end - warmup))) + low


CASES = {
    "with constant steps": (
        text(1000, "2e-4", warmup_steps=50, constant_steps=100, min_lr="2e-5"),
        1000,
        (2e-4, 50, 100, 1000, 2e-5),
    ),
    "without": (
        text(700, "1e-4", warmup_steps=70, constant_steps=0, min_lr="1e-5"),
        700,
        (1e-4, 70, 0, 700, 1e-5),
    ),
    "by shares": (text(999, "1e-4", warmup_ratio=0.1, min_lr=0.0), 999, (1e-4, 99, 0, 999, 0.0)),
    "no warmup": (text(300, "9e-5", min_lr="9e-6"), 300, (9e-5, 0, 0, 300, 9e-6)),
    "a share that stays": (
        text(500, "3e-4", warmup_steps=20, constant_ratio=0.25, min_lr="3e-5"),
        500,
        (3e-4, 20, 125, 500, 3e-5),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_update_is_nemos(name: str, tmp_path: Path) -> None:
    config, run, arguments = CASES[name]
    (tmp_path / "gpt.yaml").write_text(config)
    schedule = schedule_of(tmp_path / "gpt.yaml")
    assert schedule.train_steps == run
    assert_equal(schedule, lambda step: lr(step, *arguments), run, arguments[0])


REFUSED = {
    "another scheduler": (text(9, "1e-4").replace("CosineAnnealing", "NoamAnnealing"), "line 13, model.optim.sched"),
    "an unknown key": (text(9, "1e-4", warm_steps=3), "did you mean 'warmup_steps'?"),
    "both": (text(9, "1e-4", warmup_steps=3, warmup_ratio=0.1), "which NeMo refuses"),
    "no decay": (text(9, "1e-4", warmup_steps=5, constant_steps=4), "leaves no decay"),
    "no end": (text(-1, "1e-4"), "give it with --train-iters"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_written_is_refused(name: str, tmp_path: Path) -> None:
    config, expected = REFUSED[name]
    (tmp_path / "gpt.yaml").write_text(config)
    with pytest.raises(ConfigError) as error:
        imported(tmp_path / "gpt.yaml")
    assert expected in str(error.value)


BRIDGE = """\
_target_: megatron.bridge.training.config.ConfigContainer
model:
  seq_length: 4096
optimizer:
  _target_: megatron.core.optimizer.OptimizerConfig
  lr: {lr}
  min_lr: {min_lr}
  weight_decay: 0.1
scheduler:
  _target_: megatron.bridge.training.config.SchedulerConfig
{scheduler}
train:
  train_iters: {run}
  global_batch_size: 16
  micro_batch_size: 1
"""


def bridge(lr: str, min_lr: str, run: int, **scheduler: object) -> str:
    rows = "\n".join(f"  {key}: {value}" for key, value in scheduler.items())
    return BRIDGE.format(lr=lr, min_lr=min_lr, run=run, scheduler=rows)


WD: dict[str, Any] = {"start_wd": 0.1, "end_wd": 0.1, "wd_incr_style": "constant"}
BRIDGES: dict[str, tuple[str, int, dict[str, Any]]] = {
    "a cosine": (
        bridge("3e-4", "3e-5", 500, lr_decay_style="cosine", lr_warmup_iters=50, lr_decay_iters=500),
        500,
        {"max_lr": 3e-4, "min_lr": 3e-5, "lr_warmup_steps": 800, "lr_decay_steps": 8000, "lr_decay_style": "cosine"},
    ),
    "a line by default": (
        bridge("1e-4", "0.0", 300, lr_warmup_iters=0),
        300,
        {"max_lr": 1e-4, "min_lr": 0.0, "lr_warmup_steps": 0, "lr_decay_steps": 4800, "lr_decay_style": "linear"},
    ),
    "a fraction": (
        bridge("1e-4", "1e-6", 400, lr_decay_style="cosine", lr_warmup_fraction=0.05, lr_decay_iters=200),
        400,
        {"max_lr": 1e-4, "min_lr": 1e-6, "lr_warmup_steps": 160.0, "lr_decay_steps": 3200, "lr_decay_style": "cosine"},
    ),
    "WSD": (
        bridge(
            "2e-3",
            "0.0",
            600,
            lr_decay_style="WSD",
            lr_warmup_iters=60,
            lr_wsd_decay_iters=120,
            lr_wsd_decay_style="minus_sqrt",
        ),
        600,
        {
            "max_lr": 2e-3,
            "min_lr": 0.0,
            "lr_warmup_steps": 960,
            "lr_decay_steps": 9600,
            "lr_decay_style": "WSD",
            "wsd_decay_steps": 1920,
            "lr_wsd_decay_style": "minus_sqrt",
        },
    ),
    "what it computes itself is not read": (
        bridge("3e-4", "3e-5", 100, lr_decay_style="constant", lr_warmup_iters=10, lr_decay_steps=7),
        100,
        {"max_lr": 3e-4, "min_lr": 3e-5, "lr_warmup_steps": 160, "lr_decay_steps": 1600, "lr_decay_style": "constant"},
    ),
}


@pytest.mark.parametrize("name", BRIDGES)
def test_every_update_is_megatrons(name: str, tmp_path: Path) -> None:
    module = pytest.importorskip("megatron.core.optimizer_param_scheduler")
    config, run, arguments = BRIDGES[name]
    (tmp_path / "conf.yaml").write_text(config)
    assert imported(tmp_path / "conf.yaml").importer == "megatron-bridge"
    schedule = schedule_of(tmp_path / "conf.yaml")

    class Optimizer:
        param_groups: list[dict[str, Any]] = [{"params": []}]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = module.OptimizerParamScheduler(Optimizer(), init_lr=0.0, wd_incr_steps=run * 16, **WD, **arguments)
    for _ in range(run + 1):
        step = theirs.num_steps
        assert schedule.lr_at(step) == theirs.optimizer.param_groups[0]["lr"], step
        assert schedule.wd_at(step) == 0.1
        theirs.step(increment=16)


def test_a_bridge_without_a_min_lr_is_refused(tmp_path: Path) -> None:
    (tmp_path / "conf.yaml").write_text(bridge("3e-4", "null", 100, lr_decay_style="cosine"))
    with pytest.raises(ConfigError, match=r"give it with --set optimizer\.min_lr=VALUE"):
        imported(tmp_path / "conf.yaml")
    (tmp_path / "conf.yaml").write_text(bridge("3e-4", "1e-5", 100, lr_decay_tokens=5))
    with pytest.raises(ConfigError, match=r"line 11, scheduler\.lr_decay_tokens"):
        imported(tmp_path / "conf.yaml")
