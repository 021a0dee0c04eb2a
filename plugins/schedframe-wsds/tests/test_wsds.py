"""The installed plugin: the kit, and each formula against one written here from its source."""

import pytest
from schedframe_wsds import WSDS

from schedframe import ConfigError, Schedule, branch
from schedframe.testing import parametrize_styles


@parametrize_styles(
    [
        {"style": "wsd-s", "period_steps": [1000]},
        {"style": "wsd-s", "period_steps": [250, 250, 500], "decay_share": 0.3, "lr_wsd_decay_style": "cosine"},
    ]
)
def test_conforms(style, check):
    check(style)


def test_each_period_holds_the_peak_and_ends_at_the_floor():
    style = {"style": "wsd-s", "period_steps": ["2M", "3M", "5M"], "decay_share": 0.1}
    schedule = Schedule(max_lr=1.0, train_samples="10M", lr_decay_style=style)
    lrs = {step: schedule.lr_at(step * 100_000) for step in range(101)}
    assert [lrs[step] for step in (18, 20, 21, 47, 50, 51, 95, 100)] == [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0]
    assert schedule.lr_at(1_900_000) == pytest.approx(0.5)
    assert schedule.landmarks()["decay 2"] == 4_700_000


def test_is_what_phases_can_say():
    style = WSDS(period_steps=(400, 600), decay_share=0.25)
    phases = [
        {"style": "constant", "length": 300},
        {"style": "linear", "length": 100},
        {"style": "constant", "length": 450, "from": "100%", "jump": True},
        {"style": "linear", "length": 150},
    ]
    one, other = (
        Schedule(max_lr=1.0, min_lr=0.1, lr_decay_steps=1000, lr_decay_style=said)
        for said in (style, {"style": "phases", "phases": phases})
    )
    assert [one.lr_at(n) for n in range(1001)] == pytest.approx([other.lr_at(n) for n in range(1001)])


def test_periods_that_do_not_fill_the_decay_are_refused():
    with pytest.raises(ConfigError, match="the periods have 900 steps together, and the decay has 1000"):
        Schedule(max_lr=1.0, lr_decay_steps=1000, lr_decay_style={"style": "wsd-s", "period_steps": [400, 500]})


def test_a_branch_has_the_curve_of_the_decays():
    style = {"style": "wsd-s", "period_steps": [400, 600], "lr_wsd_decay_style": "minus_sqrt"}
    parent = Schedule(max_lr=1.0, lr_decay_steps=1000, lr_decay_style=style)
    child = branch(parent, 500, wsd_decay_steps=100).schedule
    assert [child.lr_at(step) for step in (500, 525, 600)] == [1.0, 0.5, 0.0]
