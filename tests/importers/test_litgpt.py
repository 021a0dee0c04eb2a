"""LitGPT's YAML. The formulas are those of litgpt/pretrain.py (``get_lr``) and litgpt/finetune/full.py at 0.5.13."""

from math import cos, pi
from pathlib import Path
from typing import Any

import pytest

from schedframe import ConfigError

from .imports import SMALL, imported, schedule_of

PRETRAIN: dict[str, dict[str, Any]] = {
    "tinyllama": {"batch": 512, "micro": 4, "tokens": 3e12, "warmup": 2000, "lr": 4e-4, "devices": 8},
    "microllama": {"batch": 48, "micro": 12, "tokens": 3e12, "warmup": 2000, "lr": 4e-4, "devices": 4},
    "tinystories": {
        "batch": 512,
        "micro": 128,
        "tokens": 9.7e9,
        "warmup": 1000,
        "lr": 5e-4,
        "devices": 2,
        "length": 256,
        "min_lr": 0.0,
    },
    "three micro-batches": {"batch": 12, "micro": 4, "tokens": 2e7, "warmup": 10, "lr": 1e-3, "devices": 1},
    "one micro-batch, no warmup": {"batch": 4, "micro": 4, "tokens": 2e6, "warmup": 0, "lr": 1e-3, "devices": 1},
}
"""The numbers of Lightning-AI/litgpt:config_hub/pretrain/ at 2685705 with a number of processes, and two of our own."""

FINETUNE: dict[str, dict[str, Any]] = {
    "gemma-2b/full": {"warmup": 100, "steps": 50, "lr": 2e-4},
    "phi-2/full": {"warmup": 200, "steps": 100, "lr": 2e-4, "wd": 0.1},
    "llama-2-7b/full": {"warmup": 25, "epochs": 780, "lr": 2e-4},
    "tiny-llama/full": {"warmup": 1000, "epochs": 1562, "lr": 2e-4},
    "llama-3.2-1B/full": {"warmup": 25, "epochs": 782, "lr": 2e-4, "wd": 0.1},
    "falcon-7b/lora": {"warmup": 10, "epochs": 3000, "lr": 2e-4},
}
"""Those of config_hub/finetune/; where it has epochs, with how many updates they may have."""


def pretraining(
    batch: int,
    micro: int,
    tokens: float,
    warmup: int,
    lr: float,
    devices: object,
    length: int = 2048,
    min_lr: float = 4e-5,
) -> str:
    return f"""\
model_name: tiny-llama-1.1b
out_dir: out/pretrain
train:
  global_batch_size: {batch}
  micro_batch_size: {micro}
  lr_warmup_steps: {warmup}
  epochs:
  max_tokens: {int(tokens)}
  max_steps:
  max_seq_length: {length}
  min_lr: {min_lr}
optimizer:
  class_path: torch.optim.AdamW
  init_args: {{lr: {lr}, weight_decay: 0.1}}
devices: {devices}
num_nodes: 1
"""


def finetuning(warmup: object, steps: object, lr: float, wd: float = 0.0) -> str:
    return f"""\
checkpoint_dir: checkpoints/google/gemma-2b
out_dir: out/finetune
devices: 4
train:
  global_batch_size: 16
  micro_batch_size: 1
  lr_warmup_steps: {warmup}
  epochs: 1
  max_steps: {steps}
  min_lr: 6.0e-05
optimizer: {{class_path: torch.optim.AdamW, init_args: {{lr: {lr}, weight_decay: {wd}}}}}
"""


def get_lr(lr: float, it: int, warmup: int, most: int, least: float) -> float:
    if it < warmup:
        return lr * it / warmup
    if it > most:
        return least
    return least + 0.5 * (1 + cos(pi * (it - warmup) / (most - warmup))) * (lr - least)


PRETRAIN["a run that is all warmup"] = {**PRETRAIN["three micro-batches"], "warmup": 9_000_000}


