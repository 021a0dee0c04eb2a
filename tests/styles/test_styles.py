"""Every built-in formula against one written here from its definition, and over whole runs."""

import itertools
import math
import sys
from fractions import Fraction

import pytest

from schedframe import Schedule, lr_styles, wd_styles
from schedframe.styles import LRPoint, LRShape, WDPoint, WDShape
from schedframe.styles.lr import WSD, Geometric, MinusPower, MultiStep, Polynomial, PowerLaw
from schedframe.styles.wd import WDGeometric

PROGRESS = [index / 64 for index in range(65)]

LR_CURVES = {
    "linear": lambda p: 1 - Fraction(p),
    "cosine": lambda p: math.cos(math.pi * p / 2) ** 2,
    "exponential": lambda p: math.exp((1 - p) * math.log(2)) - 1,
    "minus_sqrt": lambda p: 1 - p**0.5,
    "polynomial": lambda p: 1 - Fraction(p),
    "quarter-cosine": lambda p: math.sin(math.pi * (1 - p) / 2),
}
WD_CURVES = {
    "linear": lambda p: p,
    "cosine": lambda p: math.sin(math.pi * p / 2) ** 2,
    "exponential": lambda p: 2 - math.exp((1 - p) * math.log(2)),
}


@pytest.mark.parametrize("name", LR_CURVES)
def test_an_lr_curve_is_its_definition(name: str) -> None:
    curve = lr_styles[name]()
    for p in PROGRESS:
        assert curve.coefficient(p) == pytest.approx(float(LR_CURVES[name](p)), abs=1e-15)
    assert (curve.coefficient(0.0), curve.coefficient(1.0)) == (1.0, 0.0)


@pytest.mark.parametrize("name", WD_CURVES)
def test_a_wd_curve_is_its_definition(name: str) -> None:
    curve = wd_styles[name]()
    for p in PROGRESS:
        assert curve.coefficient(p) == pytest.approx(WD_CURVES[name](p), abs=1e-15)
    assert (curve.coefficient(0.0), curve.coefficient(1.0)) == (0.0, 1.0)


@pytest.mark.parametrize("power", [0.25, 0.6, 1.0, 2.0])
def test_minus_power_takes_any_power_above_0(power: float) -> None:
    curve = MinusPower(power=power)
    assert [curve.coefficient(p) for p in PROGRESS] == pytest.approx([1 - p**power for p in PROGRESS])
    assert (curve.coefficient(0.0), curve.coefficient(1.0)) == (1.0, 0.0)


def test_the_power_law_is_the_inverse_square_root_of_transformers() -> None:
    """1 / sqrt((n + shift) / timescale), shift = timescale - warmup."""
    for warmup, timescale in ((100, 100), (100, 10_000)):
        style = PowerLaw(timescale=timescale)
        for n in range(100, 5000, 7):
            expected = 1 / math.sqrt((n + timescale - warmup) / timescale)
            assert style.lr(LRPoint(n, warmup, 5000, 1.0, 0.0)) == pytest.approx(expected, rel=1e-15)


def test_the_power_law_has_the_warmup_for_a_timescale_and_goes_on_past_the_end() -> None:
    assert [PowerLaw().lr(LRPoint(n, 100, 200, 1.0, 0.1)) for n in (100, 400, 10**9)] == [1.0, 0.5, 0.1]
    assert PowerLaw().lr(LRPoint(3, 0, 200, 1.0, 0.1)) == 0.5
    with pytest.raises(ValueError, match="power-law needs a timescale above 0"):
        PowerLaw(timescale=0).lr(LRPoint(3, 0, 200, 1.0, 0.1))


@pytest.mark.parametrize("power", [0.5, 1.0, 3.0])
def test_polynomial_takes_any_power_above_0(power: float) -> None:
    curve = Polynomial(power=power)
    assert [curve.coefficient(p) for p in PROGRESS] == pytest.approx([(1 - p) ** power for p in PROGRESS])


def test_geometric_has_a_constant_ratio_from_step_to_step() -> None:
    lrs = [Geometric().lr(LRPoint(step, 10, 110, 1.0, 0.01)) for step in range(10, 111)]
    assert (lrs[0], lrs[-1]) == (1.0, 0.01)
    ratios = [after / before for before, after in itertools.pairwise(lrs)]
    assert ratios == pytest.approx([0.01 ** (1 / 100)] * 100)
    wds = [WDGeometric().wd(WDPoint(step, 100, 0.4, 0.1, 0.0, 1.0)) for step in range(101)]
    assert (wds[0], wds[50], wds[-1]) == (0.4, pytest.approx(0.2), 0.1)


@pytest.mark.parametrize("bounds", [(1.0, 0.0), (0.0, 0.0)])
def test_geometric_says_that_it_needs_bounds_above_0(bounds: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=r"geometric needs max_lr and min_lr above 0, got"):
        Geometric().lr(LRPoint(5, 0, 10, *bounds))
    with pytest.raises(ValueError, match=r"geometric needs start_wd and end_wd above 0, got"):
        WDGeometric().wd(WDPoint(5, 10, *bounds, 0.0, 1.0))


def test_deepseeks_steps_begin_at_their_milestones_and_the_last_holds_for_ever() -> None:
    style = MultiStep(milestones=(0.8, 0.9), multipliers=(0.316, 0.1))
    at = {step: style.lr(LRPoint(step, 10, 1000, 2.0, 0.0)) for step in (10, 799, 800, 899, 900, 1000, 10**9)}
    assert at == {10: 2.0, 799: 2.0, 800: 0.632, 899: 0.632, 900: 0.2, 1000: 0.2, 10**9: 0.2}
    assert style.landmarks(10, 1000) == {"milestone 0.8": 800.0, "milestone 0.9": 900.0}


