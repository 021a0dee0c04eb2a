"""OLMo-core's run configs. The formulas are those of src/olmo_core/optim/scheduler.py of ai2-olmo-core 3.0.0.

The trainer reads them at the step that it has counted already: update n has step n + 1.
"""

import json
from collections.abc import Callable
from math import cos, pi, sqrt
from pathlib import Path
from typing import Any

import pytest

from schedframe import ConfigError

from .imports import assert_equal, imported, schedule_of, some_updates

CLASS = "olmo_core.optim.scheduler."


def config(scheduler: dict[str, Any], steps: int, lr: float, unit: str = "steps", **loader: Any) -> str:
    """Return the text of a run's ``config.json``."""
    return json.dumps(
        {
            "run_name": "pilot",
            "model": {"d_model": 4096, "n_layers": 32},
            "data_loader": {"global_batch_size": 4194304, **loader},
            "train_module": {
                "rank_microbatch_size": 8192,
                "max_sequence_length": 4096,
                "optim": {
                    "lr": lr,
                    "weight_decay": 0.1,
                    "betas": [0.9, 0.95],
                    "group_overrides": [{"params": ["embeddings.weight"], "opts": {"weight_decay": 0.0}}],
                    "_CLASS_": "olmo_core.optim.adamw.SkipStepAdamWConfig",
                },
                "scheduler": scheduler,
            },
            "trainer": {"save_folder": "out", "max_duration": {"value": steps, "unit": unit}},
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


def inverse(step: int, warmup: int, peak: float, alpha: float) -> float:
    return warm(step, warmup, peak) if step < warmup else peak * (alpha + (1 - alpha) * sqrt(warmup / step))


def half(step: int, warmup: int, end: int, peak: float, alpha: float) -> float:
    low, high = peak * alpha, (peak + peak * alpha) / 2
    if step < warmup:
        return warm(step, warmup, high)
    if step >= end:
        return low
    return low + (peak - low) * (1 + cos(pi * (end - 2 * warmup + step) / (end - warmup) / 2)) / 2


def cut(step: int, warmup: int, decay: int, end: int, peak: float) -> float:
    if step < end - decay:
        return cosine(step, warmup, end, peak, 0.1)
    return cosine(end - decay, warmup, end, peak, 0.1) * (end - step) / decay


def staged(step: int) -> float:
    """Rise to 1e-3 for 20 steps, a cosine to half of it for 60, then a jump, and a line to 0 for 40."""
    if step < 20:
        return 1e-6 + (1e-3 - 1e-6) * step / 20
    if step < 80:
        return 5e-4 + 5e-4 * (1 + cos(pi * (step - 20) / 60)) / 2
    return 8e-4 * (1 - (step - 80) / 40) if step < 120 else 0.0


def followed(step: int) -> float:
    """Warm up for 10 steps, stay until step 40, then a cosine to a tenth, and a line to a fifth of that."""
    if step <= 40:
        return warm(step, 10, 1e-3)
    if step <= 100:
        return 1e-4 + 9e-4 * (1 + cos(pi * (step - 40) / 60)) / 2
    return 1e-4 - 8e-5 * (step - 100) / 50


def periods(step: int) -> float:
    """Periods of 50, 60 and 40 steps, the second with half the peak; each ends in a fifth of decay to 1e-5."""
    if step < 10:
        return warm(step, 10, 1e-3)
    for begin, end, decay, peak in ((0, 50, 10, 1e-3), (50, 110, 12, 5e-4), (110, 150, 8, 2e-3)):
        if begin < step <= end:
            return 1e-5 + (peak - 1e-5) * min(end - step, decay) / decay
    return 1e-5


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
    "no warmup": (
        {"warmup": 0, "alpha_f": 0.0, "_CLASS_": CLASS + "LinearWithWarmup"},
        200,
        3e-4,
        lambda step: line(step, 0, 200, 3e-4, 0.0, 0.0),
    ),
    "an inverse square root that tends to its min LR": (
        {"warmup": 30, "_CLASS_": CLASS + "InvSqrtWithWarmup"},
        400,
        3e-4,
        lambda step: inverse(step, 30, 3e-4, 0.1),
    ),
    "half a cosine": (
        {"warmup_steps": 40, "t_max": 300, "alpha_f": 0.1, "_CLASS_": CLASS + "HalfCosWithWarmup"},
        250,
        3e-4,
        lambda step: half(step, 40, 300, 3e-4, 0.1),
    ),
    "a cosine that is cut": (
        {"warmup": 20, "decay_fraction": 0.2, "_CLASS_": CLASS + "CosWithWarmupAndLinearDecay"},
        300,
        3e-4,
        lambda step: cut(step, 20, 60, 300, 3e-4),
    ),
    "stages": (
        {
            "stages": [
                {"duration": 20, "start_lr": 1e-6, "end_lr_fraction": 1.0, "shape": "linear"},
                {"duration": 60, "end_lr_fraction": 0.5, "shape": "cosine"},
                {"duration": 40, "start_lr": 8e-4, "end_lr": 0.0},
            ],
            "_CLASS_": CLASS + "ComposableScheduler",
        },
        150,
        1e-3,
        staged,
    ),
    "a sequence": (
        {
            "schedulers": [
                {"warmup": 10, "_CLASS_": CLASS + "ConstantWithWarmup"},
                {"warmup": 0, "_CLASS_": CLASS + "CosWithWarmup"},
                {"warmup": 0, "alpha_f": 0.2, "_CLASS_": CLASS + "LinearWithWarmup"},
            ],
            "schedulers_max": [40, 60],
            "_CLASS_": CLASS + "SequentialScheduler",
        },
        150,
        1e-3,
        followed,
    ),
    "WSD-S": (
        {
            "period_lengths": [50, 60, 40],
            "period_lr_multipliers": [1.0, 0.5, 2.0],
            "warmup": 10,
            "decay_fraction": 0.2,
            "decay_min_lr": 1e-5,
            "_CLASS_": CLASS + "WSDS",
        },
        180,
        1e-3,
        periods,
    ),
    "an exponential": (
        {"lr_min": 1e-6, "_CLASS_": CLASS + "ExponentialScheduler"},
        120,
        1e-3,
        lambda step: 1e-6 * 1e3 ** (step / 120),
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


HALF_OF_5T = 5_000_000_000_000 // 4_194_304 // 2
PUBLISHED: dict[str, tuple[dict[str, Any], float, int, int]] = {
    "OLMo 3 7B, pretrain-1": ({"warmup_steps": 2000, "_CLASS_": CLASS + "CosWithWarmup"}, 3e-4, 5 * 10**12, 2**22),
    "OLMo 3 7B, pretrain-2": (
        {"warmup_steps": HALF_OF_5T + 1000, "_CLASS_": CLASS + "HalfCosWithWarmup"},
        3e-4,
        7 * 10**12,
        2**22,
    ),
    "OLMo 3 7B, midtrain": (
        {"warmup": 0, "alpha_f": 0.0, "_CLASS_": CLASS + "LinearWithWarmup"},
        0.00020712352850360292,
        10**11,
        2**21,
    ),
    "OLMo 3 7B, long-context": (
        {"warmup": 200, "alpha_f": 0.0, "_CLASS_": CLASS + "LinearWithWarmup"},
        0.00020712352850360292,
        5 * 10**12,
        2**22,
    ),
    "OLMo 2 32B, anneal": (
        {"warmup_steps": 0, "alpha_f": 0.0, "_CLASS_": CLASS + "LinearWithWarmup"},
        6e-4,
        10**11,
        2048 * 4096,
    ),
    "OLMo 2 7B, annealed in tokens": (
        {
            "units": "tokens",
            "warmup": 0,
            "decay": 100 * 10**9,
            "decay_fraction": None,
            "_CLASS_": CLASS + "WSD",
        },
        6.135113558011711e-05,
        100 * 10**9,
        2**22,
    ),
    "OLMo 2 1B, with lengths in tokens": (
        {"units": "tokens", "warmup": 2000 * 2**21 + 77, "_CLASS_": CLASS + "CosWithWarmup"},
        4e-4,
        4 * 10**12,
        2**21,
    ),
}
"""Schedulers, learning rates, tokens, and tokens of a batch, of allenai/OLMo-core:src/scripts at fa6c501.

The learning rate of an annealing is that of a checkpoint there. The last row is the script's with a warmup that is no
whole number of batches.
"""


def published(name: str, folder: Path, lr: Callable[[int, int], float]) -> None:
    """Compare the schedule of a published config with `lr`, of the position and the end in the scheduler's units."""
    scheduler, peak, tokens, batch = PUBLISHED[name]
    (folder / "config.json").write_text(config(scheduler, tokens, peak, "tokens", global_batch_size=batch))
    schedule = schedule_of(folder / "config.json")
    updates = -(-tokens // batch)
    in_tokens = scheduler.get("units") == "tokens"
    end, size = (tokens, batch) if in_tokens else (updates, 1)
    assert schedule.train_steps == end
    warmup = int(scheduler.get("warmup", scheduler.get("warmup_steps"))) // size
    for update in some_updates(updates, warmup):
        ours, theirs = schedule.lr_at(update * size), lr(min((update + 1) * size, end), end)
        assert abs(ours - theirs) <= 1e-12 * peak, (update, ours, theirs)


def formula(name: str, position: int, end: int) -> float:
    scheduler, peak, _, _ = PUBLISHED[name]
    kind = str(scheduler["_CLASS_"]).rpartition(".")[2]
    warmup = scheduler.get("warmup", scheduler.get("warmup_steps"))
    alpha = scheduler.get("alpha_f", 0.1)
    if kind == "WSD":
        return stable(position, 0, scheduler["decay"], end, peak, 0.0) if position else peak
    if kind == "HalfCosWithWarmup":
        return half(position, warmup, end, peak, alpha)
    if kind == "CosWithWarmup":
        return cosine(position, warmup, end, peak, alpha)
    return line(position, warmup, end, peak, alpha, 0.0)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_configs(name: str, tmp_path: Path) -> None:
    published(name, tmp_path, lambda position, end: formula(name, position, end))


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown unit": ({"warmup": 9, "units": "epochs", "_CLASS_": CLASS + "CosWithWarmup"}, "steps or tokens"),
    "an unknown class": ({"warmup": 9, "_CLASS_": CLASS + "CosWithWarmups"}, "did you mean 'CosWithWarmup'?"),
    "an inverse square root without a warmup": (
        {"warmup": 0, "_CLASS_": CLASS + "InvSqrtWithWarmup"},
        "has no learning rate without a warmup",
    ),
    "an override": (
        {"stages": [], "override_decay": {"start": 1}, "_CLASS_": CLASS + "ComposableScheduler"},
        "cuts the schedule",
    ),
    "no stages": ({"stages": 3, "_CLASS_": CLASS + "ComposableScheduler"}, "must be a list that is not empty"),
    "a stage without an end": (
        {"stages": [{"duration": 4}], "_CLASS_": CLASS + "ComposableScheduler"},
        "needs a duration above 0",
    ),
    "a warmup in the middle": (
        {
            "schedulers": [{"warmup": 1, "type": "constant_with_warmup"}] * 2,
            "schedulers_max": [9],
            "_CLASS_": CLASS + "SequentialScheduler",
        },
        "has a warmup after the first part",
    ),
    "periods that are too short": (
        {"period_lengths": [9], "warmup": 5, "decay": 5, "_CLASS_": CLASS + "WSDS"},
        "gives period 1 a decay of 5 iters, and it has 9",
    ),
    "an unknown key": ({"warmup": 9, "alpha": 0.1, "_CLASS_": CLASS + "CosWithWarmup"}, "did you mean 'alpha_f'?"),
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
    (tmp_path / "a.json").write_text(text.replace('"group_overrides": [', '"group_overrides": 3, "others": ['))
    with pytest.raises(ConfigError, match=r"group_overrides = 3: must be a list"):
        imported(tmp_path / "a.json")


def test_tokens_with_a_batch_size_that_changes(tmp_path: Path) -> None:
    scheduler = {"warmup": 9, "units": "tokens", "_CLASS_": CLASS + "CosWithWarmup"}
    text = config(scheduler, 10**9, 1e-3, "tokens")
    callbacks = '"trainer": {"callbacks": {"size": {"batch_sizes": [4096, 8192]}},'
    (tmp_path / "a.json").write_text(text.replace('"trainer": {', callbacks))
    with pytest.raises(ConfigError, match="changes the batch size"):
        imported(tmp_path / "a.json")
