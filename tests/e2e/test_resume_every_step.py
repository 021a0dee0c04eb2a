"""A run that is saved at any step and loaded in a fresh process goes on as the run that was never interrupted."""

import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from schedframe import OptimizerParamScheduler, Schedule, lr_styles, wd_styles

from .resume_every_step import FLAGS, LAST, OTHER, OWN, STARTS_AT, STEPS, Optimizer, bounds, held

SCRIPT = Path(__file__).with_name("resume_every_step.py")
PLUGIN = importlib.util.find_spec("schedframe_rex")

pytestmark = pytest.mark.skipif(PLUGIN is None, reason="needs the plugin schedframe-rex")

RUN: dict[str, Any] = {
    "init_lr": 0.01,
    "max_lr": 1.0,
    "min_lr": 0.1,
    "lr_warmup_steps": 30,
    "lr_decay_steps": 390.5,
    "start_wd": 0.05,
    "end_wd": 0.2,
    "wd_incr_steps": 350,
}
FALLING = {"start_wd": 0.2, "end_wd": 0.05}


def wsd(tail: str | dict[str, Any]) -> dict[str, Any]:
    return {"style": "WSD", "wsd_decay_steps": 120, "lr_wsd_decay_style": tail}


RUNS: dict[str, dict[str, Any]] = {
    "WSD, linear": {"lr_decay_style": wsd("linear"), "wd_incr_style": "linear"},
    "WSD, cosine": {"lr_decay_style": wsd("cosine"), "wd_incr_style": "cosine", **FALLING},
    "WSD, exponential": {"lr_decay_style": wsd("exponential"), "wd_incr_style": "exponential"},
    "WSD, minus_sqrt": {"lr_decay_style": wsd("minus_sqrt"), "wd_incr_style": "geometric", **FALLING},
    "WSD, rex": {"lr_decay_style": wsd({"style": "rex", "beta": 0.7}), "wd_incr_style": "linear", **FALLING},
    "rex": {"lr_decay_style": {"style": "rex", "beta": 0.3}, "wd_incr_style": "cosine"},
    "constant": {"lr_decay_style": "constant", "wd_incr_style": "cosine"},
    "cosine": {"lr_decay_style": "cosine", "wd_incr_style": "exponential", **FALLING},
    "exponential": {"lr_decay_style": "exponential", "wd_incr_style": "geometric"},
    "geometric": {"lr_decay_style": "geometric", "wd_incr_style": "linear"},
    "inverse-square-root": {"lr_decay_style": "inverse-square-root", "wd_incr_style": "cosine"},
    "linear": {"lr_decay_style": "linear", "wd_incr_style": "linear", **FALLING},
    "linear, constant weight decay": {"lr_decay_style": "linear", "wd_incr_style": "constant", "end_wd": 0.05},
    "minus_sqrt": {"lr_decay_style": "minus_sqrt", "wd_incr_style": "exponential"},
    "multi-step": {
        "lr_decay_style": {"style": "multi-step", "milestones": [0.5, 0.9], "multipliers": [0.3, 0.15]},
        "wd_incr_style": "cosine",
    },
    "each": {
        "lr_decay_style": {"style": "each", "factor": 0.5, "every": 100, "stairs": True},
        "wd_incr_style": "linear",
    },
    "floored": {
        "lr_decay_style": {"style": "floored", "of": "power-law", "floor": "tend"},
        "wd_incr_style": "cosine",
        "lr_warmup_style": {"style": "polynomial", "power": 2},
    },
    "product": {
        "lr_decay_style": {"style": "product", "of": ["cosine", {"style": "each", "factor": 0.9, "every": 40}]},
        "wd_incr_style": "linear",
        "decay_from": 0,
    },
    "polynomial": {"lr_decay_style": {"style": "polynomial", "power": 1.5}, "wd_incr_style": "linear"},
    "minus-power": {"lr_decay_style": {"style": "minus-power", "power": 0.6}, "wd_incr_style": "minus_sqrt", **FALLING},
    "quarter-cosine": {
        "lr_decay_style": "quarter-cosine",
        "wd_incr_style": {"style": "cooldown", "wd_cooldown_steps": 340, "base": "cosine"},
    },
    "power-law": {
        "lr_decay_style": {"style": "power-law", "exponent": -0.51},
        "wd_incr_style": {"style": "adamc", "base": "linear"},
    },
    "phases": {
        "lr_decay_style": {
            "style": "phases",
            "phases": [{"style": "exponential", "length": 200, "to": "50%"}, {"style": "cosine"}],
        },
        "wd_incr_style": {
            "style": "phases",
            "phases": [{"style": "linear", "length": 99, "to": 0.3}, {"style": "cosine"}],
        },
    },
    "phases, rex": {
        "lr_decay_style": {
            "style": "phases",
            "phases": [{"style": "linear", "length": 90, "to": 0.7}, {"style": "rex"}],
        },
        "wd_incr_style": {"style": "independent", "base": "cosine"},
    },
    "multi-step, held": {
        "lr_decay_style": {"style": "multi-step", "milestones": [0.3, 0.7], "multipliers": [0.6, 0.2]},
        "wd_incr_style": {"style": "constant-effective", "base": "linear"},
    },
}


def names(said: Any) -> set[str]:
    """The styles that `said` names, cooldowns too."""
    if isinstance(said, str):
        return {said}
    inside = [said[key] for key in ("lr_wsd_decay_style", "base") if key in said]
    inside += [phase["style"] for phase in said.get("phases", ())]
    return {said["style"]}.union(*map(names, inside))


