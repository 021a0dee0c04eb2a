"""``schedframe audit``."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ..runs import cli

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "audit-a-run.md").read_text()
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w*\n(.*?\n)```", re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of the page, in the working directory."""
    for name, text in FILE.findall(PAGE):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("logs", "code"), [(["train.log"], 0), (["train.log", "resumed.log"], 1)])
def test_it_prints_what_the_page_shows(folder: Path, logs: list[str], code: int) -> None:
    done = cli("audit", *logs, "--with", "run.yaml")
    assert done.code == code
    assert f"$ schedframe audit {' '.join(logs)} --with run.yaml\n{done.out}" in PAGE


def test_json_has_the_first_difference_and_the_cause(folder: Path) -> None:
    done = cli("audit", "train.log", "resumed.log", "--with", "run.yaml", "--format", "json")
    (verdict,) = json.loads(done.out)["verdicts"]
    assert (verdict["first"]["iteration"], verdict["cause"]["name"]) == (500, "not-restored")
    assert verdict["first"]["logged"] == 3e-4


def test_a_picture_has_the_logged_values_over_the_curve(folder: Path) -> None:
    pytest.importorskip("matplotlib")
    assert cli("audit", "train.log", "resumed.log", "--with", "run.yaml", "-o", "audit.svg").code == 1
    picture = (folder / "audit.svg").read_text()
    assert all(f"<!-- {words} -->" in picture for words in ("logged", "first difference", "iters"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no.log", "--with", "run.yaml"], "no.log does not exist"),
        ([".", "--with", "run.yaml"], ". is a folder; give the log's files"),
        (["run.yaml", "--with", "run.yaml"], "no iteration with a learning rate or a weight decay was found"),
        (["train.log", "--with", "run.yaml", "--role", "router"], "there is no role 'router'"),
    ],
)
def test_what_cannot_be_used_is_reported(folder: Path, arguments: list[str], says: str) -> None:
    done = cli("audit", *arguments)
    assert done.code == 2
    assert says in " ".join(done.err.replace("│", " ").split())


def test_a_terminal_shows_the_progress_of_reading(folder: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "schedframe", "audit", "train.log", "--with", "run.yaml"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, env={**os.environ, "TERM": "xterm"})
    os.close(theirs)
    assert (done.returncode, b"reading" in os.read(ours, 10_000)) == (0, True)
    os.close(ours)
