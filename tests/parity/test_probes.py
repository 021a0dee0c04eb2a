"""Resumes that go wrong with Megatron's class, on real optimizers of Megatron Core, and go right with ours.

The run, unless a test says otherwise: max LR 1.0, min LR 0.1, warmup to step 10, cosine to step 110.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from schedframe import Schedule

from .groups_run import bounds_are_identity
from .probes_run import DECOUPLED, EXTENDED, RUN

SCRIPT = Path(__file__).with_name("probes_run.py")
DEMO = Path(__file__).parents[2] / "docs" / "examples" / "train_gpt"

bounds_are_no_identity = pytest.mark.skipif(
    bounds_are_identity(),
    reason="since 0.19 a group's bounds are part of its identity: a load finds its group by them, or refuses",
)


def schedule(**changes: Any) -> Schedule:
    """What the run says, as a schedule."""
    return Schedule(**{**RUN, **changes})


@pytest.fixture(scope="module")
def probes() -> dict[str, Any]:
    """Every probe's answers, from a process of its own: the CPU's stand-in for CUDA changes torch."""
    path = os.pathsep.join(filter(None, (str(DEMO), os.environ.get("PYTHONPATH"))))
    settings = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, str(SCRIPT)]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_loading_twice_adds_the_position_twice(probes):
    megatron, ours = probes["loading_twice"]["megatron"], probes["loading_twice"]["ours"]
    right = [50, schedule().lr_at(50)]
    assert right[1] == pytest.approx(0.6891, abs=5e-5)
    assert megatron["once"] == ours["once"] == right
    assert megatron["twice"] == [100, pytest.approx(0.1220, abs=5e-5)]
    assert ours["twice"] == right


@bounds_are_no_identity
def test_an_overridden_max_lr_is_lost_in_a_group_that_the_optimizers_load_replaced(probes):
    megatron, ours = probes["overriding_the_peak"]["megatron"], probes["overriding_the_peak"]["ours"]
    for found in (megatron, ours):
        assert found["max_lr of the group after the optimizer's load"] == 1.0
        assert found["max_lr of the scheduler"] == 0.5
    assert megatron["lr"] == 1.0
    assert ours["lr"] == 0.5


def test_the_cooldown_of_wsd_is_not_saved_and_another_one_runs(probes):
    """Saved with a linear tail of 20 steps at step 100, resumed with an exponential one of 80."""
    megatron, ours = probes["another_tail"]["megatron"], probes["another_tail"]["ours"]
    assert megatron["checkpoint"] == megatron["neither"] == pytest.approx(0.1815, abs=5e-5)
    saved = {"style": "WSD", "wsd_decay_steps": 20, "lr_wsd_decay_style": "linear"}
    assert ours["checkpoint"] == schedule(lr_decay_style=saved).lr_at(100) == 0.55
    assert ours["neither"]["error"] == "StateError"
    for said in ("wsd_decay_steps", "20", "80", "linear", "exponential"):
        assert said in ours["neither"]["text"]


def test_weight_decay_may_not_fall(probes):
    megatron, ours = probes["falling_weight_decay"]["megatron"], probes["falling_weight_decay"]["ours"]
    assert megatron == {"error": "AssertionError", "text": ""}
    assert ours == [0.1, 0.055, pytest.approx(0.01)]


def test_the_first_update_after_a_load_has_the_constructors_weight_decay(probes):
    """The checkpoint's grows to 0.05 and counts; the constructor was given 0.3."""
    found = probes["weight_decay_after_a_load"]
    assert found["megatron"] == {"first update": 0.3, "second update": 0.05}
    assert found["ours"] == {"first update": 0.05, "second update": 0.05}


def test_an_extended_run_is_refused_without_saying_how_or_not_extended(probes):
    """From 100 steps to 200. The class's default takes the checkpoint's; Megatron-LM's is neither flag."""
    megatron, ours = probes["extending"]["megatron"], probes["extending"]["ours"]
    assert megatron["default"] == [100, 0.1]
    assert megatron["neither"]["error"] == "AssertionError"
    assert "class input value 200 and checkpointvalue 100" in megatron["neither"]["text"]
    assert ours["default"] == megatron["default"]
    assert ours["neither"]["error"] == "StateError"
    for said in ("lr_decay_steps", "100", "200", "override_opt_param_scheduler", "use_checkpoint_opt_param_scheduler"):
        assert said in ours["neither"]["text"]
    assert ours["override"] == megatron["override"] == [200, schedule(**EXTENDED).lr_at(150)]


def test_a_schedule_that_is_built_refuses_to_be_extended_without_an_option(probes):
    found = probes["extending_a_schedule"]
    assert found["default"] == found["neither"]
    assert found["neither"]["error"] == "StateError"
    for said in ("lr_decay_steps", "100", "200"):
        assert said in found["neither"]["text"]
    assert found["override"] == schedule(**EXTENDED).lr_at(150) == pytest.approx(0.2452, abs=5e-5)
    assert found["checkpoint"] == 0.1


@bounds_are_no_identity
def test_a_group_takes_the_bounds_of_another_that_differs_in_nothing_else(probes):
    """A resume with nothing changed, DistributedOptimizer and --decoupled-lr: default, decoupled, without decay."""
    megatron = probes["groups_that_differ_in_bounds_alone"]["megatron"]
    ours = probes["groups_that_differ_in_bounds_alone"]["ours"]
    default, decoupled = schedule().lr_at(60), schedule().lr_at(60, DECOUPLED)
    right = [default, decoupled, default]
    assert right == [0.55, 0.26, 0.55]
    for found in (megatron, ours):
        assert found["saved"] == right
        assert found["max_lr after the optimizer's load"] == [0.5, 0.5, 1.0]
    assert megatron["resumed"] == [decoupled, decoupled, default]
    assert ours["resumed"] == right
