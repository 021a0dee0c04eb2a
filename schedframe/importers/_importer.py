"""What an importer is."""

from collections.abc import Callable
from dataclasses import dataclass

from schedframe.importers._draft import Draft
from schedframe.importers._source import Source


@dataclass(frozen=True)
class Importer:
    """Reads the configs of one framework.

    Attributes:
        name: what ``--from`` calls it: lower-case letters and hyphens.
        title: the framework, with the version whose behaviour is reproduced.
        recognises: returns whether a source is a config of the framework, by its content.
        convert: puts the keys of a schedule into a draft; what it cannot convert, it refuses there.
    """

    name: str
    title: str
    recognises: Callable[[Source], bool]
    convert: Callable[[Draft], None]