@pytest.mark.parametrize("name", PRETRAIN)
def test_an_update_of_pretraining_has_the_learning_rate_of_its_last_micro_batch(name: str, tmp_path: Path) -> None:
    numbers = PRETRAIN[name]
    path = tmp_path / "config.yaml"
    path.write_text(pretraining(**numbers))
    schedule = schedule_of(path)
    accumulated = numbers["batch"] // numbers["devices"] // numbers["micro"]
    most = int(numbers["tokens"]) // numbers["devices"] // (numbers["micro"] * numbers.get("length", 2048))
    run = most // accumulated
    assert schedule.train_iters == run
    for n in sorted({*range(min(run, 2500)), *range(0, run, max(1, run // 1000)), run - 1}):
        read, warmup = (n + 1) * accumulated - 1, numbers["warmup"] * accumulated
        theirs = get_lr(numbers["lr"], read, warmup, most, numbers.get("min_lr", 4e-5))
        assert abs(schedule.lr_at(n) - theirs) <= SMALL * numbers["lr"], n


@pytest.mark.parametrize("name", FINETUNE)
def test_finetuning_has_the_learning_rates_of_its_torch_schedulers(name: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    lrs, numbers = torch.optim.lr_scheduler, FINETUNE[name]
    path, warmup = tmp_path / "config.yaml", numbers["warmup"]
    path.write_text(finetuning(warmup, numbers.get("steps", ""), numbers["lr"], numbers.get("wd", 0.0)))
    run = numbers.get("steps") or numbers["epochs"]
    schedule = schedule_of(path, **({} if "steps" in numbers else {"train_iters": run}))
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=numbers["lr"])
    rise = lrs.LambdaLR(optimizer, lambda step: step / warmup)
    fall = lrs.CosineAnnealingLR(optimizer, T_max=run - warmup or 1)
    theirs = lrs.SequentialLR(optimizer, [rise, fall], milestones=[warmup])
    for n in range(run):
        assert abs(schedule.lr_at(n) - optimizer.param_groups[0]["lr"]) <= 10 * SMALL * numbers["lr"], n
        optimizer.step()
        theirs.step()


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (("devices: 8", "devices: auto"), "line 15.*must be given as a number; give it with --set devices=VALUE"),
        (("max_tokens: 3000000000000", "max_tokens:"), "train.max_tokens.*give it with --set train.max_tokens"),
        (("lr_warmup_steps: 2000", "lr_warmup_steps: 0"), "line 6.*needs a warmup"),
        (("lr_warmup_steps: 2000", "lr_warmup_steps: 100\n  lr_warmup_fraction: 0.1"), "line 7.*is a part of an epoch"),
        (("micro_batch_size: 4", "micro_batch_size: 400"), "line 4.*is less than the micro-batches of 400 samples"),
        (("micro_batch_size: 4", "micro_batch_size: 0"), "line 5.*must be at least 1"),
        (("max_tokens: 3000000000000", "max_tokens: 5"), "line 8.*is less than one update"),
        (("lr: 0.0004", "lr: [1]"), "line 14.*must be a finite number"),
    ],
)
def test_what_cannot_be_written_is_refused_with_its_line(changed: tuple[str, str], fault: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    text = pretraining(**PRETRAIN["tinyllama"])
    assert changed[0] in text
    path.write_text(text.replace(*changed))
    with pytest.raises(ConfigError, match=fault):
        imported(path)


def test_the_length_of_a_sequence_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(pretraining(**PRETRAIN["three micro-batches"]).replace("max_seq_length: 2048", "max_seq_length:"))
    with pytest.raises(ConfigError, match=r"has no train.max_seq_length.*give it with --seq-length"):
        imported(path)
    assert imported(path, seq_length=2048).keys["train_iters"] == 813


def test_finetuning_without_its_length_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(finetuning(10, "", 1e-3))
    with pytest.raises(ConfigError, match=r"has no train.max_steps.*give it with --train-iters"):
        imported(path)
    path.write_text(finetuning(0, 100, 1e-3))
    with pytest.raises(ConfigError, match=r"line 7.*is 0, with which LitGPT's finetuning fails"):
        imported(path)
