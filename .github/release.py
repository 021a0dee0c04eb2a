"""Prints which distribution a tag names: ``schedframe-rex-v0.1.0`` is version 0.1.0 of schedframe-rex."""

import re
import sys
from pathlib import Path

import tomllib

ROOT = Path(__file__).resolve().parent.parent


def main(tag: str) -> str:
    """Return the line ``distribution=NAME``.

    Raises:
        SystemExit: there is no such distribution, or it has another version.
    """
    match = re.fullmatch(r"(?P<name>schedframe(-[a-z0-9]+)*)-v(?P<version>[0-9][^-]*)", tag)
    if match is None:
        sys.exit(f"{tag}: a release tag is NAME-vVERSION, such as schedframe-rex-v0.1.0")
    name, version = match["name"], match["version"]
    folder = ROOT if name == "schedframe" else ROOT / "plugins" / name
    if not (folder / "pyproject.toml").is_file():
        sys.exit(f"{tag}: there is no distribution {name}; those of plugins are {', '.join(plugins())}")
    own = version_of(folder)
    if own != version:
        sys.exit(f"{tag}: {name} has version {own} here")
    return f"distribution={name}"


def plugins() -> list[str]:
    """Return the names of the plugins' distributions."""
    return sorted(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml"))


def version_of(folder: Path) -> str:
    """Return the version of the distribution in `folder`."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    if "version" in project:
        return str(project["version"])
    text = (folder / "schedframe" / "_version.py").read_text()
    return str(re.findall(r'__version__ = "(.+)"', text)[0])


if __name__ == "__main__":
    print(main(sys.argv[1]))
