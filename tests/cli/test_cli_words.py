"""Schedules and steps in few words."""

import pytest

import schedframe
from schedframe._plan.summary import short
from schedframe._units.lengths import parse_length


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (0, "0"),
        (0.0, "0"),
        (2.5, "2.5"),
        (999, "999"),
        (1000, "1K"),
        (1500, "1.5K"),
        (500_000_000, "500M"),
        (1_234_000, "1.234M"),
        (1_234_567, "1_234_567"),
        (500_000_001, "500_000_001"),
        (15e12, "15T"),
    ],
)
def test_short_steps_are_exact(step: float, text: str) -> None:
    assert short(step) == text
    assert parse_length(text) == step


def test_a_large_step_that_is_not_whole_is_rounded() -> None:
    assert short(122_070_312.5) == "122.1M"


BASE = {"max_lr": 3e-4, "lr_decay_steps": "10M"}


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({}, "linear, max LR 3e-4, min LR 0, no warmup, decay 10M, weight decay not scheduled"),
        (
            {"lr_warmup_steps": "1%", "init_lr": "10%", "min_lr": "10%", "train_samples": "12M"},
            "linear, max LR 3e-4, min LR 3e-5, warmup 100K from 3e-5, decay 10M, run 12M, weight decay not scheduled",
        ),
        (
            {"lr_decay_style": {"style": "multi-step", "milestones": [0.8, 0.9], "multipliers": [0.316, 0.1]}},
            "multi-step(milestones=[0.8, 0.9], multipliers=[0.316, 0.1]), max LR 3e-4, min LR 0, no warmup, "
            "decay 10M, weight decay not scheduled",
        ),
        (
            {"start_wd": 0.1, "end_wd": 0.2, "wd_incr_style": "linear", "wd_incr_steps": "50%"},
            "linear, max LR 3e-4, min LR 0, no warmup, decay 10M, weight decay 0.1 to 0.2 by linear over 5M",
        ),
        ({"end_wd": 0.1}, "linear, max LR 3e-4, min LR 0, no warmup, decay 10M, weight decay 0.1"),
    ],
)
def test_a_schedule_in_one_line(keys: dict, text: str) -> None:
    assert schedframe.Schedule(**BASE, **keys).summary() == text


def test_a_length_of_a_style_is_a_length_in_the_line() -> None:
    style = {"style": "WSD", "wsd_decay_steps": 24_414_062.5}
    text = schedframe.Schedule(max_lr=1, lr_decay_steps="1B", lr_decay_style=style).summary()
    assert text.startswith("WSD(wsd_decay_steps=24.41M, ")
