"""Turns what a checkpoint holds into plain values, and refuses everything else."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schedframe._files.checkpoint.broken import Broken, shown
from schedframe._files.checkpoint.pickle import Inert

MOST_VALUES = 100_000
DEEPEST = 50

_WIDEST_INTEGER = 64
_LONGEST_TEXT = 65_536

Keys = tuple[str | int, ...]
"""The keys that lead to a value, from the top of a checkpoint."""


@dataclass(frozen=True)
class Later:
    """A value that is in a file of its own and not read yet.

    Attributes:
        path: the file.
        load: reads the value.
    """

    path: Path
    load: Callable[[], Any]


def resolved(value: Any) -> Any:
    """Return `value`, read from its file where that has not happened yet."""
    return value.load() if isinstance(value, Later) else value


def dotted(keys: Keys) -> str:
    """Return `keys` as one path."""
    return ".".join(map(str, keys))


class Conversion:
    """Makes plain values, and counts them, because a small file can refer to the same one from everywhere."""

    def __init__(self) -> None:
        """Begin to count."""
        self._values = 0

    def plain(self, value: Any, keys: Keys) -> Any:
        """Return `value`, which stands at `keys`, made of text, numbers, booleans, ``None``, lists and dicts alone.

        Raises:
            Broken: it holds anything else, or is larger than a scheduler's state can be.
        """
        return self._plain(value, keys, 0)

    def _plain(self, value: Any, keys: Keys, depth: int) -> Any:
        value = resolved(value)
        self._count(value)
        if depth > DEEPEST:
            raise Broken(f"holds more levels at {shown(dotted(keys))} than the {DEEPEST} that schedframe reads")
        kind = type(value)
        if kind is dict:
            return {self._key(key, keys): self._plain(item, (*keys, key), depth + 1) for key, item in value.items()}
        if kind in (list, tuple):
            return [self._plain(item, (*keys, index), depth + 1) for index, item in enumerate(value)]
        if not is_plain(value):
            raise not_plain(value, keys)
        return value

    def _key(self, key: Any, keys: Keys) -> str:
        self._count(key)
        if type(key) is str and is_plain(key):
            return key
        where = f" at {shown(dotted(keys))}" if keys else ""
        raise Broken(f"holds a key{where} that is not text, and all keys of a scheduler's state are")

    def _count(self, value: Any) -> None:
        self._values += 1 + (len(value) // 100 if type(value) is str else 0)
        if self._values > MOST_VALUES:
            raise Broken(f"holds a scheduler's state of more than {MOST_VALUES} values, and schedframe reads no more")


def is_plain(value: Any) -> bool:
    """Whether `value` is a number, text that can be written, a boolean or ``None``."""
    if type(value) is int:
        return value.bit_length() <= _WIDEST_INTEGER
    if type(value) is str:
        return len(value) <= _LONGEST_TEXT and (value.isascii() or _can_be_written(value))
    return type(value) in (bool, float, type(None))


def _can_be_written(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def not_plain(value: Any, keys: Keys) -> Broken:
    """Return the refusal of `value`, which is at `keys`."""
    what = _kind(value)
    article = "an" if what[:1].lower() in "aeiou" else "a"
    because = "; schedframe does not run what a checkpoint names" if "." in what else ""
    return Broken(f"{shown(dotted(keys))} holds {article} {what}, which is not a plain value{because}".lstrip())


def _kind(value: Any) -> str:
    """What a value that is not plain is called."""
    if type(value) is Inert:
        return shown(value.what)
    if type(value) is int:
        return f"integer of more than {_WIDEST_INTEGER} bits"
    if type(value) is str:
        return f"text of {len(value)} characters" if len(value) > _LONGEST_TEXT else "text that is not UTF-8"
    return f"{type(value).__name__} object"