def named(key: str) -> set[str]:
    return {name for run in RUNS.values() for name in names(run[key])}


RUNS |= {
    f"lr: {name}": {"lr_decay_style": name, "wd_incr_style": "linear"}
    for name in sorted(lr_styles.builtins.keys() - named("lr_decay_style"))
}
LEFT_OUT = wd_styles.builtins.keys() - named("wd_incr_style") - {"lr-curve"}
RUNS |= {f"wd: {name}": {"lr_decay_style": "linear", "wd_incr_style": name} for name in sorted(LEFT_OUT)}


def uninterrupted(name: str, way: str) -> dict[str, Any]:
    """A whole run, with its state at each step and what its groups hold, written exactly."""
    said, start_step = {**RUN, **RUNS[name]}, STARTS_AT[way]
    optimizer = Optimizer(said["max_lr"], said["min_lr"])
    if way == "schedule":
        scheduler: Any = Schedule(**said, start_step=start_step).build(optimizer)
    else:
        scheduler = OptimizerParamScheduler(optimizer, **said)
    states, curve = [scheduler.state_dict()], [held(scheduler)]
    for step in range(1, LAST + 1):
        scheduler.step(1)
        curve.append(held(scheduler))
        if step <= STEPS:
            states.append(scheduler.state_dict())
    exact = [[value.hex() for value in values] for values in curve]
    run = {"name": name, "way": way, "said": said, "start_step": start_step, "states": states, "curve": exact}
    return {**run, "bounds": bounds(scheduler)}


@pytest.fixture(scope="module")
def runs() -> list[dict[str, Any]]:
    return [uninterrupted(name, way) for name in RUNS for way in STARTS_AT]


@pytest.fixture(scope="module")
def resumed(runs: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one fresh process found that loads all states."""
    folder = tmp_path_factory.mktemp("resumed")
    plugins = folder / "plugins"
    for file in importlib.metadata.files("schedframe-rex") or ():
        if file.parts[0].endswith(".dist-info"):
            (plugins / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(file.locate()), plugins / file)
    shutil.copy(str(PLUGIN and PLUGIN.origin), plugins)
    saved = folder / "runs.json"
    saved.write_text(json.dumps(runs), encoding="utf-8")
    command = [sys.executable, str(SCRIPT), str(saved), str(plugins)]
    done = subprocess.run(command, env={**os.environ}, capture_output=True, text=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_built_in_style_is_there_and_the_plugins(runs: list[dict[str, Any]]) -> None:
    assert named("lr_decay_style") == {*lr_styles.builtins, "rex"}
    assert named("wd_incr_style") == {*wd_styles.builtins, "minus_sqrt"} - {"lr-curve"}
    assert [len(run["states"]) for run in runs] == [STEPS + 1] * 2 * len(RUNS)
    assert [len(run["curve"]) for run in runs] == [LAST + 1] * 2 * len(RUNS)


def test_every_curve_varies_in_every_group(runs: list[dict[str, Any]]) -> None:
    for run in runs:
        lrs_and_wds = list(zip(*run["curve"], strict=True))
        for lrs in lrs_and_wds[0::2]:
            assert len(set(lrs)) > 30
        if run["said"]["wd_incr_style"] != "constant":
            for wds in lrs_and_wds[1::2]:
                assert len(set(wds)) > 300


def test_groups_that_follow_hold_the_runs_bounds_and_the_other_its_own(runs: list[dict[str, Any]]) -> None:
    follower = {"max_lr": 1.0, "min_lr": 0.1, "default_config": True}
    for run in runs:
        assert run["bounds"] == [follower, OWN, {"wd_mult": 0.5, "default_config": True}]


def test_the_process_that_must_take_the_checkpoints_schedule_says_another_in_everything() -> None:
    assert not set(OTHER) ^ {*RUN, "lr_decay_style", "wd_incr_style"}
    for run in RUNS.values():
        said = {**RUN, **run}
        assert [key for key in OTHER if OTHER[key] == said[key]] in ([], ["wd_incr_style"])


def test_all_runs_are_resumed_with_every_policy_in_both_ways(resumed: dict[str, Any]) -> None:
    cases = {(case["run"], case["way"], case["policy"]): case for case in resumed["cases"]}
    assert set(cases) == {(name, way, policy) for name in RUNS for way in STARTS_AT for policy in FLAGS}
    assert len(cases) == len(resumed["cases"]) == 6 * len(RUNS)
    for name in RUNS:
        for way in STARTS_AT:
            states = [state for policy in FLAGS for state in cases[name, way, policy]["states"]]
            assert sorted(states) == list(range(STEPS + 1))
    assert resumed["modules"] == []


@pytest.mark.parametrize("policy", FLAGS)
@pytest.mark.parametrize("stepped", [True, False], ids=["stepped to the end", "loaded in random order"])
def test_the_rest_of_every_curve_is_that_of_the_run_never_interrupted(
    resumed: dict[str, Any], stepped: bool, policy: str
) -> None:
    cases = [case for case in resumed["cases"] if (case["stepped"], case["policy"]) == (stepped, policy)]
    assert len(cases) >= 10
    assert {case["way"] for case in cases} == set(STARTS_AT)
    assert [case for case in cases if case["wrong"]] == []
