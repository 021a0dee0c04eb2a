"""Completion: in a real bash with the script that ``--show-completion`` prints, and as each shell asks for it."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import schedframe
from schedframe._cli.completion import schedule_file

requires_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
SCRIPT = "from schedframe._cli import main; main()"
PRESS_TAB = """
{script}
schedframe() {{ :; }}
COMP_WORDS=({words})
COMP_CWORD=$(({count} - 1))
_schedframe_completion "$SCHEDFRAME"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture(autouse=True)
def _in_a_folder_with_schedules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("run.yaml", "run.txt", "configs/moe.toml", "configs/dense.json", ".hidden.yaml", "outer/inner/a.yml"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """A command ``schedframe`` of this environment."""
    file = tmp_path / ".bin" / "schedframe"
    file.parent.mkdir()
    file.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(SCRIPT)} "$@"\n')
    file.chmod(0o755)
    return file


def pressed(command: Path, *words: str, **environment: str) -> list[str]:
    """Return what bash offers where the tabulator is pressed at the end of the last word."""
    environment = {**os.environ, "SCHEDFRAME": str(command), **environment}
    shown = ["bash", "-c", f"{shlex.quote(str(command))} --show-completion; true"]
    script = subprocess.run(shown, capture_output=True, text=True, env=environment, check=True).stdout
    line = ("schedframe", *words)
    program = PRESS_TAB.format(script=script, words=shlex.join(line), count=len(line))
    done = subprocess.run(["bash", "--norc", "-c", program], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@requires_bash
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["che"], ["check"]),
        (["check", "--str"], ["--strict"]),
        (["preview", "ru"], ["run.yaml"]),
        (["preview", "run.yaml", "con"], ["configs/dense.json", "configs/moe.toml"]),
        (["audit", "log.txt", "--with", "r"], ["run.yaml"]),
        (["plot", "run.yaml", "--x", ""], ["tokens", "samples", "iters", "epochs"]),
        (["rule", "SF10"], ["SF101", "SF102", "SF103"]),
        (["check", "--ignore", "no-v"], ["no-value"]),
        (["styles", "WS"], ["WSD"]),
        (["recipes", "kimi"], ["kimi-k2"]),
        (["recipes", "deepseek-v"], ["deepseek-v2", "deepseek-v2-lite", "deepseek-v3"]),
        (["init", "--style", "inv"], ["inverse-square-root"]),
    ],
)
def test_bash_completes(command: Path, words: list[str], offered: list[str]) -> None:
    assert pressed(command, *words) == offered


@requires_bash
def test_a_style_completes_though_its_plugin_cannot_be_imported(command: Path, install: Callable[..., Path]) -> None:
    site = install("broken", "raise RuntimeError('imported')", lr_styles={"brokenstyle": "broken_mod:Broken"})
    path = os.pathsep.join((str(site), *sys.path))
    assert pressed(command, "styles", "bro", PYTHONPATH=path) == ["brokenstyle"]
    assert pressed(command, "rule", "no-va", PYTHONPATH=path) == ["no-value"]


@requires_bash
def test_a_variable_that_is_wrong_completes_nothing(command: Path) -> None:
    assert pressed(command, "styles", "WS", SCHEDFRAME_BLOCK="no-such-plugin") == []


def test_a_folder_that_is_the_only_match_is_entered() -> None:
    assert schedule_file("ou") == ["outer/inner/a.yml"]


def test_hidden_files_are_offered_where_a_dot_is_typed() -> None:
    assert ".hidden.yaml" not in schedule_file("")
    assert schedule_file(".hid") == [".hidden.yaml"]


def test_the_home_folder_is_kept_as_it_is_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert schedule_file("~/r") == ["~/run.yaml"]


def test_names_that_need_quotes_are_left_to_the_shell() -> None:
    Path("run two.yaml").touch()
    assert schedule_file("run") == []


def test_a_folder_that_is_not_there_offers_nothing() -> None:
    assert schedule_file("none/") == []


@requires_bash
def test_installing_writes_the_script_and_names_it(command: Path, tmp_path: Path) -> None:
    shell = f"{shlex.quote(str(command))} --install-completion; exit $?"
    done = subprocess.run(
        ["bash", "--norc", "-c", shell], capture_output=True, text=True, env={**os.environ, "HOME": str(tmp_path)}
    )
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / ".bash_completions" / "schedframe.sh") in done.stdout
    assert schedframe.__name__ in (tmp_path / ".bashrc").read_text()


def test_a_shell_that_is_not_known_cannot_be_used(command: Path) -> None:
    environment = {**os.environ, "_SCHEDFRAME_COMPLETE": "complete_nosuchshell"}
    done = subprocess.run([command], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (2, "Shell nosuchshell not supported.\n")
