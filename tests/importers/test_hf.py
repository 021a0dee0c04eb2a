"""``TrainingArguments``. The formulas are those of transformers/src/transformers/optimization.py at v5.23.0."""

import json
import pickle
from collections.abc import Callable
from enum import Enum
from math import cos, pi, sqrt
from pathlib import Path
from typing import Any

import pytest

from schedframe import ConfigError

from .imports import assert_equal, imported, schedule_of


def linear(k: int, warmup: int, run: int) -> float:
    return k / max(1, warmup) if k < warmup else max(0.0, (run - k) / max(1, run - warmup))


def cosine(k: int, warmup: int, run: int, least: float = 0.0) -> float:
    if k < warmup:
        return k / max(1, warmup)
    factor = 0.5 * (1.0 + cos(pi * (k - warmup) / max(1, run - warmup)))
    return factor * (1 - least) + least


def ahead(k: int, warmup: int, run: int, least: float, start: float | None = None) -> float:
    if k < warmup:
        return (k + 1.0) / warmup if start is None else start + (1.0 - start) * k / max(1, warmup - 1)
    return 0.5 * (1.0 + cos(pi * (k - warmup + 1.0) / (run - warmup))) * (1 - least) + least


def stable(k: int, warmup: int, hold: int, decay: int, least: float, kinds: tuple[str, str]) -> float:
    if k < warmup:
        p = k / warmup
        factor = {"linear": p, "cosine": 0.5 * (1.0 - cos(pi * p)), "1-sqrt": 1.0 - sqrt(1.0 - p)}[kinds[0]]
        return factor * (1.0 - least) + least
    if k < warmup + hold:
        return 1.0
    if k < warmup + hold + decay:
        p = (k - warmup - hold) / decay
        factor = {"linear": 1.0 - p, "cosine": 0.5 * (1.0 + cos(pi * p)), "1-sqrt": 1.0 - sqrt(p)}[kinds[1]]
        return factor * (1.0 - least) + least
    return least


def polynomial(k: int, warmup: int, run: int, end: float, power: float) -> float:
    return k / warmup if k < warmup else (1.0 - end) * (1 - (k - warmup) / (run - warmup)) ** power + end


def waves(k: int, warmup: int, run: int, cycles: float, least: float = 0.0) -> float:
    if k < warmup:
        return k / warmup
    factor = 0.5 * (1.0 + cos(pi * cycles * 2.0 * (k - warmup) / (run - warmup)))
    return max(0.0, factor * (1 - least) + least)


def restarts(k: int, warmup: int, run: int, cycles: int) -> float:
    return k / warmup if k < warmup else 0.5 * (1.0 + cos(pi * (cycles * (k - warmup) / (run - warmup) % 1.0)))


