"""Many ranks: real processes, and the real gloo."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = Path(__file__).with_name("programs.py")

World = Callable[..., list[Any]]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Run one of the programs on so many ranks, and return what each rank returned."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("SCHEDFRAME_")}
    errors = tmp_path_factory.mktemp("ranks") / "errors"
    with (
        errors.open("w") as stderr,
        subprocess.Popen(
            [sys.executable, PROGRAMS],
            env={**clean, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as server,
    ):

        def world(program: str, ranks: int, **arguments: Any) -> list[Any]:
            print(json.dumps([program, ranks, arguments]), file=server.stdin, flush=True)
            line = server.stdout.readline()
            assert line, errors.read_text()
            return json.loads(line)

        yield world
        server.stdin.close()


@pytest.fixture(scope="session")
def run() -> dict[str, Any]:
    """Return the arguments of a run that decays from step 80 on, with a weight decay that rises to step 100."""
    return {
        "init_lr": 0.01,
        "max_lr": 1.0,
        "min_lr": 0.1,
        "lr_warmup_steps": 10,
        "lr_decay_steps": 110,
        "lr_decay_style": {"style": "WSD", "wsd_decay_steps": 30, "lr_wsd_decay_style": "minus_sqrt"},
        "start_wd": 0.1,
        "end_wd": 0.2,
        "wd_incr_steps": 100,
        "wd_incr_style": "cosine",
    }
