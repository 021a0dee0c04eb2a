"""The formats of a checkpoint, how each is recognised, and which file of a folder holds the scheduler's state.

Paths are those of ``megatron/training/checkpointing.py`` and ``megatron/core/dist_checkpointing/`` at core_v0.16.1.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from schedframe._files.checkpoint import dcp, json, torch_save
from schedframe._files.checkpoint.broken import Broken, blame, open_file, printable
from schedframe._files.checkpoint.pickle import Budget

_LONGEST_START = 1_000
_LONGEST_TRACKER = 100
_BLANK = b"\xef\xbb\xbf \t\r\n"
_PICKLE = b"\x80"
_TORCH = (torch_save.ZIP, _PICKLE)


class Format(NamedTuple):
    """One format.

    Attributes:
        name: the format as `Checkpoint.format` names it.
        words: what its checkpoints are called in a message.
        file: the name of the file that is read in a folder; empty where any file can be of this format.
        starts: what such a file can begin with, after blanks.
        read: reads an open file's values; those of a `dcp.Folder` are in other files.
    """

    name: str
    words: str
    file: str
    starts: tuple[bytes, ...]
    read: Callable[[BinaryIO, Budget], Any]


FORMATS = (
    Format("torch_dist", "Megatron torch_dist checkpoints", "common.pt", _TORCH, torch_save.read),
    Format("dcp", "torch.distributed.checkpoint folders", dcp.METADATA, (_PICKLE,), dcp.Folder),
    Format("torch", "Megatron torch checkpoints", "model_optim_rng.pt", _TORCH, torch_save.read),
    Format("torch.save", "torch.save files", "", _TORCH, torch_save.read),
    Format("json", "JSON", "", (b"{", b"["), json.read),
)
"""All formats; the first one that recognises a file, or whose file is in a folder, is used."""

READABLE = f"schedframe reads {', '.join(format.words for format in FORMATS[:-1])} and {FORMATS[-1].words}"

_FILES = [format.file for format in FORMATS if format.file]
_TRACKER = "latest_checkpointed_iteration.txt"
_RANK = "mp_rank_"
_WITH_STATE = ("scheduler.pt", "scheduler.bin", "trainer_state.json", "_model_states.pt", ".ckpt")
"""How files end in which transformers, accelerate, DeepSpeed and Lightning keep a scheduler's state, or a position."""
_STEPS = ("global_step", "checkpoint-")
"""How DeepSpeed and transformers name the folder of one step."""


def format_of(path: Path, file: BinaryIO) -> Format:
    """Return the format of the open file at `path`; raise `Broken` if it has none of them."""
    start = file.read(_LONGEST_START)
    file.seek(0)
    for format in FORMATS:
        if format.file in ("", path.name) and start.lstrip(_BLANK).startswith(format.starts):
            return format
    raise Broken(f"is not a checkpoint: the file {'has an unknown format' if start else 'is empty'}. {READABLE}")


def locate(path: Path) -> Path:
    """Return the file to read for `path`, a file or any of Megatron's folders; raise `Broken` without a checkpoint."""
    if os.path.isdir(path):
        return _in_folder(path) or _in_latest(path)
    if path.suffix == ".distcp":
        raise Broken("is one part of a distributed checkpoint; give its folder", path)
    return (_in_folder(path.parent) if path.name == dcp.METADATA else None) or path


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
    files = [name for name in names if name.endswith(_WITH_STATE)]
    steps = [name for name in names if name.startswith(_STEPS)]
    instead = f"; give {printable([*files, *steps[-1:]][0])} in it" if files or steps else ""
    return f"is a folder without a checkpoint: none of {looked} is in it{instead}. {READABLE}"


def _names(folder: Path) -> list[str]:
    with blame(folder):
        return sorted(os.listdir(folder))
