"""Hydra's overrides in a command, such as ``trainer.total_training_steps=100``, as data."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from schedframe._errors import ConfigError, Problem
from schedframe._files.shell.fields import divided, text_of, unread_in
from schedframe._files.shell.words import Text, Unread
from schedframe.importers._command import Command, Word, fault_of, find_commands, variable_of
from schedframe.importers._source import Source, scalar

_OVERRIDE = re.compile(r"(?:\+{0,2}|~)([A-Za-z_][\w.@/]*)=?(.*)", re.DOTALL)
_CONFIG = re.compile(r"--config-name=(.*)")


def read_overrides(
    source: Source, is_meant: Callable[[Command], bool], concerns: Callable[[str], bool], program: str
) -> tuple[Source, dict[str, int]]:
    """Return the overrides of a command in place of the script, and sentences on what was assumed, with their lines.

    Args:
        source: the script.
        is_meant: returns whether a command is the one with the schedule.
        concerns: returns whether the value at a dotted path concerns the schedule; others are left out.
        program: whose command it is, for errors.

    Raises:
        ConfigError: no command is meant, or several with different overrides; or overrides that concern the schedule
            are not known, or may be hidden in a word that is not known.
    """
    found = find_commands(source, is_meant)
    if not found:
        raise ConfigError(str(source.path), [Problem("", f"has no command of {program}")])
    made = [_read(source, command, concerns) for command in found]
    first, notes = made[0]
    if any(other.data != first.data or other.faults for other, _ in made[1:]):
        places = " and ".join(str(command.line) for command in found)
        fault = f"has {len(found)} commands of {program} (lines: {places}); choose one with --line"
        raise ConfigError(str(source.path), [Problem("", fault)])
    if first.faults:
        raise ConfigError(str(source.path), list(first.faults.values()))
    return first, notes


def _read(source: Source, command: Command, concerns: Callable[[str], bool]) -> tuple[Source, dict[str, int]]:
    data: dict[str, Any] = {}
    lines: dict[str, int] = {}
    faults: dict[str, Problem] = {}
    notes = {} if source.script is None else dict(source.script.notes)
    for word in _expanded(command, source, concerns):
        begin = word.field[0]
        written = word.text if word.text is not None else begin.text if isinstance(begin, Text) else ""
        if config := _CONFIG.fullmatch(written):
            written = f"config_name={config[1]}"
        override = _OVERRIDE.fullmatch(written)
        if override is None or not (concerns(override[1]) or override[1] == "config_name"):
            continue
        path, value = override[1], override[2]
        unread = unread_in(word.field)
        faults.pop(path, None)
        lines[path] = word.line
        if written.startswith("~"):
            _put(data, path, None)
        elif unread is not None:
            faults[path] = Problem(path, fault_of(unread, path), line=unread.line)
            _put(data, path, None)
        else:
            _put(data, path, scalar(path, value) if path != "config_name" else value)
    for path, value in _leaves(source.data):
        _put(data, path, value)
        lines.pop(path, None)
        faults.pop(path, None)
    return replace(source, data=data, lines=lines, script=None, faults=faults), notes


def _expanded(command: Command, source: Source, concerns: Callable[[str], bool]) -> Iterator[Word]:
    """Yield the words of `command`; one that is not known is refused if it may hold an override of the schedule."""
    before = ""
    for word in command.words:
        unread = unread_in(word.field)
        is_value = before.startswith("-") and "=" not in before
        before = word.text or ""
        if unread is None or is_value or any(isinstance(part, Text) and part.text for part in word.field):
            yield word
        elif not unread.written.startswith("$(") and (found := _hidden(unread, concerns)):
            hint = f"; give it with --set {name}=VALUE" if (name := variable_of(unread)) else ""
            fault = f"{unread.written} {unread.what}; it may hold {found}{hint}"
            raise ConfigError(str(source.path), [Problem("", fault, line=unread.line)])


def _hidden(unread: Unread, concerns: Callable[[str], bool]) -> str:
    """Return which overrides of the schedule `unread` may hold; empty for none."""
    if not unread.held:
        return "overrides"
    for alternative in unread.held:
        for part in divided(alternative):
            written = text_of(part)
            override = None if written is None else _OVERRIDE.fullmatch(written)
            if override is not None and concerns(override[1]):
                return override[1]
            if written is None and not any(isinstance(piece, Text) and piece.text for piece in part):
                return "overrides"
    return ""


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    *above, last = path.split(".")
    for key in above:
        inner = data.get(key)
        data[key] = inner if isinstance(inner, dict) else {}
        data = data[key]
    data[last] = value


def _leaves(data: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        inner = f"{path}.{key}" if path else str(key)
        if isinstance(value, dict):
            yield from _leaves(value, inner)
        else:
            yield inner, value
