"""Starts a plugin: a complete distribution that passes its own tests.

The files beside this one are its texts, with ``@NAMES@`` in them.
"""

import keyword
import re
from collections.abc import Mapping
from datetime import date
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from schedframe._errors import ConfigError, Problem
from schedframe._plugins.registry import Registry
from schedframe._version import __version__
from schedframe.styles._installed import lr_styles, wd_styles

LICENSES = ("Apache-2.0", "MIT", "BSD-3-Clause")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
GROUPS = {"lr": "schedframe.lr_styles", "wd": "schedframe.wd_styles", "hook": "schedframe"}
SUMMARIES = {
    "lr": "The learning-rate style {name}, for schedframe",
    "wd": "The weight-decay style {name}, for schedframe",
    "hook": "Policy checks for schedules, for schedframe",
}
MINIMUM = ".".join(__version__.split(".")[:2])
"""The oldest schedframe that a new plugin runs with."""


class Starter(NamedTuple):
    """A plugin to write: the ``kebab-case`` name of its style or hooks, and its kind, ``lr``, ``wd`` or ``hook``."""

    name: str
    kind: str
    license: str
    author: str

    @property
    def distribution(self) -> str:
        """The distribution's name, which is that of its folder."""
        return f"schedframe-{self.name}"

    @property
    def module(self) -> str:
        """The module's name."""
        return self.distribution.replace("-", "_")

    def files(self) -> dict[str, str]:
        """Return the text of every file of the plugin, by its path in it."""
        words = self._words()
        return {filled(path, words): filled(text, words) for path, text in templates(self.kind, self.license).items()}

    def _words(self) -> dict[str, str]:
        class_name = "".join(part.capitalize() for part in self.name.split("-"))
        return {
            "NAME": self.name,
            "DISTRIBUTION": self.distribution,
            "MODULE": self.module,
            "CLASS": class_name,
            "TARGET": self.module if self.kind == "hook" else f"{self.module}:{class_name}",
            "GROUP": GROUPS[self.kind],
            "SUMMARY": SUMMARIES[self.kind].format(name=self.name),
            "MINIMUM": MINIMUM,
            "LICENSE": self.license,
            "AUTHOR": self.author,
            "YEAR": str(date.today().year),
        }


def templates(kind: str, license: str) -> dict[str, str]:
    """Return the text of every file of a plugin by its path in it, both with ``@NAMES@`` to be filled."""
    sources = {
        "pyproject.toml": "pyproject.toml.txt",
        ".gitignore": "gitignore.txt",
        "@MODULE@.py": f"{kind}/module.py.txt",
        "README.md": f"{kind}/README.md.txt",
        "tests/test_@MODULE@.py": f"{kind}/test.py.txt",
        "LICENSE": f"licenses/{license}.txt",
    }
    folder = resources.files(__name__)
    return {path: folder.joinpath(source).read_text(encoding="utf-8") for path, source in sources.items()}


def filled(text: str, words: Mapping[str, str]) -> str:
    """Return `text` with every ``@NAME@`` replaced by its word."""
    return re.sub(r"@([A-Z]+)@", lambda match: words[match[1]], text)


def start(starter: Starter, folder: Path) -> Path:
    """Write the plugin into a new folder in `folder`, whole or not at all, and return it.

    Raises:
        ConfigError: the name cannot be used, the folder is there already, or it cannot be written.
    """
    fault = _fault(starter)
    if fault:
        raise ConfigError("the plugin", [Problem("", fault)])
    target = folder / starter.distribution
    if target.exists():
        raise ConfigError(str(target), [Problem("", "already exists; choose another name, or another folder")])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{starter.distribution}-", dir=folder) as building:
            plugin = Path(building, starter.distribution)
            for path, text in starter.files().items():
                file = plugin / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            plugin.rename(target)
    except OSError as error:
        raise ConfigError(str(target), [Problem("", f"cannot be written: {error.strerror}")]) from None
    return target


def _fault(starter: Starter) -> str:
    """Return why the name cannot be used; empty where it can."""
    name = starter.name
    if not _NAME.fullmatch(name):
        return f"{name!r} is not a valid name: use lower-case letters, digits and single hyphens, such as late-cosine"
    if keyword.iskeyword(starter.module):
        return f"the name {name!r} is a Python keyword; choose another"
    if not starter.author.isprintable() or set(starter.author) & {'"', "\\"}:
        return (
            f"the author {starter.author!r} cannot be written into a pyproject.toml; leave out quotes and backslashes"
        )
    if starter.kind == "hook":
        return ""
    registry: Registry[Any] = lr_styles if starter.kind == "lr" else wd_styles
    if name in registry.builtins or name in registry.aliases:
        return f"the {registry.kind} style {name!r} is built in; choose another name"
    if name in registry:
        return f"the {registry.kind} style {name!r} is installed already, from {registry.source(name)}"
    return ""
