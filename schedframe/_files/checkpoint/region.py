"""Opens a file and reads stretches of it, never more than asked for."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from schedframe._files.checkpoint.broken import Broken, about


@dataclass(frozen=True)
class Region:
    """A stretch of an open file.

    Attributes:
        file: the file.
        start: where in it the stretch begins.
        size: its length in bytes.
    """

    file: BinaryIO
    start: int
    size: int

    def read(self, offset: int, size: int) -> bytes:
        """Return the `size` bytes at `offset`.

        Raises:
            Broken: not all of them are within the stretch and the file.
        """
        data = b""
        if offset >= 0 and 0 <= size <= self.size - offset:
            self.file.seek(self.start + offset)
            data = self.file.read(size)
        if len(data) != size:
            raise Broken("is cut short or damaged: it refers to bytes beyond its end")
        return data

    def part(self, offset: int, size: int) -> "Region":
        """Return the stretch of `size` bytes at `offset` as one of its own.

        Raises:
            Broken: it is not within this one.
        """
        if not 0 <= offset <= self.size - size or size < 0:
            raise Broken(f"is cut short: {size} bytes are expected at {offset}, and it has {self.size}")
        return Region(self.file, self.start + offset, size)


@contextmanager
def opened(path: Path) -> Iterator[Region]:
    """Open the regular file at `path`, and let any `Broken` be about it.

    Raises:
        Broken: there is no such file, or it cannot be opened or read.
    """
    with about(path):
        try:
            if not stat.S_ISREG(_mode(path)):
                raise Broken("is no regular file")
            with path.open("rb") as file:
                yield Region(file, 0, os.fstat(file.fileno()).st_size)
        except FileNotFoundError:
            raise Broken("does not exist") from None
        except OSError as error:
            raise Broken(f"cannot be read: {error.strerror or error}") from None


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except ValueError as error:
        raise Broken(f"is no path: {error}") from None
