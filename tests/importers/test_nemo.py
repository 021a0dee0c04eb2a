"""NeMo's and Megatron-Bridge's YAML: the formulas are those of nemo/core/optim/lr_scheduler.py at 8cfedd7."""

import warnings
from collections.abc import Callable
from math import cos, pi
from pathlib import Path
from typing import Any

import pytest

from schedframe import ConfigError

from .imports import assert_equal, imported, schedule_of, some_updates

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


def named(name: str, run: int, rate: float, **sched: object) -> str:
    return text(run, str(rate), **sched).replace("CosineAnnealing", name)


def rise(step: int, warmup: int, peak: float) -> float:
    return peak * (step + 1) / (warmup + 1)


def after(warmup: int, hold: int, peak: float, curve: Callable[[int], float]) -> Callable[[int], float]:
    """Return NeMo's warmup, a hold, and a curve of the step."""

    def rate(step: int) -> float:
        if warmup and step <= warmup:
            return rise(step, warmup, peak)
        return peak if step < warmup + hold else curve(step)

    return rate


def noam(step: int, peak: float, width: int, warmup: int, low: float) -> float:
    step = max(1, step)
    rate = peak * width**-0.5 * (min(step**-0.5, step * warmup**-1.5) if warmup else step**-0.5)
    return max(rate, low) if step > warmup else rate


POLYNOMIAL = "PolynomialHoldDecayAnnealing"
MINUS_SQRT = "WarmupHoldAnnealOneMinusSquareRoot"
NAMED: dict[str, tuple[str, dict[str, Any], int, float, Callable[[int], float]]] = {
    "a warmup": ("WarmupPolicy", {"warmup_steps": 10}, 100, 1e-3, after(10, 0, 1e-3, lambda step: 1e-3)),
    "a warmup and a hold": (
        "WarmupHoldPolicy",
        {"warmup_ratio": 0.1, "hold_ratio": 0.2, "min_lr": 1e-5},
        100,
        1e-3,
        after(10, 20, 1e-3, lambda step: 1e-3),
    ),
    "a square": (
        "SquareAnnealing",
        {"warmup_steps": 10, "min_lr": 1e-4},
        100,
        1e-3,
        after(10, 0, 1e-3, lambda step: max(1e-4, 1e-3 * ((100 - step) / 90) ** 2)),
    ),
    "a square with its own min LR": (
        "SquareAnnealing",
        {"max_steps": 80},
        100,
        1e-3,
        lambda step: max(1e-5, 1e-3 * (max(80 - step, 0) / 80) ** 2),
    ),
    "a square root": (
        "SquareRootAnnealing",
        {"warmup_steps": 10, "min_lr": 3e-4},
        100,
        1e-3,
        after(10, 0, 1e-3, lambda step: max(3e-4, 1e-3 * ((100 - step) / 100) ** 0.5)),
    ),
    "Noam": (
        "NoamAnnealing",
        {"warmup_steps": 20, "d_model": 512, "min_lr": 5e-3},
        200,
        2.0,
        lambda step: noam(step, 2.0, 512, 20, 5e-3),
    ),
    "Noam without a warmup": (
        "NoamAnnealing",
        {"d_model": 64},
        100,
        1.0,
        lambda step: noam(step, 1.0, 64, 0, 0.0),
    ),
    "Noam with a hold": (
        "NoamHoldAnnealing",
        {"warmup_steps": 10, "hold_steps": 30, "decay_rate": 1.0, "min_lr": 1e-4},
        200,
        1e-3,
        after(10, 30, 1e-3, lambda step: max(1e-4, 1e-3 * 10 / (step - 30))),
    ),
    "one minus a square root": (
        MINUS_SQRT,
        {"warmup_steps": 10, "hold_steps": 40, "min_lr": 1e-4},
        100,
        1e-3,
        after(10, 40, 1e-3, lambda step: max(1e-4, 1e-3 * (1 - ((step - 50) / 50) ** 0.5))),
    ),
    "a hold and a line": (
        "WarmupHoldAnnealLinear",
        {"warmup_steps": 10, "hold_steps": 40, "min_lr": 1e-4},
        100,
        1e-3,
        after(10, 40, 1e-3, lambda step: 1e-3 - 9e-4 * (step - 50) / 50),
    ),
    "a line": (
        "WarmupAnnealing",
        {"warmup_ratio": 0.1, "min_lr": 1e-4, "last_epoch": -1},
        100,
        1e-3,
        after(10, 0, 1e-3, lambda step: 1e-3 - 9e-4 * (step - 10) / 90),
    ),
    "an inverse square root": (
        "InverseSquareRootAnnealing",
        {"warmup_steps": 10, "min_lr": 9e-4},
        100,
        1e-3,
        after(10, 0, 1e-3, lambda step: 1e-3 * (11 / (step + 1)) ** 0.5),
    ),
    "T5": (
        "T5InverseSquareRootAnnealing",
        {"constant_steps": 25},
        100,
        1e-3,
        lambda step: max(step, 25) ** -0.5,
    ),
    "a polynomial": (
        "PolynomialDecayAnnealing",
        {"warmup_steps": 10, "power": 3.0, "min_lr": 1e-4, "cycle": False},
        100,
        1e-3,
        after(10, 0, 1e-3, lambda step: 1e-4 + 9e-4 * (1 - (step - 10) / 90) ** 3),
    ),
    "a polynomial with a hold": (
        POLYNOMIAL,
        {"warmup_ratio": 0.05, "hold_ratio": 0.45, "power": 2.0, "min_lr": 1e-4},
        200,
        1e-3,
        after(10, 90, 1e-3, lambda step: 1e-4 + 9e-4 * (1 - (step - 100) / 100) ** 2),
    ),
}
PUBLISHED: dict[str, tuple[str, dict[str, Any], int, float, Callable[[int], float]]] = {
    "squeezeformer_ctc_bpe": (
        "NoamHoldAnnealing",
        {"warmup_steps": 5000, "hold_steps": 40000, "decay_rate": 1.0, "min_lr": 1e-5},
        120_000,
        1e-3,
        after(5000, 40000, 1e-3, lambda step: max(1e-5, 1e-3 * 5000 / (step - 40000))),
    ),
    "conformer_ctc_bpe": (
        "NoamAnnealing",
        {"warmup_steps": 10_000, "d_model": 512, "min_lr": 1e-6},
        150_000,
        2.0,
        lambda step: noam(step, 2.0, 512, 10_000, 1e-6),
    ),
    "fast-conformer_aed": (
        "InverseSquareRootAnnealing",
        {"warmup_steps": 2500, "min_lr": 1e-6},
        100_000,
        3e-4,
        after(2500, 0, 3e-4, lambda step: 3e-4 * (2501 / (step + 1)) ** 0.5),
    ),
    "bert_pretraining_from_preprocessed": (
        "SquareRootAnnealing",
        {"warmup_ratio": 0.01, "min_lr": 0.0, "last_epoch": -1},
        2_285_714,
        0.4375e-4,
        after(22_857, 0, 0.4375e-4, lambda step: 0.4375e-4 * ((2_285_714 - step) / 2_285_714) ** 0.5),
    ),
    "megatron_t5": (
        "WarmupAnnealing",
        {"warmup_ratio": 0.01, "min_lr": 1e-5, "last_epoch": -1},
        100_000,
        1e-4,
        after(1000, 0, 1e-4, lambda step: 1e-4 - 9e-5 * (step - 1000) / 99_000),
    ),
    "marblenet_3x2x64": (
        POLYNOMIAL,
        {"power": 2.0, "warmup_ratio": 0.05, "hold_ratio": 0.45, "min_lr": 0.001, "last_epoch": -1},
        30_000,
        0.01,
        after(1500, 13_500, 0.01, lambda step: 1e-3 + 9e-3 * (1 - (step - 15_000) / 15_000) ** 2),
    ),
    "fast-conformer_ctc_bpe": (
        "CosineAnnealing",
        {"warmup_steps": 15_000, "min_lr": 1e-4},
        100_000,
        1e-3,
        lambda step: lr(step, 1e-3, 15_000, 0, 100_000, 1e-4),
    ),
}
"""Of NVIDIA/NeMo:examples at 8cfedd7; where the run has no fixed length there, with one."""


