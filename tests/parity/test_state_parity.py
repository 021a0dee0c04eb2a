"""State goes from Megatron's class to ours and back, and the run continues equal."""

import random
import warnings
from typing import Any

import pytest

from schedframe import OptimizerParamScheduler, SchedframeWarning, StateError

from .strategies import Optimizer, arguments, groups
from .test_parity import assert_equal

pytestmark = pytest.mark.no_cover

FLAGS = {
    "checkpoint": {"use_checkpoint_opt_param_scheduler": True, "override_opt_param_scheduler": False},
    "override": {"use_checkpoint_opt_param_scheduler": False, "override_opt_param_scheduler": True},
    "neither": {"use_checkpoint_opt_param_scheduler": False, "override_opt_param_scheduler": False},
}


def build(cls: Any, run: dict[str, Any], start: list[dict[str, Any]], flags: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SchedframeWarning)
        return cls(Optimizer(start), **run, **FLAGS[flags])


def load(scheduler: Any, state: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SchedframeWarning)
        scheduler.load_state_dict(state)


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("direction", ["theirs to ours", "ours to theirs", "ours to ours"])
def test_a_run_that_changes_its_class_continues_equal(megatron: Any, flags: str, direction: str) -> None:
    for seed in range(12):
        draw = random.Random(seed)
        run = arguments(draw)
        start = groups(draw, run)
        uninterrupted = build(megatron.OptimizerParamScheduler, run, start, flags)
        uninterrupted.step(draw.randint(0, run["lr_decay_steps"]))
        source, target = direction.split(" to ")
        classes = {"theirs": megatron.OptimizerParamScheduler, "ours": OptimizerParamScheduler}
        first = build(classes[source], run, start, flags)
        first.step(uninterrupted.num_steps)
        second = build(classes[target], run, start, flags)
        load(second, first.state_dict())
        for _ in range(5):
            uninterrupted.step(13)
            second.step(13)
            assert second.optimizer.param_groups == uninterrupted.optimizer.param_groups


def test_the_ten_keys_are_megatrons_with_its_order_and_types(megatron: Any) -> None:
    for seed in range(6):
        draw = random.Random(seed)
        run = arguments(draw)
        theirs = build(megatron.OptimizerParamScheduler, run, [{}], "checkpoint").state_dict()
        ours = build(OptimizerParamScheduler, run, [{}], "checkpoint").state_dict()
        assert list(ours)[:-1] == list(theirs)
        assert list(ours)[-1] == "schedframe"
        for key, value in theirs.items():
            assert ours[key] == value
            assert type(ours[key]) is type(value)


@pytest.mark.parametrize(
    ("legacy", "key"),
    [
        ("start_lr", "max_lr"),
        ("warmup_iter", "lr_warmup_steps"),
        ("warmup_steps", "lr_warmup_steps"),
        ("end_iter", "lr_decay_steps"),
        ("decay_steps", "lr_decay_steps"),
        ("decay_style", "lr_decay_style"),
        ("num_iters", "num_steps"),
    ],
)
def test_a_legacy_key_is_read_as_megatron_reads_it(megatron: Any, legacy: str, key: str) -> None:
    draw = random.Random(5)
    run = {**arguments(draw), "lr_decay_style": "cosine"}
    other = {**arguments(random.Random(6)), "lr_decay_style": "linear"}
    first = build(megatron.OptimizerParamScheduler, run, [{}], "checkpoint")
    first.step(run["lr_decay_steps"] // 2)
    state = first.state_dict()
    state[legacy] = state.pop(key)
    theirs = build(megatron.OptimizerParamScheduler, other, [{}], "checkpoint")
    ours = build(OptimizerParamScheduler, other, [{}], "checkpoint")
    for scheduler in (theirs, ours):
        scheduler.init_lr = 0.0
        load(scheduler, state)
        scheduler.step(1)
    assert_equal(theirs, ours)


def test_a_state_without_weight_decay_keeps_this_runs(megatron: Any) -> None:
    run = {**arguments(random.Random(8)), "wd_incr_style": "cosine", "start_wd": 0.1, "end_wd": 0.2}
    first = build(megatron.OptimizerParamScheduler, run, [{}], "checkpoint")
    first.step(30)
    state = {key: value for key, value in first.state_dict().items() if "wd" not in key}
    ours = build(OptimizerParamScheduler, run, [{}], "checkpoint")
    load(ours, state)
    first.step(3)
    ours.step(3)
    assert_equal(first, ours)


def test_megatron_adds_when_it_loads_twice_and_we_do_not(megatron: Any) -> None:
    run = {**arguments(random.Random(9)), "lr_decay_steps": 1000, "lr_warmup_steps": 10, "wsd_decay_steps": 100}
    for cls, expected in ((megatron.OptimizerParamScheduler, 100), (OptimizerParamScheduler, 50)):
        scheduler = build(cls, run, [{}], "checkpoint")
        scheduler.step(50)
        state = scheduler.state_dict()
        fresh = build(cls, run, [{}], "checkpoint")
        load(fresh, state)
        load(fresh, state)
        assert fresh.num_steps == expected


def test_weight_decay_is_right_straight_after_a_load_where_megatrons_is_stale(megatron: Any) -> None:
    run = {**arguments(random.Random(9)), "wd_incr_style": "constant", "start_wd": 0.3, "end_wd": 0.3}
    saved = {**run, "start_wd": 0.05, "end_wd": 0.05}
    held = {}
    for cls in (megatron.OptimizerParamScheduler, OptimizerParamScheduler):
        state = build(cls, saved, [{}], "checkpoint").state_dict()
        scheduler = build(cls, run, [{}], "checkpoint")
        load(scheduler, state)
        held[cls] = scheduler.optimizer.param_groups[0]["weight_decay"]
    assert held == {megatron.OptimizerParamScheduler: 0.3, OptimizerParamScheduler: 0.05}


def test_the_cooldown_that_megatron_forgets_comes_back(megatron: Any) -> None:
    base = {**arguments(random.Random(11)), "lr_decay_style": "WSD", "lr_decay_steps": 110, "lr_warmup_steps": 10}
    saved = {**base, "wsd_decay_steps": 20, "lr_wsd_decay_style": "linear"}
    now = {**base, "wsd_decay_steps": 80, "lr_wsd_decay_style": "exponential"}
    first = build(OptimizerParamScheduler, saved, [{}], "checkpoint")
    first.step(100)
    second = build(OptimizerParamScheduler, now, [{}], "checkpoint")
    second.load_state_dict(first.state_dict())
    assert second.optimizer.param_groups == first.optimizer.param_groups
    assert (second.wsd_decay_steps, second.lr_wsd_decay_style) == (20, "linear")
    strict = build(OptimizerParamScheduler, now, [{}], "neither")
    with pytest.raises(StateError, match="wsd_decay_steps"):
        strict.load_state_dict(first.state_dict())
