"""Reads a folder of ``torch.distributed.checkpoint``: where each value stands, and single values.

``.metadata`` is a pickle of torch's dataclasses (``torch/distributed/checkpoint/metadata.py`` and ``filesystem.py`` at
2.13). A value that is not a tensor is a stretch of some other file in the folder, which ``torch.save`` wrote.
"""

import io
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO

from schedframe._files.checkpoint import torch_save
from schedframe._files.checkpoint.broken import Broken, open_file, printable, size_of
from schedframe._files.checkpoint.pickle import Budget, Inert, load
from schedframe._files.checkpoint.plain import Later, is_plain

METADATA = ".metadata"

_DEEPEST = 20
_UNKNOWN = "does not specify where values are (storage_data) as torch.distributed.checkpoint does"


class Folder:
    """A distributed checkpoint: by its full name, each of its `values` can be read `Later`; a tensor is `Inert`."""

    def __init__(self, metadata: BinaryIO, budget: Budget) -> None:
        """Read what is where from open `metadata`; raise `Broken` if it is damaged, too large, or not torch's."""
        size = size_of(metadata)
        budget.count_bytes(size)
        state = _state(load(io.BytesIO(metadata.read(size))))
        entries, names = state.get("storage_data"), state.get("planner_data")
        if type(entries) is not dict:
            raise Broken(_UNKNOWN)
        folder = Path(metadata.name).parent
        self.values = dict(_value(folder, key, info, budget) for key, info in entries.items())
        self._names = names if type(names) is dict else {}

    def tree(self) -> dict[str, Any]:
        """Return all values in the dicts and lists that they were in when they were saved."""
        tree: dict[Any, Any] = {}
        for name, value in self.values.items():
            keys = self._names.get(name)
            if type(keys) is not tuple or not keys:
                keys = tuple(name.split(".", _DEEPEST))
            if len(keys) <= _DEEPEST and all(type(key) in (str, int) and is_plain(key) for key in keys):
                _set(tree, keys, value)
        return {key: _with_lists(value) for key, value in tree.items()}


def _state(thing: Any) -> dict[Any, Any]:
    """What an inert object was to be built with."""
    return thing.state if type(thing) is Inert and type(thing.state) is dict else {}


def _value(folder: Path, key: Any, info: Any, budget: Budget) -> tuple[str, Any]:
    index, place = _state(key), _state(info)
    fields: list[Any] = [index.get("fqn"), *map(place.get, ("relative_path", "offset", "length"))]
    if [type(value) for value in fields] != [str, str, int, int] or not all(map(is_plain, fields[:2])):
        raise Broken(_UNKNOWN)
    name, part, offset, length = fields
    if index.get("offset") is not None:
        return name, Inert("tensor")
    transformed = place.get("transform_descriptors") is not None
    path = folder / part
    return name, Later(path, partial(_read, path, part, offset, length, transformed, budget))


def _read(path: Path, part: str, offset: int, length: int, transformed: bool, budget: Budget) -> Any:
    if not _is_within(part):
        raise Broken(f"refers to {printable(part)}, which is not a file within its folder")
    if transformed:
        raise Broken("holds compressed or encrypted values, which schedframe does not read", path)
    with open_file(path) as file:
        size = size_of(file)
        if length < 0 or not 0 <= offset <= size - length:
            raise Broken(f"is cut short: {length} bytes are expected at {offset}, and it has {size}")
        budget.count_bytes(length)
        file.seek(offset)
        return torch_save.read(io.BytesIO(file.read(length)), budget)


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
