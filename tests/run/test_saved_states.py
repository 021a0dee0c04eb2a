"""Checkpoint states that older versions wrote: they load, and the run goes on along the same floats.

Each file in ``saved_states`` is named after the commit that wrote it. A case has the config's keys, the state at step
620, its fingerprint, and learning rate and weight decay of every group at the eight next steps of 70.
"""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from schedframe import Schedule

from ..states import as_written

FOLDER = Path(__file__).parent / "saved_states"
CASES = [
    pytest.param(case, id=f"{file.stem}: {name}")
    for file in sorted(FOLDER.glob("*.json"))
    for name, case in json.loads(file.read_text()).items()
]


NEW_NAMES = {
    "styles.wd:WDByLRCurve": "styles.wd:WDFromLRCurve",
    "db11ef75723b20a8": "759f777ce2ca33c2",
}
"""A class, which only names where a style came from; and a fingerprint in which the spelling of a rule counted."""


def with_new_names(text: str) -> str:
    for name, new in NEW_NAMES.items():
        text = text.replace(name, new)
    return text


def groups_of(keys: dict[str, Any]) -> list[dict[str, Any]]:
    first = {"params": [], "role": "router"} if "groups" in keys else {"params": []}
    return [first, {"params": [], "kind": "bias"}, {"params": []}]


@pytest.mark.parametrize("policy", ["strict", "checkpoint"])
@pytest.mark.parametrize("case", CASES)
def test_an_older_state_goes_on_along_the_same_floats(case: dict[str, Any], policy: str) -> None:
    groups = groups_of(case["keys"])
    scheduler = Schedule(**case["keys"], resume=policy).build(SimpleNamespace(param_groups=groups))
    scheduler.load_state_dict(case["state"])
    assert scheduler.fingerprint == with_new_names(case["fingerprint"])
    assert scheduler.state_dict() == {**case["state"], "schedframe": with_new_names(case["state"]["schedframe"])}
    curve = []
    for _ in case["curve"]:
        scheduler.step(70)
        curve.append([[group["lr"], group.get("weight_decay")] for group in groups])
    assert curve == case["curve"]


def test_a_saved_rule_with_fewer_keys_is_filled_in() -> None:
    rule = {"role": "biases", "match": {"key": {"kind": "bias"}}, "wd_mult": 0.0}
    keys = {"max_lr": 1.0, "lr_decay_steps": 1000, "start_wd": 0.1, "groups": [rule]}
    groups = groups_of({})
    scheduler = Schedule(**keys, resume="checkpoint").build(SimpleNamespace(param_groups=groups))
    scheduler.step(500)
    whole = scheduler.state_dict()
    saved = json.loads(whole["schedframe"])["groups"]
    assert [sorted(table) for table in saved] == [["lr_mult", "match", "role", "values", "wd_mult"]]
    fewer = [{key: table[key] for key in ("role", "match", "wd_mult")} for table in saved]
    scheduler.load_state_dict(as_written(whole, groups=fewer))
    assert scheduler.state_dict() == whole


@pytest.mark.parametrize("key", ["role", "match"])
def test_a_saved_rule_without_what_it_applies_to_is_refused(key: str) -> None:
    rule = {"role": "biases", "match": {"key": {"kind": "bias"}}, "wd_mult": 0.0}
    keys = {"max_lr": 1.0, "lr_decay_steps": 1000, "start_wd": 0.1, "groups": [rule]}
    scheduler = Schedule(**keys).build(SimpleNamespace(param_groups=groups_of({})))
    state = scheduler.state_dict()
    saved = [
        {own: value for own, value in table.items() if own != key}
        for table in json.loads(state["schedframe"])["groups"]
    ]
    with pytest.raises(ValueError, match="a rule is not a table of a rule"):
        scheduler.load_state_dict(as_written(state, groups=saved))
