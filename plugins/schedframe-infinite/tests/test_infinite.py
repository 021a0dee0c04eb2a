"""The installed plugin: the kit, and each formula against one written here from its source."""

import math

import pytest
from schedframe_infinite import Infinite

from schedframe import ConfigError, Schedule, branch
from schedframe.styles import LRPoint
from schedframe.testing import parametrize_styles

STYLE = {"style": "infinite", "cooldown_steps": 300, "constant": 0.5, "anneal_steps": 200}


@parametrize_styles([STYLE, {**STYLE, "cooldown_style": "inverse-square-root"}, {**STYLE, "anneal_steps": 0}])
def test_conforms(style, check):
    check(style)


def papers(n, cooldown_style):
    """Section 7.4: peak 1, constant 0.5, floor 0.01, cooldown to 300, anneal from 800 to 1000."""
    if n <= 300:
        if cooldown_style == "cosine":
            return 0.5 + 0.25 * (math.cos(math.pi * n / 300) + 1)
        return 1 + (0.5 - 1) * (1 / math.sqrt(1 + 10 * n / 300) - 1) / (1 / math.sqrt(11) - 1)
    return 0.5 if n <= 800 else 0.5 * (0.01 / 0.5) ** ((n - 800) / 200)


@pytest.mark.parametrize("cooldown_style", ["cosine", "inverse-square-root"])
def test_is_the_papers_schedule(cooldown_style):
    style = Infinite(cooldown_steps=300, constant=0.5, anneal_steps=200, cooldown_style=cooldown_style)
    for n in range(1001):
        assert style.lr(LRPoint(n, 0, 1000, 1.0, 0.01)) == pytest.approx(papers(n, cooldown_style), rel=1e-14)


def test_has_no_end_by_default():
    style = {**STYLE, "anneal_steps": 0}
    schedule = Schedule(max_lr=1.0, lr_decay_steps="open", lr_decay_style=style)
    assert {schedule.lr_at(n) for n in (300, 10**6, 10**12)} == {0.5}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"cooldown_steps": 900},
            "cooldown and anneal are longer together than the time from the end of the warmup on",
        ),
        ({"constant": 0.001}, "the constant, 0.001, and min_lr, 0.01, must be above 0 in this order"),
    ],
)
def test_what_does_not_fit_is_refused(changes, told):
    with pytest.raises(ConfigError, match=told):
        Schedule(max_lr=1.0, min_lr=0.01, lr_decay_steps=1000, lr_decay_style={**STYLE, **changes})


def test_a_branch_of_the_constant_is_the_anneal():
    style = {**STYLE, "constant": 0.16}
    parent = Schedule(max_lr=1.0, min_lr=0.01, lr_decay_steps=1000, lr_decay_style=style)
    child = branch(parent, 500, wsd_decay_steps=100).schedule
    assert [child.lr_at(step) for step in (500, 550, 600)] == pytest.approx([0.16, 0.04, 0.01])
