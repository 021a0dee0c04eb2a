"""A schedule in a loop of accelerate, in one process, and in two, which gloo connects."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import schedframe
from schedframe import ConfigError
from tests.adapters import one_file

pytest.importorskip("accelerate", reason="needs accelerate")

from accelerate import Accelerator

from schedframe.adapters.accelerate import scheduler_for
from tests.adapters import accelerate_run

ROOT = Path(__file__).parents[2]
PLAIN = "{train_iters: 40, clock: iters, max_lr: 1e-3, lr_warmup_steps: 4, lr_decay_style: cosine}"


def train_in_two(folder: Path, **trainings: dict[str, Any]) -> list[tuple[int, str]]:
    """Make `trainings` in two processes, and return how each ended, and what it wrote about that."""
    one_file.write_file(folder)
    (folder / "trainings.json").write_text(json.dumps(trainings))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {**os.environ, "PYTHONPATH": str(ROOT), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    command = [sys.executable, "-m", "tests.adapters.accelerate_run", str(folder)]
    ranks = [{"RANK": rank, "LOCAL_RANK": rank, "LOCAL_WORLD_SIZE": "2"} for rank in "01"]
    started = [
        subprocess.Popen(command, env={**common, **own}, cwd=ROOT, stderr=subprocess.PIPE, text=True) for own in ranks
    ]
    errors = [process.communicate()[1] for process in started]
    return [(process.returncode, text) for process, text in zip(started, errors, strict=True)]


def seen(folder: Path, name: str) -> list[dict[str, Any]]:
    """Return what each of the two processes saw in a training."""
    return [torch.load(folder / f"{name}-{rank}.pt", weights_only=True) for rank in range(2)]


@pytest.fixture(scope="module")
def in_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trainings in two processes, which are killed in the last one."""
    folder = tmp_path_factory.mktemp("in_two")
    (folder / "plain.yaml").write_text(PLAIN)
    ended = train_in_two(
        folder,
        of_torch={"file": "plain.yaml", "is_of_torch": True, "state": "of_torch", "save_at": 20},
        whole={},
        split={"split_batches": True},
        stepped={"step_scheduler_with_optimizer": False},
        uncounted={"calls_per_update": 1},
        killed={"save_at": 20, "die_at": 25},
    )
    assert [code for code, _ in ended] == [-signal.SIGKILL] * 2, ended
    return folder


@pytest.fixture(scope="module")
def resumed_in_two(in_two: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trainings that go on from states of the others."""
    folder = tmp_path_factory.mktemp("resumed_in_two")
    (folder / "plain.yaml").write_text(PLAIN)
    ended = train_in_two(
        folder,
        resumed={"resume": str(in_two / "state")},
        of_torch={"file": "plain.yaml", "resume": str(in_two / "of_torch"), "overrides": True},
    )
    assert [code for code, _ in ended] == [0, 0], ended
    return folder


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[one_file.Values]:
    """What the Megatron drop-in gives the four groups."""
    schedule = schedframe.load(one_file.write_file(tmp_path_factory.mktemp("file")))
    ruled = schedule.param_groups(one_file.Net())
    decayed = [{**group, "params": group["params"][:1]} for group in ruled]
    undecayed = [{**group, "params": group["params"][1:], "wd_mult": 0.0} for group in ruled]
    return one_file.expected([*decayed, *undecayed], schedule)


@pytest.mark.parametrize("name", ["whole", "split", "stepped"])
def test_every_update_gets_the_values_of_the_megatron_drop_in(
    name: str, in_two: Path, expected: list[one_file.Values]
) -> None:
    for process in seen(in_two, name):
        assert (process["values"], process["told"]) == (expected, [])


@pytest.mark.parametrize("is_prepared_before", [False, True])
def test_so_it_does_in_one_process(is_prepared_before: bool, expected: list[one_file.Values], tmp_path: Path) -> None:
    file = one_file.write_file(tmp_path)
    assert accelerate_run.train(tmp_path, file, is_prepared_before=is_prepared_before)["values"] == expected


def test_killed_and_resumed_it_is_bit_for_bit_the_same(
    in_two: Path, resumed_in_two: Path, expected: list[one_file.Values]
) -> None:
    for resumed, whole in zip(seen(resumed_in_two, "resumed"), seen(in_two, "whole"), strict=True):
        assert resumed["values"] == expected[20:]
        assert all(map(torch.equal, resumed["weights"], whole["weights"]))


def test_the_state_of_another_scheduler_goes_on_at_its_update(in_two: Path, resumed_in_two: Path) -> None:
    for resumed, whole in zip(seen(resumed_in_two, "of_torch"), seen(in_two, "of_torch"), strict=True):
        assert resumed["values"] == whole["values"][20:]
        assert all(map(torch.equal, resumed["weights"], whole["weights"]))


def test_a_state_of_two_processes_goes_on_in_one(in_two: Path, expected: list[one_file.Values], tmp_path: Path) -> None:
    resumed = accelerate_run.train(tmp_path, in_two / "run.yaml", resume=str(in_two / "state"))
    assert resumed["values"] == expected[20:]


def test_without_the_adapter_a_second_process_is_reported(in_two: Path) -> None:
    for process in seen(in_two, "uncounted"):
        [message] = process["told"]
        assert "calls_per_update=accelerator.num_processes" in message


def test_updates_of_a_wrapped_optimizer_are_counted(tmp_path: Path) -> None:
    accelerator = Accelerator(cpu=True)
    optimizer = accelerator.prepare(torch.optim.AdamW(one_file.Net().body.parameters()))
    (tmp_path / "plain.yaml").write_text(PLAIN)
    scheduler = scheduler_for(accelerator, optimizer, tmp_path / "plain.yaml")
    for _ in range(3):
        optimizer.step()
    assert scheduler.rate.updates == 3


def test_it_is_stepped_beyond_the_end_of_the_run(tmp_path: Path) -> None:
    accelerator = Accelerator(cpu=True)
    optimizer = torch.optim.AdamW(one_file.Net().body.parameters())
    (tmp_path / "plain.yaml").write_text(PLAIN)
    optimizer, scheduler = accelerator.prepare(
        optimizer, scheduler_for(accelerator, optimizer, tmp_path / "plain.yaml", num_training_steps=40)
    )
    for _ in range(60):
        optimizer.step()
        scheduler.step()
    assert scheduler.scheduler.last_epoch == 60


def test_another_number_of_updates_is_refused(tmp_path: Path) -> None:
    optimizer = torch.optim.AdamW(one_file.Net().parameters())
    file = one_file.write_file(tmp_path, "{train_iters: 40, clock: iters, max_lr: 1e-3}")
    with pytest.raises(ConfigError, match="is 40 updates, and the trainer makes 80"):
        scheduler_for(Accelerator(cpu=True), optimizer, file, num_training_steps=80)
