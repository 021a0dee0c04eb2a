"""The installed hook plugin, with real policy files."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from schedframe_houserules import VARIABLE

from schedframe import ConfigError, PluginError, Schedule


@pytest.fixture
def policy(tmp_path, monkeypatch):
    """Write a policy file, and let the variable name it."""

    def policy(text: str) -> Path:
        path = tmp_path / "policy.toml"
        path.write_text(text)
        monkeypatch.setenv(VARIABLE, str(path))
        return path

    return policy


def build(**keys):
    schedule = Schedule(**{"max_lr": 1e-3, "lr_decay_steps": 1000, "lr_decay_style": "cosine", **keys})
    return schedule.build(SimpleNamespace(param_groups=[{"kind": "x"}]))


def refused(**keys):
    with pytest.raises(ConfigError) as caught:
        build(**keys)
    return [problem.message for problem in caught.value.problems]


def test_without_a_policy_there_are_no_rules(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert build(max_lr=1e6).max_lr == 1e6


def test_a_schedule_within_the_caps_is_built(policy):
    policy("max_lr = 1e-2\nend_wd = 0.2\nlr_warmup_share = 0.5\n")
    assert build(start_wd=0.1, lr_warmup_steps=100).max_lr == 1e-3


def test_every_cap_that_is_broken_is_reported(policy):
    path = policy("max_lr = 1e-2\nend_wd = 0.2\nlr_warmup_share = 0.2\n")
    assert refused(max_lr=0.5, start_wd=0.3, lr_warmup_steps=300) == [
        f"max_lr is 0.5, above the cap of 0.01 in {path}",
        f"end_wd is 0.3, above the cap of 0.2 in {path}",
        f"lr_warmup_share is 0.3, above the cap of 0.2 in {path}",
    ]


def test_rules_for_param_groups_are_held_to_them_too(policy):
    path = policy("max_lr = 1e-2\n")
    rule = {"role": "big", "match": {"key": {"kind": "x"}}, "max_lr": 0.5}
    assert refused(groups=[rule]) == [f"max_lr of the role big is 0.5, above the cap of 0.01 in {path}"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("max_lrr = 1\n", "max_lrr is not a cap; the caps are max_lr,"),
        ("max_lr = true\n", "max_lr = True is not a number of at least 0"),
        ("max_lr = -1\n", "max_lr = -1 is not a number of at least 0"),
        ("max_lr = nan\n", "max_lr = nan is not a number of at least 0"),
        ("max_lr =\n", "cannot be read"),
    ],
)
def test_a_policy_that_is_wrong_is_reported_with_the_way_out(policy, text, told):
    policy(text)
    with pytest.raises(PluginError, match="schedframe-houserules") as caught:
        build()
    assert told in str(caught.value)
    assert "SCHEDFRAME_BLOCK=schedframe-houserules" in str(caught.value)


def test_a_policy_that_is_not_there_is_reported(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none.toml"))
    with pytest.raises(PluginError, match=r"none.toml, which cannot be read: .*No such file"):
        build()
