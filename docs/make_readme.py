"""Writes into README.md what its ``preview`` prints: ``python docs/make_readme.py``; it needs the extra ``cli``."""

import os
import re
import shlex
from pathlib import Path
from tempfile import TemporaryDirectory

from typer.testing import CliRunner

from schedframe._cli.app import app

README = Path(__file__).parent.parent / "README.md"
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w*\n(.*?)```", re.DOTALL)
SHOWN = re.compile(r"^\$ schedframe (?P<words>preview .*)\n(?:(?!\$ |```).*\n)*", re.MULTILINE)


def made() -> str:
    """Return the README with what its commands print now, at 80 columns."""
    text = README.read_text(encoding="utf-8")
    before = Path.cwd()
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for name, content in FILE.findall(text):
                Path(name).write_text(content, encoding="utf-8")
            return SHOWN.sub(lambda command: f"$ schedframe {command['words']}\n{_printed(command['words'])}", text)
        finally:
            os.chdir(before)


def _printed(words: str) -> str:
    done = CliRunner().invoke(app, shlex.split(words), env={"COLUMNS": "80", "NO_COLOR": "1"})
    if done.exit_code:
        raise RuntimeError(f"schedframe {words}\n{done.output}")
    return "".join(f"{line.rstrip()}\n" for line in done.output.splitlines())


if __name__ == "__main__":
    README.write_text(made(), encoding="utf-8")
