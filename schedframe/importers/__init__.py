"""Configs of other frameworks as schedule files: what ``schedframe import`` reads.

An importer is one `Importer`: its name, how it recognises a `Source`, and a function that takes the source's values
into a `Draft`. A shell script has `Command` objects; `Draft.read_command` reads those flags that a `Flags` names.
A distribution adds an importer with an entry point of the group ``schedframe.importers``, which names it. Importers
read data: they run nothing, and import nothing that a source names.
"""

from schedframe.importers._command import Command, Flags, find_commands
from schedframe.importers._draft import Draft
from schedframe.importers._importer import Importer
from schedframe.importers._installed import importers
from schedframe.importers._source import Source

__all__ = ["Command", "Draft", "Flags", "Importer", "Source", "find_commands", "importers"]
