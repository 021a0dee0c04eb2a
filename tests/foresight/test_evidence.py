"""What predictions are worth on the public loss curves, where these are: docs/loss_measures.py measures it."""

import importlib
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from schedframe.foresight import ForesightError, fit

DOCS = Path(__file__).parents[2] / "docs"


@cache
def imported(name: str) -> ModuleType:
    """Import a module of docs, or skip without the curves."""
    pytest.importorskip("matplotlib")
    sys.path.insert(0, str(DOCS))
    try:
        curves, module = importlib.import_module("loss_curves"), importlib.import_module(name)
    finally:
        sys.path.remove(str(DOCS))
    if not (curves.FOLDER / "lr-scheduling").is_dir():
        pytest.skip(f"needs the public loss curves in {curves.FOLDER.name}: SCHEDFRAME_LOSS_CURVES")
    return module


def measures() -> ModuleType:
    """Return docs/loss_measures.py."""
    return imported("loss_measures")


def of_all_runs(measure: Callable[..., Any]) -> Any:
    """Return what is measured on the runs on which priors and widths were chosen."""
    return measure(measures().chosen_on())


@pytest.mark.parametrize("size", ["100M", "400M"])
def test_the_papers_protocol(size: str) -> None:
    score, error = measures().protocol("intrinsic-time", size)
    assert (score >= 0.9988, error <= 0.0035) == (True, True)


def test_final_losses_from_one_cosine() -> None:
    made = measures()
    errors = made.error_by_peak(made.one_cosine())
    limits = {"124M, 0.001": 0.004, "124M, 0.0005": 0.009, "124M, 0.002": 0.009}
    assert {peak: errors[peak] <= limit for peak, limit in limits.items()} == dict.fromkeys(limits, True)


@pytest.mark.parametrize(("low", "high", "least"), [(0.01, 0.02, 0.9), (0.02, 9.0, 0.98)])
def test_the_sign_of_a_difference_is_right(low: float, high: float, least: float) -> None:
    pairs = [pair for pair in of_all_runs(measures().pairs) if low <= abs(pair.predicted) < high]
    assert len(pairs) > 1000
    assert np.mean([pair.is_right for pair in pairs]) >= least


@pytest.mark.parametrize(("low", "high", "least"), [(0.01, 0.02, 0.9), (0.02, 9.0, 0.98)])
def test_the_sign_of_a_difference_is_right_on_curves_that_were_not_seen(low: float, high: float, least: float) -> None:
    unseen = imported("loss_curves").unseen()
    if not unseen:
        pytest.skip("needs what docs/unseen_curves.py writes into the folder of the loss curves")
    pairs = [pair for pair in measures().pairs(unseen) if low <= abs(pair.predicted) < high]
    assert len(pairs) > 50
    assert np.mean([pair.is_right for pair in pairs]) >= least


def test_a_difference_is_right_as_often_as_is_reported() -> None:
    for low, high in ((0.75, 0.85), (0.85, 0.95), (0.95, 1.0)):
        pairs = [pair for pair in of_all_runs(measures().pairs) if low <= pair.reliability < high]
        assert np.mean([pair.is_right for pair in pairs]) >= low


def test_a_small_difference_is_too_close_to_call() -> None:
    assert all(pair.is_close for pair in of_all_runs(measures().pairs) if abs(pair.predicted) < 0.005)


def test_bars_hold_what_they_say() -> None:
    made = measures()
    share, width = made.coverage_of(of_all_runs(made.finals))
    assert (share >= 0.93, width <= 0.025) == (True, True)
    for name in {final.target.set for final in of_all_runs(made.finals)}:
        assert made.coverage_of([final for final in of_all_runs(made.finals) if final.target.set == name])[0] >= 0.8, (
            name
        )


def test_proposals_have_little_regret() -> None:
    choices = of_all_runs(measures().choices)
    for name in {choice.set for choice in choices}:
        assert np.mean([choice.regret for choice in choices if choice.set == name]) <= 0.003, name
    assert not [choice for choice in choices if choice.against_rule > 0.005]


@pytest.mark.parametrize("name", ["10 points", "noise of 0.005", "spikes in a tenth", "two restarts"])
def test_a_messy_log_costs_less_than_a_third(name: str) -> None:
    made = measures()
    clean, messy = made.error_by_peak(made.one_cosine()), made.messy(name, tries=3)
    assert {peak: messy[peak] <= 1.3 * clean[peak] for peak in clean} == dict.fromkeys(clean, True)


def test_a_smoothed_log_is_refused_and_a_raw_one_is_not() -> None:
    made = measures()
    for run in made.chosen_on():
        if made.decays(run):
            assert made.law_of(run) is not None, run.name
            with pytest.raises(ForesightError, match="smoothed"):
                fit([(made.smoothed(run.log), run.schedule)])


def test_the_page_is_current() -> None:
    made = imported("make_evidence")
    page = now = made.PAGE.read_text()
    for name, write in made.TABLES.items():
        if not name.startswith("unseen") or imported("loss_curves").unseen():
            now = made.made(now, name, write())
    assert now == page, "run python docs/make_evidence.py"
