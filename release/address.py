"""Writes the repository's address into every file that has it: ``python -m release.address``.

The address is one line of pyproject.toml, ``Repository`` of ``[project.urls]``. The metadata of the plugins, the
documentation, the citation and the drafts in this folder repeat it.
"""

import re
import subprocess

from release.distributions import ROOT, distributions

_ADDRESS = re.compile(r"https://(?!pypi\.org/)[\w.-]+/[\w.-]+/schedframe(?=-plugin-template|[^\w-]|$)")


def address() -> str:
    """Return the repository's address."""
    return str(distributions()["schedframe"].project["urls"]["Repository"])


def others() -> dict[str, set[str]]:
    """Return the files that have another address, each with those that it has."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = {}
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file():
            wrong = {each.decode() for each in re.findall(_ADDRESS.pattern.encode(), path.read_bytes())} - {address()}
            if wrong:
                found[name] = wrong
    return found


def write() -> None:
    """Replace every other address."""
    for name in others():
        path = ROOT / name
        path.write_text(_ADDRESS.sub(address(), path.read_text("utf-8")), "utf-8")
        print(name)


if __name__ == "__main__":
    write()
