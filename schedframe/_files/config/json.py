"""JSON, with the line of every key and item."""

import json
import re

from schedframe._files.config.parsed import (
    LONGEST_NUMBER,
    TOO_LARGE,
    Broken,
    Parsed,
    refuse_numbers,
    refuse_size,
    too_deep,
)
from schedframe._files.config.places import Places


def parse(text: str) -> Parsed:
    """Read `text`; raise `Broken` if it is not JSON, or too large for a config."""
    try:
        parsed = Parsed(json.loads(text, parse_int=_integer))
    except json.JSONDecodeError as error:
        raise Broken(f"is not complete JSON: {error.msg} at column {error.colno}", error.lineno) from None
    except RecursionError:
        raise too_deep() from None
    refuse_size(parsed.data)
    places = Places(text, _TOKEN, ":", json.loads)
    places.value(())
    places.add_to(parsed)
    if isinstance(parsed.data, dict):
        refuse_numbers(parsed)
    return parsed


def _integer(digits: str) -> int:
    """Return the integer; one that is too large to be converted stands for every such one."""
    return int(digits) if len(digits) <= LONGEST_NUMBER else TOO_LARGE


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
