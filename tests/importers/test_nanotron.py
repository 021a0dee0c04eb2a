"""nanotron's YAML. The formula is that of ``lr_scheduler_builder`` in src/nanotron/helpers.py at 2411b02."""

from math import cos, pi, sqrt
from pathlib import Path

import pytest

from schedframe import ConfigError

from .imports import assert_equal, imported, schedule_of, some_updates

TEXT = """\
general:
  project: debug
  seed: 42
optimizer:
  clip_grad: 1.0
  learning_rate_scheduler:
    learning_rate: {rate}
    lr_decay_starting_step: {start}
    lr_decay_steps: {steps}
    lr_decay_style: {style}
    lr_warmup_steps: {warmup}
    lr_warmup_style: linear
    min_decay_lr: {low}
  weight_decay: 0.01
tokens:
  batch_accumulation_per_replica: 1
  micro_batch_size: 2
  sequence_length: 256
  train_steps: {run}
"""


def text(**values: object) -> str:
    defaults = {"rate": "3.0e-4", "start": "null", "steps": "null", "style": "cosine", "warmup": 20, "low": "1.0e-5"}
    return TEXT.format(**{**defaults, "run": 200, **values})


def lr(step: int, peak: float, warmup: int, start: int, steps: int, style: str, low: float) -> float:
    if step <= warmup:
        return peak * step / max(warmup, 1)
    if step < start:
        return peak
    if step >= start + steps:
        return low
    p = (step - start) / steps
    curve = {"linear": 1 - p, "cosine": (1 + cos(pi * p)) / 2, "1-sqrt": 1 - sqrt(p)}[style]
    return low + (peak - low) * curve


CASES = {
    "a cosine over the run": (text(), 200, (3e-4, 20, 20, 180, "cosine", 1e-5)),
    "a line": (text(style="linear", low=0, warmup=100, run=1500), 1500, (3e-4, 100, 100, 1400, "linear", 0.0)),
    "WSD": (
        text(style="linear", start=800, steps=200, low=0, run=1000, warmup=50),
        1000,
        (3e-4, 50, 800, 200, "linear", 0.0),
    ),
    "1-sqrt": (
        text(style="1-sqrt", start=400, steps=100, rate=0.002, run=500),
        500,
        (0.002, 20, 400, 100, "1-sqrt", 1e-5),
    ),
    "a decay that ends before the run": (text(start=30, steps=100, run=250), 250, (3e-4, 20, 30, 100, "cosine", 1e-5)),
    "a decay from the warmup on": (text(start=20, steps=180), 200, (3e-4, 20, 20, 180, "cosine", 1e-5)),
}


@pytest.mark.parametrize("name", CASES)
def test_every_update_is_nanotrons(name: str, tmp_path: Path) -> None:
    config, run, arguments = CASES[name]
    (tmp_path / "config.yaml").write_text(config)
    schedule = schedule_of(tmp_path / "config.yaml")
    assert schedule.train_steps == run
    assert_equal(schedule, lambda step: lr(step, *arguments), run, arguments[0])


PUBLISHED = {
    "config_qwen": (text(warmup=2, steps=31_998, run=32_000), 32_000, (3e-4, 2, 2, 31_998, "cosine", 1e-5)),
    "config_tiny_llama": (text(warmup=2, steps=13, run=2000), 2000, (3e-4, 2, 2, 13, "cosine", 1e-5)),
    "config_2.8b_llama": (text(warmup=2, steps=8, run=70_000), 70_000, (3e-4, 2, 2, 8, "cosine", 1e-5)),
    "config_mamba": (text(warmup=10, steps=90, run=100), 100, (3e-4, 10, 10, 90, "cosine", 1e-5)),
    "config_llamoe": (text(warmup=100, steps=1818, run=1918), 1918, (3e-4, 100, 100, 1818, "cosine", 1e-5)),
    "mup_350m_llama_config": (text(rate=0.001, warmup=100, run=440), 440, (1e-3, 100, 100, 340, "cosine", 1e-5)),
}
"""Of huggingface/nanotron:examples at 2411b02."""
COLD = {
    "a cosine without a warmup": (text(warmup=0), 200, (3e-4, 0, 0, 200, "cosine", 1e-5)),
    "a cooldown without a warmup": (
        text(warmup=0, style="1-sqrt", start=150, steps=50),
        200,
        (3e-4, 0, 150, 50, "1-sqrt", 1e-5),
    ),
}
"""A linear warmup of 0 has a learning rate of 0 at the first update."""


@pytest.mark.parametrize("name", [*PUBLISHED, *COLD])
def test_published_configs_and_those_without_a_warmup(name: str, tmp_path: Path) -> None:
    config, run, arguments = {**PUBLISHED, **COLD}[name]
    (tmp_path / "config.yaml").write_text(config)
    schedule = schedule_of(tmp_path / "config.yaml")
    assert schedule.train_steps == run
    for step in some_updates(run, arguments[1], arguments[2], arguments[2] + arguments[3]):
        assert abs(schedule.lr_at(step) - lr(step, *arguments)) <= 1e-14 * arguments[0]


REFUSED = {
    "a start alone": (text(start=30), "line 8, optimizer.learning_rate_scheduler.lr_decay_starting_step = 30"),
    "a start within the warmup": (text(start=5, steps=10), "lies within the warmup of 20 iterations"),
    "an unknown curve": (text(style="quadratic"), "is not one of linear, cosine, 1-sqrt"),
    "no run": (text(run="null"), "give it with --train-iters"),
    "no decay": (text(steps=0), "leaves no decay"),
}
REFUSED |= {"an unknown key": (text().replace("    lr_warmup_style: linear", "    lr_warmup: 3"), "line 12")}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_written_is_refused(name: str, tmp_path: Path) -> None:
    config, expected = REFUSED[name]
    (tmp_path / "config.yaml").write_text(config)
    with pytest.raises(ConfigError) as error:
        imported(tmp_path / "config.yaml")
    assert expected in str(error.value)
