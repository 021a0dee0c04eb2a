"""What the shell completes: names of styles, rules, and files. Completing imports no plugin."""

import os
import shlex
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from schedframe._errors import SchedframeError
from schedframe._files.config.document import FORMATS
from schedframe._plugins.registry import Registry
from schedframe._recipes.installed import recipe_files
from schedframe.lint._engine import OWN_RULES
from schedframe.styles._installed import lr_styles, wd_styles


def lr_style(incomplete: str) -> list[str]:
    """Return the names of the installed learning-rate styles."""
    return _names(lr_styles)


def any_style(incomplete: str) -> list[str]:
    """Return the names of the installed styles of both kinds."""
    return sorted({*_names(lr_styles), *_names(wd_styles)})


def _names(registry: Registry[Any]) -> list[str]:
    with suppress(SchedframeError):
        return list(registry)
    return []


def recipe_name(incomplete: str) -> list[str]:
    """Return the names of the installed recipes."""
    with suppress(SchedframeError):
        return [file.name for file in recipe_files()]
    return []


def importer(incomplete: str) -> list[str]:
    """Return the names of the installed importers."""
    from schedframe.importers._installed import importers

    with suppress(SchedframeError):
        return list(importers)
    return []


def rule(incomplete: str) -> list[tuple[str, str]]:
    """Return the codes and names of schedframe's own rules; those of plugins are known once a plugin is imported."""
    return [(text, rule.summary) for rule in OWN_RULES for text in (rule.code, rule.name)]


def schedule_file(incomplete: str) -> list[str]:
    """Return the schedule files and the folders that begin with `incomplete`.

    A folder that is the only match is entered, because a shell ends a single match with a space. Where a name needs
    quotes, nothing is returned, and the shell completes files in its own way.
    """
    found = list(_schedule_files(incomplete))
    if any(shlex.quote(name) != name for _, name in found):
        return []
    paths = [path for path, _ in found]
    return schedule_file(paths[0]) if len(paths) == 1 and paths[0].endswith("/") else paths


def _schedule_files(incomplete: str) -> Iterator[tuple[str, str]]:
    """Yield each path as it is typed, and the last part of it; a folder ends in a slash."""
    folder, slash, begin = incomplete.rpartition("/")
    with suppress(OSError):
        for entry in sorted(os.scandir(os.path.expanduser(folder + slash) or "."), key=lambda entry: entry.name):
            if not entry.name.startswith(begin) or (entry.name.startswith(".") and not begin):
                continue
            if entry.is_dir():
                yield f"{folder}{slash}{entry.name}/", entry.name
            elif entry.name.lower().endswith(tuple(FORMATS)):
                yield f"{folder}{slash}{entry.name}", entry.name