def test_multi_step_is_never_below_min_lr() -> None:
    style = MultiStep(milestones=(0.5,), multipliers=(0.0,))
    assert style.lr(LRPoint(99, 0, 100, 1.0, 0.25)) == 0.25


def test_multi_step_may_rise_again() -> None:
    style = MultiStep(milestones=(0.5, 0.75), multipliers=(0.1, 0.5))
    assert [style.lr(LRPoint(step, 0, 100, 1.0, 0.0)) for step in (49, 50, 75)] == [1.0, 0.1, 0.5]


def test_wsd_holds_max_lr_until_the_cooldown() -> None:
    style = WSD(wsd_decay_steps=200, lr_wsd_decay_style="minus_sqrt")
    assert style.coefficient_at(800, 100, 1000) == 1.0
    assert style.coefficient_at(850, 100, 1000) == 0.5
    assert style.coefficient_at(1000, 100, 1000) == 0.0
    assert style.landmarks(100, 1000) == {"cooldown start": 800}


OPTIONS = {
    "WSD": {"wsd_decay_steps": "20%"},
    "each": {"factor": 0.01, "every": "50%"},
    "floored": {"of": "minus_sqrt", "floor": "cut"},
    "product": {"of": ["cosine", "linear"]},
    "minus-power": {"power": 0.6},
    "multi-step": {"milestones": [0.8, 0.9], "multipliers": [0.316, 0.1]},
    "phases": {"phases": [{"style": "constant"}, {"style": "cosine", "length": "20%"}]},
    "power-law": {"exponent": -1, "timescale": 100},
}
WD_OPTIONS = {
    "cooldown": {"wd_cooldown_steps": "20%", "base": "linear", "wd_cooldown_style": "minus_sqrt"},
    "lr-curve": {"curve": "minus_sqrt"},
    "phases": {"phases": [{"style": "linear", "length": "20%", "to": 0.05}, {"style": "cosine"}]},
}
COUPLED = ("adamc", "constant-effective", "independent")
PAST_THE_END = {"constant": 1.0, "multi-step": 0.1}


@pytest.mark.parametrize("warmup", [0, 1, 1000, "0.25%"])
@pytest.mark.parametrize("name", list(lr_styles.builtins))
def test_every_lr_style_is_within_its_bounds_at_every_step_of_a_run(name: str, warmup: object) -> None:
    schedule = Schedule(
        max_lr=1.0,
        min_lr=0.05,
        lr_decay_steps=10_000,
        lr_warmup_steps=warmup,
        lr_decay_style={"style": name, **OPTIONS.get(name, {})},
    )
    lrs = [schedule.lr_at(step) for step in range(10_001)]
    assert all(math.isfinite(lr) for lr in lrs)
    first = math.ceil(schedule.lr_warmup_steps)
    assert all(0.0 <= lr <= 1.0 for lr in lrs[:first])
    assert all(0.05 <= lr <= 1.0 for lr in lrs[first:])
    assert schedule.lr_at(schedule.lr_warmup_steps) == 1.0
    after = {schedule.lr_at(step) for step in (10_001, 20_000, 10**12)}
    assert after == {PAST_THE_END.get(name, 0.05)} or (name == "power-law" and min(after) == 0.05)


@pytest.mark.parametrize(("start", "end"), [(0.01, 0.1), (0.1, 0.01)], ids=["rising", "falling"])
@pytest.mark.parametrize(
    "name", [name for name in wd_styles.builtins if name not in ("constant", "cooldown", *COUPLED)]
)
def test_every_wd_style_is_within_its_bounds_at_every_step_of_a_run(name: str, start: float, end: float) -> None:
    style = {"style": name, **WD_OPTIONS.get(name, {})}
    schedule = Schedule(max_lr=1.0, lr_decay_steps=10_000, start_wd=start, end_wd=end, wd_incr_style=style)
    wds = [schedule.wd_at(step) for step in range(10_001)]
    low, high = sorted((start, end))
    assert all(low - 1e-17 <= wd <= high + 1e-17 for wd in wds)
    assert wds[0] == start
    assert wds == sorted(wds, reverse=end < start)
    assert {schedule.wd_at(step) for step in (10_001, 10**12)} == {end}


def test_constant_weight_decay_stays() -> None:
    schedule = Schedule(max_lr=1.0, lr_decay_steps=100, start_wd=0.1)
    assert {schedule.wd_at(step) for step in range(200)} == {0.1}


@pytest.mark.parametrize("registry", [lr_styles, wd_styles], ids=["lr", "wd"])
def test_every_style_has_a_docstring_in_form_and_described_options(registry) -> None:
    for cls in (registry[name] for name in registry.builtins):
        doc = cls.__doc__
        parts = [doc.index(part) for part in ("Formula:", "At the edges:", "Examples:", "References:")]
        assert parts == sorted(parts)
        assert doc.splitlines()[0].endswith((".", "mirrored."))
        assert all(field.description for key, field in cls.model_fields.items() if key != "style")


@pytest.mark.parametrize("registry", [lr_styles, wd_styles], ids=["lr", "wd"])
def test_every_class_is_abstract_or_final(registry) -> None:
    for cls in (registry[name] for name in registry.builtins):
        if sys.version_info >= (3, 11):  # typing.final leaves no mark before
            assert cls.__final__
        assert not cls.__subclasses__()
    for shape in (LRShape, WDShape):
        with pytest.raises(TypeError, match="abstract"):
            shape()
