"""The installed plugin, through the registry and through a `Schedule`, as users meet it."""

import doctest
import itertools
from fractions import Fraction

import pytest
import schedframe_rex
from pydantic import ValidationError
from schedframe_rex import Rex

from schedframe import ConfigError, Schedule, lr_styles
from schedframe.testing import parametrize_styles

BETAS = (0.001, 0.3, 0.5, 0.7, 0.9, 0.999)
PROGRESS = [step / 200 for step in range(201)]


@parametrize_styles(["rex", {"style": "rex", "beta": 0.9}])
def test_conforms(style, check):
    check(style)


def schedule(style, **keys):
    return Schedule(**{"max_lr": 1.0, "lr_decay_steps": 1000, "lr_decay_style": style, **keys})


def problem(style):
    with pytest.raises(ConfigError) as caught:
        schedule(style)
    (found,) = caught.value.problems
    return found


def test_is_found_through_its_entry_point():
    assert lr_styles["rex"] is Rex
    assert str(lr_styles.source("rex")) == "schedframe-rex 0.1.0 (schedframe_rex:Rex)"


@pytest.mark.parametrize("beta", BETAS)
def test_is_the_formula_in_exact_arithmetic(beta):
    for progress in PROGRESS:
        p, b = Fraction(progress), Fraction(beta)
        assert Rex(beta=beta).coefficient(progress) == pytest.approx(float((1 - p) / (1 - b * p)), rel=1e-12, abs=0.0)


def test_the_default_is_the_profile_of_the_paper():
    for p in (Fraction(part, 17) for part in range(18)):
        assert (1 - p) / (Fraction(1, 2) + (1 - p) / 2) == (1 - p) / (1 - p / 2)
    assert Rex() == Rex(beta=0.5)


def test_beta_is_the_constant_of_the_published_code():
    for p in (Fraction(part, 17) for part in range(18)):
        d, z = Fraction(9, 10), 1 - p
        assert z / (1 - d + d * z) == (1 - p) / (1 - d * p)


@pytest.mark.parametrize("beta", BETAS)
def test_is_exact_at_the_edges(beta):
    assert Rex(beta=beta).coefficient(0.0) == 1.0
    assert Rex(beta=beta).coefficient(1.0) == 0.0


@pytest.mark.parametrize("beta", BETAS)
def test_falls_all_the_way_and_lies_above_linear(beta):
    coefficients = [Rex(beta=beta).coefficient(progress) for progress in PROGRESS]
    assert all(later < earlier for earlier, later in itertools.pairwise(coefficients))
    assert all(c >= 1.0 - progress for c, progress in zip(coefficients, PROGRESS, strict=True))


def test_runs_in_a_schedule_by_name_and_by_table():
    rex = schedule("rex", lr_warmup_steps=100, min_lr=0.25)
    assert [rex.lr_at(step) for step in (0, 50, 100, 1000, 5000)] == [0.0, 0.5, 1.0, 0.25, 0.25]
    assert rex.lr_at(550) == 0.25 + 0.75 * (0.5 / 0.75)
    assert rex == schedule({"style": "rex", "beta": 0.5}, lr_warmup_steps=100, min_lr=0.25)


def test_is_a_cooldown_of_wsd():
    tail = {"style": "rex", "beta": 0.7}
    wsd = schedule({"style": "WSD", "wsd_decay_steps": "20%", "lr_wsd_decay_style": tail})
    assert [wsd.lr_at(step) for step in (0, 800, 1000)] == [1.0, 1.0, 0.0]
    assert wsd.lr_at(900) == Rex(beta=0.7).coefficient(0.5)


@pytest.mark.parametrize("beta", [0, 1, -0.5, 1.5, "nan", "late", True, None])
def test_refuses_a_beta_out_of_range(beta):
    assert problem({"style": "rex", "beta": beta}).path == "lr_decay_style.beta"


def test_refuses_an_unknown_option_and_names_the_right_one():
    found = problem({"style": "rex", "betta": 0.5})
    assert found.path == "lr_decay_style.betta"
    assert "did you mean 'beta'" in found.message


def test_is_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        Rex().beta = 0.7


def test_the_examples_in_the_docstring_hold():
    failed, tried = doctest.testmod(schedframe_rex)
    assert (failed, tried) == (0, 1)
