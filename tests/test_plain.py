"""Containers of other libraries, wherever a config has a table or a list."""

from collections import UserDict, UserList
from typing import Any

import pytest

import schedframe
from schedframe import OptimizerParamScheduler, Schedule
from schedframe._plain import plain
from schedframe.styles.lr import MultiStep

from .runs import Optimizer

EVERYTHING: dict[str, Any] = {
    "max_lr": 1.0,
    "train_samples": 1000,
    "global_batch_size": 64,
    "rampup_batch_size": [16, 16, 320],
    "lr_warmup_style": {"style": "cosine"},
    "lr_decay_style": {"style": "phases", "phases": [{"style": "constant", "length": 100}, {"style": "linear"}]},
    "groups": [
        {"role": "router", "match": {"key": {"is_router": True}}, "lr_mult": 0.5},
        {
            "role": "late",
            "match": {"index": 1},
            "lr_decay_style": {"style": "multi-step", "milestones": [0.5], "multipliers": [0.5]},
        },
    ],
    "resume": {"policy": "checkpoint", "override": ["max_lr"]},
    "parent": {"fingerprint": "9f31c07be2d10c55", "step": 0},
}
"""A schedule with a table or a list wherever one can stand."""


def in_user_containers(value: Any) -> Any:
    if isinstance(value, dict):
        return UserDict({key: in_user_containers(inner) for key, inner in value.items()})
    return UserList(map(in_user_containers, value)) if isinstance(value, list) else value


def in_omegaconf(value: Any) -> Any:
    return pytest.importorskip("omegaconf").OmegaConf.create(value)


other_containers = pytest.mark.parametrize("contained", [in_user_containers, in_omegaconf])


@other_containers
def test_a_schedule_takes_them_everywhere(contained: Any) -> None:
    assert Schedule(**contained(EVERYTHING)) == Schedule(**EVERYTHING)


@other_containers
def test_so_does_its_validation_as_a_model(contained: Any) -> None:
    assert Schedule.model_validate(contained(EVERYTHING)) == Schedule(**EVERYTHING)


@other_containers
def test_so_does_a_style(contained: Any) -> None:
    assert MultiStep(milestones=contained([0.5]), multipliers=contained([0.1])) == MultiStep(
        milestones=(0.5,), multipliers=(0.1,)
    )


@other_containers
def test_so_does_the_scheduler(contained: Any) -> None:
    style = EVERYTHING["lr_decay_style"]
    plain_ones, others = (
        OptimizerParamScheduler(
            *(Optimizer(), 0.0, 1.0, 0.0, 10, 1000, held(style), 0.0, 0.0, 1000, "constant"),
            override_keys=held(["max_lr"]),
            parent=held(EVERYTHING["parent"]),
            lr_warmup_style=held({"style": "cosine"}),
        )
        for held in (plain, contained)
    )
    assert others.plan == plain_ones.plan


@other_containers
def test_a_branch_can_be_made_of_such_a_schedule(contained: Any) -> None:
    whole = Schedule(**contained({"max_lr": 1.0, "lr_decay_steps": 100, "lr_decay_style": {"style": "constant"}}))
    branched = schedframe.branch(whole, 60, wsd_decay_steps=20, lr_wsd_decay_style=contained({"style": "linear"}))
    assert branched.schedule.lr_at(70) == 0.5


def test_an_interpolation_is_resolved() -> None:
    config = in_omegaconf({"peak": 3e-4, "schedule": {"max_lr": "${peak}", "lr_decay_steps": 100}})
    assert Schedule(**config.schedule).max_lr == 3e-4


def test_texts_and_tuples_stay_what_they_are() -> None:
    assert plain({"a": ("x", UserList([1])), "b": b"y"}) == {"a": ("x", [1]), "b": b"y"}
