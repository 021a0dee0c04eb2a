"""Levanter's YAML, against its own code where it is, and a formula of ``OptimizerConfig.lr_scheduler`` at 9263f81."""

from math import cos, pi, sqrt
from pathlib import Path
from typing import Any

import pytest

from schedframe import ConfigError

from .imports import SMALL, imported, schedule_of

PUBLISHED = {
    "gpt2_small": ("learning_rate: 6E-4, weight_decay: 0.1, min_lr_ratio: 0.1", 400_000),
    "gpt2_nano": ("learning_rate: 6E-4", 100),
    "gemma_2b": ("learning_rate: 1.2E-5", 100_000),
    "llama2_7b_continued": ("learning_rate: 1.2e-4, weight_decay: 0.0", 10_000),
    "backpack_nano": ("learning_rate: 6E-4, weight_decay: 0.1", 100),
    "llama2_7b": (
        "learning_rate: 1E-3, weight_decay: 0.05, warmup: 1000, decay: 0.1, lr_schedule: inv, min_lr_ratio: 0.1",
        10_000,
    ),
}
"""The numbers of marin-community/levanter:config/NAME.yaml at 9263f81."""

OWN = {
    "a line": ("learning_rate: 0.1, lr_schedule: linear, warmup: 0.1", 200),
    "a warmup of 1, which is all of the run": ("learning_rate: 0.1, lr_schedule: linear, warmup: 1", 200),
    "a decay of a part": ("learning_rate: 0.1, warmup: 10, decay: 0.25, min_lr_ratio: 0.05", 200),
    "constant": ("learning_rate: 0.1, lr_schedule: constant, warmup: 10", 200),
    "constant, and a cooldown": ("learning_rate: 0.1, lr_schedule: constant, warmup: 10, cooldown: 0.2", 200),
    "a cosine, and a cooldown": ("learning_rate: 0.1, warmup: 10, cooldown: 20", 200),
    "an inverse square root": ("learning_rate: 0.1, warmup: 10, lr_schedule: {type: inv_sqrt, timescale: 40}", 200),
    "one that never falls": ("learning_rate: 0.1, warmup: 10, lr_schedule: inv_sqrt", 200),
    "three cycles": ("learning_rate: 0.1, warmup: 10, cycles: 3", 200),
    "cycles with a rewarmup": ("learning_rate: 0.1, warmup: 10, cycles: [60, 150], rewarmup: 0.1, decay: 0.5", 200),
    "cycles of a length": ("learning_rate: 0.1, lr_schedule: linear, warmup: 0, cycle_length: [50, 150]", 200),
    "a cycle of a part": ("learning_rate: 0.1, lr_schedule: linear, warmup: 0, cycle_length: 0.25", 200),
    "a cosine to a power": ("learning_rate: 0.1, warmup: 10, lr_schedule: {type: cosine, exponent: 2.0}", 200),
}


def config(optimizer: str, run: int, data: str = "{id: a}") -> str:
    return (
        f"data: {data}\nmodel:\n  type: gpt2\ntrainer:\n  num_train_steps: {run}\n  train_batch_size: 8\noptimizer:\n"
        + ("\n".join(f"  {line.strip()}" for line in _split(optimizer)) + "\n")
    )


def _split(optimizer: str) -> list[str]:
    """Return the keys of a table in the flow style, each on its line."""
    lines, depth = [""], 0
    for each in optimizer:
        depth += (each in "{[") - (each in "}]")
        if each == "," and not depth:
            lines.append("")
        else:
            lines[-1] += each
    return lines


