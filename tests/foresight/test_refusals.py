"""What is refused, each with its number; and that nothing else is."""

from typing import Any

import numpy as np
import pytest

from schedframe import ForesightError, Schedule
from schedframe.foresight import Law, Log, fit, log_of, propose

from .conftest import COSINE, HALF, LENGTH, Make, schedule, wsd


def names(error: ForesightError) -> list[str]:
    return [reason.name for reason in error.reasons]


def refused(log: Log, of: Schedule = COSINE) -> tuple[list[str], str]:
    with pytest.raises(ForesightError) as caught:
        fit([(log, of)])
    return names(caught.value), str(caught.value)


def test_fewer_than_ten_points(log: Make) -> None:
    found, text = refused(log(points=9))
    assert found == ["few-points"]
    assert text == "train.log: it has 9 losses from update 1,000 on, and at least 10 are needed; log more often"


@pytest.mark.parametrize("of", [schedule(lr_decay_style="constant"), schedule(min_lr="60%")])
def test_a_learning_rate_that_never_falls_to_half(log: Make, of: Schedule) -> None:
    found, text = refused(log(of), of)
    assert found == ["no-decay"]
    assert "run one cosine to its end" in text


def test_a_constant_run_is_welcome_beside_one_that_decays(log: Make) -> None:
    constant = schedule(lr_decay_style="constant")
    fit([(log(), COSINE), (log(constant), constant)])


def test_half_of_a_decay(log: Make) -> None:
    found, text = refused(log(last=0.7))
    assert found == ["half-a-decay"]
    assert "losses are logged over 70% of the decay, and 75% are needed" in text
    fit([(log(last=0.8), COSINE)])


def test_a_log_that_begins_late(log: Make) -> None:
    whole = log(HALF)
    late = whole.steps > 0.5 * LENGTH
    assert refused(log_of(whole.steps[late], whole.loss[late]), HALF)[0] == ["late-log"]


@pytest.mark.parametrize("share", [0.8, 0.9, 0.95])
def test_a_smoothed_log(log: Make, share: float) -> None:
    loss = log(noise=0.003).loss.copy()
    for index in range(1, len(loss)):
        loss[index] = share * loss[index - 1] + (1 - share) * loss[index]
    assert "smoothed" in refused(log_of(log().steps, loss))[0]


def test_another_learning_rate_with_its_first_iteration(log: Make) -> None:
    made = log()
    lr = [HALF.lr_at(step) for step in made.steps.tolist()]
    found, text = refused(Log(made.steps, made.loss, np.array(lr), "train.log"))
    assert found == ["other-learning-rate"]
    assert "its learning rate at iteration 700 is 1e-3, and 9.936e-4 in the schedule" in text


@pytest.mark.parametrize("shift", [0, 1])
def test_the_learning_rate_of_the_last_or_of_the_next_update_is_right(log: Make, shift: int) -> None:
    made = log()
    lr = [COSINE.lr_at(max(step - shift, 0)) for step in made.steps.tolist()]
    fit([(Log(made.steps, made.loss, np.array(lr)), COSINE)])


def test_spikes_in_more_than_a_fifth(log: Make) -> None:
    loss = log().loss.copy()
    loss[::4] *= 1.5
    found, text = refused(log_of(log().steps, loss, name="train.log"))
    assert found == ["spikes"]
    assert "24 of 100 losses are not finite or stand out above their neighbours, and up to 20% may" in text


def test_losses_that_are_no_numbers_in_more_than_a_fifth(log: Make) -> None:
    loss = log().loss.copy()
    loss[::3] = np.nan
    assert refused(log_of(log().steps, loss))[0] == ["spikes"]


def test_a_few_losses_that_are_no_numbers_are_left_out_with_a_warning(log: Make) -> None:
    loss = log().loss.copy()
    loss[::10] = np.nan
    found = fit([(log_of(log().steps, loss), COSINE)])
    assert any("10 losses that are no finite numbers were left out" in text for text in found.warnings)


def test_a_loss_that_no_law_describes(log: Make) -> None:
    steps = log().steps
    assert "no-fit" in refused(log_of(steps, 3 + 0.3 * np.sin(steps / 800)))[0]


@pytest.mark.parametrize(("factor", "shift"), [(1, -5), (1e9, 0), (1e-9, 0)])
def test_what_is_no_loss(log: Make, factor: float, shift: float) -> None:
    assert refused(log_of(log().steps, factor * log().loss + shift))[0] == ["no-loss"]


def test_a_log_that_goes_on_behind_the_end(log: Make) -> None:
    made = log()
    assert refused(log_of(2 * made.steps, made.loss))[0] == ["other-length"]