@pytest.mark.parametrize("name", [*NAMED, *PUBLISHED])
def test_every_scheduler_is_nemos(name: str, tmp_path: Path) -> None:
    kind, sched, run, peak, rate = {**NAMED, **PUBLISHED}[name]
    (tmp_path / "asr.yaml").write_text(named(kind, run, peak, **sched))
    schedule = schedule_of(tmp_path / "asr.yaml")
    assert schedule.train_steps == run
    for update in some_updates(run, *landmarks(sched, run)):
        assert abs(schedule.lr_at(update) - rate(update)) <= 1e-13 * schedule.max_lr, update


def landmarks(sched: dict[str, Any], run: int) -> list[int]:
    """Return where the warmup ends, and the hold."""
    warmup, hold = (
        int(sched.get(f"{part}_steps", int(sched.get(f"{part}_ratio", 0) * run))) for part in ("warmup", "hold")
    )
    return [warmup, warmup + hold]


REFUSED = {
    "another scheduler": (named("NoamAnnealings", 9, 1e-4), "line 13, model.optim.sched"),
    "a metric": (named("ReduceLROnPlateau", 9, 1e-4), "follows a metric"),
    "torch's": (named("ExponentialLR", 9, 1e-4), "is stepped once in an epoch"),
    "Noam without a width": (
        named("NoamAnnealing", 9, 1e-4, d_model="${model.encoder.d_model}"),
        "line 14, model.optim.sched.d_model",
    ),
    "Noam without any width": (named("NoamAnnealing", 9, 1e-4), "give it with --set model.optim.sched.d_model=VALUE"),
    "no hold": (named(MINUS_SQRT, 9, 1e-4, warmup_steps=3), "needs hold_steps or hold_ratio"),
    "no learning rate": (
        named("NoamAnnealing", 9, 1e-4).replace("    lr: 0.0001\n", ""),
        "line 7, model.optim: has no lr",
    ),
    "a long hold": (named(POLYNOMIAL, 9, 1e-4, warmup_steps=3, hold_steps=6), "leaves no decay"),
    "a jump at the end": (named("WarmupPolicy", 9, 1e-4, max_steps=5), "jumps to min_lr there"),
    "T5 without its length": (named("T5InverseSquareRootAnnealing", 9, 1e-4), "must be given"),
    "a run that goes on": (text(9, "1e-4", last_epoch=5), "of a run that goes on"),
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
        imported(tmp_path / "gpt.yaml", "nemo")
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
