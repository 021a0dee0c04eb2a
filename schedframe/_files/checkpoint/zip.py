"""Finds one entry of a zip archive and reads it, without a list of all entries.

``torch.save`` writes an archive (layout: PKWARE's APPNOTE 6.3.10, sections 4.3 and 4.5.3) with one entry for every
tensor, and an entry ``NAME/data.pkl`` for everything else.
"""

import struct
import zlib
from typing import Any, NamedTuple

from schedframe._files.checkpoint.broken import Broken, shown
from schedframe._files.checkpoint.region import Region

_LARGEST_DIRECTORY = 32 << 20
_LONGEST_COMMENT = 0xFFFF
_PIECE = 1 << 16

_END = struct.Struct("<4s4H2LH")
_END64_PLACE = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_EXTRA = struct.Struct("<2H")

_DAMAGED = "is a damaged zip archive: {}"


class _Entry(NamedTuple):
    """What the directory of an archive says about one entry.

    Attributes:
        name: the entry's name, as it can be printed.
        encrypted: the content needs a password.
        method: how the content is compressed: 0 is not at all, 8 deflated.
        checksum: the content's CRC-32; 0 where torch was told not to compute it.
        stored: bytes in the archive.
        size: bytes of the content.
        offset: where in the archive the entry begins.
    """

    name: str
    encrypted: bool
    method: int
    checksum: int
    stored: int
    size: int
    offset: int


def read_entry(archive: Region, name: bytes, largest: int) -> bytes:
    """Return the content of the entry ``FOLDER/name``, where ``FOLDER`` is any one folder.

    Raises:
        Broken: there is none, the archive is damaged, or the content is of more than `largest` bytes.
    """
    directory = _directory(archive)
    position = 0
    while position + _ENTRY.size <= len(directory):
        fields = _ENTRY.unpack_from(directory, position)
        if fields[0] != b"PK\x01\x02":
            raise Broken(_DAMAGED.format("its directory is not where it should be"))
        name_end = position + _ENTRY.size + fields[10]
        folder, _, rest = directory[position + _ENTRY.size : name_end].partition(b"/")
        if folder and rest == name:
            extra = directory[name_end : name_end + fields[11]]
            return _content(archive, _entry(folder + b"/" + rest, fields, extra), largest)
        position = name_end + fields[11] + fields[12]
    raise Broken(f"is a zip archive without NAME/{name.decode()}, and torch.save writes one")


def _directory(archive: Region) -> bytes:
    """The list of entries, or as much of it as is ever read."""
    tail_start = max(0, archive.size - _END.size - _LONGEST_COMMENT)
    tail = archive.read(tail_start, archive.size - tail_start)
    place = tail.rfind(b"PK\x05\x06", 0, max(0, len(tail) - _END.size + 4))
    if place < 0:
        raise Broken("is a zip archive that is cut short: its directory, which stands at the end, is missing")
    _, _, _, _, _, size, offset, _ = _END.unpack_from(tail, place)
    if size == 0xFFFFFFFF or offset == 0xFFFFFFFF:
        size, offset = _wide_directory(archive, tail_start + place)
    return archive.read(offset, min(size, _LARGEST_DIRECTORY))


def _wide_directory(archive: Region, end: int) -> tuple[int, int]:
    """The directory's size and offset where they need 64 bits."""
    sign, _, place, _ = _END64_PLACE.unpack(archive.read(end - _END64_PLACE.size, _END64_PLACE.size))
    if sign != b"PK\x06\x07":
        raise Broken(_DAMAGED.format("the place of its directory is missing"))
    fields = _END64.unpack(archive.read(place, _END64.size))
    if fields[0] != b"PK\x06\x06":
        raise Broken(_DAMAGED.format("the place of its directory is wrong"))
    return fields[8], fields[9]


def _entry(name: bytes, fields: tuple[Any, ...], extra: bytes) -> _Entry:
    """An entry of the directory; sizes that need 64 bits stand in its extra field."""
    stored, size, offset = fields[8], fields[9], fields[16]
    position = 0
    while position + _EXTRA.size <= len(extra):
        kind, length = _EXTRA.unpack_from(extra, position)
        position += _EXTRA.size
        if kind == 1:
            wide = [int.from_bytes(extra[at : at + 8], "little") for at in range(position, position + length - 7, 8)]
            size = wide.pop(0) if size == 0xFFFFFFFF and wide else size
            stored = wide.pop(0) if stored == 0xFFFFFFFF and wide else stored
            offset = wide.pop(0) if offset == 0xFFFFFFFF and wide else offset
        position += length
    return _Entry(shown(name.decode(errors="replace")), bool(fields[3] & 1), fields[4], fields[7], stored, size, offset)


def _content(archive: Region, entry: _Entry, largest: int) -> bytes:
    name = entry.name
    if max(entry.size, entry.stored) > largest:
        raise Broken(f"holds {name} of {max(entry.size, entry.stored)} bytes, and schedframe reads up to {largest}")
    if entry.encrypted:
        raise Broken(f"holds {name} encrypted, which schedframe does not read")
    local = _LOCAL.unpack(archive.read(entry.offset, _LOCAL.size))
    if local[0] != b"PK\x03\x04":
        raise Broken(_DAMAGED.format(f"{name} is not where its directory says"))
    start = entry.offset + _LOCAL.size + local[9] + local[10]
    if entry.method == 0:
        content = archive.read(start, entry.stored)
    elif entry.method == 8:
        content = _inflated(archive.part(start, entry.stored), entry.size)
    else:
        raise Broken(f"holds {name} compressed by method {entry.method}, which schedframe does not read")
    if len(content) != entry.size or entry.checksum not in (0, zlib.crc32(content)):
        raise Broken(_DAMAGED.format(f"the checksum of {name} is wrong"))
    return content


def _inflated(stored: Region, size: int) -> bytes:
    """The content of a deflated entry, and at most one byte more than the directory says it has."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    pieces: list[bytes] = []
    room = size + 1
    try:
        for start in range(0, stored.size, _PIECE):
            piece = inflate.decompress(stored.read(start, min(_PIECE, stored.size - start)), room)
            pieces.append(piece)
            room -= len(piece)
            if room == 0:
                break
    except zlib.error as error:
        raise Broken(_DAMAGED.format(error)) from None
    return b"".join(pieces)
