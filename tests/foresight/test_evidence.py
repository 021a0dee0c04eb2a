"""What predictions are worth on the public loss curves, where these are: docs/make_evidence.py measures it."""

import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

DOCS = Path(__file__).parents[2] / "docs"


@cache
def evidence() -> ModuleType:
    """Import docs/make_evidence.py, or skip without its curves."""
    pytest.importorskip("matplotlib")
    sys.path.insert(0, str(DOCS))
    try:
        import loss_curves
        import make_evidence
    finally:
        sys.path.remove(str(DOCS))
    if not (loss_curves.FOLDER / "lr-scheduling").is_dir():
        pytest.skip(f"needs the public loss curves in {loss_curves.FOLDER.name}: SCHEDFRAME_LOSS_CURVES")
    return make_evidence


@pytest.mark.parametrize("size", ["100M", "400M"])
def test_the_papers_protocol(size: str) -> None:
    score, error = evidence().protocol("intrinsic-time", size)
    assert (score >= 0.9988, error <= 0.0035) == (True, True)


def test_final_losses_from_one_cosine() -> None:
    made = evidence()
    errors = made.error_by_peak(made.one_cosine())
    limits = {"124M, 0.001": 0.004, "124M, 0.0005": 0.009, "124M, 0.002": 0.009}
    assert {peak: errors[peak] <= limit for peak, limit in limits.items()} == dict.fromkeys(limits, True)


@pytest.mark.parametrize(("low", "high", "least"), [(0.01, 0.02, 0.9), (0.02, 9.0, 0.98)])
def test_the_sign_of_a_difference_is_right(low: float, high: float, least: float) -> None:
    pairs = [pair for pair in evidence().pairs() if low <= abs(pair.predicted) < high]
    assert len(pairs) > 1000
    assert np.mean([pair.is_right for pair in pairs]) >= least


def test_a_difference_is_right_as_often_as_is_said() -> None:
    for low, high in ((0.75, 0.85), (0.85, 0.95), (0.95, 1.0)):
        pairs = [pair for pair in evidence().pairs() if low <= pair.reliability < high]
        assert np.mean([pair.is_right for pair in pairs]) >= low


def test_a_small_difference_is_too_close_to_call() -> None:
    assert all(pair.is_close for pair in evidence().pairs() if abs(pair.predicted) < 0.005)


def test_bars_hold_what_they_say() -> None:
    made = evidence()
    share, width = made.coverage_of(made.finals())
    assert (share >= 0.93, width <= 0.025) == (True, True)
    for name in {final.target.set for final in made.finals()}:
        assert made.coverage_of([final for final in made.finals() if final.target.set == name])[0] >= 0.8, name


def test_proposals_have_little_regret() -> None:
    choices = evidence().choices()
    for name in {choice.set for choice in choices}:
        assert np.mean([choice.regret for choice in choices if choice.set == name]) <= 0.003, name
    assert not [choice for choice in choices if choice.against_rule > 0.005]


@pytest.mark.parametrize("name", ["10 points", "noise of 0.005", "spikes in a tenth", "two restarts"])
def test_a_messy_log_costs_less_than_a_third(name: str) -> None:
    made = evidence()
    clean, messy = made.error_by_peak(made.one_cosine()), made.messy(name, tries=3)
    assert {peak: messy[peak] <= 1.3 * clean[peak] for peak in clean} == dict.fromkeys(clean, True)


def test_a_smoothed_log_is_refused_and_a_raw_one_is_not() -> None:
    made = evidence()
    for run in made.runs():
        if made.decays(run):
            assert made.law_of(run) is not None, run.name
            with pytest.raises(made.ForesightError, match="smoothed"):
                made.fit([(made.smoothed(run.log), run.schedule)])


@pytest.mark.parametrize("name", ["protocol", "finals"])
def test_the_page_is_current(name: str) -> None:
    made = evidence()
    page = made.PAGE.read_text()
    assert made.made(page, name, made.TABLES[name]()) == page, "run python docs/make_evidence.py"
