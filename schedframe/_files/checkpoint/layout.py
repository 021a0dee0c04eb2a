"""Knows Megatron's folders, and which file in them holds a scheduler's state.

Paths are those of ``megatron/training/checkpointing.py`` and ``megatron/core/dist_checkpointing/`` at core_v0.16.1.
"""

import os
from pathlib import Path
from typing import NamedTuple

from schedframe._files.checkpoint.broken import Broken, shown
from schedframe._files.checkpoint.dcp import METADATA
from schedframe._files.checkpoint.region import opened

READABLE = (
    "schedframe reads Megatron's torch and torch_dist checkpoints, folders of torch.distributed.checkpoint, "
    "files of torch.save, and JSON"
)

_COMMON = "common.pt"
_MODEL = "model_optim_rng.pt"
_TRACKER = "latest_checkpointed_iteration.txt"
_TORCH = "scheduler.pt"
"""Hugging Face's name for the state of any scheduler."""

_LONGEST_TRACKER = 100


class Location(NamedTuple):
    """The file to read.

    Attributes:
        path: the file.
        format: ``torch``, ``torch_dist`` or ``dcp``; empty for a file that must show by its content what it is.
    """

    path: Path
    format: str


def locate(path: Path) -> Location:
    """Return which file of the checkpoint at `path`, a file or any of Megatron's folders, is to be read.

    Raises:
        Broken: there is no checkpoint.
    """
    if not os.path.isdir(path):
        return _file(path)
    found = _in_folder(path) or _in_latest(path)
    if found is None:
        raise Broken(_nothing_in(path), path)
    return found


def _file(path: Path) -> Location:
    if path.name == METADATA:
        return _in_folder(path.parent) or _known(path)
    if path.suffix == ".distcp":
        raise Broken("is one part of a distributed checkpoint; give its folder", path)
    return _known(path)


def _known(path: Path) -> Location:
    return Location(path, {_COMMON: "torch_dist", _MODEL: "torch", METADATA: "dcp"}.get(path.name, ""))


def _in_folder(folder: Path) -> Location | None:
    """The file of a checkpoint that is `folder` itself."""
    for name in (_COMMON, METADATA, _MODEL):
        if os.path.lexists(folder / name):
            return _known(folder / name)
    ranks = [name for name in _names(folder) if name.startswith("mp_rank_")]
    return next((_known(folder / rank / _MODEL) for rank in ranks if os.path.lexists(folder / rank / _MODEL)), None)


def _in_latest(root: Path) -> Location | None:
    """The file of the checkpoint that Megatron would load from `root`."""
    tracker = root / _TRACKER
    if not os.path.lexists(tracker):
        return None
    with opened(tracker) as file:
        text = file.read(0, min(file.size, _LONGEST_TRACKER)).decode(errors="replace").strip()
        if text != "release" and not (text.isascii() and text.isdigit()):
            raise Broken(f"says {shown(text)!r}, and Megatron writes the number of an iteration, or release")
        folder = root / (text if text == "release" else f"iter_{int(text):07d}")
        found = _in_folder(folder) if os.path.isdir(folder) else None
        if found is None:
            raise Broken(f"says {shown(text)}, and there is no checkpoint in {folder}")
    return found


def _nothing_in(folder: Path) -> str:
    names = _names(folder)
    looked = ", ".join((_TRACKER, "mp_rank_…", _MODEL, _COMMON, METADATA))
    iterations = [name for name in names if name.startswith("iter_")]
    if iterations:
        return (
            f"is a folder without {_TRACKER}; give the folder of one iteration, for example {folder / iterations[-1]}"
        )
    torch = "; its scheduler.pt can be given, where it holds a state of Megatron's kind" if _TORCH in names else ""
    return f"is a folder without a checkpoint: none of {looked} is in it{torch}. {READABLE}"


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        raise Broken(f"cannot be read: {error.strerror or error}", folder) from None
