"""Reads a state that ``json.dump`` wrote."""

import json
from typing import Any, BinaryIO

from schedframe._files.checkpoint.broken import Broken, size_of
from schedframe._files.checkpoint.pickle import Budget

_LARGEST = 4 << 20
_LONGEST_INTEGER = 400


def read(file: BinaryIO, budget: Budget) -> Any:
    """Return the value of the JSON text in `file`; raise `Broken` if it is not valid, too deep, or too large."""
    size = size_of(file)
    if size > _LARGEST:
        raise Broken(f"looks like JSON of {size} bytes, and schedframe reads up to {_LARGEST}")
    try:
        return json.loads(file.read(size).decode("utf-8-sig"), parse_int=_integer)
    except json.JSONDecodeError as error:
        raise Broken(f"is not complete JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except ValueError as error:
        raise Broken(f"is not usable JSON: {error}") from None
    except RecursionError:
        raise Broken("is JSON of more levels than schedframe reads") from None


def _integer(digits: str) -> int:
    if len(digits) > _LONGEST_INTEGER:
        raise ValueError(f"it holds an integer of {len(digits)} digits")
    return int(digits)
