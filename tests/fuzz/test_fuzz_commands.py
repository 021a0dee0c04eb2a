"""Command lines by chance: each ends with 0, 1 or 2, and never in a traceback."""

import os
import random
import shlex
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from typer.testing import CliRunner

from schedframe._cli.app import COMMANDS, app

from ..runs import cli
from .corpus import as_json, changed_bytes, changed_data, examples, good_data, good_files, in_time

pytestmark = [pytest.mark.no_cover, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(autouse=True)
def _leave_the_environment() -> Iterator[None]:
    """Undo what ``--import`` leaves for child processes."""
    with patch.dict(os.environ):
        yield


FILES = (
    "run.yaml",
    "run.toml",
    "run.json",
    "changed.json",
    "changed.yaml",
    "state.json",
    "none.yaml",
    ".",
    "/dev/null",
)
VALUES = (
    *(
        "0",
        "1",
        "-1",
        "50",
        "50M",
        "10%",
        "10% of run",
        "200 iters",
        "1e999",
        "x",
        "",
        " ",
        "current",
        "open",
        "\ud7ff",
    ),
    *("cosine", "WSD", "{style: polynomial, power: 2}", "{style: x", "json", "yaml", "toml", "text", "table", "csv"),
    *(
        "lr",
        "wd",
        "default",
        "router",
        "new.yaml",
        "new.json",
        "none/new.yaml",
        "a.png",
        "no.such.module",
        "--",
        "9" * 500,
    ),
)
HELD = ("design", "new", "plugins", "schema")
"""Commands that serve a page, write folders, or try every plugin: few runs of them are enough."""


def options(command: str) -> list[str]:
    """The options of `command`, by its help."""
    words = cli(command, "--help")[1].replace(",", " ").split()
    return sorted({word for word in words if word.startswith("-") and len(word) > 1 and word.strip("-").isascii()})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Be in a folder with good and changed files."""
    monkeypatch.chdir(tmp_path)
    for path in good_files():
        Path(f"run{path.suffix}").write_bytes(path.read_bytes())
    Path("run.toml").write_text("max_lr = 1\nlr_decay_steps = 100\nlr_decay_style = 'constant'\n")
    Path("run.json").write_text('{"max_lr": 1, "lr_decay_steps": 100, "lr_decay_style": "constant", "end_wd": 0.1}')
    return tmp_path


def words(command: str, known: list[str], chance: random.Random) -> list[str]:
    given = [command]
    for _ in range(chance.randrange(5)):
        given.append(chance.choice((*FILES, *FILES, *VALUES)))
    for _ in range(chance.randrange(4)):
        given += [chance.choice(known), chance.choice((*VALUES, *FILES))]
    if chance.randrange(2):
        given.insert(1, chance.choice(FILES[:3]))
    return given


@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in HELD])
def test_command_lines(command, folder):
    known = options(command)
    for seed in examples(25):
        chance = random.Random(f"{command} {seed}")
        Path("changed.json").write_text(as_json(changed_data(chance.choice(good_data()), chance)))
        Path("changed.yaml").write_bytes(changed_bytes(Path("run.yaml").read_bytes(), chance))
        Path("state.json").write_text(as_json({"num_steps": 5, "max_lr": chance.choice((1.0, 1e99, -1.0))}))
        given = words(command, known, chance)
        with in_time():
            done = CliRunner().invoke(app, given)
        assert done.exception is None or isinstance(done.exception, SystemExit), shlex.join(given)
        assert done.exit_code in (0, 1, 2), shlex.join(given)
        assert "Traceback" not in done.output, shlex.join(given)
