"""The scripts of a how-to page, run as a reader runs them."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
BLOCK = re.compile(r"<!-- (?P<kind>file|script): (?P<name>\S+) -->\n```[^\n]*\n(?P<text>.*?)\n```", re.DOTALL)


def block(page: str, name: str) -> str:
    """Return the text of the file or the script `name` of a page."""
    return next(found["text"] for found in BLOCK.finditer((PAGES / page).read_text()) if found["name"] == name)


def run_scripts(page: str, folder: Path, *names: str, **variables: str) -> str:
    """Write the files of `page` into `folder`, run its scripts, or those with `names`, and return what they print."""
    printed = ""
    for found in BLOCK.finditer((PAGES / page).read_text()):
        (folder / found["name"]).write_text(found["text"] + "\n")
        if found["kind"] == "script" and (not names or found["name"] in names):
            command = [sys.executable, "-W", "error::schedframe.SchedframeWarning", found["name"]]
            run = subprocess.run(command, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True)
            assert run.returncode == 0, run.stdout + run.stderr
            printed += run.stdout
    return printed


def process_group() -> dict[str, str]:
    """Return the variables of a process that is alone in its group, as ``torchrun`` sets them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    ranks = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "LOCAL_WORLD_SIZE": "1"}
    return {**ranks, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}


def write_scripts(page: Path, folder: Path) -> None:
    """Write the files and the scripts of `page` into `folder`."""
    for found in BLOCK.finditer(page.read_text()):
        (folder / found["name"]).write_text(found["text"] + "\n")
