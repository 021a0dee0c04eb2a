"""One document as YAML, TOML and JSON: the line of every key and item is the one on which it stands."""

import json
import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schedframe._files.config import json as json_format
from schedframe._files.config import toml, yaml

KEYS = st.text("abcdef-_09", min_size=1, max_size=6) | st.sampled_from(
    ["a.b", 'q"uote', "two words", "ü", "'", "#", "="]
)
SCALARS = st.integers(-9, 10**6) | st.booleans() | st.text("xy #=[]{},'\"\n.\\", max_size=6) | st.floats(0, 1)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
TABLES = st.dictionaries(KEYS, DOCUMENTS, min_size=1, max_size=5)

Lines = dict[str, int]


class Writer:
    """Writes a text, and notes where it wrote each key and item."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.text = ""
        self.lines: Lines = {}

    def note(self, path: tuple[str, ...]) -> None:
        dotted = ".".join(path)
        assume(dotted not in self.lines)  # keys have dots here, so that two places can have one dotted path
        self.lines[dotted] = self.text.count("\n") + 1

    def gap(self, *gaps: str) -> None:
        self.text += self.draw(st.sampled_from(["", " ", *gaps]))

    def flow(self, value: Any, path: tuple[str, ...], assign: str, gap: str, spell: Any = json.dumps) -> None:
        """Write `value` in brackets, with a `gap` here and there."""
        if not isinstance(value, dict | list):
            self.text += json.dumps(value)
            return
        is_table = isinstance(value, dict)
        gaps = [gap] if not is_table or assign == ":" else []
        self.text += "{" if is_table else "["
        for index, key in enumerate(value):
            self.text += "," if index else ""
            self.gap(*gaps)
            inner = (*path, key if is_table else str(index))
            self.note(inner)
            self.text += f"{spell(key)}{assign} " if is_table else ""
            self.flow(value[key] if is_table else key, inner, assign, gap, spell)
            self.gap(*gaps)
        self.text += "}" if is_table else "]"


def toml_key(key: str) -> str:
    return key if re.fullmatch("[A-Za-z0-9_-]+", key) else json.dumps(key)


def write_toml(writer: Writer, table: dict[str, Any], path: tuple[str, ...]) -> None:
    """Write `table`: some of its tables and lists of tables under headers, everything else first."""
    under = {
        key
        for key, value in table.items()
        if (
            isinstance(value, dict) or (isinstance(value, list) and value and all(type(item) is dict for item in value))
        )
        and writer.draw(st.booleans())
    }
    for key, value in table.items():
        if key not in under:
            writer.note((*path, key))
            writer.text += f"{toml_key(key)} = "
            writer.flow(value, (*path, key), " =", "# ] } \" '''\n", toml_key)
            writer.text += writer.draw(st.sampled_from(["\n", "  # a = 1\n", "\n\n"]))
    for key in table:
        if key in under:
            name = ".".join(map(toml_key, (*names(path), key)))
            for index, item in enumerate([table[key]] if isinstance(table[key], dict) else table[key]):
                inner = (*path, key)
                writer.note(inner)
                if isinstance(table[key], list):
                    inner = (*inner, str(index))
                    writer.note(inner)
                    writer.text += f"[[{name}]]\n"
                else:
                    writer.text += f"[ {name} ] # [x]\n"
                write_toml(writer, item, Inside(inner, (*names(path), key)))


class Inside(tuple):
    """A path, and the names in it that are keys, not places in lists."""

    def __new__(cls, path: tuple[str, ...], keys: tuple[str, ...]) -> "Inside":
        made = super().__new__(cls, path)
        made.keys = keys
        return made


def names(path: tuple[str, ...]) -> tuple[str, ...]:
    return getattr(path, "keys", ())


def write_yaml(writer: Writer, value: Any, path: tuple[str, ...], indent: str) -> None:
    """Write `value` in blocks, or in brackets."""
    if not isinstance(value, dict | list) or not value or writer.draw(st.booleans()):
        writer.text += " "
        writer.flow(value, path, ":", f"\n {indent}")
        writer.text += "\n"
        return
    writer.text += "\n"
    for index, key in enumerate(value):
        inner = (*path, key if isinstance(value, dict) else str(index))
        writer.text += writer.draw(st.sampled_from(["", "# a: 1\n", "\n"])) + indent
        writer.note(inner)
        if isinstance(value, dict):
            writer.text += f"{json.dumps(key)}:"
            write_yaml(writer, value[key], inner, f"{indent}  ")
        else:
            writer.text += "- "
            writer.flow(key, inner, ":", f"\n   {indent}")
            writer.text += "\n"


@given(st.data(), TABLES)
def test_of_json(data, table):
    writer = Writer(data.draw)
    writer.flow(table, (), ":", "\n\t")
    parsed = json_format.parse(writer.text)
    assert (parsed.data, parsed.lines) == (table, writer.lines)


@given(st.data(), TABLES)
def test_of_toml(data, table):
    writer = Writer(data.draw)
    write_toml(writer, table, ())
    parsed = toml.parse(writer.text)
    assert (parsed.data, parsed.lines) == (table, writer.lines)


@given(st.data(), TABLES)
def test_of_yaml(data, table):
    writer = Writer(data.draw)
    for key, value in table.items():
        writer.note((key,))
        writer.text += f"{json.dumps(key)}:"
        write_yaml(writer, value, (key,), "  ")
    parsed = yaml.parse(writer.text)
    assert (parsed.data, parsed.lines) == (table, writer.lines)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('[[a]]\nb = 1\n[[a]]\nb.c = 2\n', {"a": 1, "a.0": 1, "a.0.b": 2, "a.1": 3, "a.1.b": 4, "a.1.b.c": 4}),
        ("[[a]]\n[a.b]\nc = 1\n[[a.d]]\n[[a.d]]\ne = 1\n", {
            "a": 1, "a.0": 1, "a.0.b": 2, "a.0.b.c": 3, "a.0.d": 4, "a.0.d.0": 4, "a.0.d.1": 5, "a.0.d.1.e": 6,
        }),
        ('a = [\n  1, # ]\n  [2,\n3],\n]\nb = 1\n', {"a": 1, "a.0": 2, "a.1": 3, "a.1.0": 3, "a.1.1": 4, "b": 6}),
        ('a = """\nb = 1\n"""""\nc = \'\'\'\n\'\'\'\'\nd = 1\n', {"a": 1, "c": 4, "d": 6}),
        ('a = 1979-05-27 07:32:00.5\n"b\\u0062" = { c.d = 1.5, e = "}" }\n', {
            "a": 1, "bb": 2, "bb.c": 2, "bb.c.d": 2, "bb.e": 2,
        }),
    ],
    ids=["array of tables", "tables in it", "lists", "quotes at an end", "a date and an escape"],
)  # fmt: skip
def test_of_toml_that_is_hard_to_read(text, lines):
    assert toml.parse(text).lines == lines


def test_a_key_with_a_dot_is_no_second_one_of_a_path():
    assert json_format.parse('{"a.b": 1, "a": {"b": 2}}').problems == []
