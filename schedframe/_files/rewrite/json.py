"""Changes a JSON file's values in place."""

import json
import re
from collections.abc import Iterator
from typing import Any

from schedframe._files.rewrite.editor import Editor, Entry
from schedframe._files.rewrite.written import inline, same

HAS_COMMENTS = False

_BLANK = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


def comments(text: str) -> list[str]:
    """Return the comments of `text`: JSON has none."""
    return []


def edit(text: str, old: dict[str, Any], new: dict[str, Any]) -> str:
    """Return `text`, which says `old`, changed to say `new`."""
    opened = _skip(text, 0) + 1
    editor = Editor(text)
    first = next(_entries(text, opened), None)
    unit = editor.indent(first.start) if first else None
    _Writer(editor, unit).edit_table(opened, old, new)
    return editor.result() + ("" if text.endswith("\n") else editor.newline)


class _Writer:
    """Writes into `editor`; `unit` is the indent of one level, ``None`` where the table at the top is on one line."""

    def __init__(self, editor: Editor, unit: str | None) -> None:
        self._editor = editor
        self._unit = unit

    def edit_table(self, opened: int, old: dict[str, Any], new: dict[str, Any]) -> None:
        entries = list(_entries(self._editor.text, opened))
        for entry in entries:
            if entry.key not in new or same(old[entry.key], new[entry.key]):
                continue
            before, after = old[entry.key], new[entry.key]
            if isinstance(before, dict) and isinstance(after, dict):
                self.edit_table(entry.value + 1, before, after)
            else:
                self._editor.replace(entry.value, entry.end, self._written(after, self._editor.indent(entry.start)))
        indent = self._editor.indent(entries[0].start) if entries else None
        added = [f"{_scalar(key)}: {self._written(new[key], indent)}" for key in new if key not in old]
        self._editor.fit_entries(opened, entries, old.keys() - new.keys(), added)

    def _written(self, value: Any, indent: str | None) -> str:
        """`value`, a table over several lines where the table around it, indented by `indent`, is."""
        if not (self._unit and indent is not None and isinstance(value, dict) and value):
            return inline(value, _scalar, _scalar, ": ")
        line = self._editor.newline + indent + self._unit
        lines = [f"{line}{_scalar(key)}: {self._written(inner, indent + self._unit)}" for key, inner in value.items()]
        return "{" + ",".join(lines) + self._editor.newline + indent + "}"


def _entries(text: str, opened: int) -> Iterator[Entry]:
    at = _skip(text, opened)
    while text[at] != "}":
        key, end_of_key = _DECODER.raw_decode(text, at)
        value = _skip(text, _skip(text, end_of_key) + 1)
        _, end = _DECODER.raw_decode(text, value)
        yield Entry(key, at, value, end)
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _scalar(value: Any) -> str:
    return json.dumps(value, ensure_ascii=not (isinstance(value, str) and value.isprintable()))
