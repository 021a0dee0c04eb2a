"""Follows the variables of a shell script from its first line to its last. Nothing is run, and no file is opened."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from schedframe._files.config.parsed import Broken
from schedframe._files.shell.arithmetic import result_of
from schedframe._files.shell.words import (
    Arithmetic,
    Assignment,
    Command,
    Piece,
    Text,
    Unread,
    Variable,
    Word,
    commands,
    plain,
)

_MOST_PIECES = 100_000
_OPENING = ("if", "for", "while", "until", "case", "select", "function")
_CLOSING = ("fi", "done", "esac", "}")
_KEYWORDS = (*_OPENING, *_CLOSING, "then", "else", "elif", "do", "{", "!", "time")
_SETTING = ("let", "read", "mapfile", "readarray", "unset", "getopts", "printf")
_CLOSING_QUOTES = {"'": ("'", "$'", "\\'"), "$'": ("'", "$'"), '"': ('"',)}
"""What ends each quote, as it is found in a line."""

_TRACED = re.compile(r"\++ (.*)", re.DOTALL)

Field: TypeAlias = tuple[Text | Unread, ...]
"""An expanded word: texts, and what could not be determined."""


@dataclass(frozen=True)
class Expanded:
    """A command with its words expanded.

    Attributes:
        line: where it begins.
        fields: its words.
    """

    line: int
    fields: tuple[Field, ...]


@dataclass
class Script:
    """What a script holds.

    Attributes:
        commands: every command, in the order of the file.
        variables: the words of each variable at the end of the file.
        notes: sentences on what was assumed, each with its line.
    """

    commands: list[Expanded] = field(default_factory=list)
    variables: dict[str, list[Field]] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)


def read(text: str, given: Mapping[str, str]) -> Script:
    """Return the commands of the script `text`, or of what ``bash -x`` printed of one.

    Args:
        text: the script.
        given: variables whose values are not those of the script.

    Raises:
        Broken: the text cannot be read.
    """
    first = next((line for line in text.split("\n") if line.strip()), "")
    if _TRACED.fullmatch(first):
        text = "\n".join(_untraced(text.split("\n")))
    return _Follower(given).follow(commands(text))


def _untraced(lines: list[str]) -> Iterator[str]:
    """Yield the commands that ``bash -x`` printed; what they printed themselves is an empty line each."""
    quote = ""
    for line in lines:
        is_traced = bool(quote) or _TRACED.fullmatch(line) is not None
        kept = line if quote else line.lstrip("+").removeprefix(" ")
        quote = _open_quote(kept, quote) if is_traced else ""
        yield kept if is_traced else ""


def _open_quote(line: str, quote: str) -> str:
    """Return the quote that is open at the end of a line, at whose beginning `quote` is open; empty for none."""
    for mark in re.findall(r"\\.|\$'|['\"]", line):
        if not quote:
            quote = "" if mark[0] == "\\" else mark
        elif mark in _CLOSING_QUOTES[quote]:
            quote = ""
    return quote


def text_of(expanded: Field) -> str | None:
    """Return the text of a word; ``None`` where a part of it could not be determined."""
    return "".join(part.text for part in expanded if isinstance(part, Text)) if not unread_in(expanded) else None


def line_of(expanded: Field) -> int:
    """Return the line on which a word begins."""
    return next((part.line for part in expanded if isinstance(part, Unread) or part.text), expanded[0].line)


def unread_in(expanded: Field) -> Unread | None:
    """Return the first part of a word that could not be determined."""
    return next((part for part in expanded if isinstance(part, Unread)), None)


class _Follower:
    """Knows the value of every variable at one line of the script."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = frozenset(given)
        self._values: dict[str, list[Field]] = {name: [(Text(value, 0),)] for name, value in given.items()}
        self._blocks: list[tuple[str, int]] = []
        self._pieces = 0
        self._is_pattern = False
        self.script = Script()

    def follow(self, found: Iterator[Command]) -> Script:
        for command in found:
            self._follow(command)
        self.script.variables = self._values
        return self.script

    def _follow(self, command: Command) -> None:
        name = plain(command.words[0]) if command.words else ""
        words = command.words
        self._is_pattern = command.follows in (";;", ";&", ";;&") or (self._is_pattern and command.follows != ")")
        if self._is_pattern and name not in _CLOSING:
            return
        while name in _KEYWORDS and words:
            self._keyword(name, command)
            words = words[1:]
            if name in ("for", "select", "case", "function"):
                return
            name = plain(words[0]) if words else ""
        if name in _SETTING:
            self._forget(words[1:], command.line)
        if name in ("source", ".", "eval"):
            self.script.notes[f"`{name}` is not followed; it is assumed to change no variable"] = command.line
        is_lasting = not words or name in ("export", "declare", "local", "readonly", "typeset")
        for assignment in command.assignments:
            if is_lasting:
                self._assign(assignment, command)
        if words:
            fields = tuple(part for word in words for part in self._fields(word))
            if fields:
                self.script.commands.append(Expanded(command.line, fields))

    def _keyword(self, name: str, command: Command) -> None:
        if name in _OPENING or name == "{":
            self._blocks.append((name, command.line))
            self._is_pattern = name == "case"
        elif name in _CLOSING and self._blocks:
            self._blocks.pop()
            self._is_pattern = False
        if name in ("for", "select") and len(command.words) > 1:
            variable = plain(command.words[1])
            values = [part for word in command.words[3:] for part in self._fields(word)]
            what = f"is the variable of the loop on line {command.line}"
            loop = Unread(what, command.line, f"${variable}", tuple((value,) for value in values))
            self._set(variable, [(loop,)])

    def _assign(self, assignment: Assignment, command: Command) -> None:
        before = self._values.get(assignment.name, [])
        if isinstance(assignment.value, list):
            value = [part for word in assignment.value for part in self._fields(word)]
        else:
            value = [self._scalar(assignment.value)]
        if assignment.adds:
            is_array = isinstance(assignment.value, list)
            value = [*before, *value] if is_array else [(*(before or [()])[0], *value[0])]
        if self._blocks or command.follows in ("&&", "||", "|", "("):
            value = self._either(assignment, before, value)
        self._set(assignment.name, value)

    def _either(self, assignment: Assignment, before: list[Field], value: list[Field]) -> list[Field]:
        """Return what a variable holds that may have been assigned: what both values begin with, and what is open."""
        if _texts(before) == _texts(value) is not None:
            return before
        kind, begin = self._blocks[-1] if self._blocks else ("condition", assignment.line)
        what = f"is set within the `{kind}` on line {begin}, which is not evaluated"
        held: tuple[tuple[Field, ...], ...]
        if len(value) == 1 and len(before) < 2:
            old = before[0] if before else ()
            same = _shared(old, value[0])
            held = ((old[same:],), (value[0][same:],))
            return [(*old[:same], Unread(what, assignment.line, f"${assignment.name}", held))]
        same = _shared(before, value)
        held = (tuple(before[same:]), tuple(value[same:]))
        return [*value[:same], (Unread(what, assignment.line, f"${assignment.name}", held),)]

    def _set(self, name: str, value: list[Field]) -> None:
        if name not in self._given:
            self._values[name] = value

    def _forget(self, words: Sequence[Word], line: int) -> None:
        for word in words:
            for name in re.findall(r"[A-Za-z_]\w*", plain(word)):
                if name in self._values:
                    self._set(
                        name, [(Unread(f"is changed on line {line} by a command that is not run", line, f"${name}"),)]
                    )

    def _scalar(self, word: Word) -> Field:
        """Return the value of an assignment, which is not divided."""
        parts: list[Text | Unread] = []
        for piece in word:
            parts += [part for item in self._items(piece) for part in (*item, Text(" ", piece.line))][:-1]
        return tuple(part for part in parts if not isinstance(part, Text) or part.text) or tuple(parts[:1])

    def _fields(self, word: Word) -> Iterator[Field]:
        """Yield the words that `word` expands to."""
        current: list[Text | Unread] | None = None
        for piece in word:
            if isinstance(piece, Text):
                current = [*(current or ()), piece]
                continue
            is_whole = isinstance(piece, Variable) and piece.is_quoted
            for number, item in enumerate(self._items(piece)):
                for index, part in enumerate([list(item)] if is_whole else _divided(item)):
                    if (number or index) and current is not None:
                        yield tuple(current)
                        current = None
                    current = [*(current or ()), *part]
        if current is not None:
            yield tuple(current)

    def _items(self, piece: Piece) -> list[Field]:
        """Return what `piece` stands for: one value, or every item of an array."""
        items = self._looked_up(piece)
        self._pieces += 1 + sum(map(len, items))
        if self._pieces > _MOST_PIECES:
            raise Broken("expands to more than a command line can be", piece.line)
        return items

    def _looked_up(self, piece: Piece) -> list[Field]:
        if isinstance(piece, Text | Unread):
            return [(piece,)]
        if isinstance(piece, Arithmetic):
            return [(self._computed(piece),)]
        if piece.name in ("@", "*"):
            self.script.notes["the script is assumed to be called without arguments"] = piece.line
            return []
        value = self._values.get(piece.name)
        if piece.alternative is not None:
            return [self._alternative(piece, value)]
        if piece.default is not None and (value is None or (piece.if_empty and not _is_filled(value))):
            self.script.notes[f"{piece.name} is not set in the file, and has its default there"] = piece.line
            return [self._scalar(piece.default)]
        if value is None:
            what = "is not set in the file"
            if not piece.name.isidentifier():
                is_argument = piece.name.isdecimal()
                what = "is an argument of the script" if is_argument else "is known only where the script runs"
            return [(Unread(what, piece.line, f"${piece.name}"),)]
        return value if piece.all_items else value[:1]

    def _alternative(self, piece: Variable, value: list[Field] | None) -> Field:
        """Return ``${NAME:+alternative}``; a variable that the file does not set may be set where it runs."""
        written = self._scalar(piece.alternative or ())
        if value is None:
            unread = Unread("is not set in the file", piece.line, f"${piece.name}", ((), (written,)))
            return (unread,)
        return written if _is_filled(value) or not piece.if_empty else ()

    def _computed(self, piece: Arithmetic) -> Text | Unread:
        """Return the value of an arithmetic expression of integers."""
        written = f"$(({piece.expression}))"
        names: dict[str, int] = {}
        for name in re.findall(r"[A-Za-z_]\w*", piece.expression):
            value = self._values.get(name)
            text = None if not value else text_of(value[0])
            if text is None or not re.fullmatch(r"\s*[+-]?(0|[1-9][0-9]{0,29})\s*", text):
                return Unread(f"needs {name}, which is not an integer that the file determines", piece.line, written)
            names[name] = int(text)
        result = result_of(re.sub(r"\$\{?(\w+)\}?", r"\1", piece.expression), names)
        if result is None:
            return Unread("is not integer arithmetic with + - * / % ** and brackets", piece.line, written)
        return Text(str(result), piece.line)


