"""JSON, with the line of every key: the text is read a second time for those."""

import json
import re
from dataclasses import dataclass

from schedframe._errors import dotted
from schedframe._files.config.parsed import Broken, Parsed, refuse_depth, too_deep


def parse(text: str) -> Parsed:
    """Read `text`; raise `Broken` if it is not JSON, or nested too deeply."""
    try:
        parsed = Parsed(json.loads(text))
    except json.JSONDecodeError as error:
        raise Broken(f"is not complete JSON: {error.msg} at column {error.colno}", error.lineno) from None
    except ValueError as error:
        raise Broken(f"is not usable JSON: {error}") from None
    except RecursionError:
        raise too_deep() from None
    refuse_depth(parsed.data)
    _find_keys(text, parsed)
    return parsed


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]')


@dataclass
class _Open:
    """A table or list that is not closed yet."""

    is_table: bool
    key: str = ""
    awaits_key: bool = True
    index: int = 0


def _find_keys(text: str, parsed: Parsed) -> None:
    """Note the line of every key of `text`, which is valid JSON, and each that stands twice."""
    opened: list[_Open] = []
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in "{[":
            opened.append(_Open(is_table=token == "{"))
        elif token in "}]":
            opened.pop()
        elif token == ",":
            opened[-1].awaits_key = True
            opened[-1].index += 1
        elif token == ":":
            opened[-1].awaits_key = False
        elif opened and opened[-1].is_table and opened[-1].awaits_key:
            opened[-1].key = json.loads(token)
            path = dotted(level.key if level.is_table else str(level.index) for level in opened)
            parsed.add_key(path, text.count("\n", 0, match.start()) + 1)
