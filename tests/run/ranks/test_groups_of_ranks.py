"""Rules where each rank has other parameters, as pipeline stages do: real processes, and the real gloo."""

from typing import Any

import pytest

from schedframe import Schedule

pytest.importorskip("torch")

STAGES = [
    ["embedding.weight", "layers.0.mlp.weight", "layers.0.mlp.bias"],
    ["layers.1.router.weight", "layers.1.mlp.weight"],
    ["norm.weight", "output.weight", "output.bias"],
]
ROUTER = {"role": "router", "match": {"param": "*.router.*"}, "lr_mult": 0.1}
BIASES = {"role": "biases", "match": {"regex": r"bias$"}, "wd_mult": 0.0}
EMBEDDING = {"role": "embedding", "match": {"param": "embedding.*"}, "lr_decay_style": "linear"}
BASE: dict[str, Any] = {"max_lr": 1.0, "lr_decay_steps": 100, "lr_decay_style": "cosine", "start_wd": 0.1}
SCHEDULE = {**BASE, "groups": [ROUTER, BIASES, EMBEDDING]}


def test_every_rank_has_the_same_groups_in_the_same_order(world: Any) -> None:
    said = world("grouped", 3, schedule=SCHEDULE, names=STAGES, steps=30)
    assert [[role for role, _ in own["groups"]] for own in said] == [["default", "router", "biases", "embedding"]] * 3
    assert [[count for _, count in own["groups"]] for own in said] == [[1, 0, 1, 1], [1, 1, 0, 0], [2, 0, 1, 0]]
    schedule = Schedule(**SCHEDULE)
    expected = [[schedule.lr_at(30, role), schedule.wd_at(30, role)] for role, _ in said[0]["groups"]]
    assert [own["held"] for own in said] == [expected] * 3


def test_every_rank_reports_and_saves_the_same(world: Any) -> None:
    first, *others = world("grouped", 3, schedule=SCHEDULE, names=STAGES, steps=30)
    assert set(first["report"]) == {"default", "router", "biases", "embedding"}
    for other in others:
        assert (other["report"], other["state"]) == (first["report"], first["state"])


def test_a_rule_that_fits_on_no_rank_is_reported_on_every_one_with_all_names(world: Any) -> None:
    wrong = {**ROUTER, "match": {"param": "*.gate.weight"}}
    said = world("grouped", 3, schedule={**BASE, "groups": [wrong, BIASES]}, names=STAGES, steps=0)
    (refusal,) = {tuple(own["refusal"]) for own in said}
    assert refusal == (
        "groups.0.match = param *.gate.weight: matches no parameter that is trained; the nearest names are "
        "output.weight, norm.weight, layers.1.router.weight",
    )


def test_a_contradiction_on_one_rank_is_reported_on_every_one(world: Any) -> None:
    both = {"role": "all routers", "match": {"regex": "router"}, "lr_mult": 0.5}
    said = world("grouped", 3, schedule={**BASE, "groups": [ROUTER, both]}, names=STAGES, steps=0)
    (refusal,) = {tuple(own["refusal"]) for own in said}
    assert "parameter layers.1.router.weight: the rules 'router' and 'all routers'" in refusal[0]


EXPERTS = {"role": "experts", "match": {"key": {"is_expert_parallel": True}}, "max_lr": 0.5}


def test_a_key_that_only_one_rank_has_is_a_match(world: Any) -> None:
    keys = [[{}], [{}, {"is_expert_parallel": True}]]
    said = world("keyed", 2, schedules=[{**BASE, "groups": [EXPERTS]}] * 2, keys=keys)
    assert [own["held"] for own in said] == [[1.0], [1.0, 0.5]]


def test_a_key_that_no_rank_has_is_none(world: Any) -> None:
    said = world(
        "keyed", 2, schedules=[{**BASE, "groups": [EXPERTS]}] * 2, keys=[[{}], [{"is_expert_parallel": False}]]
    )
    assert [own["refusal"] for own in said] == [
        [
            "groups.0.match = key is_expert_parallel: True: matches none of the optimizer's 1 param groups: "
            "is_expert_parallel is no key of theirs"
        ],
        [
            "groups.0.match = key is_expert_parallel: True: matches none of the optimizer's 1 param groups: "
            "is_expert_parallel is False"
        ],
    ]


def test_ranks_with_other_rules_are_reported(world: Any) -> None:
    schedules = [{**BASE, "groups": [{**EXPERTS, "max_lr": peak}]} for peak in (0.5, 0.5, 0.25)]
    said = world("keyed", 3, schedules=schedules, keys=[[{"is_expert_parallel": True}]] * 3)
    (difference,) = {own["ranks differ"] for own in said}
    assert "rank 2 runs another schedule" in difference
    assert "groups [experts(key is_expert_parallel: True: max_lr=0.25)] instead of" in difference
