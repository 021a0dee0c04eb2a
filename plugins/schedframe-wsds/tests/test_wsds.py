"""The installed plugin: the kit, and each formula against one written here from its source."""

import pytest
from schedframe_wsds import WSDS

from schedframe import ConfigError, Schedule, branch
from schedframe.testing import parametrize_styles


@parametrize_styles(
    [
        {"style": "wsd-s", "period_steps": [1000]},
        {"style": "wsd-s", "period_steps": [250, 250, 500], "decay_share": 0.3, "lr_wsd_decay_style": "cosine"},
        {"style": "wsd-s", "period_steps": [300, 800], "first_period": "from-start", "boundaries": "closed"},
    ]
)
def test_conforms(style, check):
    check(style)


def test_each_period_holds_max_lr_and_decays():
    style = {"style": "wsd-s", "period_steps": ["2M", "3M", "5M"], "decay_share": 0.1}
    schedule = Schedule(max_lr=1.0, train_samples="10M", lr_decay_style=style)
    lrs = {step: schedule.lr_at(step * 100_000) for step in range(101)}
    assert [lrs[step] for step in (18, 20, 21, 47, 50, 51, 95, 100)] == [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0]
    assert lrs[49] == pytest.approx(0.1 / 0.3)
    assert schedule.lr_at(1_900_000) == pytest.approx(0.5)
    assert schedule.landmarks()["decay 2"] == 4_700_000


def test_periods_in_percent_begin_on_time():
    style = {"style": "wsd-s", "period_steps": ["7%", "93%"]}
    schedule = Schedule(max_lr=1.0, clock="iters", lr_decay_steps=100, lr_decay_style=style)
    assert [schedule.lr_at(step) for step in (6, 7, 8)] == [1.0, 1.0, 1.0]
    assert schedule.lr_at(6.5) < 1.0


def test_a_closed_boundary_has_min_lr():
    style = {"style": "wsd-s", "period_steps": [40, 60], "boundaries": "closed"}
    schedule = Schedule(max_lr=1.0, lr_decay_steps=100, lr_decay_style=style)
    assert [schedule.lr_at(step) for step in (36, 40, 41, 100)] == [1.0, 0.0, 1.0, 0.0]


@pytest.mark.parametrize(("warmup", "share", "periods"), [(10, 0.1, (40, 60)), (5, 0.5, (20, 10, 40)), (0, 0.2, (50,))])
def test_is_olmos_at_every_step(warmup, share, periods):
    """WSDS(period_lengths, warmup=warmup, decay_fraction=share): the share is of the period with the warmup in it."""
    ends = [sum(periods[: number + 1]) for number in range(len(periods))]

    def olmos(step):
        if step < warmup:
            return step / warmup
        if step >= ends[-1]:
            return 0.0
        period = next(number for number, end in enumerate(ends) if step <= end)
        decay, left = round(share * periods[period]), ends[period] - step
        return min(left, decay) / decay

    style = {"style": "wsd-s", "period_steps": list(periods), "decay_share": share}
    style |= {"first_period": "from-start", "boundaries": "closed"}
    run = {"max_lr": 1.0, "lr_warmup_steps": warmup, "lr_decay_steps": ends[-1]}
    schedule = Schedule(**run, lr_decay_style=style)
    expected = [olmos(step) for step in range(ends[-1] + 5)]
    assert [schedule.lr_at(step) for step in range(ends[-1] + 5)] == pytest.approx(expected, abs=1e-15)


def test_a_decay_within_the_warmup_is_refused():
    style = {"style": "wsd-s", "period_steps": [20, 80], "decay_share": 0.9, "first_period": "from-start"}
    with pytest.raises(ConfigError, match="lets the first decay begin at step 2, within the warmup of 10 steps"):
        Schedule(max_lr=1.0, lr_warmup_steps=10, lr_decay_steps=100, lr_decay_style=style)


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


def test_two_lengths_of_the_decays_are_refused():
    style = {"style": "wsd-s", "period_steps": [1000], "decay_steps": 200, "decay_share": 0.2}
    with pytest.raises(ConfigError, match="has either decay_share or decay_steps, not both"):
        Schedule(max_lr=1.0, lr_decay_steps=1000, lr_decay_style=style)


def test_one_length_of_the_decays_survives_a_dump():
    style = {"style": "wsd-s", "period_steps": [1000], "decay_steps": 200}
    schedule = Schedule(max_lr=1.0, lr_decay_steps=1000, lr_decay_style=style)
    assert Schedule(**schedule.model_dump()) == schedule


def test_a_branch_has_the_curve_of_the_decays():
    style = {"style": "wsd-s", "period_steps": [400, 600], "lr_wsd_decay_style": "minus_sqrt"}
    parent = Schedule(max_lr=1.0, lr_decay_steps=1000, lr_decay_style=style)
    child = branch(parent, 500, wsd_decay_steps=100).schedule
    assert [child.lr_at(step) for step in (500, 525, 600)] == [1.0, 0.5, 0.0]
