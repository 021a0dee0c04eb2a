"""A file of another framework as plain data, with the line of every key."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from schedframe._errors import ConfigError, Problem
from schedframe._files.checkpoint.broken import Broken as BrokenPickle
from schedframe._files.checkpoint.pickle import Budget, Inert
from schedframe._files.checkpoint.torch_save import ZIP
from schedframe._files.checkpoint.torch_save import read as read_saved
from schedframe._files.config import json, toml, yaml
from schedframe._files.config.document import LARGEST_FILE
from schedframe._files.config.parsed import Broken, Parsed
from schedframe._files.shell.follower import Script
from schedframe._files.shell.script import read as read_script
from schedframe._reading import read_regular

_FORMATS = {".yaml": yaml, ".yml": yaml, ".toml": toml, ".json": json}
_LARGEST_SAVED = 16 << 20
_MOST_REFERENCES = 20
_REFERENCE = re.compile(r"\$\{([A-Za-z_][\w.]*)\}")
_VARIABLE = re.compile(r"(?<![\w-])[A-Za-z_]\w*(?=\+?=)|(?<=\$)(?:[A-Za-z_]\w*|\d)|(?<=\$\{)\w+|(?<=for )\w+")
"""A variable of a shell script, where it is set or used."""


@dataclass(frozen=True)
class Source:
    """What is imported.

    Attributes:
        path: the file.
        data: its keys and values; empty for a shell script.
        lines: the line of each key, from 1, by its dotted path.
        script: the commands of a shell script; ``None`` for every other file.
        saved_class: the dotted name of the class of which a saved object is; empty for text.
        faults: why values cannot be read, by their dotted paths; an importer that reads one raises it.
    """

    path: Path
    data: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    script: Script | None = None
    saved_class: str = ""
    faults: Mapping[str, Problem] = field(default_factory=dict)

    def get(self, path: str) -> Any:
        """Return the value at the dotted `path`; ``None`` where there is none.

        A value that refers to another one of the file, as ``${trainer.max_steps}`` does with OmegaConf, is that one.

        Raises:
            ConfigError: the value cannot be read, because it has a tag or stands there twice, or refers to none.
        """
        return self._referred(path, self._raw(path))

    def is_unreadable(self, path: str) -> bool:
        """Return whether there is a value at the dotted `path` that cannot be read."""
        return path in self.faults

    def has(self, *paths: str) -> bool:
        """Return whether there is a value at each of the dotted `paths`."""
        return all(self._raw(path) is not None for path in paths)

    def _raw(self, path: str) -> Any:
        value: Any = self.data
        above = ""
        for key in path.split("."):
            above = f"{above}.{key}" if above else key
            if isinstance(value, list) and key.isdigit() and int(key) < len(value):
                value = value[int(key)]
            elif isinstance(value, Mapping):
                value = value.get(key)
            else:
                return None
            if above in self.faults:
                fault = self.faults[above]
                message = f"{fault.message}; give it with --set {above}=VALUE"
                raise ConfigError(str(self.path), [replace(fault, message=message)])
        return value

    def _referred(self, path: str, value: Any) -> Any:
        found, target = _referring(value), ""
        for _ in range(_MOST_REFERENCES):
            if not found:
                return value
            target = found
            value = self._raw(target)
            found = target if value is None else _referring(value)
        what = f"refers to {target}, which has no value in the file; give it with --set {path}=VALUE"
        raise ConfigError(str(self.path), [Problem(path, what, repr(self._raw(path)), line=self.line(path))])

    def line(self, path: str) -> int | None:
        """Return the line of the key at `path`, or of the nearest key above it."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path.rpartition(".")[0]
        return None

    def error(self, path: str, message: str) -> ConfigError:
        """Return the error that the value at `path` makes, with its line."""
        value = self.get(path)
        shown = "" if value is None or isinstance(value, Mapping | list) else repr(value)[:60]
        return ConfigError(str(self.path), [Problem(path, message, shown, line=self.line(path))])


def _referring(value: Any) -> str:
    """Return the dotted path to which a value refers; empty for none."""
    found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found else ""


def read(path: Path, settings: Mapping[str, str], text: str | None = None, line: int | None = None) -> Source:
    """Return the file at `path` as data.

    Args:
        path: YAML, TOML or JSON by its suffix, an object that ``torch.save`` wrote, or a shell script.
        settings: values by dotted path that take the place of those in the file; of a script its variables, and its
            arguments by their numbers.
        text: the text of the file; by default it is read.
        line: that of the command of a script, from 1; by default every command is kept.

    Raises:
        ConfigError: the file cannot be read, or holds something else; or no command of a script is on `line`.
    """
    source = _read(path, settings, text)
    return source if line is None else _with_command(source, line)


