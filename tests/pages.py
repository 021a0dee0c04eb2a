"""The blocks of a page in Markdown: files, programs, commands. It needs nothing but Python."""

import re
from pathlib import Path

FENCE = re.compile(
    r"(?:<!-- (?P<mark>\w+)(?:: (?P<name>[^\n]+))? -->\n)?```(?P<kind>\w*)\n(?P<text>.*?)\n```", re.DOTALL
)
NOT_RUN_HERE = ("notest", "script", "tried")
"""Marks of blocks that no test runs, or that tests/adapters and tests/frameworks run."""


def blocks(page: Path) -> list[re.Match[str]]:
    """Return the blocks of a page that are tested."""
    return [block for block in FENCE.finditer(page.read_text("utf-8")) if block["mark"] not in NOT_RUN_HERE]


def python_of(page: Path) -> str:
    """Return the program of a page: all its blocks in Python."""
    return "\n\n".join(block["text"] for block in blocks(page) if block["kind"] == "python")


def write_files(page: Path, folder: Path) -> list[Path]:
    """Write the blocks that are files, and return those that declare schedules."""
    written = []
    for block in blocks(page):
        if block["mark"] == "file":
            (folder / block["name"]).write_text(block["text"] + "\n", "utf-8")
            written.append(folder / block["name"])
    return [file for file in written if file.suffix in (".yaml", ".toml", ".json")]


def commands(page: Path) -> list[str]:
    """Return the commands of ``schedframe`` on a page."""
    lines = [line for block in blocks(page) if block["kind"] == "console" for line in block["text"].splitlines()]
    return [line[2:].split("#")[0].strip() for line in lines if line.startswith("$ schedframe")]
