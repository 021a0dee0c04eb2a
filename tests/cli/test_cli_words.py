"""Schedules and steps in few words, and the chart's ticks."""

import pytest

import schedframe
from schedframe._cli.chart import chart
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


BASE = {"max_lr": 3e-4, "lr_decay_steps": "10M"}


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({}, "linear, peak 0.0003, floor 0, no warm-up, decay 10M, weight decay left alone"),
        (
            {"lr_warmup_steps": "1%", "init_lr": "10%", "min_lr": "10%", "train_samples": "12M"},
            "linear, peak 0.0003, floor 3e-05, warm-up 100K from 3e-05, decay 10M, run 12M, weight decay left alone",
        ),
        (
            {"lr_decay_style": {"style": "multi-step", "milestones": [0.8, 0.9], "multipliers": [0.316, 0.1]}},
            "multi-step(milestones=[0.8, 0.9], multipliers=[0.316, 0.1]), peak 0.0003, floor 0, no warm-up, "
            "decay 10M, weight decay left alone",
        ),
        (
            {"start_wd": 0.1, "end_wd": 0.2, "wd_incr_style": "linear", "wd_incr_steps": "50%"},
            "linear, peak 0.0003, floor 0, no warm-up, decay 10M, weight decay 0.1 to 0.2 by linear over 5M",
        ),
        ({"end_wd": 0.1}, "linear, peak 0.0003, floor 0, no warm-up, decay 10M, weight decay 0.1"),
    ],
)
def test_a_schedule_in_one_line(keys: dict, text: str) -> None:
    assert schedframe.Schedule(**BASE, **keys).summary() == text


def test_a_chart_of_a_straight_line() -> None:
    drawn = chart("title", [0, 50, 100], [1.0, 0.5, 0.0], (40, 12), coloured=False).splitlines()
    assert len(drawn) == 12
    assert drawn[0].strip() == "title"
    assert drawn[2].startswith("  1┤⠠⠤⣀")
    assert drawn[-3].startswith("  0┤")
    assert drawn[-1].split() == ["0", "50", "100"]


@pytest.mark.parametrize(
    ("peak", "labels"),
    [
        (3e-4, ["3e-4", "2e-4", "1e-4", "0"]),
        (0.3, ["0.3", "0.2", "0.1", "0"]),
        (2.5, ["2.5", "2", "1.5", "1", "0.5", "0"]),
    ],
)
def test_values_share_one_exponent(peak: float, labels: list[str]) -> None:
    drawn = chart("lr", [0, 1], [0.0, peak], (60, 20), coloured=False)
    assert [line.split("┤")[0].strip() for line in drawn.splitlines() if "┤" in line] == labels
