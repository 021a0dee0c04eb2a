"""Reads the scheduler's part of a training checkpoint, without torch, and without running what the checkpoint names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from schedframe._errors import StateError
from schedframe._files.checkpoint.broken import Broken, blame, open_file
from schedframe._files.checkpoint.dcp import METADATA, Folder
from schedframe._files.checkpoint.find import find_state
from schedframe._files.checkpoint.formats import format_of, locate
from schedframe._files.checkpoint.groups import find_groups
from schedframe._files.checkpoint.pickle import Budget
from schedframe._files.checkpoint.plain import Later, is_plain, resolve, written

_TORCH_DIST = "torch_dist"
_COMMON_STATE = "common_state/shard_0_1"
"""Where Megatron Core keeps, from 0.19 on, what ``common.pt`` held before."""


@dataclass(frozen=True)
class Checkpoint:
    """The scheduler's part of a checkpoint.

    Attributes:
        path: the file that held it.
        format: ``torch``, ``torch_dist``, ``dcp``, ``torch.save`` or ``json``.
        slot: its dotted path within the checkpoint; empty where the file is the state itself.
        state: its keys, with text, numbers, booleans, ``None``, lists and dicts alone as values.
        iteration: the iteration at which the checkpoint was written; ``None`` where it is not recorded.
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
    try:
        content = _read_content(locate(path), Budget())
        tree = content.tree
        with blame(content.path):
            state = find_state(tree)
            iteration = resolve(tree.get("iteration")) if type(tree) is dict else None
            groups, note = find_groups(tree, content.shards)
    except Broken as error:
        raise StateError(f"{error.path or path}: {error}") from None
    number = iteration if type(iteration) is int and is_plain(iteration) else None
    place, slot = state.path or content.path, written(state.keys)
    return Checkpoint(place, content.format, slot, state.value, number, groups, note)


class _Content(NamedTuple):
    """The values in a file of a checkpoint, and what reads those that Megatron keeps apart for each rank."""

    path: Path
    format: str
    tree: Any
    shards: Callable[[], Mapping[str, Any]] = dict


def _read_content(path: Path, budget: Budget) -> _Content:
    with open_file(path) as file:
        format = format_of(path, file)
        values = format.read(file, budget)
    if not isinstance(values, Folder):
        apart = format.name == _TORCH_DIST
        return _Content(path, format.name, values, partial(_read_shards, path, budget) if apart else dict)
    common = values.values.get(_COMMON_STATE)
    if not isinstance(common, Later):
        return _Content(path, format.name, values.tree())
    shard = common.load()
    tree = shard[0] if type(shard) is list and shard else None
    return _Content(common.path, _TORCH_DIST, tree, lambda: values.values)


def _read_shards(common: Path, budget: Budget) -> Mapping[str, Any]:
    with open_file(common.with_name(METADATA)) as file:
        return Folder(file, budget).values
