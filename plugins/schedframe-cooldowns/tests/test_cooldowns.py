"""The installed plugin: the kit, and each formula against one written here from its source."""

import math

import pytest
from schedframe_cooldowns import ExponentialTo, HalfLife, Harmonic, MirrorCosine

from schedframe import Schedule
from schedframe.testing import parametrize_styles

NAMES = ("mirror-cosine", "exponential-to", "half-life", "harmonic")
PROGRESS = [part / 64 for part in range(65)]


@parametrize_styles(NAMES)
def test_conforms(style, check):
    check(style)


@pytest.mark.parametrize("name", NAMES)
def test_is_a_cooldown_of_wsd(name):
    wsd = {"style": "WSD", "wsd_decay_steps": "20%", "lr_wsd_decay_style": name}
    schedule = Schedule(max_lr=1.0, lr_decay_steps=1000, lr_decay_style=wsd)
    assert schedule.lr_at(800) == 1.0
    assert schedule.lr_at(1000) == pytest.approx(0.5**10 if name == "half-life" else 0.0, abs=1e-17)


def test_are_their_formulas():
    for p in PROGRESS:
        cosine = math.cos(math.pi * p / 2) ** 2
        assert MirrorCosine().coefficient(p) == pytest.approx(2 * (1 - p) - cosine, abs=1e-15)
        assert HalfLife(half_lives=3).coefficient(p) == pytest.approx(math.exp(-3 * p * math.log(2)))
        ratio = math.exp(p * math.log(0.2))
        assert ExponentialTo(ratio=0.2).coefficient(p) == pytest.approx((ratio - 0.2) / 0.8, abs=1e-15)


def test_half_as_ratio_is_megatrons_exponential():
    for p in PROGRESS:
        assert ExponentialTo(ratio=0.5).coefficient(p) == pytest.approx(2 * 0.5**p - 1, abs=1e-15)


def test_harmonic_is_linear_in_the_inverse_between_its_bounds():
    schedule = Schedule(max_lr=1.0, min_lr=0.1, lr_decay_steps=64, lr_decay_style={"style": "harmonic", "ratio": 0.1})
    for step in range(65):
        p = step / 64
        assert schedule.lr_at(step) == pytest.approx(1 / (p / 0.1 + (1 - p) / 1.0))
    assert Harmonic() == Harmonic(ratio=0.1)
