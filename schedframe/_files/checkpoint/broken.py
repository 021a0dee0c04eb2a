"""The refusal of a checkpoint, and how it names things."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LONGEST_SHOWN = 100


class Broken(Exception):
    """A checkpoint cannot be read; the text says why, as a sentence without its subject.

    Attributes:
        path: the file or folder it is about; ``None`` until one is known.
    """

    def __init__(self, reason: str, path: Path | None = None) -> None:
        """Keep the place beside the reason."""
        super().__init__(reason)
        self.path = path


@contextmanager
def about(path: Path) -> Iterator[None]:
    """A `Broken` that is raised within is about the file or folder at `path`, unless it says otherwise."""
    try:
        yield
    except Broken as error:
        error.path = error.path or path
        raise


def shown(name: str) -> str:
    """Return a name that a file gives as it can be printed."""
    text = name if len(name) <= _LONGEST_SHOWN else name[:_LONGEST_SHOWN] + "…"
    return text if text.isprintable() else ascii(text)
