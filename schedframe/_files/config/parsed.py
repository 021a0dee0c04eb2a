"""What each format's ``parse`` returns and raises, and what bounds a config."""

from dataclasses import dataclass, field
from typing import Any

from schedframe._errors import Problem, dotted

DEEPEST = 50
"""More levels than a schedule can need, and few enough for everything that walks over it."""

MOST_VALUES = 10_000
"""More values than a schedule can need."""

LONGEST_KEY = 200
"""More characters than a key can need: the dotted path of every value has those of all keys above it."""

LONGEST_NUMBER = 400
"""More digits than a number can need."""


TOO_LARGE = 10**LONGEST_NUMBER
"""The least integer of more digits."""


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
        lines: the line of each key and of each item of a list, from 1, by its dotted path.
        problems: what is wrong with the text itself and still let the rest be read.
        unreadable: dotted paths whose value is one of the problems.
        foreign: those of the problems that are none for other programs, each with its place: tags such as ``!include``
            (tags that name types have no ``!``), merge keys, and keys that are given twice.
    """

    data: Any = None
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)
    foreign: list[tuple[str, Problem]] = field(default_factory=list)

    def refuse(self, path: tuple[str, ...], message: str, line: int | None) -> Unreadable:
        """Note that the value at `path` cannot be read, and return what stands for it."""
        self.unreadable.add(dotted(path))
        self.problems.append(Problem(dotted(path), message, line=line))
        return Unreadable()


def refuse_size(data: Any) -> None:
    """Raise `Broken` if data is nested too deeply, or holds too much, without recursion."""
    level, values = [data], 0
    for _ in range(DEEPEST):
        values += len(level)
        tables = [item for item in level if isinstance(item, dict)]
        refuse_long_keys(key for table in tables for key in table)
        lists = [item for item in level if isinstance(item, list)]
        level = [value for table in tables for value in table.values()] + [item for items in lists for item in items]
        if values + len(level) > MOST_VALUES:
            raise too_many()
    if level:
        raise too_deep()


def refuse_numbers(parsed: Parsed) -> None:
    """Take out every integer of `parsed` that is larger than a number can be; each is a problem."""
    held: list[tuple[tuple[str, ...], Any]] = [((), parsed.data)]
    for path, value in held:
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(inner, dict | list):
                held.append(((*path, str(key)), inner))
            elif isinstance(inner, int) and abs(inner) >= TOO_LARGE:
                place = (*path, str(key))
                value[key] = parsed.refuse(place, too_large(LONGEST_NUMBER), parsed.lines.get(dotted(place)))


def too_large(digits: int) -> str:
    """Return what is wrong with a number of more than so many `digits`."""
    return f"is too large, a number of more than {digits} digits"


def refuse_long_keys(keys: Any, line: int | None = None) -> None:
    """Raise `Broken` if one of `keys` is longer than a key can be."""
    for key in keys:
        if len(key) > LONGEST_KEY:
            raise Broken(f"has a key of {len(key)} characters: {key[:40]!r}...", line)


def too_deep(line: int | None = None) -> Broken:
    """Return the error of what is nested too deeply."""
    return Broken(f"is nested too deeply, more than {DEEPEST} levels", line)


def too_many(line: int | None = None) -> Broken:
    """Return the error of what holds too much."""
    return Broken(f"holds more than {MOST_VALUES} values", line)
