"""Curves that hold their values for an interval, as those of schedulers that are stepped once an epoch."""

import json
import math
from typing import Any

import pytest

from schedframe import ConfigError, OptimizerParamScheduler, Schedule, StateError, branch, extend
from schedframe._plan.plan import fingerprint_of, plain_values
from schedframe._run.resume.write import unknown_to_megatron

from ..runs import Optimizer

RUN: dict[str, Any] = {"clock": "iters", "max_lr": 1.0, "lr_decay_steps": 100, "min_lr": 0.1}
COSINE: dict[str, Any] = {**RUN, "lr_decay_style": "cosine"}


def test_an_epoch_has_the_learning_rate_of_torchs_scheduler() -> None:
    torch = pytest.importorskip("torch", reason="needs torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=5)
    schedule = Schedule(
        train_samples="5 epochs",
        dataset_samples=640,
        global_batch_size=32,
        max_lr=1.0,
        lr_decay_style="cosine",
        interval="1 epochs",
    )
    for epoch in range(5):
        lr = optimizer.param_groups[0]["lr"]
        for batch in range(20):
            assert schedule.lr_at(32 * (20 * epoch + batch)) == pytest.approx(lr, abs=1e-15)
            optimizer.step()
        theirs.step()


def test_both_curves_and_every_role_hold() -> None:
    rule = {"role": "router", "match": {"param": "*"}, "lr_mult": 0.5, "wd_mult": 2.0}
    keys = {**COSINE, "lr_warmup_steps": 10, "start_wd": 0.0, "end_wd": 1.0, "wd_incr_style": "linear"}
    held, plain = Schedule(**keys, groups=[rule], interval=8), Schedule(**keys, groups=[rule])
    for n in range(110):
        at = n // 8 * 8
        assert (held.lr_at(n), held.wd_at(n)) == (plain.lr_at(at), plain.wd_at(at))
        assert (held.lr_at(n, "router"), held.wd_at(n, "router")) == (
            plain.lr_at(at, "router"),
            plain.wd_at(at, "router"),
        )


@pytest.mark.parametrize("shift", [1, 0, -1])
@pytest.mark.parametrize("style", ["cosine", "power-law", {"style": "each", "factor": 0.9, "every": "7 iters"}])
def test_groups_hold_what_lr_at_returns(style: Any, shift: int) -> None:
    schedule = Schedule(**{**COSINE, "lr_decay_style": style}, end_wd=0.1, interval=8, first_update=shift)
    optimizer = Optimizer()
    optimizer.param_groups[0].update(max_lr=0.5, default_config=False)
    scheduler = schedule.build(optimizer)
    for n in range(120):
        assert optimizer.param_groups[0]["lr"] == schedule.lr_at(n, {"max_lr": 0.5})
        assert schedule.lr_at(range(120))[n] == schedule.lr_at(n)
        scheduler.step(1)


def test_an_interval_of_one_step_is_none() -> None:
    assert Schedule(**COSINE, interval=1).lr_at(range(120)) == Schedule(**COSINE).lr_at(range(120))


def test_breakpoints_lie_where_the_curves_are_read_first() -> None:
    schedule = Schedule(**COSINE, lr_warmup_steps=10, interval=8)
    assert schedule.landmarks() == {"start": 0, "warmup end": 16, "decay end": 104}
    style = {"style": "multi-step", "milestones": ["50 iters"], "multipliers": [0.1]}
    schedule = Schedule(**{**RUN, "lr_decay_style": style}, interval=20)
    assert [schedule.lr_at(n) for n in (59, 60)] == [1.0, 0.1]


def test_lines_are_close_to_the_stairs() -> None:
    schedule = Schedule(**COSINE, train_iters=100, interval=8)
    found = schedule.sample(300)
    for step, lr in zip(found["step"], found["lr"], strict=True):
        assert lr == schedule.lr_at(step)
    assert {step for step in found["step"] if step and step % 8 == 0} >= set(range(8, 100, 8))


def test_stairs_are_no_jumps_that_lint_reports() -> None:
    for style in ("linear", "cosine", "constant"):
        schedule = Schedule(
            **{**COSINE, "lr_decay_style": style}, train_iters=100, lr_warmup_steps=20, init_lr=0.05, interval=10
        )
        assert [
            found for found in schedule.findings() if found.code.startswith("SF3") and found.severity != "note"
        ] == []


def test_it_is_in_the_fingerprint_and_the_summary_where_it_is_not_0() -> None:
    prints = [Schedule(**COSINE, interval=interval).fingerprint for interval in (0, 8, 16)]
    assert len(set(prints)) == 3
    assert prints[0] == Schedule(**COSINE).fingerprint
    values = plain_values(Schedule(**COSINE).plan)
    assert prints[0] == fingerprint_of({**values, "interval": None})
    assert "held for 8" in Schedule(**COSINE, interval=8).summary()


def test_a_resumed_run_has_it_from_the_state() -> None:
    ours = Schedule(**COSINE, interval=8)
    scheduler = ours.build(Optimizer())
    scheduler.step(50)
    state = json.loads(json.dumps(scheduler.state_dict()))
    again = Schedule(**COSINE, resume="checkpoint").build(Optimizer())
    again.load_state_dict(state)
    assert again.interval == 8
    assert again.optimizer.param_groups[0]["lr"] == ours.lr_at(50) == Schedule(**COSINE).lr_at(48)
    with pytest.raises(StateError, match=r"interval +8 +0"):
        Schedule(**COSINE).build(Optimizer()).load_state_dict(state)


def test_states_without_it_are_read_as_0() -> None:
    state = Schedule(**COSINE).build(Optimizer()).state_dict()
    assert "interval" not in state["schedframe"]
    with pytest.raises(StateError, match=r"interval +0 +8"):
        Schedule(**COSINE, interval=8).build(Optimizer()).load_state_dict(state)


def test_megatron_does_not_have_it() -> None:
    keys = {**COSINE, "clock": "samples", "global_batch_size": 1, "end_wd": 0.1}
    assert unknown_to_megatron(Schedule(**keys, interval=8).plan) == "interval"


def test_the_class_takes_it_in_steps() -> None:
    arguments = (0.0, 1.0, 0.1, 0, 3200, "linear", 0.0, 0.0, 3200, "constant")
    scheduler = OptimizerParamScheduler(Optimizer(), *arguments, interval=320)
    scheduler.step(639)
    assert scheduler.optimizer.param_groups[0]["lr"] == pytest.approx(0.91)
    scheduler.interval = 0
    scheduler.step(0)
    assert scheduler.optimizer.param_groups[0]["lr"] == pytest.approx(1.0 - 0.9 * 639 / 3200)
    with pytest.raises(ConfigError, match="interval"):
        OptimizerParamScheduler(Optimizer(), *arguments, interval=-1)


def test_a_schedule_survives_to_dict() -> None:
    schedule = Schedule(**COSINE, interval="8 iters")
    for keys in (schedule.to_dict(), schedule.to_dict(resolve=True), schedule.model_dump()):
        assert Schedule(**keys) == schedule
    assert schedule.to_dict()["interval"] == "8 iters"


def test_a_branch_keeps_to_the_intervals_of_the_run() -> None:
    parent = Schedule(**{**RUN, "lr_decay_style": "constant"}, interval=16)
    child = branch(parent, 50, wsd_decay_steps=40, lr_wsd_decay_style="linear").schedule
    assert child.interval == 16
    lrs = [child.lr_at(n) for n in range(50, 90)]
    assert [n for n in range(51, 90) if lrs[n - 50] != lrs[n - 51]] == [64, 80]
    assert lrs[14] == pytest.approx(1.0 - 0.9 * 14 / 40)
    scheduler = parent.build(Optimizer())
    scheduler.step(50)
    resumed = child.build(Optimizer())
    resumed.load_state_dict(scheduler.state_dict())
    for n in range(50, 90):
        assert resumed.optimizer.param_groups[0]["lr"] == child.lr_at(n)
        resumed.step(1)


def test_a_stair_of_a_decay_is_no_stable_phase() -> None:
    with pytest.raises(ConfigError, match="does not lie in a stable phase"):
        branch(Schedule(**COSINE, interval=20), 50, wsd_decay_steps=20, lr_wsd_decay_style="linear")


def test_an_extended_run_holds_as_before() -> None:
    parent = Schedule(**{**RUN, "lr_decay_style": {"style": "WSD", "wsd_decay_steps": 20}}, interval=16)
    child = extend(parent, 70, lr_decay_steps=200).schedule
    assert child.interval == 16
    assert [child.lr_at(n) for n in range(71)] == [parent.lr_at(n) for n in range(71)]


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("0.3 epochs", "and must be a whole number of them"),
        (-5, "interval"),
        ("soon", "interval"),
        (math.nan, "interval"),
    ],
)
def test_what_is_no_interval_is_refused(given: Any, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        Schedule(**{**RUN, "lr_decay_style": "cosine"}, dataset_samples=64, global_batch_size=3, interval=given)
