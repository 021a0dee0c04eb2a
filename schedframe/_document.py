"""Reads a config file, as data only, and knows on which line each key stands."""

import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from schedframe._errors import ConfigError, Problem

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_LineOf = Callable[[Sequence[str]], int | None]


@dataclass(frozen=True)
class Document:
    """What a config file says.

    Attributes:
        path: the file.
        data: its keys and values.
        problems: what is wrong with the file itself and still let the rest be read: keys that stand
            twice, tags that name types.
        ends_cleanly: the file ends with a newline; one that does not may have been cut.
    """

    path: Path
    data: dict[str, Any]
    problems: tuple[Problem, ...]
    ends_cleanly: bool
    _line_of: _LineOf

    def line_of(self, dotted: str) -> int | None:
        """Return the line, from 1, of the key at `dotted`, or of the nearest key above it that has one."""
        parts = dotted.split(".") if dotted else []
        while parts:
            line = self._line_of(parts)
            if line is not None:
                return line
            parts.pop()
        return None


def read(path: str | Path) -> Document:
    """Read the YAML 1.2, TOML or JSON file at `path`, by its suffix.

    Raises:
        ConfigError: the file is missing, unreadable, of another suffix, broken, or holds no table.
    """
    path = Path(path)
    parse = _PARSERS.get(path.suffix.lower())
    if parse is None:
        raise _broken(path, f"has an unknown suffix {path.suffix!r}; use one of {', '.join(_PARSERS)}")
    text = _text(path)
    if not text.strip():
        raise _broken(path, "is empty; a schedule needs at least max_lr and lr_decay_steps or train_samples")
    data, problems, line_of = parse(path, text)
    if not isinstance(data, dict):
        raise _broken(path, f"must hold a table of keys and values at its top, and holds a {type(data).__name__}")
    return Document(path, data, tuple(problems), text.endswith("\n"), line_of)


def _broken(path: Path, message: str, line: int | None = None) -> ConfigError:
    return ConfigError(str(path), [Problem("", message, line=line)])


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        near = get_close_matches(path.name, siblings, n=1)
        raise _broken(path, "does not exist" + (f"; did you mean {near[0]!r}?" if near else "")) from None
    except UnicodeDecodeError as error:
        raise _broken(path, f"is no UTF-8 text: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise _broken(path, f"cannot be read: {error.strerror}") from None


_Parsed = tuple[Any, list[Problem], _LineOf]


def _parse_yaml(path: Path, text: str) -> _Parsed:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    reader = YAML(typ="safe", pure=True)
    try:
        root = reader.compose(text)
    except YAMLError as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        reason = (error.problem if isinstance(error, MarkedYAMLError) else None) or str(error).splitlines()[0]
        where = mark.line + 1 if mark is not None else None
        raise _broken(path, f"is no complete YAML: {reason}", where) from None
    problems: list[Problem] = []
    data = _construct(root, "", reader, problems, {})

    def line_of(parts: Sequence[str]) -> int | None:
        node, line = root, None
        for part in parts:
            node, line = _child(node, part)
            if node is None:
                return None
        return line

    return data, problems, line_of


_SCALARS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "null"))
_IMPLICIT = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "timestamp", "map", "seq"))


def _construct(node: Any, path: str, reader: Any, problems: list[Problem], seen: dict[int, Any]) -> Any:
    """Plain Python data from a YAML node; only the types of YAML 1.2's core schema are made."""
    if node is None:
        return None
    if id(node) in seen:
        return seen[id(node)]
    line = node.start_mark.line + 1
    if node.tag not in _SCALARS and node.tag not in _IMPLICIT:
        problems.append(Problem(path, f"has the tag {node.tag!r}; a config is plain data, without tags", line=line))
        return None
    if node.id == "scalar":
        return reader.constructor.construct_object(node) if node.tag in _SCALARS else node.value
    if node.id == "sequence":
        items: list[Any] = []
        seen[id(node)] = items
        items += [_construct(item, f"{path}.{index}", reader, problems, seen) for index, item in enumerate(node.value)]
        return items
    table: dict[str, Any] = {}
    seen[id(node)] = table
    lines: dict[str, int] = {}
    for key_node, value_node in node.value:
        key = key_node.value
        at = key_node.start_mark.line + 1
        inner = f"{path}.{key}" if path else str(key)
        if key_node.tag != "tag:yaml.org,2002:str":
            problems.append(Problem(path, f"has a key that is no word: {key!r}", line=at))
        elif key in table:
            problems.append(Problem(inner, f"stands twice, first on line {lines[key]}; keep one", line=at))
        else:
            lines[key] = at
            table[key] = _construct(value_node, inner, reader, problems, seen)
    return table


def _child(node: Any, part: str) -> tuple[Any, int | None]:
    if node.id == "mapping":
        for key_node, value_node in node.value:
            if key_node.value == part:
                return value_node, key_node.start_mark.line + 1
    elif node.id == "sequence" and part.isdigit() and int(part) < len(node.value):
        item = node.value[int(part)]
        return item, item.start_mark.line + 1
    return None, None


def _parse_toml(path: Path, text: str) -> _Parsed:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _broken(path, f"is no complete TOML: {error}") from None
    return data, [], _finder(text, r"(?:^|[{{,\[])\s*[\"']?{key}[\"']?\s*[=\].]")


def _parse_json(path: Path, text: str) -> _Parsed:
    twice: list[str] = []

    def table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        twice.extend(name for name in dict.fromkeys(names) if names.count(name) > 1)
        return dict(pairs)

    try:
        data = json.loads(text, object_pairs_hook=table)
    except json.JSONDecodeError as error:
        raise _broken(path, f"is no complete JSON: {error.msg} at column {error.colno}", error.lineno) from None
    except RecursionError:
        raise _broken(path, "is nested too deeply") from None
    line_of = _finder(text, r'"{key}"\s*:')
    return data, [Problem(name, "stands twice; keep one", line=line_of([name])) for name in twice], line_of


def _finder(text: str, pattern: str) -> _LineOf:
    """Find keys in the text of a format whose reader has no positions: each below the one above it."""

    def line_of(parts: Sequence[str]) -> int | None:
        start = 0
        for part in parts:
            found = re.compile(pattern.format(key=re.escape(part)), re.MULTILINE).search(text, start)
            if found is None:
                return None
            start = found.end()
        return text.count("\n", 0, start) + 1

    return line_of


_PARSERS: dict[str, Callable[[Path, str], _Parsed]] = {
    ".yaml": _parse_yaml,
    ".yml": _parse_yaml,
    ".toml": _parse_toml,
    ".json": _parse_json,
}
