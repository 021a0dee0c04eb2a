"""The blocks of a page in Markdown: files, programs, commands. It needs nothing but Python."""

import re
from pathlib import Path

FENCE = re.compile(
    r"(?:<!-- file: (?P<file>\S+) -->\n)?```(?P<kind>\w*)(?P<flags>[^\n]*)\n(?P<text>.*?)\n```", re.DOTALL
)


def blocks(page: Path) -> list[re.Match[str]]:
    """Return the blocks of a page that are tested."""
    return [block for block in FENCE.finditer(page.read_text("utf-8")) if "notest" not in block["flags"]]


def python_of(page: Path) -> str:
    """Return the program of a page: all its blocks in Python."""
    return "\n\n".join(block["text"] for block in blocks(page) if block["kind"] == "python")


def write_files(page: Path, folder: Path) -> list[Path]:
    """Write the blocks that are files, and return those that declare schedules."""
    written = []
    for block in blocks(page):
        if block["file"]:
            (folder / block["file"]).write_text(block["text"] + "\n", "utf-8")
            written.append(folder / block["file"])
    return [file for file in written if file.suffix in (".yaml", ".toml", ".json")]


def commands(page: Path) -> list[str]:
    """Return the commands of ``schedframe`` on a page."""
    lines = [line for block in blocks(page) if block["kind"] == "console" for line in block["text"].splitlines()]
    return [line[2:].split("#")[0].strip() for line in lines if line.startswith("$ schedframe")]
