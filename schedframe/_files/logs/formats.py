"""The formats of a log, and how each is recognised."""

import os
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from schedframe._errors import LogError
from schedframe._files.logs import jsonl, megatron, table, tensorboard, trainer_state
from schedframe._files.logs.record import ITERATION, BrokenLog, Columns, Progress, Record, Shown, columns_of

_LONGEST_START = 1 << 16

_Recognises = Callable[[str, bytes, Sequence[str]], bool]


class Format(NamedTuple):
    """One format.

    Attributes:
        name: as reports name it.
        words: what its logs are called in a message.
        recognises: whether a file is of this format, by its name, its beginning, and the names of its iteration.
        read: yields what an open file has of the numbers that are wanted, by the names of its iteration.
        shows: which learning rate it has at an iteration; ``None`` where that depends on who wrote it.
    """

    name: str
    words: str
    recognises: _Recognises
    read: Callable[[BinaryIO, Collection[str], Progress, Sequence[str]], Iterator[Columns]]
    shows: Shown | None


def _of_records(
    name: str,
    words: str,
    recognises: _Recognises,
    read: Callable[[BinaryIO, Collection[str], Progress, Sequence[str]], Iterator[Record]],
) -> Format:
    """Return a format that is read record by record, and whose writer is not known."""

    def read_columns(
        file: BinaryIO, wanted: Collection[str], progress: Progress, iteration: Sequence[str]
    ) -> Iterator[Columns]:
        return columns_of(read(file, wanted, progress, iteration), wanted)

    return Format(name, words, recognises, read_columns, None)


FORMATS = (
    _of_records("tensorboard", "TensorBoard's event files", tensorboard.recognises, tensorboard.read),
    _of_records("jsonl", "JSON Lines", jsonl.recognises, jsonl.read),
    _of_records("trainer_state", "transformers' trainer_state.json", trainer_state.recognises, trainer_state.read),
    _of_records("csv", "CSV", table.recognises, table.read),
    Format("megatron", "what Megatron-LM prints", megatron.recognises, megatron.read, "next"),
)
"""All formats; the first one that recognises a file is used, and any file can be the last one."""

READABLE = f"schedframe reads {', '.join(format.words for format in FORMATS[:-1])} and {FORMATS[-1].words}"


class Log(NamedTuple):
    """An open log.

    Attributes:
        path: its file.
        format: one of `FORMATS`.
        columns: its records, in the order of the file.
    """

    path: Path
    format: Format
    columns: Iterator[Columns]


@contextmanager
def open_log(
    path: Path,
    wanted: Collection[str],
    progress: Progress = lambda size: None,
    iteration: Sequence[str] = ITERATION,
) -> Iterator[Log]:
    """Open the log at `path` for reading the `wanted` numbers.

    Args:
        path: a regular file.
        wanted: names of numbers: those of `record.SPELLINGS`, or columns' names as by `record.folded`.
        progress: is called with the number of bytes that were read.
        iteration: the names of the column with the iteration, as by `record.folded`, the best one first. What
            Megatron-LM prints and event files have no choice of it.

    Raises:
        LogError: it is not a regular file, or cannot be read; also while columns are read.
    """
    try:
        _refuse_other_than_files(path)
        with path.open("rb") as file:
            format = format_of(path.name, file.read(_LONGEST_START), iteration)
            file.seek(0)
            yield Log(path, format, format.read(file, wanted, progress, iteration))
    except FileNotFoundError:
        raise LogError(f"{path} does not exist") from None
    except BrokenLog as error:
        raise LogError(f"{path} {error}") from None
    except OSError as error:
        raise LogError(f"{path} cannot be read: {error.strerror or error}") from None


def _refuse_other_than_files(path: Path) -> None:
    try:
        mode = os.stat(path).st_mode
    except ValueError as error:
        raise BrokenLog(f"is not a path: {error}") from None
    if stat.S_ISDIR(mode):
        raise BrokenLog(f"is a folder{_files_in(path)}; give the log's files")
    if not stat.S_ISREG(mode):
        raise BrokenLog("is not a regular file")


def format_of(name: str, start: bytes, iteration: Sequence[str] = ITERATION) -> Format:
    """Return the format of the file with this `name` that begins with `start`, whose iteration has these names."""
    return next(format for format in FORMATS if format.recognises(name, start, iteration))


def _files_in(folder: Path) -> str:
    names = sorted(name for name in os.listdir(folder) if "tfevents" in name or name == "trainer_state.json")
    return f" with {', '.join(names[:3])}{', …' if len(names) > 3 else ''}" if names else ""
