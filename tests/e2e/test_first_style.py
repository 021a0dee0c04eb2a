"""The tutorial for authors of styles, run as it is printed: its commands, in order, in a throwaway environment."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from ..environments import ROOT, Environment

PAGE = ROOT / "docs" / "tutorial" / "first-style.md"
BLOCK = re.compile(
    r"(?:<!-- file: (?P<file>\S+) -->\n)?(?P<fence>`{3,})(?P<kind>\w+)\n(?P<text>.*?)\n(?P=fence)$",
    re.DOTALL | re.MULTILINE,
)
COMMAND = re.compile(
    r"^\$ (?P<command>.+?)(?: +# exits with (?P<code>\d+))?$\n?(?P<shown>(?:(?!\$ ).*\n?)*)", re.MULTILINE
)
NEEDED = ("hatchling", "jsonschema", "megatron", "plotext", "rich", "ruff", "torch", "typer")
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "false", "PIP_QUIET": "1"}

pytestmark = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in NEEDED), reason=f"needs {', '.join(NEEDED)}"
)


def as_pattern(shown: str) -> str:
    """What is shown, where a line of `…` stands for any lines, and `…` in a line for any characters."""
    lines = [re.escape(line.rstrip()).replace("…", ".*") for line in shown.splitlines()]
    return "".join(r"(?:.*\n)*" if line == ".*" else rf"{line} *\n" for line in lines)


def test_the_page_is_a_way_from_a_formula_to_a_wheel(tmp_path: Path) -> None:
    environment = Environment(tmp_path / "environment")
    (tmp_path / "schedframe").symlink_to(ROOT)
    index = tmp_path / "index"
    index.mkdir()
    environment.build(index, ROOT)
    folder = tmp_path
    ran = []
    for block in BLOCK.finditer(PAGE.read_text()):
        if block["file"]:
            (folder / block["file"]).write_text(block["text"] + "\n")
            continue
        assert block["kind"] == "console", block[0]
        for step in COMMAND.finditer(block["text"] + "\n"):
            name, *arguments = shlex.split(step["command"])
            ran.append(name)
            if name == "cd":
                folder /= arguments[0]
                continue
            settings = {"COLUMNS": "80", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", **OFFLINE}
            done = environment.run(name, *arguments, cwd=folder, PIP_FIND_LINKS=str(index), **settings)
            assert done.returncode == int(step["code"] or 0), f"{step['command']}\n{done.stdout}{done.stderr}"
            said = done.stdout + (done.stderr if step["code"] else "")
            assert re.fullmatch(as_pattern(step["shown"]), said), f"{step['command']}\n{said}"
    assert {"schedframe", "pip", "pytest", "ruff", "python"} <= set(ran)
