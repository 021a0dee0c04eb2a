"""The lines of a log, in blocks of bounded size, without what terminals and crashes put between them."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from schedframe._files.logs.record import Progress

_AT_ONCE = 1 << 16
"""How much is read at once, so little that it stays in the processor's cache while it is searched."""

_LONGEST = 1 << 20
"""A longer line is cut."""

_ANSI = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")


def blocks(file: BinaryIO, progress: Progress) -> Iterator[bytes]:
    """Yield the bytes of `file` in blocks that end where a line ends.

    Colours (ECMA-48's control sequences) and NUL bytes are left out.
    """
    while block := file.read(_AT_ONCE):
        block += file.readline(_LONGEST)
        progress(len(block))
        yield _clean(block)


def lines(file: BinaryIO, progress: Progress) -> Iterator[str]:
    """Yield the lines of `file`, without their ends, as text."""
    for block in blocks(file, progress):
        yield from block.decode("utf-8-sig", "replace").splitlines()


def _clean(block: bytes) -> bytes:
    if b"\0" in block:
        block = block.replace(b"\0", b"")
    return _ANSI.sub(b"", block) if b"\x1b" in block else block
