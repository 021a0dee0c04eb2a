"""Reads JSON Lines: an object for each logged step, as W&B, MMEngine and many loops write them."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from schedframe._files.logs.lines import lines
from schedframe._files.logs.record import Progress, Record, folded, name_of, whole_number


def read(file: BinaryIO, wanted: Collection[str], progress: Progress, iteration: Sequence[str]) -> Iterator[Record]:
    """Yield the `wanted` numbers of every line that is an object; other lines are left out."""
    for line in lines(file, progress):
        try:
            row = json.loads(line, parse_float=str) if line.lstrip().startswith("{") else None
        except (ValueError, RecursionError):
            continue  # a line that was cut, or is being written
        record = record_of(row, wanted, iteration) if isinstance(row, dict) else None
        if record is not None:
            yield record


def record_of(row: Mapping[str, Any], wanted: Collection[str], iteration: Sequence[str]) -> Record | None:
    """Return the `wanted` numbers of an object; ``None`` where it has none, or none of the names of its `iteration`."""
    columns = {folded(key): value for key, value in row.items()}
    found = (whole_number(columns[name]) for name in iteration if name in columns)
    at = next((number for number in found if number is not None), None)
    numbers = {name_of(key): value for key, value in row.items() if name_of(key) in wanted}
    usable = {name: value if isinstance(value, str) else repr(value) for name, value in numbers.items() if _is(value)}
    return None if at is None or not usable else Record(at, usable)


def _is(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def recognises(name: str, start: bytes, iteration: Sequence[str]) -> bool:
    """Return whether a log is of this format: its first line is an object, or begins one in a file ``.jsonl``."""
    first = start.lstrip(b"\xef\xbb\xbf \t\r\n").partition(b"\n")[0]
    if not first.startswith(b"{"):
        return False
    if name.endswith((".jsonl", ".ndjson")):
        return True
    try:
        return "log_history" not in json.loads(first)
    except (ValueError, RecursionError):
        return False
