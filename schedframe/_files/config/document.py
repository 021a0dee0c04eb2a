"""Reads a config file, as data only, and knows on which line each key stands."""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from schedframe._errors import ConfigError, Problem
from schedframe._files.config import json, toml, yaml
from schedframe._files.config.parsed import Broken, Parsed

_FORMATS = {".yaml": yaml, ".yml": yaml, ".toml": toml, ".json": json}


@dataclass(frozen=True)
class Document:
    """What a config file says.

    Attributes:
        path: the file.
        text: the file's text, without a byte order mark.
        data: its keys and values.
        problems: what is wrong with the file itself and still let the rest be read: keys that stand
            twice, tags that name types.
        unreadable: dotted paths whose value is one of those problems.
        ends_cleanly: the file ends with a newline; one that does not may have been cut.
    """

    path: Path
    text: str
    data: dict[str, Any]
    problems: tuple[Problem, ...]
    unreadable: frozenset[str]
    ends_cleanly: bool
    _lines: dict[str, int]

    def line_of(self, dotted: str) -> int | None:
        """Return the line, from 1, of the key at `dotted`, or of the nearest key above it that has one."""
        while dotted:
            if dotted in self._lines:
                return self._lines[dotted]
            dotted = dotted.rpartition(".")[0]
        return None


def read(path: str | Path) -> Document:
    """Read the YAML 1.2, TOML or JSON file at `path`, by its suffix.

    Raises:
        ConfigError: the file is missing, unreadable, of another suffix, broken, or holds no table.
    """
    path = Path(path)
    if path.suffix.lower() not in _FORMATS:
        raise _refusal(path, f"has an unknown suffix {path.suffix!r}; use one of {', '.join(_FORMATS)}")
    return from_text(path, _text(path))


def from_text(path: Path, text: str) -> Document:
    """Return what `text` says as the text of the file at `path`, which need not be there.

    Raises:
        ConfigError: the text is broken, or holds no table.
    """
    reader = _FORMATS[path.suffix.lower()]
    try:
        parsed: Parsed = reader.parse(text) if text.strip() else Parsed()
    except Broken as error:
        raise _refusal(path, str(error), error.line) from None
    if not isinstance(parsed.data, dict):
        if parsed.problems:
            raise ConfigError(str(path), parsed.problems)
        if parsed.data is None:
            raise _refusal(path, "is empty; a schedule needs at least max_lr and lr_decay_steps or train_samples")
        what = type(parsed.data).__name__
        raise _refusal(path, f"must hold a table of keys and values at its top, and holds a {what}")
    return Document(
        path, text, parsed.data, tuple(parsed.problems), frozenset(parsed.unreadable), text.endswith("\n"), parsed.lines
    )


def _refusal(path: Path, message: str, line: int | None = None) -> ConfigError:
    return ConfigError(str(path), [Problem("", message, line=line)])


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise _refusal(path, f"does not exist{_near(path)}") from None
    except UnicodeDecodeError as error:
        raise _refusal(path, f"is no UTF-8 text: {error.reason} at byte {error.start}") from None
    except (OSError, ValueError) as error:
        raise _refusal(path, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _near(path: Path) -> str:
    try:
        siblings = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return ""
    near = get_close_matches(path.name, siblings, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
