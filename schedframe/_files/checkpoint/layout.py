"""Knows Megatron's folders, and which file in them holds a scheduler's state.

Paths are those of ``megatron/training/checkpointing.py`` and ``megatron/core/dist_checkpointing/`` at core_v0.16.1.
"""

import os
from pathlib import Path

from schedframe._files.checkpoint.broken import Broken, open_file, printable
from schedframe._files.checkpoint.dcp import METADATA
from schedframe._files.checkpoint.formats import FORMATS, READABLE

_FILES = [format.file for format in FORMATS if format.file]
_TRACKER = "latest_checkpointed_iteration.txt"
_RANK = "mp_rank_"
_TORCH = "scheduler.pt"
"""Hugging Face's name for the state of any scheduler."""

_LONGEST_TRACKER = 100


def locate(path: Path) -> Path:
    """Return which file of the checkpoint at `path`, a file or any of Megatron's folders, is to be read.

    Raises:
        Broken: there is no checkpoint.
    """
    if os.path.isdir(path):
        return _in_folder(path) or _in_latest(path)
    if path.suffix == ".distcp":
        raise Broken("is one part of a distributed checkpoint; give its folder", path)
    return (_in_folder(path.parent) if path.name == METADATA else None) or path


def _in_folder(folder: Path) -> Path | None:
    """Return the file of a checkpoint that is `folder` itself."""
    ranks = [folder / name for name in _names(folder) if name.startswith(_RANK)]
    files = (place / file for place in (folder, *ranks) for file in _FILES)
    return next((file for file in files if os.path.lexists(file)), None)


def _in_latest(root: Path) -> Path:
    """Return the file of the checkpoint that Megatron would load from `root`."""
    tracker = root / _TRACKER
    if not os.path.lexists(tracker):
        raise Broken(_nothing_in(root), root)
    with open_file(tracker) as file:
        text = file.read(_LONGEST_TRACKER).decode(errors="replace").strip()
        if text != "release" and not (text.isascii() and text.isdigit()):
            raise Broken(f"specifies {printable(text)!r}, and Megatron writes the number of an iteration, or release")
        folder = root / (text if text == "release" else f"iter_{int(text):07d}")
        found = _in_folder(folder) if os.path.isdir(folder) else None
        if found is None:
            raise Broken(f"specifies {printable(text)}, and there is no checkpoint in {folder}")
    return found


def _nothing_in(folder: Path) -> str:
    names = _names(folder)
    iterations = [str(folder / name) for name in names if name.startswith("iter_")]
    if iterations:
        return f"is a folder without {_TRACKER}; give the folder of one iteration, for example {iterations[-1]}"
    looked = ", ".join((_TRACKER, f"{_RANK}…", *_FILES))
    torch = f"; its {_TORCH} can be given, where it holds a state of Megatron's kind" if _TORCH in names else ""
    return f"is a folder without a checkpoint: none of {looked} is in it{torch}. {READABLE}"


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        raise Broken(f"cannot be read: {error.strerror or error}", folder) from None
