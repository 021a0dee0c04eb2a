"""Finds dicts of one kind within what a checkpoint holds, and the scheduler's state among them."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from schedframe._files.checkpoint.broken import Broken, printable
from schedframe._files.checkpoint.pickle import Inert
from schedframe._files.checkpoint.plain import Conversion, Keys, Later, not_plain, resolve, written

SLOTS = ("lr_scheduler", "opt_param_scheduler", "scheduler")
"""Where a scheduler's state stands, best first: Megatron reads ``lr_scheduler`` where a checkpoint has both."""

_DEEPEST = 4
_MOST_ITEMS = 2_000_000
_MOST_PLACES = 16
_MOST_KEYS = 10
_NO_STATE = "holds no scheduler state of Megatron's kind (num_steps with max_lr)"


class Place(NamedTuple):
    """A dict, the keys that lead to it, and the file that it is in where that is not the checkpoint's own."""

    keys: Keys
    value: dict[Any, Any]
    path: Path | None


def walk(value: Any, wanted: Callable[[dict[Any, Any]], bool], deepest: int, keys: Keys = ()) -> Iterator[Place]:
    """Yield the dicts in `value` that are `wanted`, `deepest` levels down at most; these are not searched themselves.

    `keys` lead to `value`. What is in a file of its own is read where it is `value` itself, and skipped below it.
    Items are counted, because a small file can refer to the same dict from everywhere; too many raise `Broken`.
    """
    items = 0

    def search(value: Any, keys: Keys) -> Iterator[Place]:
        nonlocal items
        items += 1 + len(value)
        if items > _MOST_ITEMS:
            raise Broken("holds more values in lists and dicts than schedframe searches")
        if type(value) is dict and wanted(value):
            yield Place(keys, value, next((item.path for item in value.values() if isinstance(item, Later)), source))
        elif len(keys) < deepest:
            for key, child in value.items() if type(value) is dict else enumerate(value):
                if type(key) in (str, int) and type(child) in (dict, list, tuple):
                    yield from search(child, (*keys, key))

    source = value.path if isinstance(value, Later) else None
    value = resolve(value)
    return search(value, keys) if type(value) in (dict, list, tuple) else iter(())


def find_state(tree: Any) -> Place:
    """Return the one scheduler's state in `tree`, as plain values; where there are several equal ones, the first.

    Raise `Broken` if there is none, there are different ones, or it holds what is not a plain value.
    """
    has_slots = type(tree) is dict and not _is_state(tree)
    roots = [((slot,), tree[slot]) for slot in SLOTS if has_slots and slot in tree]
    for keys, value in [*roots, ((), tree)]:
        places = list(walk(value, _is_state, _DEEPEST, keys))
        if places:
            return _choose(places)
    raise _nothing(tree, roots)


def _is_state(value: dict[Any, Any]) -> bool:
    return ("num_steps" in value or "num_iters" in value) and ("max_lr" in value or "start_lr" in value)


def _choose(places: list[Place]) -> Place:
    conversion = Conversion()
    first, *others = (conversion.plain(place.value, place.keys) for place in places[:_MOST_PLACES])
    if len(places) > _MOST_PLACES or any(other != first for other in others):
        listed = _list([written(place.keys) for place in places], _MOST_PLACES)
        raise Broken(f"holds {len(places)} scheduler states, which are not all equal, at {listed}")
    return places[0]._replace(value=first)


def _nothing(tree: Any, roots: list[tuple[tuple[str], Any]]) -> Broken:
    """Return the refusal of a checkpoint without a state, which names what is there instead."""
    for keys, root in [((), tree), *roots]:
        value = resolve(root)
        if type(value) is Inert:
            return not_plain(value, keys)
        if type(value) is dict and "last_epoch" in value:
            where = f"what stands at {written(keys)}" if keys else "it"
            return Broken(f"{_NO_STATE}; {where} is the state of a torch LRScheduler (last_epoch)")
    texts = (key for key in tree if type(key) is str) if type(tree) is dict else ()
    names = [printable(key) for key in islice(texts, _MOST_KEYS + 1)]
    return Broken(f"{_NO_STATE}; its keys are {_list(names, _MOST_KEYS)}" if names else _NO_STATE)


def _list(names: list[str], most: int) -> str:
    return ", ".join([*names[:most], *(["…"] if len(names) > most else [])])