BASE: dict[str, Any] = {"output_dir": "out", "per_device_train_batch_size": 4, "num_train_epochs": 3.0}
CASES: dict[str, tuple[dict[str, Any], int, float, Callable[[int], float]]] = {
    "the default": ({"learning_rate": 5e-5, "max_steps": 300}, 300, 5e-5, lambda k: linear(k, 0, 300)),
    "a cosine by ratio": (
        {"learning_rate": 2e-5, "max_steps": 1001, "lr_scheduler_type": "cosine", "warmup_ratio": 0.03},
        1001,
        2e-5,
        lambda k: cosine(k, 31, 1001),
    ),
    "a share of steps, as in version 5": (
        {"learning_rate": 1e-4, "max_steps": 500, "lr_scheduler_type": "cosine", "warmup_steps": 0.1},
        500,
        1e-4,
        lambda k: cosine(k, 50, 500),
    ),
    "steps before a ratio": (
        {"learning_rate": 1e-4, "max_steps": 500, "warmup_steps": 20, "warmup_ratio": 0.1},
        500,
        1e-4,
        lambda k: linear(k, 20, 500),
    ),
    "constant": (
        {"learning_rate": 1e-4, "max_steps": 50, "lr_scheduler_type": "constant", "warmup_steps": 20},
        50,
        1e-4,
        lambda k: 1.0,
    ),
    "constant with warmup": (
        {"learning_rate": "1e-4", "max_steps": 50, "lr_scheduler_type": "constant_with_warmup", "warmup_steps": 20},
        50,
        1e-4,
        lambda k: min(k / 20, 1.0),
    ),
    "polynomial": (
        {
            "learning_rate": 1e-3,
            "max_steps": 200,
            "lr_scheduler_type": "polynomial",
            "warmup_steps": 10,
            "lr_scheduler_kwargs": {"lr_end": 1e-5, "power": 2.0},
        },
        200,
        1e-3,
        lambda k: polynomial(k, 10, 200, 1e-2, 2.0),
    ),
    "inverse_sqrt": (
        {"learning_rate": 7e-4, "max_steps": 2000, "lr_scheduler_type": "inverse_sqrt", "warmup_steps": 100},
        2000,
        7e-4,
        lambda k: k / 100 if k < 100 else 1.0 / sqrt(k / 100),
    ),
    "cosine_with_min_lr": (
        {
            "learning_rate": 3e-4,
            "max_steps": 700,
            "lr_scheduler_type": "cosine_with_min_lr",
            "warmup_steps": 70,
            "lr_scheduler_kwargs": {"min_lr_rate": 0.1},
        },
        700,
        3e-4,
        lambda k: cosine(k, 70, 700, 0.1),
    ),
    "a cosine of one and a half cycles": (
        {
            "learning_rate": 3e-4,
            "max_steps": 500,
            "lr_scheduler_type": "cosine",
            "warmup_steps": 50,
            "lr_scheduler_kwargs": {"num_cycles": 1.5},
        },
        500,
        3e-4,
        lambda k: waves(k, 50, 500, 1.5),
    ),
    "waves above a min LR": (
        {
            "learning_rate": 3e-4,
            "max_steps": 500,
            "lr_scheduler_type": "cosine_with_min_lr",
            "warmup_steps": 50,
            "lr_scheduler_kwargs": {"num_cycles": 0.25, "min_lr": 3e-5},
        },
        500,
        3e-4,
        lambda k: waves(k, 50, 500, 0.25, 0.1),
    ),
    "restarts": (
        {
            "learning_rate": 3e-4,
            "max_steps": 460,
            "lr_scheduler_type": "cosine_with_restarts",
            "warmup_steps": 10,
            "lr_scheduler_kwargs": {"num_cycles": 3},
        },
        460,
        3e-4,
        lambda k: restarts(k, 10, 460, 3),
    ),
    "one step ahead without a warmup": (
        {
            "learning_rate": 3e-4,
            "max_steps": 200,
            "lr_scheduler_type": "cosine_warmup_with_min_lr",
            "lr_scheduler_kwargs": {"min_lr_rate": 0.1},
        },
        200,
        3e-4,
        lambda k: ahead(k, 0, 200, 0.1),
    ),
    "one step ahead": (
        {
            "learning_rate": 3e-4,
            "max_steps": 300,
            "lr_scheduler_type": "cosine_warmup_with_min_lr",
            "warmup_steps": 30,
            "lr_scheduler_kwargs": {"min_lr": 3e-6},
        },
        300,
        3e-4,
        lambda k: ahead(k, 30, 300, 0.01),
    ),
    "one step ahead from a share": (
        {
            "learning_rate": 3e-4,
            "max_steps": 300,
            "lr_scheduler_type": "cosine_warmup_with_min_lr",
            "warmup_steps": 30,
            "lr_scheduler_kwargs": {"min_lr_rate": 0.1, "warmup_lr_rate": 0.2},
        },
        300,
        3e-4,
        lambda k: ahead(k, 30, 300, 0.1, 0.2),
    ),
    "warmup_stable_decay": (
        {
            "learning_rate": 1e-3,
            "max_steps": 400,
            "lr_scheduler_type": "warmup_stable_decay",
            "warmup_steps": 40,
            "lr_scheduler_kwargs": {"num_decay_steps": 80, "min_lr_ratio": 0.1, "decay_type": "1-sqrt"},
        },
        400,
        1e-3,
        lambda k: stable(k, 40, 280, 80, 0.1, ("linear", "1-sqrt")),
    ),
    "a warmup of one minus a square root": (
        {
            "learning_rate": 1e-3,
            "max_steps": 400,
            "lr_scheduler_type": "warmup_stable_decay",
            "warmup_steps": 40,
            "lr_scheduler_kwargs": {"num_decay_steps": 80, "min_lr_ratio": 0.1, "warmup_type": "1-sqrt"},
        },
        400,
        1e-3,
        lambda k: stable(k, 40, 280, 80, 0.1, ("1-sqrt", "cosine")),
    ),
    "warmup_stable_decay that ends before the run": (
        {
            "learning_rate": 1e-3,
            "max_steps": 400,
            "lr_scheduler_type": "warmup_stable_decay",
            "warmup_steps": 40,
            "lr_scheduler_kwargs": {"num_decay_steps": 80, "num_stable_steps": 200, "warmup_type": "cosine"},
        },
        400,
        1e-3,
        lambda k: stable(k, 40, 200, 80, 0.0, ("cosine", "cosine")),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_update_is_the_trainers(name: str, tmp_path: Path) -> None:
    arguments, run, peak, factor = CASES[name]
    (tmp_path / "args.json").write_text(json.dumps({**BASE, **arguments}, indent=2))
    schedule = schedule_of(tmp_path / "args.json")
    assert schedule.train_steps == run
    assert_equal(schedule, lambda k: peak * factor(k), run, peak)


class Scheduler(str, Enum):
    """An enumeration as ``training_args.bin`` has one."""

    COSINE = "cosine"


class Arguments:
    """Has the fields of ``TrainingArguments``."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


def test_training_args_bin_is_read_without_running_it(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs torch")
    arguments = Arguments(
        **BASE,
        learning_rate=3e-5,
        lr_scheduler_type=Scheduler.COSINE,
        warmup_ratio=0.1,
        max_steps=1000,
        weight_decay=0.01,
        lr_scheduler_kwargs={},
    )
    torch.save(arguments, tmp_path / "training_args.bin")
    schedule = schedule_of(tmp_path / "training_args.bin")
    assert_equal(schedule, lambda k: 3e-5 * cosine(k, 100, 1000), 1000, 3e-5)
    assert schedule.start_wd == 0.01


class Malicious:
    """Touches a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_code_in_training_args_bin_is_not_run(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs torch")
    touched = tmp_path / "touched"
    for number, content in enumerate(
        (Malicious(touched), Arguments(learning_rate=Malicious(touched), lr_scheduler_type=1))
    ):
        file = tmp_path / f"{number}.bin"
        torch.save(content, file)
        with pytest.raises(ConfigError):
            imported(file)
        file.write_bytes(pickle.dumps(content))
        with pytest.raises(ConfigError):
            imported(file)
    assert not touched.exists()


def test_epochs_ask_for_the_run(tmp_path: Path) -> None:
    source = tmp_path / "args.json"
    source.write_text(json.dumps({**BASE, "learning_rate": 1e-4}))
    with pytest.raises(ConfigError, match="give it with --train-iters"):
        imported(source)
    schedule = schedule_of(source, train_iters=120)
    assert_equal(schedule, lambda k: 1e-4 * linear(k, 0, 120), 120, 1e-4)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a metric": ({"lr_scheduler_type": "reduce_lr_on_plateau"}, "follows a metric"),
    "an unknown scheduler": ({"lr_scheduler_type": "cosin"}, "line 6, lr_scheduler_type = 'cosin': is no scheduler"),
    "an unknown option": (
        {"lr_scheduler_type": "cosine", "lr_scheduler_kwargs": {"cycles": 2}},
        "lr_scheduler_kwargs.cycles = 2: is not known to this importer",
    ),
    "no cycles": ({"lr_scheduler_type": "cosine", "lr_scheduler_kwargs": {"num_cycles": 0}}, "must be above 0"),
    "half a restart": (
        {"lr_scheduler_type": "cosine_with_restarts", "lr_scheduler_kwargs": {"num_cycles": 1.5}},
        "must be a whole number",
    ),
    "a decay in cycles": (
        {
            "lr_scheduler_type": "warmup_stable_decay",
            "lr_scheduler_kwargs": {"num_decay_steps": 10, "num_cycles": 2},
        },
        "other than 0.5 is not imported",
    ),
    "no min LR": ({"lr_scheduler_type": "cosine_with_min_lr"}, "needs one of min_lr and min_lr_rate"),
    "a negative warmup": ({"warmup_steps": -5}, "must not be negative"),
    "a rate that is no number": ({"learning_rate": "fast"}, "must be a finite number"),
    "a rate that is not finite": ({"learning_rate": "nan"}, "must be a finite number"),
    "a boolean rate": ({"learning_rate": True}, "must be a finite number"),
    "an unknown shape": (
        {
            "lr_scheduler_type": "warmup_stable_decay",
            "lr_scheduler_kwargs": {"num_decay_steps": 10, "warmup_type": "sqrt"},
        },
        "is not one of linear, cosine, 1-sqrt",
    ),
    "a share at a warmup of one": (
        {
            "lr_scheduler_type": "cosine_warmup_with_min_lr",
            "warmup_steps": 1,
            "lr_scheduler_kwargs": {"min_lr_rate": 0.1, "warmup_lr_rate": 0.2},
        },
        "cannot be written with a warmup of 1 iteration",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_written_is_refused(name: str, tmp_path: Path) -> None:
    arguments, expected = REFUSED[name]
    (tmp_path / "args.json").write_text(
        json.dumps(
            {**BASE, "learning_rate": 1e-4, "lr_scheduler_type": "linear", "max_steps": 100, **arguments}, indent=1
        )
    )
    with pytest.raises(ConfigError) as error:
        imported(tmp_path / "args.json")
    assert expected in str(error.value)
    assert "line " in str(error.value)
