"""llm-foundry's YAML. The formulas are those of composer/optim/scheduler.py at v0.32.1, read one batch late."""

from math import cos, pi
from pathlib import Path

import pytest

from schedframe import ConfigError

from .imports import assert_equal, imported, schedule_of

TEXT = """\
max_seq_len: 2048
global_seed: 17
model:
  name: mpt_causal_lm
scheduler:
  name: {name}
  t_warmup: {warmup}
{more}
optimizer:
  name: decoupled_adamw
  lr: {rate}
  weight_decay: 0.0
max_duration: {run}
global_train_batch_size: 256
"""


def text(name: str, warmup: str, more: str, rate: str, run: str) -> str:
    return TEXT.format(name=name, warmup=warmup, more=more, rate=rate, run=run)


def lr(update: int, peak: float, warmup: int, end: int, kind: str, alpha: float) -> float:
    t = max(update - 1, 0)
    if t < warmup:
        return peak * t / warmup
    p = min((t - warmup) / (end - warmup), 1.0)
    curve = {"cosine": (1 + cos(pi * p)) / 2, "linear": 1 - p, "constant": 1.0}[kind]
    return peak * (alpha + (1 - alpha) * curve)


COSINE = "cosine_with_warmup"
CASES = {
    "a cosine": (text(COSINE, "100ba", "  alpha_f: 0.1", "6.0e-4", "480ba"), 480, (6e-4, 100, 480, "cosine", 0.1)),
    "a share": (text(COSINE, "0.05dur", "  t_max: 1dur", "2.0e-4", "1001ba"), 1001, (2e-4, 50, 1001, "cosine", 0.0)),
    "no warmup": (text(COSINE, "0ba", "  alpha_f: 0.02", "1.0e-4", "200ba"), 200, (1e-4, 0, 200, "cosine", 0.02)),
    "a line": (
        text("linear_decay_with_warmup", "50ba", "  alpha_f: 0", "5.0e-6", "300ba"),
        300,
        (5e-6, 50, 300, "linear", 0.0),
    ),
    "constant": (
        text("constant_with_warmup", "20ba", "  alpha: 1", "5.0e-6", "90ba"),
        90,
        (5e-6, 20, 90, "constant", 0.0),
    ),
    "an end beyond the run": (
        text(COSINE, "10ba", "  t_max: 400ba\n  alpha_f: 0.1", "3.0e-4", "250ba"),
        250,
        (3e-4, 10, 400, "cosine", 0.1),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_update_is_composers(name: str, tmp_path: Path) -> None:
    config, run, arguments = CASES[name]
    (tmp_path / "train.yaml").write_text(config)
    schedule = schedule_of(tmp_path / "train.yaml")
    assert schedule.train_steps == run
    assert_equal(schedule, lambda update: lr(update, *arguments), run, arguments[0])


REFUSED = {
    "epochs": (text(COSINE, "10ba", "", "1e-4", "3ep"), "give it with --train-iters"),
    "tokens": (text(COSINE, "10ba", "", "1e-4", "3000000tok"), "line 13, max_duration"),
    "a warmup in tokens": (text(COSINE, "10tok", "", "1e-4", "300ba"), "line 7, scheduler.t_warmup = '10tok'"),
    "a warmup without a unit": (text(COSINE, "10", "", "1e-4", "300ba"), "must be a time with its unit"),
    "another scheduler": (text("inv_sqrt_with_warmup", "10ba", "", "1e-4", "300ba"), "line 6, scheduler.name"),
    "an unknown key": (text(COSINE, "10ba", "  alpha: 1", "1e-4", "300ba"), "line 8, scheduler.alpha"),
    "an end before the run": (text(COSINE, "10ba", "  t_max: 90ba", "1e-4", "300ba"), "which Composer refuses"),
    "a long warmup": (text(COSINE, "300ba", "", "1e-4", "300ba"), "gives 300 batches"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_written_is_refused(name: str, tmp_path: Path) -> None:
    config, expected = REFUSED[name]
    (tmp_path / "train.yaml").write_text(config)
    with pytest.raises(ConfigError) as error:
        imported(tmp_path / "train.yaml")
    assert expected in str(error.value)
