"""NVIDIA/Megatron-LM:tests/unit_tests/test_optimizer_param_scheduler.py at core_v0.16.1: its numbers, on files.

The file has the same tests at d98e8a6. What Megatron Core's own class does is compared in ``tests/parity``.
"""

import math
from typing import Any

import pytest

import schedframe
from schedframe.megatron import OptimizerParamScheduler, get_canonical_lr_for_logging

from ..runs import Optimizer
from .cases import Case, Keys, check

TESTS = 18
KEYS: Keys = {
    "init_lr": 0.01,
    "max_lr": 0.1,
    "min_lr": 0.001,
    "lr_warmup_steps": 100,
    "lr_decay_steps": 1000,
    "lr_decay_style": "linear",
    "start_wd": 0.0,
    "end_wd": 0.1,
    "wd_incr_steps": 1000,
    "wd_incr_style": "linear",
}
"""The arguments of the tests, which are the keys of a file."""
CONSTANT = {**KEYS, "start_wd": 0.1, "wd_incr_style": "constant"}
COSINE = {**KEYS, "lr_decay_style": "cosine"}

RATES = {
    "test_get_lr_linear": Case(KEYS, {50: 0.055, 500: 0.1 - 0.099 * 400 / 900, 1001: 0.001}),
    "test_get_lr_cosine": Case(COSINE, {500: 0.001 + 0.099 * 0.5 * (math.cos(math.pi * 400 / 900) + 1.0)}),
}
WEIGHT_DECAYS = {
    "test_get_wd_constant": (CONSTANT, 0.1),
    "test_get_wd_linear": (KEYS, 0.05),
    "test_get_wd_cosine": ({**COSINE, "wd_incr_style": "cosine"}, 0.05 * (math.cos(math.pi * 0.5) + 1.0)),
}
LOGGED: dict[str, tuple[list[dict[str, Any]], float | None]] = {
    "test_single_default_config_group": ([{"lr": 0.05, "default_config": True}], 0.05),
    "test_default_config_with_non_default_groups": ([{"lr": 0.001, "default_config": True}, {"lr": 0.999}], 0.001),
    "test_default_config_after_non_default": ([{"lr": 0.5}, {"lr": 0.01, "default_config": True}], 0.01),
    "test_no_default_config_groups": ([{"lr": 0.5}, {"lr": 0.01}], None),
    "test_missing_lr_key": ([{"default_config": True}], None),
    "test_empty_param_groups": ([], None),
    "test_no_default_config_no_lr": ([{"params": []}], None),
    "test_lr_zero_is_valid": ([{"lr": 0.0, "default_config": True}], 0.0),
}
ELSEWHERE = {
    "test_initialization": "test_the_arguments_are_attributes",
    "test_state_dict": "test_a_state_has_the_arguments",
    "test_load_state_dict": "test_a_loaded_state_replaces_the_arguments",
    "test_step_function": "test_a_step_writes_both_values",
    "test_step_updates_empty_param_groups": "test_a_group_without_parameters_is_written",
}
"""Tests of the scheduler object, each with the test here."""
OTHER_STATE = {
    "max_lr": 0.2,
    "min_lr": 0.0005,
    "lr_warmup_steps": 200,
    "lr_decay_steps": 2000,
    "lr_decay_style": "cosine",
    "num_steps": 500,
    "start_wd": 0.01,
    "end_wd": 0.2,
    "wd_incr_steps": 500,
    "wd_incr_style": "cosine",
}


def built(*groups: dict[str, Any]) -> tuple[OptimizerParamScheduler, Optimizer]:
    optimizer = Optimizer(*groups)
    return OptimizerParamScheduler(optimizer, **KEYS), optimizer


def attributes(scheduler: OptimizerParamScheduler, keys: Keys) -> Keys:
    return {key: getattr(scheduler, key) for key in keys}


@pytest.mark.parametrize("test", RATES)
def test_a_file_has_the_learning_rates_of_the_test(test: str) -> None:
    check(RATES[test])


@pytest.mark.parametrize("test", WEIGHT_DECAYS)
def test_a_file_has_the_weight_decay_of_the_test(test: str) -> None:
    keys, expected = WEIGHT_DECAYS[test]
    assert schedframe.Schedule(**keys).wd_at(500) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("test", LOGGED)
def test_the_logged_learning_rate_is_that_of_the_test(test: str) -> None:
    groups, expected = LOGGED[test]
    assert get_canonical_lr_for_logging(groups) == expected


def test_the_arguments_are_attributes() -> None:
    scheduler, _ = built()
    assert attributes(scheduler, KEYS) == KEYS


def test_a_state_has_the_arguments() -> None:
    scheduler, _ = built()
    state = scheduler.state_dict()
    expected = {**KEYS, "num_steps": 0}
    del expected["init_lr"]
    assert {key: state[key] for key in expected} == expected


def test_a_loaded_state_replaces_the_arguments() -> None:
    scheduler, _ = built()
    with pytest.warns(schedframe.SchedframeWarning, match="does not specify init_lr"):
        scheduler.load_state_dict(OTHER_STATE)
    assert attributes(scheduler, OTHER_STATE) == OTHER_STATE


def test_a_step_writes_both_values() -> None:
    scheduler, optimizer = built({"lr": 0.0, "weight_decay": 0.0})
    scheduler.step(100)
    [group] = optimizer.param_groups
    assert scheduler.num_steps == 100
    assert [group["lr"], group["weight_decay"]] == pytest.approx([0.1, 0.01], rel=1e-15)


def test_a_group_without_parameters_is_written() -> None:
    scheduler, optimizer = built(
        {"params": [1, 2], "min_lr": 0.001, "max_lr": 0.2, "default_config": False},
        {"params": [], "wd_mult": 0.0, "default_config": True},
    )
    scheduler.step(100)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.2, 0.1], rel=1e-15)
    assert [group["weight_decay"] for group in optimizer.param_groups] == pytest.approx([0.01, 0.0], rel=1e-15)
    assert get_canonical_lr_for_logging(optimizer.param_groups) == optimizer.param_groups[1]["lr"]


def test_every_test_of_the_file_is_accounted_for() -> None:
    assert len({**RATES, **WEIGHT_DECAYS, **LOGGED, **ELSEWHERE}) == TESTS
    assert set(ELSEWHERE.values()) <= set(globals())
