"""TOML, with the line of every key: Python's reader has no positions, so the text is read a second time."""

import re
import sys
from dataclasses import dataclass, field

from schedframe._errors import dotted
from schedframe._files.config.parsed import Broken, Parsed, refuse_depth, too_deep


def parse(text: str) -> Parsed:
    """Read `text`; raise `Broken` if it is not TOML, or nested too deeply."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        parsed = Parsed(tomllib.loads(text))
    except ValueError as error:
        raise Broken(f"is not complete TOML: {error}") from None
    except RecursionError:
        raise too_deep() from None
    refuse_depth(parsed.data)
    _find_keys(text, parsed)
    return parsed


_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?"""|\'\'\'.*?\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*|\n|[\[\]{}=,.]|[^\s\[\]{}=,.#"\']+',
    re.DOTALL,
)


@dataclass
class _Level:
    """The table at the top, or an inline table or list that is not closed yet."""

    prefix: list[str]
    is_list: bool = False
    keys: list[str] = field(default_factory=list)
    awaits_key: bool = True


def _find_keys(text: str, parsed: Parsed) -> None:
    """Note the line of every key of `text`, which is valid TOML."""
    levels = [_Level([])]
    header = False
    for match in _TOKEN.finditer(text):
        token, level = match[0], levels[-1]
        if token.startswith("#"):
            continue
        if token == "\n":
            if len(levels) == 1:
                level.keys, level.awaits_key, header = [], True, False
        elif token == "[" and len(levels) == 1 and level.awaits_key:
            header = True
        elif token == "]" and header:
            level.prefix = level.keys or level.prefix
            level.keys = []
        elif token in "[{":
            levels.append(_Level([*level.prefix, *level.keys], is_list=token == "["))
        elif token in "]}":
            levels.pop()
        elif token == ",":
            level.keys, level.awaits_key = [], True
        elif token == "=":
            level.awaits_key = False
            line = text.count("\n", 0, match.start()) + 1
            parsed.lines.setdefault(dotted([*level.prefix, *level.keys]), line)
        elif token != "." and level.awaits_key and not level.is_list:
            level.keys.append(token.strip("\"'"))
