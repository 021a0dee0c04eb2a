"""TOML, with the line of every key and item."""

import re
import sys

from schedframe._files.config.parsed import (
    DEEPEST,
    LONGEST_NUMBER,
    Broken,
    Parsed,
    refuse_numbers,
    refuse_size,
    too_deep,
)
from schedframe._files.config.places import Path, Places


def parse(text: str) -> Parsed:
    """Read `text`; raise `Broken` if it is not TOML, or too large for a config."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    _refuse_long_paths(text)
    try:
        parsed = Parsed(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise Broken(f"is not complete TOML: {error}") from None
    except ValueError:
        raise _too_many_digits(text) from None
    except RecursionError:
        raise too_deep() from None
    refuse_size(parsed.data)
    places = Places(text, _TOKEN, "=", lambda token: next(iter(tomllib.loads(f"{token} = 0"))))
    _walk(places)
    places.add_to(parsed)
    refuse_numbers(parsed)
    return parsed


def _refuse_long_paths(text: str) -> None:
    """Raise `Broken` if keys are joined to more levels than a config has: Python's reader takes long for those."""
    for match in _JOINED.finditer(text):
        if match[0].count(".") > DEEPEST:
            raise too_deep(text.count("\n", 0, match.start()) + 1)


def _too_many_digits(text: str) -> Broken:
    """Return the error of a number that Python does not convert."""
    digits = _DIGITS.search(text)
    line = None if digits is None else text.count("\n", 0, digits.start()) + 1
    return Broken(f"holds a number of more than {LONGEST_NUMBER} digits", line)


_JOINED = re.compile(r"[\w\"'-]+(?:[ \t]*\.[ \t]*[\w\"'-]+)*")
_DIGITS = re.compile(f"[0-9_]{{{LONGEST_NUMBER},}}")
_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")|\'\'\'.*?\'{3,5}(?!\')|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\''
    r"|\#[^\n]*|\n|[\[\]{}=,.]|[^\s\[\]{}=,.\#\"\']+",
    re.DOTALL,
)


def _walk(places: Places) -> None:
    """Go through the tables of a document."""
    table: Path = ()
    tables_in: dict[Path, int] = {}
    while places.token:
        if places.token == "\n":
            places.advance()
        elif places.token == "[":
            table = _header(places, tables_in)
        else:
            places.pair(table)


def _header(places: Places, tables_in: dict[Path, int]) -> Path:
    """Go behind a header, and return the path of its table; `tables_in` counts those of each array of tables."""
    places.advance()
    is_array = places.token == "["
    if is_array:
        places.advance()
    keys = places.keys("]")
    path: Path = ()
    for number, key in enumerate(keys, 1):
        path = (*path, key)
        places.note(path)
        if is_array and number == len(keys):
            places.advance()
            tables_in[path] = tables_in.get(path, 0) + 1
        if path in tables_in:
            path = (*path, str(tables_in[path] - 1))
            places.note(path)
    return path
