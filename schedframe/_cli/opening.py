"""How commands open their FILE: a schedule file, or a config of another framework that an importer recognises."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from schedframe._errors import ConfigError
from schedframe._files.config.document import EXTENDS, FORMATS, Document, parse_text, read, text_of
from schedframe._schedule.schedule import Schedule, declare

if TYPE_CHECKING:
    from schedframe._cli.foreign import Foreign

_MARKS = ("max_lr", EXTENDS)
"""Keys of which a schedule file has one."""


class Opened(NamedTuple):
    """A schedule that a command was given.

    Attributes:
        schedule: the schedule.
        text: the text of the schedule file that was made of another framework's config; ``None`` for a schedule file.
    """

    schedule: Schedule
    text: str | None


def open_schedule(path: Path) -> Opened:
    """Return the schedule that the file at `path` declares.

    Raises:
        ConfigError: it declares none, or an importer that recognises it refuses it; every problem has its line.
    """
    foreign = _foreign(path)
    if foreign is None:
        return Opened(declare(read(path)), None)
    return Opened(declare(foreign.document), foreign.text)


def open_document(path: Path) -> Document:
    """Return the file at `path` as a config: itself, or what an importer makes of it.

    Raises:
        ConfigError: it cannot be read, or an importer that recognises it refuses it.
    """
    foreign = _foreign(path)
    return read(path) if foreign is None else foreign.document


def open_import(path: Path) -> Schedule | None:
    """Return the schedule of another framework's config; ``None`` where no importer recognises the file at `path`.

    Raises:
        ConfigError: an importer recognises it, and refuses it.
    """
    foreign = _foreign(path)
    return None if foreign is None else declare(foreign.document)


def _foreign(path: Path) -> "Foreign | None":
    """Return what an importer makes of the file at `path`; ``None`` for a schedule file, and for an unknown one."""
    if _is_schedule_file(path):
        return None
    from schedframe._cli.foreign import import_config

    return import_config(path)


def _is_schedule_file(path: Path) -> bool:
    """Return whether the file at `path` has a key that every schedule file has."""
    if path.suffix.lower() not in FORMATS:
        return False
    try:
        data = parse_text(path, text_of(path)).data
    except ConfigError:
        return True  # whose reader reports why
    return any(mark in data for mark in _MARKS)
