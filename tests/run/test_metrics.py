"""What a tracker is given: flat, finite numbers with names that every tracker takes."""

import math
import re
from typing import Any

import pytest

from schedframe import Schedule
from tests.runs import KEYS, Optimizer

NORM = {"params": [], "is_norm": True}
TWO = {
    "groups": [
        {"role": "router", "match": {"index": 1}, "lr_mult": 0.5},
        {"role": "no decay", "match": {"key": {"is_norm": True}}, "wd_mult": 0.0},
    ]
}


def metrics_at(step: int, prefix: str = "schedule/", **keys: Any) -> dict[str, float]:
    scheduler = Schedule(**{**KEYS, **keys}).build(Optimizer({}, NORM, NORM))
    scheduler.step(step)
    return scheduler.metrics(prefix)


def test_values_are_those_of_the_report() -> None:
    scheduler = Schedule(**KEYS, **TWO).build(Optimizer({}, NORM, NORM))
    scheduler.step(2000)
    metrics, report = scheduler.metrics(), scheduler.report()
    for role, name in (("default", "default"), ("router+no decay", "router.no_decay"), ("no decay", "no_decay")):
        for key in ("lr", "wd", "progress"):
            assert metrics[f"schedule/{name}/{key}"] == report[role][key]


def test_every_name_is_one_that_trackers_take() -> None:
    for name, value in metrics_at(2000, **TWO).items():
        assert re.fullmatch(r"[A-Za-z0-9_./-]+", name)
        assert math.isfinite(value)


def test_two_roles_that_would_have_one_name_have_two() -> None:
    rules = [{"role": role, "match": {"index": at}} | {"lr_mult": 0.5 + at} for at, role in enumerate(("a b", "a_b"))]
    names = metrics_at(2000, groups=rules)
    assert names["schedule/a_b/lr"] != names["schedule/a_b_/lr"]


def test_the_position_is_in_every_unit() -> None:
    metrics = metrics_at(320, prefix="", global_batch_size=16, seq_length=8, dataset_samples=640)
    positions = {"step": 320, "samples": 320, "iters": 20, "tokens": 2560, "epochs": 0.5}
    assert {unit: metrics[unit] for unit in positions} == positions


def test_what_is_not_scheduled_is_left_out() -> None:
    metrics = metrics_at(320, start_wd=None, lr_decay_steps="open", lr_decay_style="constant", train_samples=None)
    assert {name.rpartition("/")[2] for name in metrics} == {"step", "samples", "lr", "phase"}


STYLES: list[Any] = [
    "cosine",
    "constant",
    {"style": "WSD", "wsd_decay_steps": 500},
    {"style": "multi-step", "milestones": [0.5, 0.75], "multipliers": [0.3, 0.2]},
    {"style": "phases", "phases": [{"style": "constant", "length": 1000}, {"style": "cosine", "name": "last"}]},
]


@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.parametrize("warmup", [0, 100])
def test_the_phase_is_counted_as_it_is_named(style: Any, warmup: int) -> None:
    scheduler = Schedule(**{**KEYS, "lr_decay_style": style, "lr_warmup_steps": warmup}).build(Optimizer())
    seen = []
    for _ in range(5200):
        scheduler.step(1)
        seen.append((scheduler.metrics()["schedule/default/phase"], scheduler.report()["default"]["phase"]))
    phases = list(dict.fromkeys(seen))
    assert [index for index, _ in phases] == list(range(0 if warmup else 1, len(phases) + (0 if warmup else 1)))
