"""The refusal of a checkpoint, and the opening of its files."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_LONGEST_SHOWN = 100


class Broken(Exception):
    """A checkpoint cannot be read; the text is the reason, as a sentence without its subject."""

    def __init__(self, reason: str, path: Path | None = None) -> None:
        """Keep the `path` that the reason is about; ``None`` until it is known."""
        super().__init__(reason)
        self.path = path


@contextmanager
def blame(path: Path) -> Iterator[None]:
    """Let every `OSError` and pathless `Broken` within be a `Broken` about the file or folder at `path`."""
    try:
        yield
    except Broken as error:
        error.path = error.path or path
        raise
    except FileNotFoundError:
        raise Broken("does not exist", path) from None
    except OSError as error:
        raise Broken(f"cannot be read: {error.strerror or error}", path) from None


@contextmanager
def open_file(path: Path) -> Iterator[BinaryIO]:
    """Open the regular file at `path` and `blame` it; raise `Broken` if it cannot be opened or read."""
    with blame(path):
        if not stat.S_ISREG(_mode(path)):
            raise Broken("is not a regular file")
        with path.open("rb") as file:
            yield file


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except ValueError as error:
        raise Broken(f"is not a path: {error}") from None


def size_of(file: BinaryIO) -> int:
    """Return the size of an open file in bytes."""
    return os.fstat(file.fileno()).st_size


def printable(name: str) -> str:
    """Return a name that a file gives as it can be printed."""
    text = name if len(name) <= _LONGEST_SHOWN else name[:_LONGEST_SHOWN] + "…"
    return text if text.isprintable() else ascii(text)
