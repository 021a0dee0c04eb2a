"""A law that is fitted to runs whose loss is known."""

import json
from dataclasses import replace

import numpy as np
import pytest

from schedframe import ForesightError, PluginError, Schedule
from schedframe.foresight import Law, Log, fit, log_of, loss_laws

from .conftest import COSINE, HALF, LENGTH, Make, schedule, wsd


def test_the_parameters_that_made_the_losses_are_found(law: Law, truth: Law) -> None:
    assert law.parameters == {name: pytest.approx(value, rel=0.05) for name, value in truth.parameters.items()}


@pytest.mark.parametrize("target", [HALF, wsd(0.2), wsd(0.3, "minus_sqrt"), schedule(train_iters=2 * LENGTH)])
def test_another_schedule_is_predicted(law: Law, truth: Law, target: Schedule) -> None:
    end = target.units_at(target.train_steps)["iters"]
    assert law.predict(target).final == pytest.approx(truth.loss_at(target, [end])[0], abs=0.002)


def test_steps_can_be_asked_for(law: Law) -> None:
    forecast = law.predict(HALF, [5000, 2000])
    assert (forecast.steps, forecast.loss) == ([2000, 5000], pytest.approx(law.loss_at(HALF, [2000, 5000]), rel=1e-4))


def test_steps_before_the_law_holds_are_refused(law: Law) -> None:
    with pytest.raises(ValueError, match="must lie between 1000 and 10000"):
        law.predict(HALF, [10])


def test_wider_bounds_hold_more(law: Law) -> None:
    forecast = law.predict(HALF)
    (lower, upper), (lowest, highest) = forecast.final_bounds(0.8), forecast.final_bounds(0.95)
    assert lowest < lower < forecast.final < upper < highest
    assert forecast.bounds(0.95)[1][-1] == pytest.approx(highest)


