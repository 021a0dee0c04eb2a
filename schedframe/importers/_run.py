"""From a source to a schedule: which importer reads it, and the file or the document that it makes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schedframe._errors import FAILURES, ConfigError, PluginError, Problem, SchedframeError
from schedframe._files.config.document import Document, made_of
from schedframe._files.config.dump import dump
from schedframe._schedule.schedule import declare
from schedframe._version import __version__
from schedframe.importers._draft import Draft, Imported
from schedframe.importers._importer import Importer
from schedframe.importers._installed import importers
from schedframe.importers._source import Source


def recognised(source: Source) -> list[Importer]:
    """Return the importers that recognise `source`."""
    return [importer for importer in importers.values() if _guarded(importer, importer.recognises, source)]


def import_source(source: Source, name: str | None, answers: Mapping[str, Any]) -> Imported:
    """Return the schedule that `source` declares.

    Args:
        source: the config of another framework.
        name: the importer; by default the one that recognises the source.
        answers: what options give, by the key of a schedule.

    Raises:
        ConfigError: no importer, or more than one, recognises the source; or it cannot be converted.
        PluginError: an importer is not installed, or fails.
    """
    importer = _chosen(source) if name is None else importers[name]
    draft = Draft(source, importer.title, answers)
    _guarded(importer, importer.convert, draft)
    imported = draft.finish(importer.name)
    declare(document_of(imported))
    return imported


def document_of(imported: Imported) -> Document:
    """Return the config of the schedule; its keys stand where the source's values do."""
    lines = {taken.key: taken.lines[0] for taken in imported.taken if taken.lines}
    return made_of(imported.source.path, imported.keys, lines)


def text_of(imported: Imported, path: Path) -> str:
    """Return the schedule file for `path`, with comments on where its keys come from, and on what was assumed."""
    return dump(imported.keys, path, comments=list(_comments(imported)))


def _comments(imported: Imported) -> list[str]:
    rows = [f"Imported from {imported.source.path.name}, a config of {imported.title}, by schedframe {__version__}."]
    for taken in imported.taken:
        if taken.paths:
            lines = f" (line {', '.join(map(str, taken.lines))})" if taken.lines else ""
            rows.append(f"{taken.key}: {', '.join(taken.paths)}{lines}")
    if imported.assumed:
        rows.append("Assumed:")
        rows += [f"- {sentence}." for sentence in imported.assumed]
    return [*rows, ""]


def _chosen(source: Source) -> Importer:
    found = recognised(source)
    if len(found) == 1:
        return found[0]
    names = ", ".join(importer.name for importer in found)
    known = ", ".join(importers)
    fault = (
        f"is recognised as {names}; choose with --from"
        if found
        else f"is not recognised by any importer; choose one with --from: {known}"
    )
    raise ConfigError(str(source.path), [Problem("", fault)])


def _guarded(importer: Importer, function: Any, argument: Any) -> Any:
    """Return what a function of `importer` returns; a failure of it is a `PluginError`."""
    try:
        return function(argument)
    except SchedframeError:
        raise
    except FAILURES as error:
        fault = f"{type(error).__name__}: {error}"
        raise PluginError(f"the importer {importer.name!r} fails: {fault}; this is a bug in the importer") from error
