"""Finds a scheduler's state in what a checkpoint holds."""

from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from schedframe._files.checkpoint.broken import Broken, shown
from schedframe._files.checkpoint.pickle import Inert
from schedframe._files.checkpoint.plain import Conversion, dotted, not_plain, resolved
from schedframe._files.checkpoint.walk import Place, Walk

SLOTS = ("lr_scheduler", "opt_param_scheduler", "scheduler")
"""Where a scheduler's state stands, best first: Megatron reads ``lr_scheduler`` where a checkpoint has both."""

_DEEPEST = 4
_MOST_PLACES = 16
_MOST_KEYS = 10
_NO_STATE = "holds no scheduler state of Megatron's kind (num_steps with max_lr)"


class Found(NamedTuple):
    """A scheduler's state, and where it stood.

    Attributes:
        slot: its dotted path; empty where it is all there is.
        state: its keys and plain values.
        path: the file it was in, where that is another than the checkpoint's own.
    """

    slot: str
    state: dict[str, Any]
    path: Path | None


def find(tree: Any) -> Found:
    """Return the one scheduler's state in `tree`; where there are several equal ones, the first.

    Raises:
        Broken: there is none, there are different ones, or it holds what is not a plain value.
    """
    slots = {slot: tree[slot] for slot in SLOTS if slot in tree} if type(tree) is dict and not _is_state(tree) else {}
    for slot, value in slots.items():
        places = list(Walk(_is_state, _DEEPEST).places(value, (slot,)))
        if places:
            return _chosen(places)
    places = list(Walk(_is_state, _DEEPEST).places(tree))
    if places:
        return _chosen(places)
    raise _nothing(tree, slots)


def _is_state(value: dict[Any, Any]) -> bool:
    return ("num_steps" in value or "num_iters" in value) and ("max_lr" in value or "start_lr" in value)


def _chosen(places: list[Place]) -> Found:
    conversion = Conversion()
    first, *others = (conversion.plain(place.value, place.keys) for place in places[:_MOST_PLACES])
    if len(places) > _MOST_PLACES or any(other != first for other in others):
        listed = ", ".join(shown(dotted(place.keys)) for place in places[:_MOST_PLACES])
        more = ", …" if len(places) > _MOST_PLACES else ""
        raise Broken(f"holds {len(places)} scheduler states, which are not all equal, at {listed}{more}")
    return Found(shown(dotted(places[0].keys)), first, places[0].path)


def _nothing(tree: Any, slots: dict[str, Any]) -> Broken:
    """Say that there is no state, and what is there instead."""
    for slot, value in [("", tree), *slots.items()]:
        held = resolved(value)
        if type(held) is Inert:
            return not_plain(held, (slot,))
        if type(held) is dict and "last_epoch" in held:
            where = f"what stands at {slot}" if slot else "it"
            return Broken(f"{_NO_STATE}; {where} is the state of a torch LRScheduler (last_epoch)")
    texts = (key for key in tree if type(key) is str) if type(tree) is dict else ()
    names = [shown(key) for key in islice(texts, _MOST_KEYS + 1)]
    if names:
        more = ", …" if len(names) > _MOST_KEYS else ""
        return Broken(f"{_NO_STATE}; its keys are {', '.join(names[:_MOST_KEYS])}{more}")
    return Broken(_NO_STATE)
