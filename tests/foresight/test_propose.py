"""What is proposed, and what is learned from runs that are left out."""

import pytest

from schedframe import ForesightError, Schedule
from schedframe.foresight import CLOSE, FAMILIES, Law, Proposal, backtest, propose

from .conftest import COSINE, HALF, LENGTH, Make, schedule, wsd


@pytest.fixture
def found(law: Law) -> Proposal:
    return propose(law, COSINE)


def test_the_plateau_is_all_that_is_too_close_to_the_best(found: Proposal) -> None:
    best = found.candidates[0].final
    assert [each for each in found.candidates if each.final <= best + CLOSE] == list(found.plateau)


def test_the_least_steep_that_is_no_worse_than_the_rule_is_chosen(found: Proposal) -> None:
    usable = [each for each in found.plateau if each.final <= found.rule.final]
    assert found.chosen in usable
    assert found.chosen.steepness == min(each.steepness for each in usable)


def test_it_stands_beside_the_rule_of_thumb_and_a_cosine(found: Proposal, law: Law) -> None:
    assert found.rule.final == pytest.approx(law.predict(wsd(0.4)).final)
    assert found.cosine.final == pytest.approx(law.predict(schedule(min_lr="10%")).final)
    assert found.against_cosine.difference == pytest.approx(found.chosen.final - found.cosine.final)


def test_nothing_is_predicted_below_the_lowest(found: Proposal) -> None:
    assert found.candidates[0].final - 0.02 < found.lowest <= found.candidates[0].final


@pytest.mark.parametrize("family", FAMILIES)
def test_the_keys_that_change_make_the_schedule(law: Law, family: str) -> None:
    chosen = propose(law, COSINE, family).chosen
    keys = {**COSINE.origin.given, **chosen.changes}
    assert Schedule(**{key: value for key, value in keys.items() if value is not None}) == chosen.schedule
    assert chosen.schedule.train_steps == LENGTH


def test_both_families_have_the_same_curves(law: Law) -> None:
    one, other = (propose(law, COSINE, family).chosen for family in FAMILIES)
    assert other.final == pytest.approx(one.final, abs=1e-4)


def test_flat_keys_of_wsd_are_taken_away(law: Law) -> None:
    flat = schedule(lr_decay_style="WSD", wsd_decay_steps=2000, lr_wsd_decay_style="linear")
    assert propose(law, flat).chosen.changes["wsd_decay_steps"] is None


def test_a_run_that_cannot_be_predicted_is_replaced_all_the_same(law: Law) -> None:
    steps = schedule(lr_decay_style={"style": "multi-step", "milestones": [0.5], "multipliers": [0.1]})
    assert (propose(law, steps).given, propose(law, steps).against_given) == (None, None)


def test_an_unknown_family_is_refused(law: Law) -> None:
    with pytest.raises(ValueError, match="there is no family 'cosines'; choose wsd or phases"):
        propose(law, COSINE, "cosines")


def test_a_derived_schedule_has_no_keys_to_change(law: Law) -> None:
    with pytest.raises(ForesightError, match="was derived by a program"):
        propose(law, COSINE.for_role("default"))


def test_each_run_is_predicted_from_the_others(log: Make) -> None:
    tested = backtest([(log(), COSINE), (log(HALF), HALF)])
    assert [each.error for each in tested] == [pytest.approx(0, abs=0.003)] * 2
    assert all(each.bounds[0] < each.measured < each.bounds[1] for each in tested)


def test_a_run_that_the_others_do_not_tell_about_has_the_reasons(log: Make) -> None:
    constant = schedule(lr_decay_style="constant")
    cosine, other = backtest([(log(), COSINE), (log(constant), constant)])
    assert (cosine.predicted, cosine.error, [reason.name for reason in cosine.reasons]) == (None, None, ["no-decay"])
    assert other.predicted is not None


def test_one_run_alone_cannot_be_tested(log: Make) -> None:
    with pytest.raises(ForesightError, match="1 runs were given, and two at least are needed"):
        backtest([(log(), COSINE)])
