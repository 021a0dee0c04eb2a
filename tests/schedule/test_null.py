"""A key without a value: its default, or a message; the same wherever the schedule is used."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import schedframe
from schedframe import ConfigError, Schedule
from schedframe._schedule.keys import Keys
from schedframe._schedule.shorthand import all_keys
from schedframe.megatron import config_overrides

from ..runs import cli

GIVEN: dict[str, Any] = {"max_lr": 1e-3, "lr_decay_steps": 100, "lr_decay_style": "constant", "end_wd": 0.1}
NO_VALUE = {
    "clock": "is not a clock",
    "lr_warmup_style": "must be the name of a warmup",
    "first_update": "must be 0, 1 or -1",
    "decay_from": "must be `warmup`",
    "lr_decay_style": "must be the name of a style",
    "wd_incr_style": "must be the name of a style",
    "wsd_decay_steps": "is only for lr_decay_style: WSD",
    "lr_wsd_decay_style": "is only for lr_decay_style: WSD",
    "resume": "must be a policy",
    "decrease_batch_size_if_needed": "must be true or false",
    "lr_decay_steps": "missing required key",
    **dict.fromkeys(("start_step", "max_lr", "min_lr", "init_lr", "lr_warmup_steps", "interval"), "has no value"),
}
KEYS = tuple(all_keys(Keys.model_fields))
DEFAULTS = [key for key in KEYS if key not in NO_VALUE]

USES = {
    "fingerprint": lambda schedule: schedule.fingerprint,
    "landmarks": lambda schedule: schedule.landmarks(),
    "model_dump": lambda schedule: Schedule(**schedule.model_dump()),
    "param_groups": lambda schedule: schedule.param_groups([("a", SimpleNamespace(requires_grad=True))]),
    "for_role": lambda schedule: schedule.for_role("default"),
    "build": lambda schedule: schedule.build(SimpleNamespace(param_groups=[{}])),
    "config_overrides": lambda schedule: pytest.importorskip("megatron.core") and config_overrides(schedule),
    "branch": lambda schedule: schedframe.branch(schedule, 50, wsd_decay_steps=10),
    "extend": lambda schedule: schedframe.extend(schedule, at=50, lr_decay_steps=200),
    "rewarm": lambda schedule: schedframe.rewarm(schedule, 100, lr_warmup_steps=10, lr_decay_steps=100),
}
COMMANDS = {
    "check": ("check", "run.json"),
    "preview": ("preview", "run.json"),
    "resolve": ("resolve", "run.json"),
    "branch": ("branch", "run.json", "--at", "50", "--wsd-decay-steps", "10", "-o", "new.json"),
    "rewarm": (*"rewarm run.json --at 100 --lr-warmup-steps 10 --lr-decay-steps 100 -o new.json".split(),),
}


@pytest.mark.parametrize("key", NO_VALUE)
def test_a_key_that_needs_a_value_is_refused(key):
    with pytest.raises(ConfigError, match=f"{key}( = None)?: {NO_VALUE[key]}"):
        Schedule(**{**GIVEN, key: None})


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("key", DEFAULTS)
def test_a_null_is_the_default(key, use):
    left_out = {name: value for name, value in GIVEN.items() if name != key}
    schedule = Schedule(**{**GIVEN, key: None})
    assert schedule == Schedule(**left_out)
    assert USES[use](schedule) is not None


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("key", DEFAULTS)
def test_a_null_is_the_default_in_every_command(key, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("run.json").write_text(json.dumps({**GIVEN, key: None}) + "\n")
    done = cli(*COMMANDS[command])
    assert done[0] == 0, done[2]


def test_rules_that_are_all_commented_out_are_none(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("max_lr: 1\nlr_decay_steps: 100\ngroups:\n#  - {role: router, match: {index: 0}, lr_mult: 0.1}\n")
    assert schedframe.load(path).groups == ()