def _texts(fields: Sequence[Field]) -> list[str] | None:
    """Return the texts of words; ``None`` where one of them could not be determined."""
    texts = [text_of(item) for item in fields]
    return None if None in texts else [text for text in texts if text is not None]


def _shared(one: Sequence[object], other: Sequence[object]) -> int:
    """Return how many items two sequences have in common at their beginnings."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _is_filled(value: list[Field]) -> bool:
    return bool(value) and text_of(value[0]) != ""


def _divided(item: Field) -> list[list[Text | Unread]]:
    """Divide a value at white space, as the shell does with a variable that is not quoted."""
    words: list[list[Text | Unread]] = []
    is_open = False
    for part in item:
        if isinstance(part, Unread):
            if not is_open or _is_apart(part):
                words.append([])
            words[-1].append(part)
            is_open = True
            continue
        for text in re.findall(r"\s+|\S+", part.text):
            if text.isspace():
                is_open = False
                continue
            if not is_open:
                words.append([])
            words[-1].append(Text(text, part.line))
            is_open = True
    return words


def _is_apart(unread: Unread) -> bool:
    """Return whether white space comes first in all that `unread` can be, as where words are added to a variable."""
    first = [alternative[0][0] for alternative in unread.held if alternative and alternative[0]]
    return bool(first) and all(isinstance(part, Text) and part.text[:1].isspace() for part in first)


def divided(fields: Sequence[Field]) -> list[Field]:
    """Return `fields` divided at white space, as ``eval`` and ``bash -c`` do."""
    return [tuple(part) for item in fields for part in _divided(item)]