def _read(path: Path, settings: Mapping[str, str], text: str | None) -> Source:
    if text is None:
        content = _content(path)
        if content.startswith((ZIP, b"\x80")):
            return _with_settings(_saved(path, content), settings)
        text = _decoded(path, content)
    try:
        return _parsed(path, text, settings)
    except Broken as error:
        raise ConfigError(str(path), [Problem("", str(error), line=error.line)]) from None


def _with_command(source: Source, line: int) -> Source:
    """Return `source` with the commands that are on `line`: those that begin there, or last before it."""
    begins = [command.line for command in source.script.commands if command.line <= line] if source.script else []
    if source.script is None or not begins:
        what = "is not a shell script" if source.script is None else f"has no command up to line {line}"
        raise ConfigError("--line", [Problem("", f"{source.path} {what}", str(line))])
    kept = [command for command in source.script.commands if command.line == max(begins)]
    return replace(source, script=replace(source.script, commands=kept, variables={}))


def _content(path: Path) -> bytes:
    try:
        return read_regular(path, _LARGEST_SAVED)
    except FileNotFoundError:
        raise ConfigError(str(path), [Problem("", "does not exist")]) from None
    except (OSError, ValueError) as error:
        fault = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise ConfigError(str(path), [Problem("", fault)]) from None


def _decoded(path: Path, content: bytes) -> str:
    fault = ""
    if len(content) > LARGEST_FILE:
        fault = f"cannot be read: it is larger than {LARGEST_FILE >> 20} MiB"
    elif b"\0" in content:
        fault = "is neither text nor an object that torch.save wrote"
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        fault = fault or f"is not UTF-8 text: {error.reason} at byte {error.start}"
    if fault:
        raise ConfigError(str(path), [Problem("", fault)])
    return text


def _parsed(path: Path, text: str, settings: Mapping[str, str]) -> Source:
    suffix = path.suffix.lower()
    if suffix not in _FORMATS and text.lstrip().startswith("{"):
        suffix = ".json"
    if suffix not in _FORMATS:
        used = set(_VARIABLE.findall(text))
        variables = {name: value for name, value in settings.items() if name in used}
        others = {name: value for name, value in settings.items() if name not in variables}
        return _with_settings(Source(path, script=read_script(text, variables)), others)
    parsed: Parsed = _FORMATS[suffix].parse(text) if text.strip() else Parsed()
    foreign = [problem for _, problem in parsed.foreign]
    if any(problem not in foreign for problem in parsed.problems):
        raise ConfigError(str(path), parsed.problems)
    faults = dict(parsed.foreign)
    if not isinstance(parsed.data, dict):
        raise Broken("does not contain a table of keys and values at the top level")
    return _with_settings(Source(path, parsed.data, parsed.lines, faults=faults), settings)


def _saved(path: Path, content: bytes) -> Source:
    """Return the fields of an object that ``torch.save`` wrote, such as ``training_args.bin``."""
    try:
        found = read_saved(io.BytesIO(content), Budget())
    except BrokenPickle as error:
        raise ConfigError(str(path), [Problem("", str(error))]) from None
    if isinstance(found, Inert) and isinstance(found.state, dict):
        fields = {key: _plain(value) for key, value in found.state.items() if isinstance(key, str)}
        return Source(path, fields, saved_class=found.what)
    raise ConfigError(str(path), [Problem("", "holds no object with fields, such as training_args.bin has")])


def _plain(value: Any) -> Any:
    """Return the value of a field; a member of an enumeration is its value, every other object its class's name."""
    match value:
        case Inert(state=(str(member),)):
            return member
        case Inert():
            return value.what
        case dict():
            return {key: _plain(inner) for key, inner in value.items() if isinstance(key, str)}
    return value


def _with_settings(source: Source, settings: Mapping[str, str]) -> Source:
    """Return `source` with the values of `settings` at their dotted paths, read as YAML has them."""
    if not settings:
        return source
    data = _copied(source.data)
    lines = dict(source.lines)
    faults = {place: fault for place, fault in source.faults.items() if place not in settings}
    for path, written in settings.items():
        *above, last = path.split(".")
        table = data
        for key in above:
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                raise ConfigError(f"--set {path}", [Problem("", f"{key} is not a table in {source.path}")])
        table[last] = scalar(path, written)
        lines.pop(path, None)
    return replace(source, data=data, lines=lines, faults=faults)


def _copied(value: Any) -> Any:
    return {key: _copied(inner) for key, inner in value.items()} if isinstance(value, Mapping) else value


def scalar(path: str, written: str) -> Any:
    """Return a value that is written as YAML has it.

    Args:
        path: its dotted path, for errors.
        written: the text.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        parsed = yaml.parse(f"value: {written}")
    except Broken as error:
        raise ConfigError(f"--set {path}", [Problem("", str(error))]) from None
    if parsed.problems:
        raise ConfigError(f"--set {path}", parsed.problems)
    return parsed.data["value"]
