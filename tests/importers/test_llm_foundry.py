"""llm-foundry's YAML. The formulas are those of composer/optim/scheduler.py at v0.32.1, read one batch late."""

from math import cos, pi, sqrt
from pathlib import Path

import pytest

from schedframe import ConfigError

from .imports import assert_equal, imported, schedule_of, some_updates

TEXT = """\
max_seq_len: 2048
global_seed: 17
model:
  name: mpt_causal_lm
train_loader:
  name: {loader}
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


def text(name: str, warmup: str, more: str, rate: str, run: str, loader: str = "text") -> str:
    return TEXT.format(name=name, warmup=warmup, more=more, rate=rate, run=run, loader=loader)


def lr(update: int, peak: float, warmup: int, end: int, kind: str, alpha: float) -> float:
    t = max(update - 1, 0)
    if t < warmup:
        return peak * t / warmup
    p = min((t - warmup) / (end - warmup), 1.0)
    curve = {"cosine": (1 + cos(pi * p)) / 2, "linear": 1 - p, "constant": 1.0}[kind]
    return peak * (alpha + (1 - alpha) * curve)


def inverse(update: int, peak: float, warmup: int, scale: int, cooldown: int, end: int) -> float:
    """Tend to a fifth, and end at a twentieth."""
    t = max(update - 1, 0)
    if t < warmup:
        return peak * t / warmup
    begin = max(warmup, end - cooldown)
    curve = 0.2 + 0.8 / sqrt((min(t, begin) - warmup + scale) / scale)
    if t < begin:
        return peak * curve
    return peak * (curve + min(1.0, (t - begin) / cooldown) * (0.05 - curve))


INVERSE = "  t_scale: {}ba\n  t_cooldown: {}ba\n  alpha_f_decay: 0.2\n  alpha_f_cooldown: 0.05"
INVERSES = {
    "an inverse square root": (40, 30, 60, 400),
    "with a time scale of its own": (10, 100, 50, 300),
    "a cooldown from the warmup on": (50, 50, 280, 300),
}


@pytest.mark.parametrize("name", INVERSES)
def test_every_update_of_an_inverse_square_root(name: str, tmp_path: Path) -> None:
    warmup, scale, cooldown, run = INVERSES[name]
    more = INVERSE.format(scale, cooldown)
    (tmp_path / "train.yaml").write_text(text("inv_sqrt_with_warmup", f"{warmup}ba", more, "3.0e-4", f"{run}ba"))
    schedule = schedule_of(tmp_path / "train.yaml")
    assert_equal(schedule, lambda update: inverse(update, 3e-4, warmup, scale, cooldown, run), run, 3e-4)


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
PUBLISHED = {
    "mpt-125m": (text(COSINE, "100ba", "  alpha_f: 0.1", "6.0e-4", "4800ba"), 4800, (6e-4, 100, 4800, "cosine", 0.1)),
    "mpt-7b": (
        text(COSINE, "100ba", "  alpha_f: 0.1", "1.2e-4", "63900ba"),
        63900,
        (1.2e-4, 100, 63900, "cosine", 0.1),
    ),
    "mpt-30b": (
        text(COSINE, "100ba", "  alpha_f: 0.1", "1.0e-4", "143100ba"),
        143100,
        (1e-4, 100, 143100, "cosine", 0.1),
    ),
    "llama-3-8b_domain_adapt": (
        text(COSINE, "100ba", "  alpha_f: 0.1", "5.0e-5", "3195ba"),
        3195,
        (5e-5, 100, 3195, "cosine", 0.1),
    ),
    "mpt-30b-instruct": (
        text("linear_decay_with_warmup", "50ba", "  alpha_f: 0", "9.65e-6", "8ep"),
        7440,
        (9.65e-6, 50, 7440, "linear", 0.0),
    ),
    "dbrx-full-ft": (text(COSINE, "0.02dur", "  alpha_f: 0", "1.0e-6", "2ep"), 1234, (1e-6, 24, 1234, "cosine", 0.0)),
}
"""Of mosaicml/llm-foundry:scripts/train/yamls at 8c8dd48; where the run is in epochs, with a number of batches."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_configs(name: str, tmp_path: Path) -> None:
    config, run, arguments = PUBLISHED[name]
    (tmp_path / "train.yaml").write_text(config)
    schedule = schedule_of(tmp_path / "train.yaml", **({"train_iters": run} if "ep\n" in config else {}))
    for update in some_updates(run, arguments[1]):
        assert abs(schedule.lr_at(update) - lr(update, *arguments)) <= 1e-14 * arguments[0]


