"""What the README claims of others and of itself, where no other test holds it."""

import importlib.util
import re

import pytest

from ..environments import ROOT
from ..runs import Optimizer

KEYS = {
    "init_lr": 0.0,
    "max_lr": 1e-3,
    "min_lr": 0.0,
    "lr_warmup_steps": 0,
    "lr_decay_steps": 100,
    "lr_decay_style": "WSD",
    "wsd_decay_steps": 10,
    "lr_wsd_decay_style": "linear",
    "start_wd": 0.1,
    "wd_incr_steps": 100,
    "wd_incr_style": "linear",
}


@pytest.fixture
def optimizer() -> Optimizer:
    return Optimizer({"wd_mult": 1.0})


def test_lambda_lr_does_not_schedule_weight_decay() -> None:
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1.0, weight_decay=0.1)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda update: 0.5**update)
    optimizer.step()
    scheduler.step()
    assert (optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["weight_decay"]) == (0.5, 0.1)


def test_lambda_lr_leaves_the_function_out_of_its_state() -> None:
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda update: 0.5**update)
    assert scheduler.state_dict()["lr_lambdas"] == [None]


def test_weight_decay_can_only_increase_in_megatron(optimizer: Optimizer) -> None:
    theirs = pytest.importorskip("megatron.core.optimizer_param_scheduler").OptimizerParamScheduler
    theirs(optimizer, **KEYS, end_wd=0.1)
    with pytest.raises(AssertionError):
        theirs(optimizer, **KEYS, end_wd=0.01)


def test_megatrons_state_does_not_contain_the_settings_of_wsd(optimizer: Optimizer) -> None:
    theirs = pytest.importorskip("megatron.core.optimizer_param_scheduler").OptimizerParamScheduler
    assert not any("wsd" in key for key in theirs(optimizer, **KEYS, end_wd=0.1).state_dict())


def test_every_trainer_that_is_named_has_an_adapter() -> None:
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    names = re.split(r", | and ", re.search(r"such as TRL's\. (.*?) have \[adapters\]", readme)[1])
    assert len(names) == 8
    for name in names:
        assert importlib.util.find_spec(f"schedframe.adapters.{name.lower().replace('-', '_')}"), name


def test_every_plugin_of_the_repository_is_named() -> None:
    words = {"classic": "classics", "houserules": "policy checks", "wsds": "WSD-S", "power": "the power scheduler"}
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    for plugin in (ROOT / "plugins").glob("schedframe-*"):
        name = plugin.name.removeprefix("schedframe-")
        assert words.get(name, name).lower().removesuffix("s") in readme.partition("These plugins")[2].lower(), name
