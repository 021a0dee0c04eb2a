"""Changed states: each loads, or is a `StateError` that changes nothing."""

import copy
import json
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from schedframe import OptimizerParamScheduler, Schedule, StateError

from ..states import as_written
from .corpus import changed_data, examples, in_time

pytestmark = [pytest.mark.no_cover, pytest.mark.filterwarnings("ignore")]

FOLDER = Path(__file__).parents[1] / "run" / "saved_states"
CASES = [case for file in sorted(FOLDER.glob("*.json")) for case in json.loads(file.read_text()).values()]
POLICIES = ("strict", "checkpoint", "override")


def build(keys: dict[str, Any], policy: str) -> OptimizerParamScheduler:
    first = {"params": [], "role": "router"} if "groups" in keys else {"params": []}
    groups = [first, {"params": [], "kind": "bias"}, {"params": []}]
    return Schedule(**keys, resume=policy).build(SimpleNamespace(param_groups=groups))


def changed_state(state: dict[str, Any], chance: random.Random) -> Any:
    """A changed copy of `state`: its keys, what our key holds, or both as if they had been written so."""
    if chance.randrange(3) == 0 or "schedframe" not in state:
        return changed_data(state, chance)
    details = changed_data(json.loads(state["schedframe"]), chance)
    changed = {**state, "schedframe": json.dumps(details)}
    try:
        return as_written(changed) if chance.randrange(2) else changed
    except Exception:  # it cannot be written
        return changed


@pytest.mark.parametrize("policy", POLICIES)
def test_changed_states(policy):
    for seed in examples(80):
        chance = random.Random(f"{policy} {seed}")
        case = chance.choice(CASES)
        scheduler = build(case["keys"], policy)
        before, groups = scheduler.state_dict(), copy.deepcopy(scheduler.optimizer.param_groups)
        with in_time():
            try:
                scheduler.load_state_dict(changed_state(case["state"], chance))
            except StateError:
                assert scheduler.state_dict() == before
                assert scheduler.optimizer.param_groups == groups
            else:
                scheduler.step(70)
