"""How commands open their FILE: a schedule file, or a config of another framework that an importer recognises."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from schedframe._errors import ConfigError
from schedframe._files.config.document import EXTENDS, FORMATS, Document, parse_text, read, text_of
from schedframe._schedule.schedule import Schedule, declare
from schedframe.importers import _run, _source
from schedframe.importers._draft import Imported

_MARKS = ("max_lr", EXTENDS)
"""Keys of which a schedule file has one."""

_SCRIPTS = (".sh", ".bash", ".slurm", ".sbatch", ".bin")
"""Suffixes of what can only be a source of an importer."""

_WITH_OPTIONS = "`schedframe import` writes this config as a schedule file, and has options for what is missing in it."


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
    imported = _imported(path)
    if imported is None:
        return Opened(declare(read(path)), None)
    return Opened(declare(_run.document_of(imported)), _run.text_of(imported, path.with_suffix(".yaml")))


def open_document(path: Path) -> Document:
    """Return the file at `path` as a config: itself, or what an importer makes of it.

    Raises:
        ConfigError: it cannot be read, or an importer that recognises it refuses it.
    """
    imported = _imported(path)
    return read(path) if imported is None else _run.document_of(imported)


def open_import(path: Path) -> Schedule | None:
    """Return the schedule of another framework's config; ``None`` where no importer recognises the file at `path`.

    Raises:
        ConfigError: an importer recognises it, and refuses it.
    """
    imported = _imported(path)
    return None if imported is None else declare(_run.document_of(imported))


def _imported(path: Path) -> Imported | None:
    """Return what an importer makes of the file at `path`; ``None`` for a schedule file, and for an unknown one."""
    if _is_schedule_file(path):
        return None
    try:
        source = _source.read(path, {})
    except ConfigError:
        if path.suffix.lower() in _SCRIPTS:
            raise
        return None
    if not _run.recognised(source) and path.suffix.lower() not in _SCRIPTS:
        return None
    try:
        return _run.import_source(source, None, {})
    except ConfigError as error:
        raise ConfigError(error.where, [replace(problem, note=_WITH_OPTIONS) for problem in error.problems]) from None


def _is_schedule_file(path: Path) -> bool:
    """Return whether the file at `path` has a key that every schedule file has."""
    if path.suffix.lower() not in FORMATS:
        return False
    try:
        data = parse_text(path, text_of(path)).data
    except ConfigError:
        return True  # whose reader reports why
    return any(mark in data for mark in _MARKS)
