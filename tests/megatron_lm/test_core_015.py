"""Megatron Core 0.14 and 0.15, whose rules for ``lr_mult`` and for weight decay are their own."""

import importlib.util
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from schedframe.megatron._versions import OptimizerParamScheduler015

from .megatron_lm import wheel

ARGUMENTS: dict[str, Any] = {
    "init_lr": 1e-5,
    "max_lr": 1e-3,
    "min_lr": 1e-4,
    "lr_warmup_steps": 10,
    "lr_decay_steps": 100,
    "start_wd": 0.01,
    "end_wd": 0.1,
    "wd_incr_steps": 100,
}


@pytest.fixture(scope="module", params=["0.14.0", "0.15.3"])
def theirs(request: pytest.FixtureRequest, wheels: Path) -> Any:
    """The class in the wheel's own file."""
    path = wheel(request.param, wheels) / "megatron" / "core" / "optimizer_param_scheduler.py"
    spec = importlib.util.spec_from_file_location(f"megatron_{request.param}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spec.loader.exec_module(module)
    return module.OptimizerParamScheduler


def optimizer() -> Any:
    groups = [
        {"max_lr": 1e-3, "min_lr": 1e-4, "wd_mult": 1.0, "lr_mult": 1.0, "is_decoupled_lr": False},
        {"max_lr": 1e-3, "min_lr": 1e-4, "wd_mult": 0.0, "lr_mult": 0.1, "is_decoupled_lr": False},
        {"max_lr": 5e-4, "min_lr": 2e-5, "wd_mult": 1.0, "lr_mult": 3.0, "is_decoupled_lr": True},
        {"wd_mult": 0.5, "start_wd": 0.5, "end_wd": 0.7},
        {"lr_mult": 0.3, "end_wd": 0.7},
    ]
    return SimpleNamespace(param_groups=[{**group, "lr": 0.1, "weight_decay": 0.1} for group in groups])


@pytest.mark.parametrize("lr_style", ["linear", "cosine", "inverse-square-root", "constant", "WSD"])
@pytest.mark.parametrize("wd_style", ["linear", "cosine"])
def test_every_group_has_the_values_of_that_megatron(theirs, lr_style, wd_style):
    own, other = optimizer(), optimizer()
    arguments = {**ARGUMENTS, "lr_decay_style": lr_style, "wd_incr_style": wd_style}
    arguments |= {"wsd_decay_steps": 20, "lr_wsd_decay_style": "minus_sqrt"}
    megatrons = theirs(other, **arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = OptimizerParamScheduler015(own, **arguments)
    for increment in [0, 1, 9, 1, 20, 45, 13, 7, 4, 1, 50]:
        ours.step(increment)
        megatrons.step(increment)
        assert own.param_groups == other.param_groups


def test_its_lr_mult_is_no_mistake():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler = OptimizerParamScheduler015(
            SimpleNamespace(param_groups=[{"lr_mult": 0.1}]),
            **{**ARGUMENTS, "lr_decay_style": "cosine", "wd_incr_style": "linear"},
        )
    scheduler.step(100)
    assert scheduler.optimizer.param_groups[0]["lr"] == 1e-4 * 0.1
