"""A training run that is killed at random moments, resumed each time from its checkpoints, is the run never killed."""

import importlib.util
import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from schedframe import Schedule

from .killed_run import (
    BATCH,
    BETWEEN_CHECKPOINTS,
    ITERATIONS,
    KILLS,
    KILLS_IN_A_FILE,
    KILLS_IN_A_WRITE,
    SCHEDULE,
    WRITING,
)

SCRIPT = Path(__file__).with_name("killed_run.py")
DEMO = Path(__file__).parents[2] / "docs" / "examples" / "train_gpt"
NEEDED = ("megatron", "torch")

pytestmark = [
    pytest.mark.skipif(
        not all(importlib.util.find_spec(name) for name in NEEDED), reason=f"needs {' and '.join(NEEDED)}"
    ),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork"),
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Both runs, in a process of their own: the CPU's stand-in for CUDA changes torch."""
    path = os.pathsep.join(filter(None, (str(DEMO), os.environ.get("PYTHONPATH"))))
    settings = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, str(SCRIPT), str(tmp_path_factory.mktemp("runs"))]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def told(attempt: dict[str, Any], word: str) -> list[dict[str, Any]]:
    return [one for one in attempt["told"] if one["word"] == word]


def iterations(attempt: dict[str, Any]) -> dict[int, dict[str, Any]]:
    return {one["iteration"]: one for one in told(attempt, "iteration")}


def last_words(runs: dict[str, Any]) -> list[str]:
    """What each killed attempt told last."""
    return [attempt["told"][-1]["word"] for attempt in runs["attempts"] if attempt["killed"]]


def test_the_kills_hit_everywhere_and_also_in_writes(runs):
    last = last_words(runs)
    assert len(last) >= KILLS >= 20
    assert sum(word in WRITING for word in last) >= KILLS_IN_A_WRITE
    assert sum(word in ("opened", "piece") for word in last) >= KILLS_IN_A_FILE
    assert "iteration" in last
    assert [attempt["killed"] for attempt in runs["attempts"]] == [True] * len(last) + [False]


def test_the_run_never_killed_holds_its_schedule_at_every_iteration(runs):
    schedule, rows = Schedule(**SCHEDULE), iterations(runs["never_killed"])
    assert list(rows) == list(range(ITERATIONS + 1))
    for iteration, row in rows.items():
        step = iteration * BATCH
        assert row["num_steps"] == step
        assert [wd_mult for _, _, wd_mult in row["groups"]] == [1.0, 0.0]
        for lr, weight_decay, wd_mult in row["groups"]:
            assert lr == schedule.lr_at(step)
            assert weight_decay == schedule.wd_at(step) * wd_mult
    assert len({row["groups"][0][1] for row in rows.values()}) == ITERATIONS + 1


def test_every_iteration_of_every_resumed_run_is_that_of_the_run_never_killed(runs):
    """In its loss, its position, and every group's learning rate and weight decay, from the first after a load."""
    right = iterations(runs["never_killed"])
    for attempt in runs["attempts"]:
        for iteration, row in iterations(attempt).items():
            assert row == right[iteration]


def test_each_run_goes_on_where_the_pointer_says(runs):
    attempts = runs["attempts"]
    started = [(before, after) for before, after in pairwise(attempts) if iterations(after)]
    assert len(started) > KILLS // 2
    for before, after in started:
        name = before["disk"]["latest"]
        expected = before["disk"]["checkpoints"][name]["iteration"] if name else 0
        assert next(iter(iterations(after))) == expected


def test_what_a_kill_leaves_on_disk_is_what_the_run_never_killed_saved(runs):
    right = iterations(runs["never_killed"])
    saved = {one["iteration"]: one["digest"] for one in told(runs["never_killed"], "saved")}
    assert list(saved) == list(range(BETWEEN_CHECKPOINTS, ITERATIONS + 1, BETWEEN_CHECKPOINTS))
    for attempt in runs["attempts"]:
        for name, checkpoint in attempt["disk"]["checkpoints"].items():
            iteration = checkpoint["iteration"]
            assert name == f"iteration_{iteration:04}.pt"
            assert checkpoint["digest"] == saved[iteration]
            assert checkpoint["num_steps"] == iteration * BATCH
            assert checkpoint["groups"] == right[iteration]["groups"]


def test_what_is_half_written_is_never_named(runs):
    disks = [attempt["disk"] for attempt in runs["attempts"]]
    assert any(disk["parts"] for disk in disks)
    for disk in disks:
        assert disk["latest"] is None or disk["latest"] in disk["checkpoints"]


def test_the_end_is_that_of_the_run_never_killed_bit_for_bit(runs):
    (right,), (found,) = told(runs["never_killed"], "finished"), told(runs["attempts"][-1], "finished")
    assert len(right["weights"]) > 10
    assert len(right["moments"]) == 3 * len(right["weights"])
    for part in ("weights", "moments", "groups", "scheduler"):
        assert found[part] == right[part]


def test_a_resume_that_forgets_the_schedulers_state_ends_elsewhere(runs):
    (right,), (found,) = told(runs["never_killed"], "finished"), told(runs["forgetful"], "finished")
    assert found["weights"] != right["weights"]