@pytest.mark.parametrize(("unit", "size"), [("sp", 256), ("tok", 256 * 2048)])
def test_lengths_in_samples_and_tokens(unit: str, size: int, tmp_path: Path) -> None:
    """A warmup of 10 batches and a half, of 200."""
    warmup, run = 21 * size // 2, 200 * size
    config = text(COSINE, f"{warmup}{unit}", "  alpha_f: 0.1", "3.0e-4", f"{run}{unit}")
    (tmp_path / "train.yaml").write_text(config)
    schedule = schedule_of(tmp_path / "train.yaml")
    assert schedule.train_steps == run
    for update in range(200):
        t = max(update - 1, 0) * size
        curve = 0.1 + 0.9 * (1 + cos(pi * (t - warmup) / (run - warmup))) / 2
        assert schedule.lr_at(update * size) == pytest.approx(3e-4 * (t / warmup if t < warmup else curve), rel=1e-13)


def test_a_warmup_in_epochs(tmp_path: Path) -> None:
    (tmp_path / "train.yaml").write_text(text(COSINE, "1ep", "", "1.0e-4", "4ep"))
    schedule = schedule_of(tmp_path / "train.yaml", train_iters=400)
    assert_equal(schedule, lambda update: lr(update, 1e-4, 100, 400, "cosine", 0.0), 400, 1e-4)


def test_a_share_of_the_learning_rate(tmp_path: Path) -> None:
    more = "  alpha_i: 0.5\n  alpha_f: 0.1"
    (tmp_path / "train.yaml").write_text(text("linear_decay_with_warmup", "20ba", more, "1.0e-4", "100ba"))
    schedule = schedule_of(tmp_path / "train.yaml")
    assert_equal(schedule, lambda update: lr(update, 5e-5, 20, 100, "linear", 0.2), 100, 5e-5)


@pytest.mark.parametrize("name", CASES)
def test_every_update_is_composers(name: str, tmp_path: Path) -> None:
    config, run, arguments = CASES[name]
    (tmp_path / "train.yaml").write_text(config)
    schedule = schedule_of(tmp_path / "train.yaml")
    assert schedule.train_steps == run
    assert_equal(schedule, lambda update: lr(update, *arguments), run, arguments[0])


REFUSED = {
    "epochs": (text(COSINE, "10ba", "", "1e-4", "3ep"), "give it with --train-iters"),
    "padded tokens": (text(COSINE, "10tok", "", "1e-4", "3000000tok", "finetuning"), "line 15, max_duration"),
    "no learning rate": (text(COSINE, "10ba", "", "null", "300ba"), "line 11, optimizer: has no lr"),
    "seconds": (text(COSINE, "10ba", "", "1e-4", "300sec"), "must be in ba, ep, sp or tok"),
    "a warmup in tokens": (text(COSINE, "10tok", "", "1e-4", "300ba"), "line 9, scheduler.t_warmup = '10tok'"),
    "a warmup in epochs": (text(COSINE, "1ep", "", "1e-4", "300ba"), "line 9, scheduler.t_warmup = '1ep'"),
    "a warmup without a unit": (text(COSINE, "10", "", "1e-4", "300ba"), "must be a time with its unit"),
    "another scheduler": (text("multi_step", "10ba", "", "1e-4", "300ba"), "line 8, scheduler.name"),
    "a share as time scale": (
        text("inv_sqrt_with_warmup", "10ba", "  t_scale: 0.1dur\n  t_cooldown: 0ba", "1e-4", "300ba"),
        "which llm-foundry refuses",
    ),
    "an unknown key": (text(COSINE, "10ba", "  alpha: 1", "1e-4", "300ba"), "line 10, scheduler.alpha"),
    "an end before the run": (text(COSINE, "10ba", "  t_max: 90ba", "1e-4", "300ba"), "which Composer refuses"),
    "a long warmup": (text(COSINE, "300ba", "", "1e-4", "300ba"), "gives 300 iters"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_written_is_refused(name: str, tmp_path: Path) -> None:
    config, expected = REFUSED[name]
    (tmp_path / "train.yaml").write_text(config)
    with pytest.raises(ConfigError) as error:
        imported(tmp_path / "train.yaml", "llm-foundry")
    assert expected in str(error.value)
