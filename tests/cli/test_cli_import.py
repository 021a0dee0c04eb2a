"""``--import`` of every command, and ``SCHEDFRAME_IMPORT`` on the command line, in processes of their own."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from schedframe._cli.app import app

COMMANDS = ["styles", "check", "preview", "inspect", "plugins", "schema", "conform", "branch", "extend", "rewarm"]
STYLES = '''\
from typing import Literal

import schedframe
from schedframe.styles import LRCurve, WDCurve


@schedframe.lr_styles.register
class Square(LRCurve):
    """Falls with the square of progress.

    Late, then fast.
    """

    style: Literal["square"] = "square"

    def coefficient(self, progress: float) -> float:
        return 1.0 - progress**2


@schedframe.wd_styles.register
class WDSquare(WDCurve):
    style: Literal["square"] = "square"

    def coefficient(self, progress: float) -> float:
        return progress**2
'''
RUN = """\
train_samples: 1000
max_lr: 1e-3
lr_decay_style: square
start_wd: 0.0
end_wd: 0.1
wd_incr_style: square
"""
SHA256 = hashlib.sha256(STYLES.encode()).hexdigest()
BRIEF = f"sha256 {SHA256[:12]}…"


@pytest.fixture(autouse=True)
def _in_a_folder_with_styles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(tmp_path, "my_styles.py").write_text(STYLES)
    Path(tmp_path, "run.yaml").write_text(RUN)
    monkeypatch.chdir(tmp_path)
    for variable in ("COLUMNS", "SCHEDFRAME_IMPORT"):
        monkeypatch.delenv(variable, raising=False)


def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "schedframe", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


def data(*arguments: str, **environment: str) -> Any:
    code, out, err = run(*arguments, "--format", "json", **environment)
    assert (code, err) == (0, "")
    return json.loads(out)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_knows_styles_has_the_option(command: str) -> None:
    shown = " ".join(CliRunner().invoke(app, [command, "--help"]).stdout.split())
    assert "--import MODULE_OR_FILE Import this module first, to register styles. Repeatable." in shown


@pytest.mark.parametrize("command", ["styles", "check", "preview", "plugins", "schema", "conform"])
def test_help_has_an_example_that_imports_a_file(command: str) -> None:
    examples = CliRunner().invoke(app, [command, "--help"]).stdout.split("Examples:")[1].splitlines()
    assert [line.split()[0] for line in examples if "--import ./my_styles.py" in line] == ["schedframe"]


def test_new_makes_a_distribution_and_has_no_such_option() -> None:
    assert "--import" not in CliRunner().invoke(app, ["new", "--help"]).stdout


def test_a_list_has_what_is_imported() -> None:
    rows = [row for row in data("styles", "--import", "./my_styles.py")["styles"] if row["name"] == "square"]
    lr = {
        "name": "square",
        "kind": "LR",
        "distribution": None,
        "version": None,
        "target": "my_styles.py:Square",
        "path": str(Path("my_styles.py").absolute()),
        "sha256": SHA256,
        "aliases": [],
        "description": "Falls with the square of progress.",
        "fault": None,
    }
    assert rows == [lr, {**lr, "kind": "WD", "target": "my_styles.py:WDSquare", "description": ""}]
    lines = [" ".join(line.split()) for line in run("styles", "--import", "./my_styles.py")[1].splitlines()]
    assert f"square ██████▇▇▆▆▅▄▄▃▂▁ LR my_styles.py {SHA256[:12]}… Falls with the square of progress." in lines


def test_the_page_of_a_style_says_its_source() -> None:
    code, out, err = run("styles", "square", "--kind", "lr", "--import", "my_styles.py")
    assert (code, err) == (0, "")
    assert f"from  {Path('my_styles.py').absolute()} ({BRIEF})\n" in out
    (page,) = data("styles", "square", "--kind", "lr", "--import", "my_styles.py")["styles"]
    assert page["sha256"] == SHA256


def test_plugins_lists_files_too(install: Callable[..., Path]) -> None:
    rows = data("plugins", "--import", "./my_styles.py")["plugins"]
    own = {"distribution": str(Path("my_styles.py").absolute()), "version": BRIEF, "state": "ok", "cause": ""}
    assert [row for row in rows if "square" in row["adds"]] == [
        {**own, "adds": "LR square"},
        {**own, "adds": "WD square"},
    ]
    site = install("acme-square", STYLES, lr_styles={"square": "acme_square_mod:Square"})
    code, out, _ = run("plugins", "--import", "./my_styles.py", "--format", "json", PYTHONPATH=str(site))
    states = {(row["distribution"], row["adds"]): row["state"] for row in json.loads(out)["plugins"]}
    assert code == 1
    assert states["acme-square", "LR square"] == states[own["distribution"], "LR square"] == "clashing"
    assert states[own["distribution"], "WD square"] == "ok"


@pytest.mark.parametrize("by", ["--import", "SCHEDFRAME_IMPORT"])
def test_a_schedule_is_checked_and_shown_with_its_styles(by: str) -> None:
    option, variable = ((), {by: "my_styles.py"}) if by.isupper() else (("--import", "my_styles.py"), {})
    assert data("check", "run.yaml", *option, **variable)["files"][0]["ok"]
    points = data("preview", "run.yaml", "--at", "500", *option, **variable)["points"]
    assert [point["lr"] for point in points if point["step"] == 500] == [0.00075]


def test_many_may_be_named() -> None:
    Path("my_cubes.py").write_text(STYLES.replace("square", "cube"))
    code, out, err = run("styles", "--import", "my_styles", "--import", "./my_cubes.py", PYTHONPATH=str(Path.cwd()))
    assert (code, err) == (0, "")
    assert {"cube", "square"} <= {line.partition(" ")[0] for line in out.splitlines()}


def test_a_new_file_is_derived_with_its_styles() -> None:
    code, _, err = run("extend", "run.yaml", "--at", "0", "--lr-decay-steps", "2000", "--reshape", "-o", "longer.yaml")
    assert code == 2
    assert "there is no LR style 'square'" in err
    code, _, err = run(
        *("extend", "run.yaml", "--at", "0", "--lr-decay-steps", "2000", "--reshape", "-o", "longer.yaml"),
        *("--import", "my_styles.py"),
    )
    assert (code, err) == (0, "")
    assert "extends: run.yaml\n" in Path("longer.yaml").read_text()


def test_a_checkpoint_is_shown_with_its_styles() -> None:
    program = """
