"""The lines of a log, in blocks of bounded size, without what terminals and crashes put between them."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from schedframe._files.logs.record import Progress

BLOCK = 1 << 20
"""How much is read at once; a longer line is cut."""

_ANSI = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")


def blocks(file: BinaryIO, progress: Progress) -> Iterator[bytes]:
    """Yield the bytes of `file` in blocks that end where a line ends.

    Colours (ECMA-48's control sequences) and NUL bytes are left out.
    """
    rest = b""
    while block := file.read(BLOCK):
        progress(len(block))
        whole, newline, tail = block.rpartition(b"\n")
        if newline:
            yield _clean(rest + whole + newline)
            rest = tail
        elif len(rest) < BLOCK:
            rest += block
        else:
            yield _clean(rest)
            rest = block
    if rest:
        yield _clean(rest)


def lines(file: BinaryIO, progress: Progress) -> Iterator[str]:
    """Yield the lines of `file`, without their ends, as text."""
    for block in blocks(file, progress):
        yield from block.decode("utf-8-sig", "replace").splitlines()


def _clean(block: bytes) -> bytes:
    if b"\0" in block:
        block = block.replace(b"\0", b"")
    return _ANSI.sub(b"", block) if b"\x1b" in block else block
