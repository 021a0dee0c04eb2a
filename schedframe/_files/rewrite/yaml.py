"""Changes a YAML file's values in place: the reader's tokens and events say where everything stands."""

import json
import math
import re
import warnings
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from schedframe._files.config.parsed import Broken
from schedframe._files.rewrite.editor import Editor, Entry
from schedframe._files.rewrite.written import decimal, inline, quoted, same

HAS_COMMENTS = True

_BREAKS = "\n\r\x85\u2028\u2029"
_BREAK = f"\r\n|[{_BREAKS}]"
_COMMENT = re.compile(f"#[^{_BREAKS}]*")
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*[ \t]+(?=#)")
_ANCHORED_WORD = re.compile(r"&\S+[ \t]+([\w.+%-]+)")
_WORD = re.compile(r"[A-Za-z_][\w.%+/-]*|\d+(?:\.\d+)?(?:[KMBTkmbt%]|-[A-Za-z][A-Za-z_-]*)", re.ASCII)
_NO_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_KINDS = {"MappingStartEvent": "table", "SequenceStartEvent": "list", "ScalarEvent": "scalar", "AliasEvent": "alias"}


def comments(text: str) -> list[str]:
    """Return the comments of `text`, which is valid YAML."""
    return [text[start:end] for start, end in _Tokens(text).comments]


def edit(text: str, old: dict[str, Any], new: dict[str, Any]) -> str:
    """Return `text`, which says `old`, changed to say `new`.

    Raises:
        Broken: a key is written in a way that cannot be edited.
    """
    first = _Writer(text)
    first.write_out_aliases(old, {key for key in old if key not in new or not same(old[key], new[key])})
    first.end_with_newline()
    second = _Writer(first.editor.result())
    second.edit_table(second.root, old, new)
    return second.editor.result()


@dataclass
class _Node:
    """A value or a key, as a place in the text.

    Attributes:
        kind: ``table``, ``list``, ``scalar`` or ``alias``.
        start: where it starts, with its anchor and tag.
        opened: where its first token ends, for a table in braces the place after the brace.
        end: where it ends.
        end_of_text: where it ends with the blank lines that belong to a text in block style, else `end`.
        value: what a scalar says.
        style: a scalar's quotes or ``|`` or ``>``; ``{`` for a table or list in flow style.
        children: a list's items, or a table's keys and values in turns.
        target: what an alias stands for.
    """

    kind: str
    start: int
    opened: int
    end: int = 0
    end_of_text: int = 0
    value: str = ""
    style: str = ""
    children: list["_Node"] = field(default_factory=list)
    target: "_Node | None" = None

    @property
    def entries(self) -> list[tuple[str, "_Node", "_Node"]]:
        """A table's keys as words, their places, and their values."""
        keys, values = self.children[::2], self.children[1::2]
        return [((key.target or key).value, key, value) for key, value in zip(keys, values, strict=True)]


class _Writer:
    def __init__(self, text: str) -> None:
        self._tokens = _Tokens(text)
        self.editor = Editor(text, self._tokens.comments, _BREAK)
        self.root = _Composer(text, self._tokens).root()
        if self._tokens.question_marks:
            line = self.editor.line_number(self._tokens.question_marks[0])
            raise Broken("has a key after a question mark, which cannot be edited; write it as 'key: value'", line)

    def write_out_aliases(self, data: dict[str, Any], touched: Iterable[str]) -> None:
        """Replace each alias of something within the keys `touched` by what it stands for."""
        spans = [(key.start, value.end) for name, key, value in self.root.entries if name in set(touched)]
        for alias, target, value in _aliases(self.root, data):
            if any(start <= target.start < end for start, end in spans):
                source = _ANCHORED_WORD.fullmatch(self.editor.text, target.start, target.end)
                self.editor.replace(alias.start, alias.end, source[1] if source else _inline(value))

    def end_with_newline(self) -> None:
        """Add the newline that the text lacks, which must not become a part of a value."""
        text, last = self.editor.text, self.root
        if text.endswith(("\n", "\r")):
            return
        while last.children:
            last = last.children[-1]
        if last.style in ("|", ">") and last.end_of_text == len(text):
            self.editor.replace(last.start, last.end, quoted(last.value))
        self.editor.insert(len(text), self.editor.newline)

    def edit_table(self, table: _Node, old: dict[str, Any], new: dict[str, Any]) -> None:
        for key, place, value in table.entries:
            if key not in new or same(old[key], new[key]):
                continue
            if value.kind == "table" and isinstance(new[key], dict) and (new[key] or value.style):
                self.edit_table(value, old[key], new[key])
            else:
                self._change(place, value, new[key], in_braces=bool(table.style))
        added = {key: value for key, value in new.items() if key not in old}
        gone = old.keys() - new.keys()
        if table.style:
            entries = [Entry(key, place.start, value.start, value.end) for key, place, value in table.entries]
            self.editor.fit_entries(table.opened, entries, gone, [_entry(key, added[key]) for key in added])
        else:
            self._add_lines(table, added)
            self._remove_lines(table, gone)

    def _change(self, key: _Node, value: _Node, new: Any, *, in_braces: bool) -> None:
        said = self._tokens.end_before(value.start)
        as_block = isinstance(new, dict) and bool(new) and not in_braces
        written = "" if as_block else _inline(new)
        in_lines = value.kind in ("table", "list") and not value.style
        if value.start == value.end:
            self.editor.insert(said, f"{':' if said == key.end else ''} {written}".rstrip())
        elif (as_block or in_lines) and self.editor.indent(value.start) is not None:
            self.editor.insert(said, f" {written}".rstrip())
            self.editor.remove(value.start, value.end)
        else:
            self.editor.replace(said if as_block else value.start, value.end, written)
        if as_block:
            indent = self.editor.indent(key.start) or ""
            self.editor.insert(self._below(value), self._lines(new, indent + "  "))

    def _add_lines(self, table: _Node, added: dict[str, Any]) -> None:
        indent = self.editor.indent(table.children[0].start) or ""
        self.editor.insert(self._below(table.children[-1]), self._lines(added, indent))

    def _remove_lines(self, table: _Node, gone: Iterable[str]) -> None:
        for name, key, value in table.entries:
            if name in gone:
                line = self.editor.line_start(key.start)
                if line in self._tokens.ends_of_texts:
                    # Blank lines and indented comments that follow now must not become a part of the text above.
                    self.editor.insert(line, f"{self.editor.indent(key.start)}#{self.editor.newline}")
                self.editor.remove(key.start, value.end)

    def _lines(self, table: dict[str, Any], indent: str) -> str:
        lines = ""
        for key, value in table.items():
            if isinstance(value, dict) and value:
                lines += f"{indent}{_scalar(key)}:{self.editor.newline}{self._lines(value, indent + '  ')}"
            else:
                lines += f"{indent}{_entry(key, value)}{self.editor.newline}"
        return lines

    def _below(self, node: _Node) -> int:
        """Return where the line after a node starts; the blank lines of a text in block style are its own."""
        at = node.end_of_text
        return at if at > node.end and at == self.editor.line_start(at) else self.editor.next_line(at)


class _Tokens:
    """What the tokens of a text say about places in it.

    Attributes:
        comments: the spans of the comments, which are between the tokens.
        origins: for each token, where it starts with the anchor and the tag before it.
        question_marks: where the keys start that are marked as such with ``?``.
        ends_of_texts: the ends of texts in block style.
    """

    def __init__(self, text: str) -> None:
        self.comments: list[tuple[int, int]] = []
        self.origins: dict[int, int] = {}
        self.question_marks: list[int] = []
        self.ends_of_texts: set[int] = set()
        self._ends = [0]
        origin = None
        for token in _read("scan", text):
            start, end = token.start_mark.index, token.end_mark.index
            if end > start:
                self._find_comments(text, self._ends[-1], start)
                self._ends.append(end)
                self.origins[start] = start if origin is None else origin
            origin = self.origins[start] if token.id in ("<anchor>", "<tag>") else None
            if token.id == "?" and end > start:
                self.question_marks.append(start)
            if getattr(token, "style", None) in ("|", ">"):
                self.ends_of_texts.add(end)
                header = _BLOCK_HEADER.match(text, start)
                comment = _COMMENT.match(text, header.end()) if header else None
                self.comments += [comment.span()] if comment else []
        self._find_comments(text, self._ends[-1], len(text))

    def end_before(self, at: int) -> int:
        """Return the end of the last token up to `at`."""
        return self._ends[bisect_right(self._ends, at) - 1]

    def _find_comments(self, text: str, start: int, end: int) -> None:
        self.comments += [match.span() for match in _COMMENT.finditer(text, start, end)]


class _Composer:
    """Builds the tree of nodes from the reader's events."""

    def __init__(self, text: str, tokens: _Tokens) -> None:
        self._text = text
        self._tokens = tokens
        self._anchored: dict[str, _Node] = {}

    def root(self) -> _Node:
        events = _read("parse", self._text)
        return self._node(next(event for event in events if type(event).__name__ in _KINDS), events)

    def _node(self, event: Any, events: Iterator[Any]) -> _Node:
        start = event.start_mark.index
        node = _Node(_KINDS[type(event).__name__], self._tokens.origins.get(start, start), event.end_mark.index)
        if node.kind == "alias":
            node.target = self._anchored[event.anchor]
        elif event.anchor:
            self._anchored[event.anchor] = node
        last = event
        if node.kind == "scalar":
            node.value, node.style = event.value, event.style or ""
        elif node.kind != "alias":
            node.style = "{" if event.flow_style else ""
            for last in events:
                if type(last).__name__ not in _KINDS:
                    break
                node.children.append(self._node(last, events))
        # An empty value, and a block, end for the reader only where the next token starts.
        node.end_of_text = self._tokens.end_before(last.end_mark.index)
        node.end = len(self._text[: node.end_of_text].rstrip(f" \t{_BREAKS}"))
        node.start = min(node.start, node.end)
        return node


def _read(how: str, text: str) -> Iterator[Any]:
    from ruamel.yaml import YAML

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return iter(list(getattr(YAML(typ="safe", pure=True), how)(text)))


def _aliases(node: _Node, data: Any) -> Iterator[tuple[_Node, _Node, Any]]:
    """Find each alias within `node`, which says `data`: its place, what it stands for, and what that says."""
    if node.target is not None:
        yield node, node.target, data
    elif node.kind == "table":
        for name, key, value in node.entries:
            yield from _aliases(key, name)
            yield from _aliases(value, data[name])
    elif node.kind == "list":
        for item, inner in zip(node.children, data, strict=True):
            yield from _aliases(item, inner)


def _entry(key: str, value: Any) -> str:
    return f"{_scalar(key)}: {_inline(value)}"


def _inline(value: Any) -> str:
    return inline(value, _scalar, _scalar, ": ")


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value if _WORD.fullmatch(value) and value.lower() not in _NO_WORDS else quoted(value)
    if isinstance(value, float):
        return decimal(value) if math.isfinite(value) else f"{value}".replace("inf", ".inf").replace("nan", ".nan")
    return json.dumps(value)
