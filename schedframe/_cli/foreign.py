"""Configs of other frameworks where a command takes a schedule file."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from schedframe._errors import ConfigError
from schedframe._files.config.document import Document
from schedframe.importers import _run, _source

_SCRIPTS = (".sh", ".bash", ".slurm", ".sbatch", ".bin")
"""Suffixes of what can only be a source of an importer."""

_WITH_OPTIONS = "`schedframe import` writes this config as a schedule file, and has options for what is missing in it."


class Foreign(NamedTuple):
    """A schedule file that was made of another framework's config.

    Attributes:
        document: its keys, which stand where the values of the config do.
        text: its text.
    """

    document: Document
    text: str


def import_config(path: Path) -> Foreign | None:
    """Return what an importer makes of the file at `path`; ``None`` for one that no importer recognises.

    Raises:
        ConfigError: an importer recognises the file, and refuses it.
    """
    try:
        source = _source.read(path, {})
    except ConfigError:
        if path.suffix.lower() in _SCRIPTS:
            raise
        return None
    if not _run.recognised(source) and path.suffix.lower() not in _SCRIPTS:
        return None
    try:
        imported = _run.import_source(source, None, {})
    except ConfigError as error:
        raise ConfigError(error.where, [replace(problem, note=_WITH_OPTIONS) for problem in error.problems]) from None
    return Foreign(_run.document_of(imported), _run.text_of(imported, path.with_suffix(".yaml")))
