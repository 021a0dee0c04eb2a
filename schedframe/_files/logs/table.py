"""Reads CSV and TSV: a header, and a row for each logged step, as W&B, Lightning and spreadsheets export them."""

import csv
from collections.abc import Collection, Iterator, Sequence
from typing import BinaryIO

from schedframe._files.logs.lines import lines
from schedframe._files.logs.record import BrokenLog, Progress, Record, folded, name_of, whole_number

_SEPARATORS = (",", "\t", ";")


def read(file: BinaryIO, wanted: Collection[str], progress: Progress, iteration: Sequence[str]) -> Iterator[Record]:
    """Yield the `wanted` numbers of every row; empty cells and rows that were cut are left out.

    Raises:
        BrokenLog: two columns have the same wanted number, such as those of two runs.
    """
    text = lines(file, progress)
    header = next(text, "")
    rows = csv.reader(text, delimiter=_separator(header))
    names = _cells(header)
    folds = [folded(name) for name in names]
    steps = [folds.index(name) for name in iteration if name in folds]
    columns = {index: name_of(name) for index, name in enumerate(names) if name_of(name) in wanted}
    for name in wanted:
        several = [names[index] for index, column in columns.items() if column == name]
        if len(several) > 1:
            raise BrokenLog(f"has several columns for {name}: {', '.join(several)}; keep the one of the run")
    for row in _whole(rows, len(names)):
        found = (whole_number(row[step]) for step in steps)
        at = next((number for number in found if number is not None), None)
        numbers = {name: row[index].strip() for index, name in columns.items() if row[index].strip()}
        if at is not None and numbers:
            yield Record(at, numbers)


def _whole(rows: Iterator[list[str]], width: int) -> Iterator[list[str]]:
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            continue
        if len(row) == width:
            yield row


def _cells(header: str) -> list[str]:
    try:
        return next(csv.reader([header], delimiter=_separator(header)), [])
    except csv.Error:
        return []


def _separator(header: str) -> str:
    return max(_SEPARATORS, key=header.count)


def recognises(name: str, start: bytes, iteration: Sequence[str]) -> bool:
    """Return whether a log begins with a header that names the iteration."""
    header = start.lstrip(b"\xef\xbb\xbf").partition(b"\n")[0].decode("utf-8", "replace").strip()
    cells = _cells(header)
    return len(cells) > 1 and any(folded(cell) in iteration for cell in cells)
