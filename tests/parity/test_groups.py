"""Rules for param groups on real optimizers of Megatron Core, whose groups Megatron makes by our overrides."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from schedframe import Schedule

from .groups_ranks_run import SCHEDULE
from .groups_ranks_run import STEPS as STEPS_OF_RANKS
from .groups_run import BASE, OWN_BOUNDS, RULES, STEPS, bounds_are_identity

SCRIPT, RANKS_SCRIPT = (Path(__file__).with_name(name) for name in ("groups_run.py", "groups_ranks_run.py"))
DEMO = Path(__file__).parents[2] / "docs" / "examples" / "train_gpt"


def run(*command: str) -> str:
    """Run Python in a process of its own: the CPU's stand-in for CUDA changes torch."""
    path = os.pathsep.join(filter(None, (str(DEMO), os.environ.get("PYTHONPATH"))))
    settings = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = (sys.executable, *command)
    done = subprocess.run(command, env=settings, capture_output=True, text=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    """Every answer of one rank."""
    return json.loads(run(str(SCRIPT)))


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The answers of two ranks, which have an expert each."""
    folder = tmp_path_factory.mktemp("ranks")
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    run(*torchrun, str(RANKS_SCRIPT), str(folder))
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]


ALONE = {
    "default": Schedule(**BASE),
    "router": Schedule(**{**BASE, "max_lr": 1e-4, "min_lr": 1e-5}),
    "experts": Schedule(**{**BASE, "max_lr": 2e-2, "min_lr": 2e-3, "lr_decay_style": RULES[1]["lr_decay_style"]}),
    "no decay": Schedule(**{**BASE, "lr_warmup_steps": 40}),
}


def expected(first: int, last: int, groups: list[dict[str, Any]], alone: dict[str, Schedule]) -> list[Any]:
    """What each group holds before each update, by the schedules alone."""
    return [
        [
            [alone[group["role"]].lr_at(step), (alone[group["role"]].wd_at(step) or 0.0) * group["wd_mult"]]
            for group in groups
        ]
        for step in range(4 * first, 4 * last, 4)
    ]


@pytest.mark.parametrize("optimizer", ["fp32", "distributed"])
def test_each_group_follows_its_stand_alone_schedule(answers: dict[str, Any], optimizer: str) -> None:
    found = answers[optimizer]
    assert [group["role"] for group in found["groups"]] == ["default", "router", "experts", "no decay"]
    assert found["rows"] == expected(0, STEPS, found["groups"], ALONE)
    assert found["losses"][-1] < found["losses"][0]


def test_megatrons_groups_hold_the_rules_bounds(answers: dict[str, Any]) -> None:
    router = answers["fp32"]["groups"][1]
    assert (router["max_lr"], router["min_lr"], router["lr_mult"]) == (1e-4, 1e-5, 0.1)
    assert router["default_config"] is False


def test_a_rule_that_sets_bounds_alone_is_megatrons_own_override(answers: dict[str, Any]) -> None:
    found = answers["own bounds"]
    assert [group["role"] for group in found["groups"]] == ["default", "experts", "default"]
    experts = {**BASE, "max_lr": OWN_BOUNDS["max_lr"], "start_wd": OWN_BOUNDS["start_wd"]}
    assert found["rows"] == expected(0, STEPS, found["groups"], {**ALONE, "experts": Schedule(**experts)})


def test_the_report_is_by_the_rules_names(answers: dict[str, Any]) -> None:
    report = answers["distributed"]["report"]
    assert list(report) == ["default", "router", "experts", "no decay"]
    assert report["router"]["lr"] == ALONE["router"].lr_at(4 * STEPS)
    assert report["experts"] == {
        "lr": ALONE["experts"].lr_at(4 * STEPS),
        "wd": ALONE["experts"].wd_at(4 * STEPS),
        "phase": "slow",
        "progress": 1.0,
    }


def test_a_resumed_run_is_the_one_that_ran_on(answers: dict[str, Any]) -> None:
    resumed, unbroken = answers["resumed"], answers["unbroken"]
    assert resumed["rows"] == unbroken["rows"] == expected(STEPS // 2, STEPS, resumed["groups"], ALONE)
    assert resumed["losses"] == unbroken["losses"]


@pytest.mark.skipif(bounds_are_identity(), reason="the load of Megatron's own optimizer refuses it, from 0.19 on")
def test_an_overridden_max_lr_is_every_roles(answers: dict[str, Any]) -> None:
    found = answers["resumed with another peak"]
    assert [group["max_lr"] for group in found["groups"]] == [5e-4, 5e-5, 1e-2, 5e-4]
    changed = Schedule(**{**BASE, "max_lr": 5e-4}, groups=RULES)
    alone = {role: changed.for_role(role) for role in ALONE}
    assert found["rows"] == expected(STEPS // 2, STEPS, found["groups"], alone)


@pytest.mark.parametrize(
    ("kind", "leaf"), [("fp32", "FP32Optimizer"), ("distributed", "DistributedOptimizer")], ids=["fp32", "distributed"]
)
def test_two_ranks_and_two_chained_optimizers(ranks: list[dict[str, Any]], kind: str, leaf: str) -> None:
    schedule = Schedule(**SCHEDULE)
    step = 4 * STEPS_OF_RANKS
    for rank in ranks:
        found = rank[kind]
        assert found["optimizers"] == [leaf, leaf]
        assert found["roles"] == ["default", "router", "default", "experts"]
        wd_mults = [1.0, 1.0, 0.0, 1.0]
        assert found["held"] == [
            [schedule.lr_at(step, role), 0.1 * wd_mult] for role, wd_mult in zip(found["roles"], wd_mults, strict=True)
        ]
    assert ranks[0][kind]["report"] == ranks[1][kind]["report"]
    assert ranks[0][kind]["state"] == ranks[1][kind]["state"]


def test_a_rank_may_have_nothing_of_a_group(ranks: list[dict[str, Any]]) -> None:
    """The shards of the DistributedOptimizer: the router lies on one of the two ranks."""
    assert sorted(rank["distributed"]["sizes"][1] > 0 for rank in ranks) == [False, True]
