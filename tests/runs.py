"""What many tests need: a run, an optimizer without torch, and the command line in this process."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

SCHEDULES = Path(__file__).parent / "schedules"
"""run.yaml; moe.yaml, which has phases and rules for param groups; suspect.yaml, which `check` warns about."""

FILE = """\
train_samples: 5000
max_lr: 3e-4
min_lr: 10%
lr_warmup_steps: 100
lr_decay_style: {style: WSD, wsd_decay_steps: 500, lr_wsd_decay_style: cosine}
start_wd: 0.1
"""
"""A small run as a YAML file."""

KEYS: dict[str, Any] = {
    "train_samples": 5000,
    "max_lr": 3e-4,
    "min_lr": "10%",
    "lr_warmup_steps": 100,
    "lr_decay_style": {"style": "WSD", "wsd_decay_steps": 500, "lr_wsd_decay_style": "cosine"},
    "start_wd": 0.1,
}
"""The keys of `FILE`."""


class Optimizer:
    """The one thing that a scheduler needs of an optimizer."""

    def __init__(self, *groups: dict[str, Any]) -> None:
        self.param_groups: list[dict[str, Any]] = [dict(group) for group in groups] or [{"params": []}]


class Done(NamedTuple):
    """What a command of ``schedframe`` left."""

    code: int
    out: str
    err: str


def cli(*arguments: object, columns: int | None = None) -> Done:
    """Run ``schedframe`` with `arguments` in this process."""
    from typer.testing import CliRunner

    from schedframe._cli.app import app

    words: Sequence[str] = list(map(str, arguments))
    done = CliRunner().invoke(app, words, env={"COLUMNS": None if columns is None else str(columns)})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        return Done(done.exit_code, done.stdout, done.stderr or str(done.exception))
    return Done(done.exit_code, done.stdout, done.stderr)
