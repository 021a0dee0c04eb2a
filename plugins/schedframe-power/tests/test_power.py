"""The installed plugin: the kit, and each formula against one written here from its source."""

from importlib.resources import files

import pytest
from schedframe_power import Power

from schedframe import ConfigError, Schedule, branch, load
from schedframe.styles import LRPoint
from schedframe.testing import parametrize_styles

LAW = {"style": "power", "batch_size": 10, "tokens_per_step": 1}


@parametrize_styles([{**LAW, "wsd_decay_steps": 200}, {**LAW, "wsd_decay_steps": 0}])
def test_conforms(style, check):
    check(style)


def granite(n, total, decay, batch=1024, seq=4096, peak=0.02):
    """Equation 8 after the warmup, whose end lies where the law is still capped, with a linear f."""

    def law(samples):
        return min(peak, batch * 4 * (samples * seq) ** -0.51)

    if n <= total - decay:
        return law(n)
    return law(total - decay) * (total - n) / decay


def test_is_the_papers_equation():
    style = Power(batch_size=1024, tokens_per_step=4096, wsd_decay_steps=24_000_000, lr_wsd_decay_style="linear")
    total = 240_000_000
    for n in range(250_000, total + 1, 1_000_003):
        expected = granite(n, total, 24_000_000)
        assert style.lr(LRPoint(n, 250_000, total, 0.02, 0.0)) == pytest.approx(expected, rel=1e-12)


def test_a_max_lr_above_the_law_at_the_end_of_warmup_is_refused_with_the_laws_value():
    with pytest.raises(ConfigError, match=r"the power law is 0\.003.* where the warmup ends, below max_lr \(0.02\)"):
        Schedule(
            max_lr=0.02,
            train_samples="100M",
            lr_warmup_steps="250K",
            lr_decay_style={"style": "power", "batch_size": 32, "tokens_per_step": 4096, "wsd_decay_steps": "10%"},
        )


def test_needs_no_end_without_a_decay():
    law = {"style": "power", "batch_size": 1024, "tokens_per_step": 4096, "wsd_decay_steps": 0}
    schedule = Schedule(max_lr=0.02, lr_decay_steps="open", lr_warmup_steps="250K", lr_decay_style=law)
    assert schedule.lr_at(10**9) == pytest.approx(1024 * 4 * (4096e9) ** -0.51)


def test_a_branch_has_the_curve_of_the_decay():
    style = {"style": "power", "batch_size": 1024, "tokens_per_step": 4096, "wsd_decay_steps": "10%"}
    style["lr_wsd_decay_style"] = "linear"
    parent = Schedule(max_lr=0.01, train_samples="100M", lr_warmup_steps="250K", lr_decay_style=style)
    child = branch(parent, "10M", wsd_decay_steps="1M").schedule
    assert [child.lr_at(step) for step in (10_000_000, 10_500_000, 11_000_000)] == [0.01, 0.005, 0.0]


@pytest.mark.parametrize(("name", "stage_1", "total"), [("powerlm-3b", 1e12, 1.25e12), ("powermoe-3b", 2.5e12, 3e12)])
def test_recipes_have_the_numbers_of_the_paper(name, stage_1, total):
    """Section 5: a = 4, b = -0.51, a max LR of 0.02, batches of 1024, and an exponential decay to 0 in stage 2."""
    schedule = load(files("schedframe_power_recipes") / f"{name}.schedule.yaml")

    def lr_at(tokens):
        return schedule.lr_at(schedule.step_at(f"{tokens:.0f} tokens"))

    assert (lr_at(1e9), lr_at(2e10), lr_at(total)) == (0.02, 0.02, 0.0)
    for tokens in (1e11, 5e11, stage_1):
        assert lr_at(tokens) == pytest.approx(1024 * 4 * tokens**-0.51, rel=1e-12)
    assert 0 < lr_at((stage_1 + total) / 2) < lr_at(stage_1) / 2
    assert schedule.units_at(schedule.train_steps)["tokens"] == total
    assert [finding for finding in schedule.findings() if finding.severity != "note"] == []
