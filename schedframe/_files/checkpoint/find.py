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
_LATEST = 10**15
_NO_STATE = "holds no scheduler state of Megatron's kind (num_steps with max_lr)"


class _Other(NamedTuple):
    """A state that is not a scheduler's of Megatron's kind.

    Attributes:
        mark: a key that such a state has, and no other one.
        what: what it is.
        position: the key of its position, in optimizer steps.
        ahead: how many steps more were done.
    """

    mark: str
    what: str
    position: str
    ahead: int = 0

    def is_in(self, value: dict[Any, Any]) -> bool:
        """Return whether `value` is such a state."""
        return self.mark in value


_OTHERS = (
    _Other("pytorch-lightning_version", "a checkpoint of Lightning", "global_step"),
    _Other("last_epoch", "the state of a torch LRScheduler", "last_epoch"),
    _Other("last_batch_iteration", "the state of a DeepSpeed scheduler", "last_batch_iteration", ahead=1),
    _Other("log_history", "the state of transformers' Trainer", "global_step"),
)
"""The states of other schedulers, the best position first (Lightning's own schedulers may count epochs).

Keys are those of ``torch/optim/lr_scheduler.py`` at 2.13, ``deepspeed/runtime/lr_schedules.py`` at 0.19.8,
``lightning/pytorch/trainer/connectors/checkpoint_connector.py`` at 2.6.6 and ``transformers/trainer_callback.py`` at
5.23.
"""


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
        listed = _list([written(place.keys) for place in places[: _MOST_PLACES + 1]], _MOST_PLACES)
        raise Broken(f"holds {len(places)} scheduler states, which are not all equal, at {listed}")
    return places[0]._replace(value=first)


def _nothing(tree: Any, roots: list[tuple[tuple[str], Any]]) -> Broken:
    """Return the refusal of a checkpoint without a state, which names what is there instead."""
    for keys, root in [((), tree), *roots]:
        value = resolve(root)
        if type(value) is Inert:
            return not_plain(value, keys)
    for other in _OTHERS:
        place = next(walk(tree, other.is_in, _DEEPEST), None)
        if place is not None:
            return Broken(f"{_NO_STATE}; {_told(other, place)}")
    listed = top_keys(tree)
    return Broken(f"{_NO_STATE}; its keys are {listed}" if listed else _NO_STATE)


def _told(other: _Other, place: Place) -> str:
    """Return what stands at `place`, and how a schedule goes on from there."""
    where = f"what stands at {written(place.keys)}" if place.keys else "it"
    count = resolve(place.value.get(other.position))
    if type(count) is not int or not 0 <= count + other.ahead <= _LATEST:
        return f"{where} is {other.what} ({other.mark})"
    return (
        f"{where} is {other.what} ({other.position} {count}). A schedule continues there with "
        f"scheduler.num_steps = schedule.step_at('{count + other.ahead} iters') and scheduler.step(0)"
    )


def top_keys(tree: Any) -> str:
    """Return the first keys of `tree` that are text, as they can be printed; empty where there is none."""
    texts = (key for key in tree if type(key) is str) if type(tree) is dict else ()
    return _list([printable(key) for key in islice(texts, _MOST_KEYS + 1)], _MOST_KEYS)


def _list(names: list[str], most: int) -> str:
    return ", ".join([*names[:most], *(["…"] if len(names) > most else [])])
