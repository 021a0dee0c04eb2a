"""Throwaway virtual environments: what the running one has, but neither schedframe nor a plugin of it."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
_COMMAND = '#!/bin/sh\nexec "$(dirname "$0")/python" -m {name} "$@"\n'
_BUILD = """
import sys
from hatchling.builders.wheel import WheelBuilder

for project in sys.argv[2:]:
    list(WheelBuilder(project).build(directory=sys.argv[1], versions=["standard"]))
"""


class Environment:
    """A virtual environment in which pip really installs.

    Attributes:
        folder: where it is.
        bin: the folder of its commands.
        site: its site-packages.
    """

    def __init__(self, folder: Path) -> None:
        """Make it in `folder`: dependencies are links to those of the running environment, so it takes a second."""
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        self.folder = folder
        self.bin = folder / "bin"
        self.site = next(folder.glob("lib/python*/site-packages"))
        for place in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
            for entry in Path(place).iterdir():
                ours = "schedframe" in entry.name
                if not (ours or entry.suffix == ".pth" or entry.name == "__pycache__"):
                    (self.site / entry.name).symlink_to(entry)
        for name in ("pip", "pytest"):
            command = self.bin / name
            command.write_text(_COMMAND.format(name=name))
            command.chmod(0o755)
        ruff = shutil.which("ruff", path=sysconfig.get_path("scripts"))
        if ruff:
            (self.bin / "ruff").symlink_to(ruff)

    def run(self, *command: str, cwd: Path | None = None, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of the environment; none of the running one's settings reaches it."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("SCHEDFRAME_", "PYTHON"))}
        path = os.pathsep.join((str(self.bin), os.environ["PATH"]))
        settings = {**kept, "PATH": path, "COLUMNS": "200", "PIP_DISABLE_PIP_VERSION_CHECK": "1", **variables}
        name, *arguments = command
        return subprocess.run(
            [str(shutil.which(name, path=path)), *arguments],
            cwd=cwd or self.folder,
            env=settings,
            capture_output=True,
            text=True,
            encoding="utf-8",
        )

    def build(self, folder: Path, *projects: Path) -> list[Path]:
        """Build a wheel of each project with its backend into `folder`, and return them."""
        built = self.run("python", "-c", _BUILD, str(folder), *map(str, projects))
        assert built.returncode == 0, built.stdout + built.stderr
        wheels = sorted(folder.glob("*.whl"))
        assert len(wheels) == len(projects)
        return wheels

    def install(self, *projects: Path) -> None:
        """Build a wheel of each project with its backend, and install them all with pip."""
        with tempfile.TemporaryDirectory(dir=self.folder) as wheels:
            files = map(str, self.build(Path(wheels), *projects))
            installed = self.run("pip", "install", "--quiet", "--no-deps", "--no-index", *files)
            assert installed.returncode == 0, installed.stdout + installed.stderr
