"""The real run of the how-to page, and runs whose loss is known exactly."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schedframe import Schedule, load
from schedframe.foresight import Law, Log, Reference, Run, fit, log_of, read

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "predict-the-loss.md").read_text()
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w*\n(.*?\n)```", re.DOTALL)

LENGTH = 10_000
KEYS: dict[str, Any] = {"clock": "iters", "train_iters": LENGTH, "max_lr": 1e-3, "lr_warmup_steps": 200}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of the page, in the working directory."""
    for name, text in FILE.findall(PAGE):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def real(folder: Path) -> tuple[Log, Schedule]:
    """The log of a model that was really trained, and its schedule."""
    return read("cosine.jsonl"), load("cosine.yaml")


def schedule(**keys: Any) -> Schedule:
    """Return a schedule of 10,000 updates; by default a cosine."""
    return Schedule(**{**KEYS, "lr_decay_style": "cosine", **keys})


def wsd(share: float, curve: Any = "linear", **keys: Any) -> Schedule:
    """Return a schedule with a cooldown of a share of the run."""
    style = {"style": "WSD", "wsd_decay_steps": f"{share:.0%}", "lr_wsd_decay_style": curve}
    return schedule(lr_decay_style=style, **keys)


COSINE, HALF = schedule(), wsd(0.5)


@pytest.fixture(scope="session")
def truth() -> Law:
    """A law by which losses are made: the one that the real run follows, for runs of 10,000 updates."""
    vector = (*np.log([0.5, 0.025, 0.6, 0.7]).tolist(), 2.6, 0.3, 0.2)
    size = len(vector)
    run = Run("truth", "truth", 1e-3, LENGTH, (), ())
    return Law("intrinsic-time", vector, ((0.0,) * size,) * size, Reference(1e-3, LENGTH), 3e-4, (run,), ())


Make = Callable[..., Log]


@pytest.fixture
def log(truth: Law) -> Make:
    """Make the log of a schedule: its true losses at some updates, with noise."""

    def make(of: Schedule = COSINE, *, points: int = 100, noise: float = 0.001, last: float = 1.0) -> Log:
        end = of.units_at(of.train_steps or of.lr_decay_steps)["iters"]
        steps = np.linspace(end / points, end, points)
        steps = steps[steps <= last * end]
        loss = np.asarray(truth.loss_at(of, steps)) + noise * np.random.default_rng(0).normal(size=len(steps))
        return log_of(steps, loss, name="train.log")

    return make


@pytest.fixture
def law(log: Make) -> Law:
    """The law that a cosine determines."""
    return fit([(log(), COSINE)])
