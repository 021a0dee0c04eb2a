"""Screens of the files in tests/schedules, kept in ``kept_screens/``; ``python -m tests.cli.screens`` writes them."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..runs import SCHEDULES
from .test_cli_main import on_a_terminal, run

KEPT = Path(__file__).parent / "kept_screens"
FILES = ("run.yaml", "moe.yaml", "suspect.yaml")
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


class Screen(NamedTuple):
    """A command, and what it is run on: a terminal with so many columns, or a pipe."""

    name: str
    arguments: tuple[str, ...]
    columns: int | None = None
    ascii: bool = False

    def show(self) -> str:
        """Return what is printed, without bold type and spaces at the ends of lines."""
        environment = {"NO_COLOR": "1", **(ASCII if self.ascii else {})}
        if self.columns is None:
            return bare(run(*self.arguments, **environment).stdout)
        return bare(on_a_terminal(self.columns, *self.arguments, **environment))


def bare(shown: str) -> str:
    """Return what a terminal shows without the codes for colours and bold type."""
    return "".join(f"{line.rstrip()}\n" for line in re.sub(r"\x1b\[[\d;]*m", "", shown).splitlines())


def _screens() -> Iterator[Screen]:
    for file in FILES:
        yield from (Screen(f"{Path(file).stem}-{width}", ("preview", file), width) for width in (80, 100))
        yield Screen(f"{Path(file).stem}-pipe", ("preview", file, "--no-chart"))
        yield Screen(f"{Path(file).stem}-ascii", ("preview", file), 80, ascii=True)
    yield Screen("overlaid-80", ("plot", *FILES[:1], *FILES[2:], "--what", "lr"), 80)


SCREENS = list(_screens())


def copy_files(folder: Path) -> None:
    """Copy the schedules into `folder`."""
    for name in FILES:
        shutil.copy(SCHEDULES / name, folder)


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        copy_files(Path(folder))
        os.chdir(folder)
        for screen in SCREENS:
            (KEPT / f"{screen.name}.txt").write_text(screen.show(), encoding="utf-8")
