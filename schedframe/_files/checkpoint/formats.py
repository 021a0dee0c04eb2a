"""The formats of a checkpoint: what each is called, how it is recognised, and what reads it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from schedframe._files.checkpoint import dcp, json, torch_save
from schedframe._files.checkpoint.broken import Broken
from schedframe._files.checkpoint.pickle import Budget

_LONGEST_START = 1_000
_BLANK = b"\xef\xbb\xbf \t\r\n"
_PICKLE = b"\x80"
_TORCH = (torch_save.ZIP, _PICKLE)


class Format(NamedTuple):
    """One format.

    Attributes:
        name: the format as `Checkpoint.format` names it.
        words: what its checkpoints are called in a message.
        file: the name of the file that is read in a folder of this format; empty where any file can be one.
        starts: what a file of this format can begin with, after blanks.
        read: reads an open file's values; those of a `dcp.Folder` are in files of their own.
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


def format_of(path: Path, file: BinaryIO) -> Format:
    """Return the format of the open file at `path`.

    Raises:
        Broken: it has none of them.
    """
    start = file.read(_LONGEST_START)
    file.seek(0)
    for format in FORMATS:
        if format.file in ("", path.name) and start.lstrip(_BLANK).startswith(format.starts):
            return format
    raise Broken(f"is not a checkpoint: the file {'has an unknown format' if start else 'is empty'}. {READABLE}")