def test_no_run_at_all() -> None:
    with pytest.raises(ForesightError, match="there is no run to fit"):
        fit([])


OPEN: dict[str, Any] = {"clock": "iters", "lr_decay_steps": "open", "max_lr": 1e-3, "lr_decay_style": "constant"}


@pytest.mark.parametrize(
    ("target", "name", "words"),
    [
        (schedule(train_iters=5 * LENGTH), "long-horizon", "it is 5.0 times as long as the longest fitted run"),
        (schedule(max_lr=3e-3), "other-peak", "3.00 times that of the nearest fitted run"),
        (schedule(max_lr=4e-4), "other-peak", "0.40 times"),
        (
            schedule(lr_decay_style={"style": "multi-step", "milestones": [0.5], "multipliers": [0.3]}),
            "abrupt-step",
            "falls by 70% of its peak at once",
        ),
        (schedule(start_wd=0.1), "other-weight-decay", "its weight decay is scheduled, and it is not in the schedule"),
        (
            schedule(
                lr_decay_style={
                    "style": "phases",
                    "phases": [{"style": "linear", "length": 4000, "to": "30%"}, {"style": "linear", "to": "90%"}],
                }
            ),
            "re-warmup",
            "the learning rate rises again at update",
        ),
        (
            schedule(groups=[{"role": "slow", "match": {"index": 0}, "min_lr": 5e-4}]),
            "other-groups",
            "the param groups slow have another curve",
        ),
        (
            Schedule(clock="iters", lr_decay_steps="open", max_lr=1e-3, lr_decay_style="constant"),
            "open-ended",
            "no end",
        ),
        (Schedule(train_samples=80_000, max_lr=1e-3), "no-updates", "give global_batch_size"),
        (Schedule(clock="iters", train_iters=100, max_lr=1e-3, start_step=50), "part-of-a-run", "begins at step 50"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_schedule_that_nothing_is_known_of(law: Law, target: Schedule, name: str, words: str) -> None:
    with pytest.raises(ForesightError) as caught:
        law.predict(target)
    assert (names(caught.value), words in str(caught.value)) == ([name], True)


@pytest.mark.parametrize(
    ("other", "name"),
    [
        ({"global_batch_size": 16}, "other-batch-size"),
        ({"start_wd": 0.2}, "other-weight-decay"),
        ({"start_wd": 0.1, "end_wd": 0.2, "wd_incr_style": "linear"}, "other-weight-decay"),
        ({"rampup_batch_size": [4, 4, 20_000]}, "batch-ramp"),
    ],
)
def test_another_batch_size_or_weight_decay(log: Make, other: dict[str, Any], name: str) -> None:
    keys = {"global_batch_size": 8, "start_wd": 0.1}
    law = fit([(log(), schedule(**keys))])
    with pytest.raises(ForesightError) as caught:
        law.predict(schedule(**{**keys, **other}))
    assert names(caught.value) == [name]


@pytest.mark.parametrize(
    "target",
    [
        schedule(train_iters=4 * LENGTH),
        schedule(max_lr=2e-3),
        schedule(max_lr=5e-4),
        schedule(lr_decay_style={"style": "multi-step", "milestones": [0.5, 0.7], "multipliers": [0.75, 0.5]}),
        schedule(groups=[{"role": "slow", "match": {"index": 0}, "lr_mult": 0.1}]),
        schedule(lr_warmup_steps=0),
        schedule(lr_decay_style="constant"),
        schedule(global_batch_size=8, rampup_batch_size=[4, 4, 2000]),
        wsd(0.05),
        schedule(lr_decay_style="linear"),
        schedule(lr_decay_style="inverse-square-root"),
        schedule(train_iters=LENGTH // 3),
    ],
)
def test_nothing_else_is_refused(law: Law, target: Schedule) -> None:
    assert 2.5 < law.predict(target).final < 3.5


@pytest.mark.parametrize("max_lr", [5e-324, 1e100])
def test_a_max_lr_that_makes_no_sense(law: Law, max_lr: float) -> None:
    with pytest.raises(ForesightError, match="and peaks from 1e-12 to 1e6 make sense"):
        law.predict(schedule(max_lr=max_lr))


def test_every_reason_is_in_the_error(law: Law) -> None:
    with pytest.raises(ForesightError) as caught:
        law.predict(schedule(train_iters=5 * LENGTH, max_lr=3e-3))
    assert names(caught.value) == ["long-horizon", "other-peak"]
    assert len(str(caught.value).splitlines()) == 2


def test_nothing_is_proposed_for_what_cannot_be_predicted(law: Law) -> None:
    with pytest.raises(ForesightError, match="long as the longest fitted run"):
        propose(law, schedule(train_iters=5 * LENGTH))
