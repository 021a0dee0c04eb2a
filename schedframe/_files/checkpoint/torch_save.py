"""Reads what ``torch.save`` wrote: everything but the tensors' numbers (``torch/serialization.py`` at 2.13).

It is a zip archive with one entry for every tensor, and an entry ``NAME/data.pkl`` for everything else.
"""

import io
import os
import re
import struct
import zipfile
import zlib
from functools import partial
from typing import Any, BinaryIO

from schedframe._files.checkpoint.broken import Broken, printable
from schedframe._files.checkpoint.pickle import LARGEST, Budget, load

ZIP = b"PK\x03\x04"
_ENTRY = re.compile(r"[^/]+/data\.pkl")
_LARGEST_DIRECTORY = 16 << 20
_CHUNK = 1 << 16
_MOST_COMPRESSED = 100
"""How much larger than in the file an entry may be; ``torch.save`` compresses nothing."""

_MAGIC = 0x1950A86A20F9469CFC6C


def read(file: BinaryIO, budget: Budget) -> Any:
    """Return the object that was saved, with `Inert` objects for tensors and everything else that is not plain data.

    Raise `Broken` if `file` is not one of ``torch.save``, is damaged, or is too large for its `budget`.
    """
    if file.read(len(ZIP)) == ZIP:
        data = _read_entry(file)
        budget.count_bytes(len(data))
        return load(io.BytesIO(data))
    file.seek(0)
    return _read_old(io.BytesIO(file.read(LARGEST)))


def _read_old(file: BinaryIO) -> Any:
    """Read the format before 1.6: a magic number, a version, what machine wrote it, and the object; a pickle each."""
    if load(file) != _MAGIC:
        raise Broken("is a pickle, and not one that torch.save wrote")
    load(file)
    load(file)
    return load(file)


class _Limited:
    """An archive's file as ``zipfile`` reads it: never more at once than the directory of an archive may take."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.tell, self.seekable = file.tell, file.seekable

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_SET and offset < 0:
            raise zipfile.BadZipFile("Bad offset")
        return self._file.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        if size > _LARGEST_DIRECTORY:
            raise Broken(f"is a zip archive with a directory of more than {_LARGEST_DIRECTORY >> 20} MiB")
        return self._file.read(size)


def _read_entry(file: BinaryIO) -> bytes:
    """Return the content of the one entry ``NAME/data.pkl``."""
    try:
        with zipfile.ZipFile(_Limited(file)) as archive:
            entries = [entry for entry in archive.infolist() if _ENTRY.fullmatch(entry.filename)]
            if len(entries) != 1:
                raise Broken(f"is a zip archive with {len(entries)} entries NAME/data.pkl, and torch.save writes one")
            return _content(archive, entries[0])
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OverflowError) as error:
        reason = printable(str(error) or type(error).__name__)
        raise Broken(f"is a zip archive that is cut short or damaged (zipfile: {reason})") from None


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    name, size = printable(entry.filename), max(entry.file_size, entry.compress_size)
    if size > LARGEST:
        raise Broken(f"holds {name} of {size} bytes, and schedframe reads up to {LARGEST}")
    if entry.file_size > _MOST_COMPRESSED * entry.compress_size + _CHUNK:
        raise Broken(f"holds {name} of {entry.file_size} bytes compressed to {entry.compress_size}, which is too much")
    if entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        how = "encrypted" if entry.flag_bits & 1 else f"compressed by method {entry.compress_type}"
        raise Broken(f"holds {name} {how}, which schedframe does not read")
    if entry.CRC == 0:
        del entry.CRC  # torch.serialization.set_crc32_options(False) writes 0; zipfile does not check a missing one
    with archive.open(entry) as stream:
        content = b"".join(iter(partial(stream.read, _CHUNK), b""))
    if len(content) != entry.file_size:
        raise zipfile.BadZipFile(f"{name} has {len(content)} bytes of {entry.file_size}")
    return content
