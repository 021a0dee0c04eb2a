"""Reads the scheduler's part of a training checkpoint, without torch, and without running what the checkpoint names."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from schedframe._errors import StateError
from schedframe._files.checkpoint import json as _json
from schedframe._files.checkpoint import torch_save as _torch_save
from schedframe._files.checkpoint.broken import Broken, about
from schedframe._files.checkpoint.dcp import Folder
from schedframe._files.checkpoint.find import find
from schedframe._files.checkpoint.groups import KEYS, Groups, groups_in, groups_in_shards
from schedframe._files.checkpoint.layout import READABLE, Location, locate
from schedframe._files.checkpoint.pickle import Budget
from schedframe._files.checkpoint.plain import Later, is_plain, resolved
from schedframe._files.checkpoint.region import opened

_COMMON_STATE = "common_state/shard_0_1"
"""Where Megatron Core keeps, from 0.19 on, what ``common.pt`` held before."""

_UNKNOWN = "what bounds the param groups have of their own, which decide their LR, is not known"


@dataclass(frozen=True)
class Checkpoint:
    """The scheduler's part of a checkpoint.

    Attributes:
        path: the file that held it.
        format: ``torch``, ``torch_dist``, ``dcp``, ``torch.save`` or ``json``.
        slot: its dotted path within the checkpoint; empty where the file is the state itself.
        state: its keys, with text, numbers, booleans, ``None``, lists and dicts alone as values.
        iteration: the iteration at which the checkpoint was written; ``None`` where it does not say.
        groups: for every param group the plain values that decide its learning rate and weight decay; equal groups of
            several ranks count once. ``None`` where the checkpoint does not hold them.
        groups_note: why `groups` is ``None``, or what is special about them; empty otherwise.
    """

    path: Path
    format: str
    slot: str
    state: dict[str, Any]
    iteration: int | None
    groups: tuple[dict[str, Any], ...] | None
    groups_note: str


def read(path: str | Path) -> Checkpoint:
    """Read the scheduler's part of the checkpoint at `path`: a file, or a folder of Megatron's or torch's.

    Raises:
        StateError: it is no checkpoint that schedframe reads, is damaged, or does not hold one scheduler's state of
            Megatron's kind.
    """
    path = Path(path)
    budget = Budget()
    try:
        held = _held(locate(path), budget)
        with about(held.path):
            found = find(held.tree)
            iteration = resolved(held.tree.get("iteration")) if type(held.tree) is dict else None
            groups, note = _groups(held, budget)
    except Broken as error:
        raise StateError(f"{error.path or path}: {error}") from None
    number = iteration if type(iteration) is int and is_plain(iteration) else None
    return Checkpoint(found.path or held.path, held.format, found.slot, found.state, number, groups, note)


class _Held(NamedTuple):
    """What a checkpoint holds, apart from tensors.

    Attributes:
        path: the file that was read.
        format: the checkpoint's format, as `Checkpoint` names it.
        tree: the values.
    """

    path: Path
    format: str
    tree: Any


def _held(location: Location, budget: Budget) -> _Held:
    if location.format == "dcp":
        return _held_apart(location.path, budget)
    with opened(location.path) as file:
        if _torch_save.is_torch_save(file):
            return _Held(location.path, location.format or "torch.save", _torch_save.read(file, budget))
        if _json.is_json(file):
            return _Held(location.path, "json", _json.read(file))
        what = "the file is neither of torch.save nor JSON" if file.size else "the file is empty"
        raise Broken(f"is no checkpoint: {what}. {READABLE}")


def _held_apart(metadata: Path, budget: Budget) -> _Held:
    """What a folder holds in which every value stands apart."""
    folder = Folder(metadata.parent, budget)
    common = folder.values.get(_COMMON_STATE)
    if not isinstance(common, Later):
        return _Held(metadata, "dcp", folder.tree())
    shard = common.load()
    return _Held(common.path, "torch_dist", shard[0] if type(shard) is list and shard else None)


def _groups(held: _Held, budget: Budget) -> tuple[tuple[dict[str, Any], ...] | None, str]:
    """The param groups and the note on them."""
    try:
        optimizer = resolved(held.tree.get("optimizer")) if type(held.tree) is dict else None
        found = groups_in(optimizer)
        if not found.values and held.format == "torch_dist":
            found = groups_in_shards(Folder(held.path.parent, budget).values)
    except Broken as error:
        where = f"{error.path} " if error.path else "the checkpoint "
        return None, f"{where}{error}; {_UNKNOWN}"
    if found.values:
        return tuple(found.values), _left_out(found)
    holds = "holds no optimizer" if optimizer is None else "holds an optimizer without param groups"
    return None, f"the checkpoint {holds}; {_UNKNOWN}"


def _left_out(groups: Groups) -> str:
    keys = ", ".join(key for key in KEYS if key in groups.left_out)
    return f"{keys} of some param groups is no plain value, and left out" if keys else ""
