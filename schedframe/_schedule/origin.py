"""Where a schedule was declared, so that errors about it name the file and the line."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from schedframe._errors import ConfigError, Problem
from schedframe._files.config.document import Document
from schedframe._schedule.shorthand import stands_on


class Origin(NamedTuple):
    """Where a schedule was declared.

    Attributes:
        given: the keys as they were given.
        document: the file; ``None`` for a schedule that a program declares.
    """

    given: Mapping[str, Any] = {}
    document: Document | None = None

    def __str__(self) -> str:
        return "the schedule" if self.document is None else str(self.document.path)

    def located(self, problem: Problem) -> Problem:
        """Return `problem` with its line in the file."""
        return problem if self.document is None else self.document.located(problem, stands_on(problem.path))

    def error(self, problems: Iterable[Problem]) -> ConfigError:
        """Return the error with `problems`, each with its line in the file."""
        return ConfigError(str(self), map(self.located, problems))
