"""Reads one entry of a zip archive.

``torch.save`` writes an archive with one entry for every tensor, and an entry ``NAME/data.pkl`` for everything else.
"""

import io
import os
import shutil
import struct
import zipfile
import zlib
from typing import BinaryIO

from schedframe._files.checkpoint.broken import Broken, shown

_LARGEST_DIRECTORY = 16 << 20


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


def read_entry(file: BinaryIO, name: str, largest: int) -> bytes:
    """Return the content of the entry ``FOLDER/name``, where ``FOLDER`` is any one folder.

    Raises:
        Broken: there is not exactly one, the archive is damaged, or the content is larger than `largest` bytes.
    """
    try:
        with zipfile.ZipFile(_Limited(file)) as archive:
            return _content(archive, _entry(archive, name), largest)
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OverflowError) as error:
        reason = shown(str(error) or type(error).__name__)
        raise Broken(f"is a zip archive that is cut short or damaged (zipfile: {reason})") from None


def _entry(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    found = []
    for info in archive.infolist():
        folder, _, rest = info.filename.partition("/")
        if folder and rest == name:
            found.append(info)
    if len(found) != 1:
        raise Broken(f"is a zip archive with {len(found)} entries NAME/{name}, and torch.save writes one")
    return found[0]


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, largest: int) -> bytes:
    name, size = shown(entry.filename), max(entry.file_size, entry.compress_size)
    if size > largest:
        raise Broken(f"holds {name} of {size} bytes, and schedframe reads up to {largest}")
    if entry.flag_bits & 1:
        raise Broken(f"holds {name} encrypted, which schedframe does not read")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Broken(f"holds {name} compressed by method {entry.compress_type}, which schedframe does not read")
    if entry.CRC == 0:
        del entry.CRC  # torch.serialization.set_crc32_options(False) writes 0; zipfile does not check a missing one
    content = io.BytesIO()
    with archive.open(entry) as stream:
        shutil.copyfileobj(stream, content)
    if content.tell() != entry.file_size:
        raise zipfile.BadZipFile(f"{name} has {content.tell()} bytes of {entry.file_size}")
    return content.getvalue()