import json, types, schedframe
scheduler = schedframe.load("run.yaml").build(types.SimpleNamespace(param_groups=[{}]))
print(json.dumps(scheduler.state_dict()))
"""
    saved = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "SCHEDFRAME_IMPORT": "./my_styles.py"},
        capture_output=True,
        check=True,
    )
    Path("checkpoint.json").write_bytes(saved.stdout)
    code, out, _ = run("inspect", "checkpoint.json")
    assert code == 0
    assert f"it was written with my_styles.py ({BRIEF}): name my_styles.py in SCHEDFRAME_IMPORT" in out
    code, out, err = run("inspect", "checkpoint.json", "--with", "run.yaml", "--import", "my_styles.py")
    assert (code, err) == (0, "")
    assert f"square from my_styles.py ({BRIEF})\n" in out
    assert "run.yaml has the same schedule as the checkpoint" in out


def test_a_style_of_a_file_conforms() -> None:
    code, out, err = run("conform", "square", "--kind", "lr", "--import", "my_styles.py", "--format", "json")
    (result,) = json.loads(out)["styles"]
    failed = {check["name"] for check in result["checks"] if check["finding"]}
    assert (code, err, failed) == (1, "", {"check_docstring", "check_example"})
    assert result["source"] == f"{Path('my_styles.py').absolute()} ({BRIEF})"


def test_the_schema_has_what_is_imported() -> None:
    code, out, _ = run("schema", "--import", "my_styles.py")
    assert code == 0
    assert {"LR square", "WD square"} < set(json.loads(out)["$defs"])


@pytest.mark.parametrize("command", [["styles"], ["check", "run.yaml"], ["plugins"], ["conform", "cosine"]])
def test_what_cannot_be_imported_ends_the_command(command: list[str]) -> None:
    missing = "./my_stylse.py', and there is no such file; did you mean 'my_styles.py'?\n"
    assert run(*command, "--import", "./my_stylse.py") == (2, "", f"--import names '{missing}")
    assert run(*command, SCHEDFRAME_IMPORT="./my_stylse.py") == (2, "", f"SCHEDFRAME_IMPORT names '{missing}")


def test_a_file_that_exits_ends_the_command_with_2() -> None:
    Path("exits.py").write_text("raise SystemExit(0)\n")
    told = "--import names 'exits.py', which fails in line 1: SystemExit: 0\n"
    assert run("check", "run.yaml", "--import", "exits.py") == (2, "", told)


def test_help_imports_nothing() -> None:
    code, out, err = run("check", "--import", "./missing.py", "--help", SCHEDFRAME_IMPORT="./missing.py")
    assert (code, err) == (0, "")
    assert "--import" in out


def test_a_name_that_is_also_installed_is_refused_where_it_is_used(install: Callable[..., Path]) -> None:
    site = str(install("acme-square", STYLES, lr_styles={"square": "acme_square_mod:Square"}))
    code, out, err = run("check", "run.yaml", "--import", "my_styles.py", PYTHONPATH=site)
    file = Path("my_styles.py").absolute()
    assert (code, err, out.splitlines()[0] + "\n") == (
        2,
        "",
        "run.yaml:3: error: lr_decay_style = 'square': LR style 'square' is provided more than once: "
        f"acme-square 1.0 (acme_square_mod:Square); {file} ({BRIEF}), registered in this process; uninstall all but "
        "one, or set SCHEDFRAME_BLOCK to those that you do not want (acme-square)\n",
    )
    assert run("check", "run.yaml", "--import", "my_styles.py", PYTHONPATH=site, SCHEDFRAME_BLOCK="acme-square")[0] == 0
