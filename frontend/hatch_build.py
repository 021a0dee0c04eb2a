"""Builds the scripts and styles of the pages into the package: the hook of every distribution, and ``make frontend``.

A source distribution always has them, and so has a wheel that is built from one. A wheel that is built from a
checkout, as by ``pip install git+...`` and by pre-commit, has them where Node.js and the npm registry are;
``SCHEDFRAME_PAGE=required`` lets its build fail elsewhere.
"""

import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FRONTEND = Path(__file__).resolve().parent
BUILT = FRONTEND.parent / "schedframe" / "_tools" / "views" / "page" / "built"
STAMP = BUILT / "sources.sha256"
SOURCES = ("build.mjs", "package-lock.json", "src/**/*.*")
COMMANDS = ("ci --prefer-offline --ignore-scripts --no-audit --no-fund", "run build")


class CannotBuildError(RuntimeError):
    """The front end cannot be built here; the message says why and what to do."""


class FrontEndHook(BuildHookInterface):  # type: ignore[type-arg]
    """Build the front end before a distribution."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build it if it is not there, or of other sources."""
        try:
            build()
        except CannotBuildError as error:
            if self.target_name == "sdist" or os.environ.get("SCHEDFRAME_PAGE") == "required":
                raise
            self.app.display_warning(str(error))


def build() -> None:
    """Build the front end unless it is built from the present sources.

    Raises:
        CannotBuildError: Node.js is not installed, or npm fails.
    """
    sources = digest()
    if STAMP.is_file() and STAMP.read_text() == sources:
        return
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise CannotBuildError(
            "the pages of `schedframe plot` and `design` are not built: Node.js with npm is not installed; "
            "install it (18 or later), and run `make frontend`"
        )
    for command in COMMANDS:
        done = subprocess.run([npm, *command.split()], cwd=FRONTEND, capture_output=True, text=True)
        if done.returncode:
            raise CannotBuildError(
                f"the pages of `schedframe plot` and `design` are not built: `npm {command}` fails in {FRONTEND}\n"
                f"{done.stdout}{done.stderr}"
            )
    STAMP.write_text(sources)


def digest() -> str:
    """Return a digest of the sources, equal wherever their texts are."""
    found = sorted(path for pattern in SOURCES for path in FRONTEND.glob(pattern))
    names = (path.relative_to(FRONTEND).as_posix().encode() for path in found)
    texts = (path.read_bytes().replace(b"\r\n", b"\n") for path in found)
    return sha256(b"\0".join(part for file in zip(names, texts, strict=True) for part in file)).hexdigest()


if __name__ == "__main__":
    try:
        build()
    except CannotBuildError as error:
        sys.exit(str(error))
