"""Reads what ``torch.save`` wrote: everything but the tensors' numbers (``torch/serialization.py`` at 2.13)."""

from typing import Any

from schedframe._files.checkpoint.broken import Broken
from schedframe._files.checkpoint.pickle import LARGEST, Budget, load
from schedframe._files.checkpoint.region import Region
from schedframe._files.checkpoint.zip import read_entry

_ZIP = b"PK\x03\x04"
_PICKLE = b"\x80"
_MAGIC = 0x1950A86A20F9469CFC6C
_HEADERS = 3


def is_torch_save(file: Region) -> bool:
    """Whether `file` begins as one of ``torch.save`` does, in its format of today or in the one before 1.6."""
    start = file.read(0, min(4, file.size))
    return start == _ZIP or start[:1] == _PICKLE


def read(file: Region, budget: Budget) -> Any:
    """Return the object that was saved, with `Inert` objects for tensors and everything else that is no plain value.

    Raises:
        Broken: `file` is none of ``torch.save``, is damaged, or is too large for its `budget`.
    """
    if file.read(0, min(4, file.size)) == _ZIP:
        data = read_entry(file, b"data.pkl", LARGEST)
        budget.count_bytes(len(data))
        return load(data, budget)[0]
    return _read_old(file.read(0, min(file.size, LARGEST)), budget)


def _read_old(data: bytes, budget: Budget) -> Any:
    """The format before 1.6: a magic number, a version, what machine wrote it, and the object; a pickle each."""
    magic, position = load(data, budget)
    if magic != _MAGIC:
        raise Broken("is a pickle, and not one that torch.save wrote")
    for _ in range(_HEADERS - 1):
        _, position = load(data, budget, position)
    return load(data, budget, position)[0]
