"""Turns what a checkpoint holds into plain values, and refuses everything else."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schedframe._errors import dotted
from schedframe._files.checkpoint.broken import Broken, printable
from schedframe._files.checkpoint.pickle import Inert

_MOST_VALUES = 100_000
_DEEPEST = 50
_WIDEST_INTEGER = 64
_LONGEST_TEXT = 65_536
_SURROGATE = re.compile("[\ud800-\udfff]")

Keys = tuple[str | int, ...]
"""The keys that lead to a value, from the top of a checkpoint."""


@dataclass(frozen=True)
class Later:
    """A value that is in the file at `path`, and that `load` reads."""

    path: Path
    load: Callable[[], Any]


def resolve(value: Any) -> Any:
    """Return `value`, read from its file where that has not happened yet."""
    return value.load() if isinstance(value, Later) else value


def written(keys: Keys) -> str:
    """Return `keys` as one path that can be printed."""
    return printable(dotted(map(str, keys)))


class Conversion:
    """Makes plain values, and counts them, because a small file can refer to the same one from everywhere."""

    def __init__(self) -> None:
        """Begin to count."""
        self._values = 0

    def plain(self, value: Any, keys: Keys, depth: int = 0) -> Any:
        """Return `value`, which stands at `keys`, made of text, numbers, booleans, ``None``, lists and dicts alone.

        Raise `Broken` if it holds anything else, or is larger than a scheduler's state can be.
        """
        value = resolve(value)
        self._count(value)
        if depth > _DEEPEST:
            raise Broken(f"holds more levels at {written(keys)} than the {_DEEPEST} that schedframe reads")
        if type(value) is dict:
            return {self._key(key, keys): self.plain(item, (*keys, key), depth + 1) for key, item in value.items()}
        if type(value) in (list, tuple):
            return [self.plain(item, (*keys, index), depth + 1) for index, item in enumerate(value)]
        if not is_plain(value):
            raise not_plain(value, keys)
        return value

    def _key(self, key: Any, keys: Keys) -> str:
        self._count(key)
        if type(key) is str and is_plain(key):
            return key
        where = f" at {written(keys)}" if keys else ""
        raise Broken(f"holds a key{where} that is not text, and all keys of a scheduler's state are")

    def _count(self, value: Any) -> None:
        self._values += 1 + (len(value) // 100 if type(value) is str else 0)
        if self._values > _MOST_VALUES:
            raise Broken(f"holds a scheduler's state of more than {_MOST_VALUES} values, and schedframe reads no more")


def is_plain(value: Any) -> bool:
    """Whether `value` is a number, text that can be written, a boolean or ``None``."""
    return not _fault(value)


def not_plain(value: Any, keys: Keys) -> Broken:
    """Return the refusal of `value`, which is at `keys`."""
    what = _fault(value) or type(value).__name__
    article = "an" if what[:1].lower() in "aeiou" else "a"
    because = "; schedframe does not run what a checkpoint names" if "." in what else ""
    return Broken(f"{written(keys)} holds {article} {what}, which is not a plain value{because}".lstrip())


def _fault(value: Any) -> str:
    """Return what a value that is not plain is called; empty for a plain one."""
    if type(value) is Inert:
        return printable(value.what)
    if type(value) is int:
        return f"integer of more than {_WIDEST_INTEGER} bits" if value.bit_length() > _WIDEST_INTEGER else ""
    if type(value) is str:
        if len(value) > _LONGEST_TEXT:
            return f"text of {len(value)} characters"
        return "text that is not UTF-8" if _SURROGATE.search(value) else ""
    return "" if type(value) in (bool, float, type(None)) else f"{type(value).__name__} object"
