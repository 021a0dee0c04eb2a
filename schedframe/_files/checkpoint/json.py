"""Reads a state that ``json.dump`` wrote."""

import json
from typing import Any

from schedframe._files.checkpoint.broken import Broken
from schedframe._files.checkpoint.region import Region

_LARGEST = 4 << 20
_LONGEST_INTEGER = 400
_BOM = b"\xef\xbb\xbf"


def is_json(file: Region) -> bool:
    """Whether `file` begins as a JSON object or array does."""
    start = file.read(0, min(file.size, 1000)).removeprefix(_BOM).lstrip()
    return start[:1] in (b"{", b"[")


def read(file: Region) -> Any:
    """Return what `file` says.

    Raises:
        Broken: it is no JSON, nested too deeply, or too large.
    """
    if file.size > _LARGEST:
        raise Broken(f"looks like JSON of {file.size} bytes, and schedframe reads up to {_LARGEST}")
    try:
        return json.loads(file.read(0, file.size).decode("utf-8-sig"), parse_int=_integer)
    except json.JSONDecodeError as error:
        raise Broken(f"is no complete JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except ValueError as error:
        raise Broken(f"is no usable JSON: {error}") from None
    except RecursionError:
        raise Broken("is JSON of more levels than schedframe reads") from None


def _integer(digits: str) -> int:
    if len(digits) > _LONGEST_INTEGER:
        raise ValueError(f"it holds an integer of {len(digits)} digits")
    return int(digits)
