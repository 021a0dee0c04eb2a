"""Reads the scheduler's part of a training checkpoint, without torch, and without running what the checkpoint names."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from schedframe._errors import StateError
from schedframe._files.checkpoint.broken import Broken, about
from schedframe._files.checkpoint.dcp import METADATA, Folder
from schedframe._files.checkpoint.file import opened
from schedframe._files.checkpoint.find import find
from schedframe._files.checkpoint.formats import format_of
from schedframe._files.checkpoint.groups import KEYS, Groups, groups_in, groups_in_shards
from schedframe._files.checkpoint.layout import locate
from schedframe._files.checkpoint.pickle import Budget
from schedframe._files.checkpoint.plain import Later, is_plain, resolved

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
        StateError: it is not a checkpoint that schedframe reads, is damaged, or does not hold one scheduler's state of
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
        shards: the values that Megatron keeps apart from those that all ranks share, by their names; ``None`` where
            they have not been read.
    """

    path: Path
    format: str
    tree: Any
    shards: dict[str, Any] | None = None


def _held(path: Path, budget: Budget) -> _Held:
    with opened(path) as file:
        format = format_of(path, file)
        values = format.read(file, budget)
    if not isinstance(values, Folder):
        return _Held(path, format.name, values)
    common = values.values.get(_COMMON_STATE)
    if not isinstance(common, Later):
        return _Held(path, format.name, values.tree())
    shard = common.load()
    return _Held(common.path, "torch_dist", shard[0] if type(shard) is list and shard else None, values.values)


def _groups(held: _Held, budget: Budget) -> tuple[tuple[dict[str, Any], ...] | None, str]:
    """The param groups and the note on them."""
    try:
        optimizer = resolved(held.tree.get("optimizer")) if type(held.tree) is dict else None
        found = groups_in(optimizer)
        if not found.values and held.format == "torch_dist":
            found = groups_in_shards(held.shards or _shards(held.path.with_name(METADATA), budget))
    except Broken as error:
        where = f"{error.path} " if error.path else "the checkpoint "
        return None, f"{where}{error}; {_UNKNOWN}"
    if found.values:
        return tuple(found.values), _left_out(found)
    holds = "holds no optimizer" if optimizer is None else "holds an optimizer without param groups"
    return None, f"the checkpoint {holds}; {_UNKNOWN}"


def _shards(metadata: Path, budget: Budget) -> dict[str, Any]:
    with opened(metadata) as file:
        return Folder(file, budget).values


def _left_out(groups: Groups) -> str:
    keys = ", ".join(key for key in KEYS if key in groups.left_out)
    return f"{keys} of some param groups is not a plain value, and left out" if keys else ""
