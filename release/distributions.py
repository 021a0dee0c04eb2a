"""The distributions of this repository: the core, and each plugin."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PAGES = Path("schedframe/_tools/views/page/built")
"""What the front end is built into; git ignores it."""


class Distribution(NamedTuple):
    """What is published under one name.

    Attributes:
        name: as on PyPI.
        folder: where its pyproject.toml is.
    """

    name: str
    folder: Path

    @property
    def project(self) -> dict[str, Any]:
        """The table ``[project]``."""
        return dict(tomllib.loads((self.folder / "pyproject.toml").read_text("utf-8"))["project"])

    @property
    def version(self) -> str:
        """The version that the sources have."""
        if "version" in self.project:
            return str(self.project["version"])
        text = (self.folder / "schedframe" / "_version.py").read_text("utf-8")
        return re.findall(r'__version__ = "(.+)"', text)[0]

    @property
    def is_core(self) -> bool:
        """Whether it is schedframe itself."""
        return self.folder == ROOT

    def tracked(self) -> set[str]:
        """Return the paths in `folder` that git tracks, and those that the front end is built into."""
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=self.folder, capture_output=True, text=True, check=True)
        built = (path for path in (self.folder / PAGES).glob("*") if path.is_file())
        return {*listed.stdout.split("\0"), *(path.relative_to(self.folder).as_posix() for path in built)}

    def modules(self) -> set[str]:
        """Return the paths that a wheel installs beside its metadata."""
        if self.is_core:
            return {path for path in self.tracked() if path.startswith("schedframe/")}
        points = (point for group in self.project["entry-points"].values() for point in group.values())
        modules = {point.partition(":")[0].partition(".")[0] for point in points}
        return {path for path in self.tracked() if path.partition("/")[0].removesuffix(".py") in modules}


def distributions() -> dict[str, Distribution]:
    """Return every distribution by its name, the core first."""
    plugins = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
    return {
        name: Distribution(name, folder) for name, folder in [("schedframe", ROOT), *((p.name, p) for p in plugins)]
    }
