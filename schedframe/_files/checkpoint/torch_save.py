"""Reads what ``torch.save`` wrote: everything but the tensors' numbers (``torch/serialization.py`` at 2.13)."""

import io
from typing import Any, BinaryIO

from schedframe._files.checkpoint.broken import Broken
from schedframe._files.checkpoint.pickle import LARGEST, Budget, load
from schedframe._files.checkpoint.zip import read_entry

_ZIP = b"PK\x03\x04"
_PICKLE = b"\x80"
_MAGIC = 0x1950A86A20F9469CFC6C


def is_torch_save(start: bytes) -> bool:
    """Whether a file begins as one of ``torch.save`` does, in its format of today or in the one before 1.6."""
    return start.startswith((_ZIP, _PICKLE))


def read(file: BinaryIO, budget: Budget) -> Any:
    """Return the object that was saved, with `Inert` objects for tensors and everything else that is not plain data.

    Raises:
        Broken: `file` is not one of ``torch.save``, is damaged, or is too large for its `budget`.
    """
    if file.read(len(_ZIP)) == _ZIP:
        data = read_entry(file, "data.pkl", LARGEST)
        budget.count_bytes(len(data))
        return load(io.BytesIO(data), budget)
    file.seek(0)
    return _read_old(io.BytesIO(file.read(LARGEST)), budget)


def _read_old(file: BinaryIO, budget: Budget) -> Any:
    """The format before 1.6: a magic number, a version, what machine wrote it, and the object; a pickle each."""
    if load(file, budget) != _MAGIC:
        raise Broken("is a pickle, and not one that torch.save wrote")
    load(file, budget)
    load(file, budget)
    return load(file, budget)
