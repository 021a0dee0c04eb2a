"""Checkpoints of real Megatron Core: its model, its optimizers, its scheduler, its writer."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from schedframe._files.checkpoint import read
from schedframe._files.checkpoint.groups import KEYS

HERE = Path(__file__).parent
DEMO = HERE.parents[2] / "docs" / "examples" / "train_gpt"

pytestmark = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("megatron", "psutil", "torch")),
    reason="needs megatron, psutil, torch",
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all checkpoints; written by another process, because Megatron on a CPU changes torch."""
    folder = tmp_path_factory.mktemp("megatron")
    settings = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(DEMO)}
    command = [sys.executable, str(HERE / "write_megatron.py"), str(folder)]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("below", ["", "iter_0000010"])
@pytest.mark.parametrize("optimizer", ["fp32", "distributed"])
@pytest.mark.parametrize("format", ["torch", "torch_dist"])
def test_what_megatron_wrote_is_reported(format, optimizer, below, written):
    root = written / f"{format}-{optimizer}"
    told = read(root / below)
    expected = json.loads((written / "expected.json").read_text())[optimizer]
    assert (told.format, told.slot, told.iteration) == (format, "opt_param_scheduler", 10)
    assert told.path.is_relative_to(root / "iter_0000010")
    assert told.state == expected["state"]
    assert told.state["num_steps"] == 40
    kept = [{key: value for key, value in group.items() if key in KEYS} for group in expected["groups"]]
    assert told.groups == tuple(kept)
    assert [group["wd_mult"] for group in told.groups] == [1.0, 0.0]
    assert [(group["max_lr"], group["min_lr"]) for group in told.groups] == [(1e-3, 1e-4)] * 2
    assert told.groups_note == ""


def test_groups_of_the_distributed_optimizer_are_outside_the_common_part(written):
    folder = written / "torch_dist-distributed" / "iter_0000010"
    if not (folder / "common.pt").exists():
        pytest.skip("Megatron Core from 0.19 on keeps the common part within the distributed checkpoint")
    hidden = folder / "hidden"
    (folder / ".metadata").rename(hidden)
    try:
        told = read(folder / "common.pt")
        assert told.state["num_steps"] == 40
        assert told.groups is None
        assert told.groups_note.startswith(f"{folder / '.metadata'} does not exist; what bounds the param groups have")
    finally:
        hidden.rename(folder / ".metadata")
