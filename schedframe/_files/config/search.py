"""Finds the config files of schedules in a folder."""

import os
from collections.abc import Iterator
from pathlib import Path

from schedframe._errors import ConfigError
from schedframe._files.config.document import EXTENDS, FORMATS, LARGEST_FILE, parse_text
from schedframe._reading import read_regular

_MARK = "max_lr"
"""The key that every schedule has, unless it takes it from the file that it extends."""

_SKIPPED = ("node_modules", "__pycache__", "site-packages")


def find_schedules(folder: Path) -> Iterator[Path]:
    """Yield the files in `folder` and below that declare a schedule, in the order of their names.

    These are YAML, TOML and JSON files with the key ``max_lr``, or one ``extends`` beside other keys. One that names
    ``max_lr`` and cannot be parsed is yielded too. Hidden folders and installed packages are not searched.
    """
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED)
        for name in sorted(names):
            path = Path(parent, name)
            if path.suffix.lower() in FORMATS and _declares_a_schedule(path):
                yield path


def _declares_a_schedule(path: Path) -> bool:
    try:
        text = read_regular(path, LARGEST_FILE).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return False
    if _MARK not in text and EXTENDS not in text:
        return False
    try:
        keys = parse_text(path, text).data
    except ConfigError:
        return _MARK in text
    return _MARK in keys or isinstance(keys.get(EXTENDS), str)
