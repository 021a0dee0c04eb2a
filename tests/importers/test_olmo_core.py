"""OLMo-core's run configs. The formulas are those of src/olmo_core/optim/scheduler.py of ai2-olmo-core 3.0.0.

The trainer reads them at the step that it has counted already: update n has step n + 1.
"""

import json
from collections.abc import Callable
from math import cos, pi
from pathlib import Path
from typing import Any

import pytest

from schedframe import ConfigError

from .imports import assert_equal, imported, schedule_of

CLASS = "olmo_core.optim.scheduler."


def config(scheduler: dict[str, Any], steps: int, lr: float) -> str:
    """Return the text of a run's ``config.json``."""
    return json.dumps(
        {
            "run_name": "pilot",
            "model": {"d_model": 4096, "n_layers": 32},
            "data_loader": {"global_batch_size": 4194304},
            "train_module": {
                "rank_microbatch_size": 8192,
                "optim": {
                    "lr": lr,
                    "weight_decay": 0.1,
                    "betas": [0.9, 0.95],
                    "group_overrides": [{"params": ["embeddings.weight"], "opts": {"weight_decay": 0.0}}],
                    "_CLASS_": "olmo_core.optim.adamw.SkipStepAdamWConfig",
                },
                "scheduler": scheduler,
            },
            "trainer": {"save_folder": "out", "max_duration": {"value": steps, "unit": "steps"}},
        },
        indent=2,
    )


def warm(step: int, warmup: int, peak: float, start: float = 0.0) -> float:
    return start + (peak - start) * min(step, warmup) / warmup


def cosine(step: int, warmup: int, end: int, peak: float, alpha: float) -> float:
    if step < warmup:
        return warm(step, warmup, peak)
    low = peak * alpha
    return low if step >= end else low + (peak - low) * (1 + cos(pi * (step - warmup) / (end - warmup))) / 2


def line(step: int, warmup: int, end: int, peak: float, alpha: float, start: float) -> float:
    if step < warmup:
        return warm(step, warmup, peak, start)
    low = peak * alpha
    return low if step >= end else peak - (peak - low) * ((step - warmup) / (end - warmup))


def stable(step: int, warmup: int, decay: int, end: int, peak: float, low: float) -> float:
    if step <= warmup:
        return warm(step, warmup, peak)
    return low + (peak - low) * min(end - step, decay) / decay if step >= end - decay else peak


def power(step: int, warmup: int, decay: int, end: int, peak: float, b: float) -> float:
    if step <= warmup:
        return warm(step, warmup, peak)
    if step >= end - decay:
        return peak * ((end - decay) / warmup) ** b * min(end - step, decay) / decay
    return peak * (step / warmup) ** b


CASES: dict[str, tuple[dict[str, Any], int, float, Callable[[int], float]]] = {
    "a cosine with the older key": (
        {"warmup_steps": 200, "alpha_f": 0.1, "_CLASS_": CLASS + "CosWithWarmup"},
        2000,
        3e-4,
        lambda step: cosine(step, 200, 2000, 3e-4, 0.1),
    ),
    "a cosine to an end of its own": (
        {"warmup": 100, "t_max": 3000, "alpha_f": 0.0, "units": "steps", "_CLASS_": CLASS + "CosWithWarmup"},
        1500,
        4e-4,
        lambda step: cosine(step, 100, 3000, 4e-4, 0.0),
    ),
    "a line from an absolute rate": (
        {"warmup_fraction": 0.05, "alpha_f": 0.2, "warmup_min_lr": 1e-6, "_CLASS_": CLASS + "LinearWithWarmup"},
        1001,
        1e-3,
        lambda step: line(step, 50, 1001, 1e-3, 0.2, 1e-6),
    ),
    "WSD by fractions": (
        {"warmup_fraction": 0.1, "decay_fraction": 0.2, "type": "wsd"},
        505,
        2e-3,
        lambda step: stable(step, 50, 101, 505, 2e-3, 0.0),
    ),
    "WSD by steps": (
        {"warmup": 50, "decay": 300, "decay_fraction": None, "decay_min_lr": 2e-5, "_CLASS_": CLASS + "WSD"},
        1000,
        1e-3,
        lambda step: stable(step, 50, 300, 1000, 1e-3, 2e-5),
    ),
    "constant with warmup": (
        {"warmup": 30, "_CLASS_": CLASS + "ConstantWithWarmup"},
        300,
        1e-4,
        lambda step: warm(step, 30, 1e-4),
    ),
    "a power with a tail": (
        {"warmup": 100, "b": -0.51, "decay_fraction": 0.1, "_CLASS_": CLASS + "PowerLR"},
        1000,
        1e-3,
        lambda step: power(step, 100, 100, 1000, 1e-3, -0.51),
    ),
    "one step of warmup": (
        {"warmup": 1, "alpha_f": 0.1, "_CLASS_": CLASS + "CosWithWarmup"},
        200,
        3e-4,
        lambda step: cosine(step, 1, 200, 3e-4, 0.1),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_update_is_the_trainers(name: str, tmp_path: Path) -> None:
    scheduler, steps, peak, lr = CASES[name]
    (tmp_path / "config.json").write_text(config(scheduler, steps, peak))
    schedule = schedule_of(tmp_path / "config.json")
    assert schedule.train_steps == steps
    assert schedule.start_wd == 0.1
    assert_equal(schedule, lambda update: lr(update + 1), steps, peak)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no warmup": ({"warmup": 0, "_CLASS_": CLASS + "CosWithWarmup"}, "cannot be written without a warmup"),
    "tokens": ({"warmup": 9, "units": "tokens", "_CLASS_": CLASS + "CosWithWarmup"}, "other than steps"),
    "an unknown class": ({"warmup": 9, "_CLASS_": CLASS + "ComposableScheduler"}, "is not imported"),
    "an unknown key": ({"warmup": 9, "alpha": 0.1, "_CLASS_": CLASS + "CosWithWarmup"}, "did you mean 'alpha_f'?"),
    "a tending floor": ({"warmup": 9, "_CLASS_": CLASS + "InvSqrtWithWarmup"}, "cannot be written"),
    "no class": ({"warmup": 9}, "does not name its class"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_written_is_refused(name: str, tmp_path: Path) -> None:
    scheduler, expected = REFUSED[name]
    (tmp_path / "config.json").write_text(config(scheduler, 1000, 1e-3))
    with pytest.raises(ConfigError) as error:
        imported(tmp_path / "config.json")
    assert expected in str(error.value)


def test_epochs_and_groups(tmp_path: Path) -> None:
    text = config(CASES["WSD by steps"][0], 1, 1e-3)
    (tmp_path / "a.json").write_text(text.replace('"unit": "steps"', '"unit": "epochs"'))
    with pytest.raises(ConfigError, match="give it with --train-iters"):
        imported(tmp_path / "a.json")
    (tmp_path / "a.json").write_text(text.replace('"weight_decay": 0.0', '"lr": 1e-5'))
    with pytest.raises(ConfigError, match=r"group_overrides\.0\.opts\.lr"):
        imported(tmp_path / "a.json")
