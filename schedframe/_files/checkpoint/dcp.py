"""Reads a folder of ``torch.distributed.checkpoint``: where each value stands, and single values.

``.metadata`` is a pickle of torch's dataclasses (``torch/distributed/checkpoint/metadata.py`` and ``filesystem.py`` at
2.13). A value that is no tensor is a stretch of some other file in the folder, which ``torch.save`` wrote.
"""

from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from schedframe._files.checkpoint.broken import Broken, shown
from schedframe._files.checkpoint.machine import Inert
from schedframe._files.checkpoint.pickle import Budget, load
from schedframe._files.checkpoint.plain import Later
from schedframe._files.checkpoint.region import opened
from schedframe._files.checkpoint.torch_save import read

METADATA = ".metadata"

_DEEPEST = 20
_PLANS = b"\x8c\x0fall_local_plans"
_END = b"ub."
"""SETITEMS, BUILD and STOP: the end of a pickled dataclass."""


class Folder:
    """A distributed checkpoint.

    Attributes:
        values: by its full name, each value as it can be read `Later`; a tensor is `Inert`.
    """

    def __init__(self, path: Path, budget: Budget) -> None:
        """Read what stands where in the folder at `path`.

        Raises:
            Broken: its ``.metadata`` is missing, damaged, or not as torch writes it.
        """
        with opened(path / METADATA) as file:
            budget.count_bytes(file.size)
            state = _state(load(_without_plans(file.read(0, file.size)), budget)[0])
            entries = state.get("storage_data")
            if type(entries) is not dict:
                raise Broken("does not say where values stand (storage_data), as torch.distributed.checkpoint does")
            self.values = dict(_value(path, key, info, budget) for key, info in entries.items())
            names = state.get("planner_data")
            self._names = names if type(names) is dict else {}

    def tree(self) -> dict[str, Any]:
        """Return all values in the dicts and lists that they were in when they were saved."""
        tree: dict[Any, Any] = {}
        for name, value in self.values.items():
            keys = self._names.get(name)
            if type(keys) is not tuple or not keys:
                keys = tuple(name.split("."))
            if len(keys) <= _DEEPEST and all(type(key) in (str, int) for key in keys):
                _set(tree, keys, value)
        return {key: _with_lists(value) for key, value in tree.items()}


def _without_plans(data: bytes) -> bytes:
    """The pickle of a ``Metadata`` without its last attribute, the plans of all ranks, which is most of Megatron's."""
    start = data.find(_PLANS)
    return data if start < 0 else data[:start] + _END


def _state(thing: Any) -> dict[Any, Any]:
    """What an inert object was to be built with."""
    return thing.state if type(thing) is Inert and type(thing.state) is dict else {}


def _value(folder: Path, key: Any, info: Any, budget: Budget) -> tuple[str, Any]:
    index, place = _state(key), _state(info)
    name, part = index.get("fqn"), place.get("relative_path")
    offset, length = place.get("offset"), place.get("length")
    if type(name) is not str or type(part) is not str or type(offset) is not int or type(length) is not int:
        raise Broken("does not say where values stand as torch.distributed.checkpoint does")
    if index.get("offset") is not None:
        return name, Inert("tensor")
    transformed = place.get("transform_descriptors") is not None
    path = folder / part
    return name, Later(path, partial(_read, path, part, offset, length, transformed, budget))


def _read(path: Path, part: str, offset: int, length: int, transformed: bool, budget: Budget) -> Any:
    if not _is_within(part):
        raise Broken(f"refers to {shown(part)}, which is no file within its folder")
    if transformed:
        raise Broken("holds compressed or encrypted values, which schedframe does not read", path)
    with opened(path) as file:
        stretch = file.part(offset, length)
        budget.count_bytes(stretch.size)
        return read(stretch, budget)


def _is_within(part: str) -> bool:
    """Whether a path leads to the same place on every system, and below the folder that it starts from."""
    paths = (PurePosixPath(part), PureWindowsPath(part))
    return part.isprintable() and not any(path.anchor or ".." in path.parts for path in paths)


def _set(tree: dict[Any, Any], keys: tuple[Any, ...], value: Any) -> None:
    for key in keys[:-1]:
        tree = tree.setdefault(key, {})
        if type(tree) is not dict:
            return
    tree.setdefault(keys[-1], value)


def _with_lists(value: Any) -> Any:
    """`value` with a list for each dict whose keys are the places in one."""
    if type(value) is not dict:
        return value
    items = {key: _with_lists(item) for key, item in value.items()}
    return [items[place] for place in range(len(items))] if set(items) == set(range(len(items))) else items
