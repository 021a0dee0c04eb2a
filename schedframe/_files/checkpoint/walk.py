"""Finds dicts of one kind within what a checkpoint holds."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from schedframe._files.checkpoint.broken import Broken
from schedframe._files.checkpoint.plain import Keys, Later

_MOST_ITEMS = 2_000_000


class Place(NamedTuple):
    """A dict, and where it stands.

    Attributes:
        keys: the keys that lead to it.
        value: the dict.
        path: the file it is in, where that is another than the checkpoint's own.
    """

    keys: Keys
    value: dict[Any, Any]
    path: Path | None


class Walk:
    """One search. It counts what it looks at, because a small file can refer to the same dict from everywhere."""

    def __init__(self, wanted: Callable[[dict[Any, Any]], bool], deepest: int) -> None:
        """Search for dicts that are `wanted`, `deepest` levels down at most."""
        self._wanted = wanted
        self._deepest = deepest
        self._items = 0

    def places(self, value: Any, keys: Keys = (), source: Path | None = None) -> Iterator[Place]:
        """Yield the wanted dicts in `value`, which stands at `keys`; a wanted one is not searched itself.

        What is in a file of its own is read where it is `value` itself, and left alone below it.

        Raises:
            Broken: there is more to look into than is ever looked into.
        """
        if isinstance(value, Later):
            source, value = value.path, value.load()
        self._items += 1 + len(value) if type(value) in (dict, list, tuple) else 1
        if self._items > _MOST_ITEMS:
            raise Broken("holds more values in lists and dicts than schedframe searches")
        if type(value) is dict and self._wanted(value):
            yield Place(keys, value, next((item.path for item in value.values() if isinstance(item, Later)), source))
        elif len(keys) < self._deepest:
            for key, child in _children(value):
                yield from self.places(child, (*keys, key), source)


def _children(value: Any) -> Iterator[tuple[str | int, Any]]:
    if type(value) is dict:
        pairs = ((key, child) for key, child in value.items() if type(key) in (str, int))
    else:
        pairs = ((index, child) for index, child in enumerate(value if type(value) in (list, tuple) else ()))
    return ((key, child) for key, child in pairs if type(child) in (dict, list, tuple))
