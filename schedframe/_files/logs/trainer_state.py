"""Reads ``trainer_state.json``, in which transformers' Trainer keeps what it logged.

``log_history`` is a list of objects with ``step`` and ``learning_rate`` (huggingface/transformers:src/transformers/
trainer_callback.py at v5.24.0).
"""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import BinaryIO

from schedframe._files.logs.jsonl import record_of
from schedframe._files.logs.record import BrokenLog, Progress, Record

_LARGEST = 256 << 20


def read(file: BinaryIO, wanted: Collection[str], progress: Progress, iteration: Sequence[str]) -> Iterator[Record]:
    """Yield the `wanted` numbers of every entry of the history.

    Raises:
        BrokenLog: it is not complete JSON, is too large, or has no history.
    """
    content = file.read(_LARGEST + 1)
    progress(len(content))
    if len(content) > _LARGEST:
        raise BrokenLog(f"is one JSON document of more than {_LARGEST >> 20} MiB; write one object a line (JSON Lines)")
    try:
        document = json.loads(content.decode("utf-8-sig"), parse_float=str)
    except (ValueError, RecursionError) as error:
        raise BrokenLog(f"is not complete JSON: {error}") from None
    history = document.get("log_history") if isinstance(document, dict) else document
    if not isinstance(history, list):
        raise BrokenLog("is one JSON document without the list log_history")
    for row in history:
        record = record_of(row, wanted, iteration) if isinstance(row, dict) else None
        if record is not None:
            yield record


def recognises(name: str, start: bytes, iteration: Sequence[str]) -> bool:
    """Return whether a log is one JSON document; JSON Lines are recognised before."""
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    return text.startswith(b"{") or (name.endswith(".json") and text.startswith(b"["))
