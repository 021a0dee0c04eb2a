"""Changes a TOML file's values in place: statements are found by reading the text's tokens."""

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from schedframe._files.config import toml as _toml
from schedframe._files.rewrite.editor import Editor, Entry, newline_of
from schedframe._files.rewrite.written import decimal, inline, quoted, same

HAS_COMMENTS = True

_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:""?)?|\'\'\'.*?\'\'\'(?:\'\'?)?|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\''
    r'|#[^\r\n]*|\r?\n|[\[\]{}=,]|[^\s\[\]{}=,#"\']+',
    re.DOTALL,
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")

Path = tuple[str, ...]


@dataclass(frozen=True)
class _Statement:
    """A table's header, or a key with its value.

    Attributes:
        table: the table whose header stands above, or is this.
        path: the whole path of the key, or of the table.
        value: where the value starts; ``None`` for a header.
    """

    table: Path
    path: Path
    start: int
    value: int | None
    end: int


def comments(text: str) -> list[str]:
    """Return the comments of `text`, which is valid TOML."""
    return [match[0] for match in _TOKEN.finditer(text) if match[0].startswith("#")]


def edit(text: str, old: dict[str, Any], new: dict[str, Any]) -> str:
    """Return `text`, which says `old`, changed to say `new`."""
    text += "" if text.endswith("\n") else newline_of(text)
    editor = Editor(text, [match.span() for match in _TOKEN.finditer(text) if match[0].startswith("#")])
    writer = _Writer(editor)
    writer.edit_table((), old, new)
    writer.add_sections()
    return editor.result()


class _Writer:
    def __init__(self, editor: Editor) -> None:
        self._editor = editor
        self._statements = list(_statements(editor.text))
        self._sections: dict[Path, dict[str, Any]] = {}

    def edit_table(self, table: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
        added = {}
        for key, before in old.items():
            own = self._within((*table, key))
            if key not in new:
                self._remove(own)
            elif not same(before, new[key]) and not self._change(own, (*table, key), before, new[key]):
                self._remove(own)
                added[key] = new[key]
        self._add(table, added | {key: value for key, value in new.items() if key not in old})

    def _change(self, own: list[_Statement], path: Path, old: Any, new: Any) -> bool:
        """Change the value at `path`, if it can be changed where it stands."""
        value = own[0].value if own[0].path == path else None
        two_tables = isinstance(old, dict) and isinstance(new, dict)
        if value is not None:
            if two_tables:
                self._editor.refuge = self._editor.next_line(own[0].end)
                self._edit_inline(value, own[0].end, old, new)
                self._editor.refuge = None
            else:
                self._editor.replace(value, own[0].end, _inline(new))
            return True
        if two_tables and (new or own[0].path == path):
            self.edit_table(path, old, new)
            return True
        return False

    def _edit_inline(self, start: int, end: int, old: dict[str, Any], new: dict[str, Any]) -> None:
        found = list(_entries(self._editor.text, start, end))
        added = {key: value for key, value in new.items() if key not in old}
        for path, entry in found:
            if entry.key not in new or same(old[entry.key], new[entry.key]):
                continue
            before, after = old[entry.key], new[entry.key]
            if len(path) > 1:
                added[entry.key] = after
            elif isinstance(before, dict) and isinstance(after, dict):
                self._edit_inline(entry.value, entry.end, before, after)
            else:
                self._editor.replace(entry.value, entry.end, _inline(after))
        written = [f"{_key(key)} = {_inline(value)}" for key, value in added.items()]
        gone = {key for key in old if key not in new or key in added}
        self._editor.fit_entries(start + 1, [entry for _, entry in found], gone, written)

    def add_sections(self) -> None:
        """Put the tables that need a header of their own at the end."""
        for path, section in self._sections.items():
            lines = ["", f"[{_name(path)}]", *(f"{_key(key)} = {_inline(value)}" for key, value in section.items()), ""]
            self._editor.insert(len(self._editor.text), self._editor.newline.join(lines))

    def _add(self, table: Path, added: dict[str, Any]) -> None:
        """Add keys to a table: below its header, beside its dotted keys, or under a new header."""
        above = self._last_of(table)
        for key, value in added.items():
            if table and above is None:
                self._sections.setdefault(table, {})[key] = value
            elif not table and isinstance(value, dict) and value:
                self._sections[(key,)] = value
            else:
                at = self._editor.next_line(above.end) if above else 0
                indent = self._editor.indent(above.start) if above else ""
                name = _name((*table[len(above.table) :], key) if above else (key,))
                self._editor.insert(at, f"{indent}{name} = {_inline(value)}{self._editor.newline}")

    def _last_of(self, table: Path) -> _Statement | None:
        """Return the statement below which another key of `table` can stand."""
        in_section = [statement for statement in self._statements if statement.table == table]
        dotted = [s for s in self._within(table) if s.value is not None and len(s.table) < len(table)]
        return next(reversed(in_section or dotted), None)

    def _within(self, path: Path) -> list[_Statement]:
        return [statement for statement in self._statements if statement.path[: len(path)] == path]

    def _remove(self, statements: Iterable[_Statement]) -> None:
        for statement in statements:
            self._editor.remove(statement.start, statement.end)


def _statements(text: str) -> Iterator[_Statement]:
    table: Path = ()
    for start, equals, value, end in _keyed(text, 0, len(text)):
        if equals is None:
            brackets = 2 if text.startswith("[[", start) else 1
            table = _path(text[start + brackets : end - brackets])
            yield _Statement(table, table, start, None, end)
        else:
            yield _Statement(table, (*table, *_path(text[start:equals])), start, value, end)


def _entries(text: str, start: int, end: int) -> Iterator[tuple[Path, Entry]]:
    """Find the entries of the inline table at ``[start, end)``, each with its whole dotted key."""
    for key, equals, value, end_of_value in _keyed(text, start + 1, end - 1):
        path = _path(text[key:equals])
        yield path, Entry(path[0], key, value, end_of_value)


def _keyed(text: str, at: int, end: int) -> Iterator[tuple[int, int | None, int, int]]:
    """Find what stands between line breaks or commas: its start, its equals sign, its value and its end."""
    start, equals, value, last, depth = -1, None, -1, -1, 0
    for match in _TOKEN.finditer(text, at, end):
        token = match[0]
        if token in ("\n", "\r\n", ",") and depth == 0:
            if start >= 0:
                yield start, equals, value, last
            start, equals, value = -1, None, -1
        elif not token.startswith(("#", "\n", "\r\n")):
            start = match.start() if start < 0 else start
            value = match.start() if equals is not None and value < 0 else value
            if token == "=" and depth == 0:
                equals = match.start()
            depth += (token in "[{") - (token in "]}")
            last = match.end()
    if start >= 0:
        yield start, equals, value, last


def _path(written: str) -> Path:
    """Read a dotted key."""
    path: list[str] = []
    table = _toml.parse(f"{written} = 0").data
    while isinstance(table, dict):
        ((key, table),) = table.items()
        path.append(key)
    return tuple(path)


def _name(path: Path) -> str:
    return ".".join(map(_key, path))


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else quoted(key)


def _inline(value: Any) -> str:
    return inline(value, _scalar, _key, " = ")


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, float):
        return decimal(value) if math.isfinite(value) else str(value)
    if isinstance(value, date | time):
        return value.isoformat()
    return json.dumps(value)