@pytest.mark.parametrize("level", [0, 1, 2, -1])
def test_a_level_that_is_no_share_is_refused(law: Law, level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        law.predict(HALF).final_bounds(level)


def test_a_longer_run_and_another_max_lr_have_wider_bars(law: Law) -> None:
    width = law.predict(COSINE).final_deviation
    assert law.predict(schedule(train_iters=3 * LENGTH)).final_deviation > 1.2 * width
    assert law.predict(schedule(max_lr=2e-3)).final_deviation > 1.2 * width


def test_which_of_two_ends_lower_is_reported_with_how_sure_that_is(law: Law) -> None:
    difference = law.compare(HALF, schedule(min_lr="50%"))
    assert difference.difference < -0.02
    assert difference.reliability > 0.95
    assert law.compare(schedule(min_lr="50%"), HALF).difference == -difference.difference


def test_a_schedule_and_itself_are_too_close_to_call(law: Law) -> None:
    assert (law.compare(HALF, HALF).difference, law.compare(HALF, HALF).is_close) == (0.0, True)


def test_a_law_is_the_same_after_json(law: Law) -> None:
    assert Law.from_json(law.to_json()) == law


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": 1}', "[" * 100_000])
def test_what_is_no_law_is_refused(text: str) -> None:
    with pytest.raises(ForesightError, match="it is no fitted law as"):
        Law.from_json(text)


def test_json_with_another_field_is_refused(law: Law) -> None:
    data = {**json.loads(law.to_json()), "runs": [{"log": "a"}]}
    with pytest.raises(ForesightError, match="no fitted law"):
        Law.from_json(json.dumps(data))


def test_samples_are_converted_to_updates_by_the_batch_size(law: Law, log: Make) -> None:
    samples = {"max_lr": 1e-3, "train_samples": 8 * LENGTH, "global_batch_size": 8, "lr_warmup_steps": 1600}
    made = Schedule(**samples, lr_decay_style="cosine")
    assert fit([(log(), made)]).predict(made).final == pytest.approx(law.predict(COSINE).final, abs=1e-4)


@pytest.mark.parametrize("name", list(loss_laws))
def test_every_law_describes_the_run_that_it_is_fitted_to(log: Make, name: str) -> None:
    law = fit([(log(), COSINE)], name)
    assert law.predict(COSINE).final == pytest.approx(log().loss[-1], rel=0.005)
    assert loss_laws[name].formula.startswith("L0 + A")
    assert len(law.parameters) == len(law.vector)


@pytest.mark.parametrize("kept", [10, 100])
def test_few_points_are_enough(law: Law, log: Make, kept: int) -> None:
    whole = log()
    usable = np.flatnonzero(whole.steps >= 1000)
    some = usable[np.linspace(0, len(usable) - 1, min(kept, len(usable))).round().astype(int)]
    found = fit([(log_of(whole.steps[some], whole.loss[some]), COSINE)])
    assert found.predict(HALF).final == pytest.approx(law.predict(HALF).final, abs=0.002)


def test_noise_and_spikes_move_a_prediction_little(law: Law, log: Make) -> None:
    loss = log(noise=0.005).loss.copy()
    loss[20::10] += 0.4
    found = fit([(log_of(log().steps, loss), COSINE)])
    assert found.predict(HALF).final == pytest.approx(law.predict(HALF).final, abs=0.006)
    assert [warning for warning in found.warnings if "stand out above their neighbours" in warning]


def test_a_log_of_every_update_is_fitted_by_its_means(truth: Law, log: Make) -> None:
    assert fit([(log(points=10_000, noise=0.05), COSINE)]).predict(HALF).final == pytest.approx(
        truth.loss_at(HALF, [LENGTH])[0], abs=0.006
    )


def test_one_shape_only_is_a_warning(law: Law, log: Make) -> None:
    assert law.warnings[0].startswith("fitted on one shape only (decay over")
    assert fit([(log(), COSINE), (log(HALF), HALF)]).warnings == ()


def test_runs_that_the_law_cannot_reconcile_are_a_warning(log: Make) -> None:
    other = log(HALF)
    moved = Log(other.steps, other.loss * 1.02, name="other.log")
    assert any("beside the law on average" in text for text in fit([(log(), COSINE), (moved, HALF)]).warnings)


def test_a_parameter_that_is_far_from_its_prior_is_a_warning(truth: Law) -> None:
    vector = (*truth.vector[:1], np.log(1.0), *truth.vector[2:])
    fast = replace(truth, vector=vector)
    steps, noise = np.linspace(100, LENGTH, 100), 0.001 * np.random.default_rng(0).normal(size=100)
    found = fit([(log_of(steps, fast.loss_at(each, steps) + noise), each) for each in (COSINE, HALF, wsd(0.2))])
    assert abs(found.widths_from_prior["c"]) > 2
    assert any(text.startswith("the parameter c lies") for text in found.warnings)


def test_a_short_cooldown_a_concave_one_and_a_longer_run_are_warnings(law: Law) -> None:
    assert "takes 10% of the run" in law.predict(wsd(0.1)).warnings[0]
    assert "is concave" in law.predict(wsd(0.4, {"style": "minus-power", "power": 3})).warnings[0]
    assert "is 2 times as long" in law.predict(schedule(train_iters=2 * LENGTH)).warnings[0]
    assert law.predict(HALF).warnings == ()


def test_an_unknown_law_is_named(log: Make) -> None:
    with pytest.raises(PluginError, match="there is no loss law 'momentun'; did you mean 'momentum'"):
        fit([(log(), COSINE)], "momentun")


PLUGIN = """
import numpy as np
from schedframe.foresight import LossLaw, Prior

class Flat(LossLaw):
    name = "flat"
    formula = "L0 + A t^-a"
    source = "none"
    priors = {"a": Prior(0.5, 0.3)}
    coefficients = ("L0", "A")

    def columns(self, parameters, grid, reference):
        time = grid.updates[grid.asked] / reference.length
        return np.stack([np.ones_like(time), time ** -parameters["a"]], axis=1)
"""


def test_a_distribution_adds_a_law(install, log: Make) -> None:
    install("flat-law", PLUGIN, groups={"schedframe.loss_laws": {"flat": "flat_law_mod:Flat"}})
    assert "flat" in loss_laws
    assert fit([(log(), COSINE)], "flat").parameters.keys() == {"a", "L0", "A"}


@pytest.mark.parametrize(
    ("target", "words"),
    [("flat_law_mod:np", "it is not a subclass of"), ("flat_law_mod:Gone", "AttributeError"), ("none:X", "none")],
)
def test_what_is_no_law_is_refused_with_its_distribution(install, target: str, words: str) -> None:
    install("flat-law", PLUGIN, groups={"schedframe.loss_laws": {"flat": target}})
    with pytest.raises(PluginError, match=f"the loss law 'flat' from flat-law 1.0 .*{words}"):
        loss_laws["flat"]
