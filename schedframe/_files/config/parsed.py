"""What each format's ``parse`` returns and raises."""

from dataclasses import dataclass, field
from typing import Any

from schedframe._errors import Problem

DEEPEST = 50
"""More levels than a schedule can need, and few enough for everything that walks over it."""


class Broken(Exception):
    """The text cannot be read at all."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        """Keep the `line`, from 1, beside the reason; ``None`` where the format's reader does not report one."""
        super().__init__(reason)
        self.line = line


class Unreadable:
    """Stands for a value that is a problem already."""

    def __repr__(self) -> str:
        return "?"


@dataclass
class Parsed:
    """A config's text as data.

    Attributes:
        data: plain Python data.
        lines: the line of each key, from 1, by its dotted path.
        problems: what is wrong with the text itself and still let the rest be read.
        unreadable: dotted paths whose value is one of the problems.
    """

    data: Any = None
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)

    def add_key(self, path: str, line: int) -> bool:
        """Note where a key stands; a second one of the same path is a problem, and the answer is False."""
        if path in self.lines:
            message = f"stands twice, first on line {self.lines[path]}; keep one"
            self.problems.append(Problem(path, message, line=line))
            return False
        self.lines[path] = line
        return True


def refuse_depth(data: Any) -> None:
    """Raise `Broken` if data is nested too deeply, without recursion."""
    level = [data]
    for _ in range(DEEPEST):
        tables = [item for item in level if isinstance(item, dict)]
        lists = [item for item in level if isinstance(item, list)]
        level = [value for table in tables for value in table.values()] + [item for items in lists for item in items]
    if level:
        raise too_deep()


def too_deep(line: int | None = None) -> Broken:
    """Return the error of what is nested too deeply."""
    return Broken(f"is nested too deeply, more than {DEEPEST} levels", line)