def positions(run: int) -> list[int]:
    return sorted({*range(min(run, 250)), *range(0, run, max(1, run // 1000)), *range(max(0, run - 50), run)})


@pytest.mark.parametrize("name", ["gpt2_small", "gpt2_nano", "gemma_2b", "llama2_7b_continued", "backpack_nano"])
def test_a_published_cosine_has_its_learning_rates(name: str, tmp_path: Path) -> None:
    optimizer, run = PUBLISHED[name]
    path = tmp_path / "config.yaml"
    path.write_text(config(optimizer, run, "!include data/pile.yaml"))
    schedule = schedule_of(path)
    peak, warmup = schedule.max_lr, int(0.01 * run)
    for n in positions(run):
        p = (n - warmup) / (run - warmup)
        theirs = peak * (n / warmup if n < warmup else 0.1 + 0.9 * (1 + cos(pi * p)) / 2)
        assert abs(schedule.lr_at(n) - theirs) <= SMALL * peak, n


def test_inv_has_its_learning_rates(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(config(*PUBLISHED["llama2_7b"]))
    schedule = schedule_of(path)
    for n in positions(10_000):
        count = max(n - 9000, 1)
        theirs = 1e-3 * (n / 1000 if n < 1000 else 1 if n < 9000 else max(1 / (9 * count / 1000 + 1), 0.1))
        assert abs(schedule.lr_at(n) - theirs) <= SMALL * 1e-3, n


def test_an_inverse_square_root_has_its_learning_rates(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(config(*OWN["an inverse square root"]))
    schedule = schedule_of(path)
    for n in range(200):
        theirs = 0.1 * (n / 10 if n < 10 else max(min(1.0, sqrt(40 / n)), 0.1))
        assert abs(schedule.lr_at(n) - theirs) <= SMALL * 0.1, n


def test_a_cooldown_ends_at_the_min_lr(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(config(*OWN["constant, and a cooldown"]))
    schedule = schedule_of(path)
    for n in range(200):
        theirs = 0.1 * (n / 10 if n < 10 else 1 - 0.9 * max(n - 160, 0) / 40)
        assert abs(schedule.lr_at(n) - theirs) <= SMALL * 0.1, n


@pytest.mark.filterwarnings("ignore:cooldown is deprecated", "ignore:Cycle length does not divide")
@pytest.mark.parametrize("name", [*PUBLISHED, *OWN])
def test_a_config_has_the_learning_rates_of_the_code(name: str, tmp_path: Path) -> None:
    levanter = pytest.importorskip("levanter.optim.config", reason="needs the code of Levanter")
    optimizer, run = {**PUBLISHED, **OWN}[name]
    path = tmp_path / "config.yaml"
    path.write_text(config(optimizer, run))
    found, schedule = imported(path), schedule_of(path)
    theirs = levanter.AdamConfig(**_options(found.source.get("optimizer"), levanter)).lr_scheduler(run)
    for n in positions(run):
        assert abs(schedule.lr_at(n) - float(theirs(n))) <= SMALL * schedule.max_lr, n


def _options(optimizer: dict[str, Any], levanter: Any) -> dict[str, Any]:
    """Return the fields of Levanter's class, as its parser of configs makes them."""
    options = {
        key: float(value) if isinstance(value, str) and value[0].isdigit() else value
        for key, value in optimizer.items()
    }
    if isinstance(style := options.get("lr_schedule"), dict):
        made = {"inv_sqrt": levanter.InvSqrtLrSchedule, "cosine": levanter.CosineLrSchedule}[style["type"]]
        options["lr_schedule"] = made(**{key: value for key, value in style.items() if key != "type"})
    return options


@pytest.mark.parametrize(
    ("optimizer", "fault"),
    [
        ("learning_rate: 0.1, lr_schedule: cosin", "line 9.*is no schedule of Levanter; did you mean 'cosine'"),
        ("learning_rate: 0.1, lr_schedule: {type: power}", "depends on the tokens of a batch"),
        ("learning_rate: 0.1, warmup: 1.5", "line 9.*must be a part from 0 to 1, or a whole number"),
        ("learning_rate: 0.1, warmup: 150, decay: 100", "leaves a cycle of 200 iterations too few"),
        ("learning_rate: 0.1, cycles: [150, 50]", "must be cycles one after the other within 200 iterations"),
        ("learning_rate: 0.1, cycles: [50, 300]", "must be cycles one after the other within 200 iterations"),
        ("learning_rate: 0.1, cycles: [a]", "must be a list of whole numbers"),
        ("learning_rate: 0.1, cycles: 2, cycle_length: 50", "is given beside optimizer.cycle_length"),
        ("learning_rate: 0.1, cycle_length: 0.001", "leaves no iteration for a cycle"),
        ("learning_rate: 0.1, lr_schedule: inv, min_lr_ratio: 0", "must lie between 0 and 1 with `inv`"),
        ("learning_rate: 0.1, lr_schedule: inv, cycles: 2", "with cycles or a cooldown is not imported"),
        ("learning_rate: 0.1, lr_schedule: {type: inv_sqrt, timescale: 5}, warmup: 10", "lies within the warmup"),
        (
            "learning_rate: !include rate.yaml",
            "line 8.*has the tag '!include'.*give it with --set optimizer.learning_rate=VALUE",
        ),
        ("learning_rate: fast", "must be a finite number"),
    ],
)
def test_what_cannot_be_written_is_refused_with_its_line(optimizer: str, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(config(optimizer, 200))
    with pytest.raises(ConfigError, match=fault):
        imported(path)


def test_the_default_length_of_the_run_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("model: {type: gpt2}\ntrainer: {train_batch_size: 8}\noptimizer: {learning_rate: 1e-3}\n")
    found = imported(path)
    assert found.keys["train_iters"] == 400_000
    assert any("trainer.num_train_steps is not given, and is 400000 by default" in each for each in found.assumed)
