"""Builds every distribution as it is published, and tries it where nothing else is installed.

``python -m release.check`` leaves the built files in ``dist/NAME/``: a source distribution, and a wheel that is built
from it. twine checks their metadata, and their contents are compared with what git tracks. Then each is installed in an
environment of its own: the core runs the commands of README.md, each plugin is listed as ok and its example is checked.
The package of conda-forge is built from the source distribution of the core (see ``release/conda.py``).
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from release.distributions import ROOT, Distribution, distributions
from tests.pages import commands, write_files

DIST = ROOT / "dist"
_EXTRAS = "[cli,design,foresight,plot,torch]"


class Environment:
    """A virtual environment with nothing but pip.

    Attributes:
        bin: the folder of its programs.
    """

    def __init__(self, folder: Path) -> None:
        """Make it in `folder`."""
        run(sys.executable, "-m", "venv", folder)
        self.bin = folder / ("Scripts" if os.name == "nt" else "bin")

    def install(self, *requirements: str) -> None:
        """Install with pip, the dependencies in the versions that the tests run with."""
        pip = (self.bin / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        run(*pip, "--constraint", ROOT / "constraints.txt", *requirements)

    def run(self, program: str, *words: object, folder: Path) -> str:
        """Run one of its programs in `folder`; the checkout is on no path."""
        return run(self.bin / program, *words, folder=folder)


def run(*words: object, folder: Path = ROOT) -> str:
    """Run a program and return what it prints.

    Raises:
        SystemExit: it fails.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SCHEDFRAME_"))}
    settings = {**clean, "SCHEDFRAME_PAGE": "required"}
    done = subprocess.run(list(map(str, words)), cwd=folder, env=settings, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{shlex.join(map(str, words))} ends with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def build(distribution: Distribution) -> Path:
    """Build a source distribution, and a wheel from it; return the wheel."""
    target = DIST / distribution.name
    shutil.rmtree(target, ignore_errors=True)
    run(sys.executable, "-m", "build", "--outdir", target, distribution.folder)
    run(sys.executable, "-m", "twine", "check", "--strict", *target.iterdir())
    (wheel,) = target.glob("*.whl")
    (source,) = target.glob("*.tar.gz")
    faults = [*unexpected_in_wheel(wheel, distribution), *unexpected_in_source(source, distribution)]
    if faults:
        sys.exit(f"{distribution.name}: {'; '.join(faults)}")
    return wheel


def unexpected_in_wheel(wheel: Path, distribution: Distribution) -> list[str]:
    """Return what is too much in a wheel, and what is missing."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    metadata = f"{distribution.name.replace('-', '_')}-{distribution.version}.dist-info"
    files = ["METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"]
    expected = distribution.modules() | {f"{metadata}/{name}" for name in files}
    return [
        *(f"{wheel.name} has {name}, which is not to be installed" for name in sorted(names - expected)),
        *(f"{wheel.name} lacks {name}" for name in sorted(expected - names)),
    ]


def unexpected_in_source(source: Path, distribution: Distribution) -> list[str]:
    """Return what is in a source distribution and not in git, and the modules that it lacks."""
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    tracked = distribution.tracked() | {"PKG-INFO", ".gitignore"}
    return [
        *(f"{source.name} has {name}, which git does not track" for name in sorted(names - tracked)),
        *(f"{source.name} lacks {name}" for name in sorted(distribution.modules() - names)),
    ]


def build_conda(core: Distribution) -> Path:
    """Build the package of conda-forge from the source distribution of the core, and return it."""
    from release import conda

    (source,) = (DIST / core.name).glob("*.tar.gz")
    target = DIST / "conda"
    shutil.rmtree(target, ignore_errors=True)
    package = conda.build(source, target)
    if faults := conda.missing(package, core):
        sys.exit("; ".join(faults))
    return package


def try_core(wheel: Path, rex: Path) -> None:
    """Run the commands of README.md where only the core and the plugin that the README installs are."""
    with tempfile.TemporaryDirectory() as place:
        environment, folder = Environment(Path(place, "environment")), Path(place, "readme")
        environment.install(f"{wheel}{_EXTRAS}", str(rex))
        folder.mkdir()
        readme = ROOT / "README.md"
        write_files(readme, folder)
        for command in commands(readme):
            environment.run(*shlex.split(command), folder=folder)


def try_plugin(core: Path, wheel: Path, plugin: Distribution) -> None:
    """Let schedframe list what a plugin adds, and check the plugin's example, where nothing else is installed."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        environment = Environment(folder / "environment")
        environment.install(f"{core}[cli]", str(wheel))
        rows = json.loads(environment.run("schedframe", "plugins", "--json", folder=folder))["plugins"]
        found = {(row["distribution"], row["version"], row["adds"], row["state"]) for row in rows}
        if found != {(plugin.name, plugin.version, adds, "ok") for adds in added_by(plugin)}:
            sys.exit(f"{plugin.name}: schedframe plugins lists {rows}")
        example = plugin.folder / "example.yaml"
        if example.exists():
            environment.run("schedframe", "check", example, folder=folder)


def added_by(plugin: Distribution) -> Iterable[str]:
    """Yield what a plugin adds, as ``schedframe plugins`` lists it."""
    kinds = {
        "schedframe": "hooks",
        "schedframe.importers": "importer {}",
        "schedframe.loss_laws": "law {}",
        "schedframe.lr_styles": "LR {}",
        "schedframe.recipes": "recipes {}",
        "schedframe.wd_styles": "WD {}",
    }
    for group, points in plugin.project["entry-points"].items():
        yield from (kinds[group].format(name) for name in points)


def main() -> None:
    """Build all, then try all."""
    known = distributions()
    wheels = {}
    for name, distribution in known.items():
        wheels[name] = build(distribution)
        print(f"{name}: built, {len(list((DIST / name).iterdir()))} files in dist/{name}", flush=True)
    print(f"schedframe: {build_conda(known['schedframe']).name}, from the recipe of conda-forge", flush=True)
    core = wheels.pop("schedframe")
    try_core(core, wheels["schedframe-rex"])
    print("schedframe: the commands of README.md run on the wheel", flush=True)
    for name, wheel in wheels.items():
        try_plugin(core, wheel, known[name])
        print(f"{name}: works on the wheel", flush=True)


if __name__ == "__main__":
    main()
