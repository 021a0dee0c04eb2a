"""Opens a file of a checkpoint, whatever it turns out to be."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from schedframe._files.checkpoint.broken import Broken, about


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open the regular file at `path`, and let any `Broken` be about it.

    Raises:
        Broken: the file does not exist, or cannot be opened or read.
    """
    with about(path):
        try:
            if not stat.S_ISREG(_mode(path)):
                raise Broken("is not a regular file")
            with path.open("rb") as file:
                yield file
        except FileNotFoundError:
            raise Broken("does not exist") from None
        except OSError as error:
            raise Broken(f"cannot be read: {error.strerror or error}") from None


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except ValueError as error:
        raise Broken(f"is not a path: {error}") from None


def size_of(file: BinaryIO) -> int:
    """Return the size of an open file in bytes."""
    return os.fstat(file.fileno()).st_size
