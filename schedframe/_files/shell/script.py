"""Follows the variables of a shell script from its first line to its last. Nothing is run, and no file is opened."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import TypeAlias

from schedframe._files.config.parsed import DEEPEST, Broken, too_deep
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
    commands_in,
    plain,
)

SILENT = ("echo", "printf", "#", ":", "true", "false", "test", "[", "[[", "alias")
"""Commands that run none of their words."""

_MOST_PIECES = 100_000
_MOST_COPIES = 1_000_000
_MOST_STEPS = 100_000
_OPENING = ("if", "for", "while", "until", "case", "select", "function")
_CLOSING = ("fi", "done", "esac", "}")
_KEYWORDS = (*_OPENING, *_CLOSING, "then", "else", "elif", "do", "{", "!", "time")
_LOOPS = ("for", "while", "until", "select")
_ENDS = {"if": "fi", "case": "esac", "{": "}", "(": ")", **dict.fromkeys(_LOOPS, "done")}
_CONDITIONS = ("&&", "||")
_PIPES = ("|", "|&")
_APART = (*_PIPES, "&")
"""What follows a command that runs in a shell of its own."""

_SEPARATE = ("if", "elif", "then", "else", "while", "until", "do", "{", "!", "time")
_HIDING = ("env", "ssh", "sudo", "su", "docker", "podman", "singularity", "apptainer", "kubectl", "enroot")
"""Programs that may run a shell without the variables that are exported."""

_SHELLS = ("bash", "sh", "zsh", "dash")
_DECLARING = ("export", "declare", "local", "readonly", "typeset")
_SETTING = ("let", "read", "mapfile", "readarray", "unset", "getopts", "printf")
_NAMED = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")
_WHOLE_NAME = re.compile(r"[A-Za-z_]\w*")
_CHANGED = re.compile(r"([A-Za-z_]\w*)\s*(?:(?:[-+*/%&|^]|<<|>>)?=(?!=)|\+\+|--)|(?:\+\+|--)\s*([A-Za-z_]\w*)")
"""A variable that arithmetic changes."""

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
    is_traced = _TRACED.fullmatch(first) is not None
    if is_traced:
        text = "\n".join(_untraced(text.split("\n")))
    return _Follower(given, is_traced).follow(list(_separated(commands(text))))


def _separated(found: Iterable[Command]) -> Iterator[Command]:
    """Yield commands, those behind a keyword such as ``then`` as commands of their own."""
    for command in found:
        rest = command
        while rest.words and (name := plain(rest.words[0])) in _SEPARATE and (rest.words[1:] or rest.assignments):
            yield Command(rest.line, rest.follows, words=rest.words[:1])
            follows = rest.follows if name in ("!", "time") else "\n"
            rest = replace(rest, words=rest.words[1:], follows=follows)
        yield rest


def _first(command: Command) -> str:
    return plain(command.words[0]) if command.words else ""


def _end(found: Sequence[Command], begin: int) -> int:
    """Return the place of the command that ends the one at `begin`; the last where none does."""
    closing = _ENDS.get(_first(found[begin]))
    depth = 0
    for at in range(begin, len(found)):
        name = _first(found[at])
        depth += (_ENDS.get(name) == closing) - (name == closing)
        if closing is None or depth <= 0:
            return at
    return len(found) - 1


class _ShellEnds(Exception):
    """``exit``: no command of this shell is run behind it."""


class _FunctionEnds(Exception):
    """``return``."""


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

    def __init__(self, given: Mapping[str, str], is_traced: bool) -> None:
        self._given = frozenset(given)
        self._is_traced = is_traced
        self._values: dict[str, list[Field]] = {name: [(Text(value, 0),)] for name, value in given.items()}
        self._exported: set[str] = set(given)
        self._perhaps_exported: set[str] = set()
        self._exports_all = self._perhaps_exports_all = False
        self._constant: set[str] = set()
        self._computed_names: set[str] = set()
        self._perhaps_defined: set[str] = set()
        self._blocks: list[tuple[str, int]] = []
        self._functions: dict[str, list[Sequence[Command]]] = {}
        self._called: set[str] = set()
        self._active: list[str] = []
        self._hidden: list[dict[str, list[Field] | None]] = []
        self._base = 0
        self._arguments: list[Field] | None = None
        self._pieces = self._copies = self._steps = self._depth = 0
        self._earliest = 0
        self._is_pattern = self._is_conditional = False
        self._is_recording = True
        self.script = Script()

    def follow(self, found: Sequence[Command]) -> Script:
        with suppress(_ShellEnds):
            self._follow_all(found)
        for name, bodies in list(self._functions.items()):
            if name not in self._called:
                line = bodies[0][0].line
                self._blocks = [("function", line)]
                unread = Unread("is an argument of a function", line, "$@")
                with suppress(_ShellEnds):
                    self._call(name, [(unread,)], Command(line, "\n"))
        self.script.variables = self._values
        return self.script

    def _follow_all(self, found: Sequence[Command]) -> None:
        at = 0
        while at < len(found):
            name = _first(found[at])
            self._notice_patterns(found[at])
            if self._is_traced or self._is_pattern or name not in (*_LOOPS, "{", "(", "function"):
                self._follow(found[at])
                at += 1
                continue
            begin = min(at + (name == "function"), len(found) - 1)
            end = _end(found, begin)
            body = found[begin : end + 1]
            if name == "function":
                self._define(found[at], body)
            else:
                with self._deeper(found[at].line), self._apart(name == "(" or found[end].ends in _APART):
                    self._follow_compound(name, body)
            at = end + 1

    def _notice_patterns(self, command: Command) -> None:
        """Notice whether `command` is a pattern of ``case``."""
        is_behind = self._is_pattern and command.follows != ")" and _first(command) not in _CLOSING
        self._is_pattern = is_behind or (command.follows in (";;", ";&", ";;&") and _first(command) not in _CLOSING)

    def _follow_compound(self, name: str, body: Sequence[Command]) -> None:
        """Follow a subshell, a group, or a loop: what its last run sets is known in its first only if both agree."""
        if name in _LOOPS and self._is_recording:
            kept = list(self._blocks)
            self._is_recording = False
            self._follow(body[0])
            self._follow_all(body[1:])
            self._is_recording, self._blocks = True, kept
        self._follow(body[0])
        self._follow_all(body[1:])

    @contextmanager
    def _deeper(self, line: int) -> Iterator[None]:
        self._depth += 1
        if self._depth > DEEPEST:
            raise too_deep(line)
        try:
            yield
        finally:
            self._depth -= 1

    @contextmanager
    def _apart(self, is_apart: bool) -> Iterator[None]:
        """Leave out what is set within, where that is a shell of its own."""
        if not is_apart:
            yield
            return
        kept = self._copied()
        arguments, functions, blocks = self._arguments, dict(self._functions), list(self._blocks)
        names = self._exported, self._perhaps_exported, self._constant, self._computed_names
        self._exported, self._perhaps_exported = set(self._exported), set(self._perhaps_exported)
        self._constant, self._computed_names = set(self._constant), set(self._computed_names)
        exports = self._exports_all, self._perhaps_exports_all
        try:
            with suppress(_ShellEnds):
                yield
        finally:
            self._values, self._arguments, self._blocks = kept, arguments, blocks
            self._functions = functions
            self._exported, self._perhaps_exported, self._constant, self._computed_names = names
            self._exports_all, self._perhaps_exports_all = exports

    def _copied(self) -> dict[str, list[Field]]:
        self._copies += 1 + len(self._values)
        if self._copies > _MOST_COPIES:
            raise Broken("has more shells within shells than are followed", 1)
        return dict(self._values)

    def _define(self, command: Command, body: Sequence[Command]) -> None:
        name = plain(command.words[1]) if len(command.words) > 1 else ""
        is_sure = not self._is_within_condition(command)
        self._functions[name] = [*(() if is_sure else self._functions.get(name, ())), body]
        self._perhaps_defined = self._perhaps_defined - {name} if is_sure else self._perhaps_defined | {name}
        self._called.discard(name)

    def _is_within_condition(self, command: Command) -> bool:
        return command.follows in _CONDITIONS or any(kind for kind, _ in self._blocks)

    def _call(self, name: str, arguments: list[Field], command: Command) -> None:
        """Follow the function `name`, whose commands are on their own lines, or on that of a later call."""
        if name in self._active:
            sentence = f"{name} calls itself, and the inner call is assumed to change no variable"
            self.script.notes[sentence] = command.line
            return
        bodies = self._functions[name]
        kept = self._arguments, list(self._blocks), self._is_pattern, self._earliest, self._base
        self._arguments, self._is_pattern, self._base = arguments, False, len(self._blocks)
        if command.follows in _CONDITIONS or name in self._perhaps_defined:
            self._blocks.append(("condition", command.line))
        if name in self._called:
            self._earliest = max(self._earliest, command.line)
        self._called.add(name)
        self._active.append(name)
        self._hidden.append({})
        constant, computed = set(self._constant), set(self._computed_names)
        for assignment in command.assignments:
            self._hide(assignment.name)
            self._assign(assignment.name, self._value_of(assignment), command, assignment)
        try:
            for body in bodies:
                with self._deeper(command.line), suppress(_FunctionEnds):
                    self._follow_all(body)
        finally:
            hidden = self._hidden.pop()
            self._constant -= hidden.keys() - constant
            self._computed_names -= hidden.keys() - computed
            for local, value in hidden.items():
                self._restore(local, value)
            self._active.pop()
            self._arguments, self._blocks, self._is_pattern, self._earliest, self._base = kept

    def _hide(self, name: str) -> None:
        """Let the value of `name` come back where the function ends."""
        self._hidden[-1].setdefault(name, self._values.get(name))

    def _restore(self, name: str, value: list[Field] | None) -> None:
        if value is None:
            self._values.pop(name, None)
        else:
            self._values[name] = value

    def _follow_text(self, parts: Field, command: Command, arguments: list[Field] | None, *, is_sure: bool) -> None:
        """Follow what another shell runs, which has the variables that are exported, if it `is_sure` to have those."""
        kept = self._arguments, self._earliest, self._is_pattern
        with self._deeper(command.line), self._apart(is_apart=True):
            before = [(assignment.name, self._value_of(assignment)) for assignment in command.assignments]
            unread = Unread("is perhaps not exported to the shell that uses it", command.line)
            perhaps = self._perhaps_exported if is_sure else self._values.keys()
            unsure: dict[str, list[Field]] = {
                name: [(replace(unread, written=f"${name}"),)] for name in perhaps if name in self._values
            }
            exported = {name: self._values[name] for name in self._exported if name in self._values}
            self._copies += len(unsure) + len(exported)
            self._values = {**exported, **{name: value for name, value in unsure.items() if name not in self._given}}
            self._is_pattern, self._blocks = False, []
            for name, value in before:
                self._set(name, value)
            self._arguments, self._earliest = arguments, max(self._earliest, command.line)
            self._follow_all(list(_separated(commands_in(parts, self._depth))))
        self._arguments, self._earliest, self._is_pattern = kept

    def _follow(self, command: Command) -> None:
        is_program = _first(command) in ("command", "builtin")
        while _first(command) in ("command", "builtin") and len(command.words) > 1:
            command = replace(command, words=command.words[1:])
        words = command.words
        name = _first(command)
        if self._active:
            self._steps += 1
            if self._steps > _MOST_STEPS:
                raise Broken("calls more functions than are followed", command.line)
        if self._is_pattern or name in ("(", ")"):
            return
        if name in _KEYWORDS:
            if not self._is_traced:
                self._keyword(name, command)
            return
        self._is_conditional = self._is_within_condition(command)
        is_apart = command.ends in _APART or command.follows in _PIPES
        if name in _SETTING:
            self._change(name, words[1:], command)
        elif name in _DECLARING:
            if not is_apart:
                self._declare(name, words[1:], command)
            return
        if not words and not is_apart:
            for assignment in command.assignments:
                self._assign(assignment.name, self._value_of(assignment), command, assignment)
        elif words:
            fields = tuple(part for word in words for part in self._fields(word))
            if fields:
                with self._apart(is_apart):
                    self._run(fields, command, is_program)

    def _run(self, fields: tuple[Field, ...], command: Command, is_program: bool) -> None:
        """Follow a command that is no keyword and sets no variable by its name; where it `is_program`, no function."""
        name = text_of(fields[0]) or ""
        if name != _first(command) and name in _DECLARING:
            self._declare(name, fields[1:], command)
        elif name != _first(command) and name in _SETTING:
            self._change(name, fields[1:], command)
        elif name in self._functions and not (self._is_traced or is_program):
            self._call(name, list(fields[1:]), command)
        elif name == "eval" and len(fields) > 1 and any(isinstance(part, Text) and part.text for part in fields[1]):
            parts = tuple(part for item in fields[1:] for part in (*item, Text(" ", command.line)))
            with self._deeper(command.line):
                kept, self._earliest = self._earliest, max(self._earliest, command.line)
                conditions = list(self._blocks)
                if command.follows in _CONDITIONS:
                    self._blocks.append(("condition", command.line))
                self._follow_all(list(_separated(commands_in(parts, self._depth))))
                self._earliest, self._blocks = kept, conditions
        elif name in ("source", ".", "eval"):
            self.script.notes[f"`{name}` is not followed; it is assumed to change no variable"] = command.line
        elif name == "set":
            self._set_arguments(fields[1:], command)
        elif name == "shift" and self._arguments is not None:
            count = text_of(fields[1]) if len(fields) > 1 else "1"
            is_known = count is not None and count.isdecimal() and len(count) < 9 and not self._is_conditional
            unread = Unread(f"is changed on line {command.line} by a command that is not run", command.line, "$@")
            self._arguments = self._arguments[int(count or 0) :] if is_known else [(unread,)]
        elif name in ("exit", "return") and not self._is_traced:
            self._leave(name, command)
        else:
            self._record(fields, command)
            if name == "exec" and len(fields) > 1 and not (self._is_conditional or self._is_traced):
                raise _ShellEnds

    def _leave(self, name: str, command: Command) -> None:
        if not self._is_conditional:
            raise _FunctionEnds if name == "return" and self._active else _ShellEnds
        if name == "return":
            self._blocks.insert(self._base, ("condition", command.line))

    def _record(self, fields: tuple[Field, ...], command: Command) -> None:
        """Keep a command, and follow what it lets another shell run."""
        kept: list[Field] = []
        at = 0
        is_read = text_of(fields[0]) not in SILENT
        while at < len(fields):
            parts = fields[at]
            place = self._place_of_text(fields, at) if is_read else 0
            if place:
                texts = [text_of(part) or "" for part in fields[:at]]
                is_sure = not any(text.rpartition("/")[2] in _HIDING for text in texts)
                self._follow_text(fields[place], command, list(fields[place + 2 :]), is_sure=is_sure)
                break
            if is_read and _is_run(fields, at):
                begins = parts[0].text.removeprefix("--wrap=") if isinstance(parts[0], Text) else ""
                self._follow_text((Text(begins, parts[0].line), *parts[1:]), command, [], is_sure=False)
            else:
                kept.append(parts)
            is_read = is_read and not (text_of(parts) or "").endswith(".py")
            at += 1
        if kept and self._is_recording:
            self.script.commands.append(Expanded(max(self._earliest, command.line), tuple(kept)))

    def _place_of_text(self, fields: Sequence[Field], at: int) -> int:
        """Return where the text is that the shell at `at` runs; 0 where there is none."""
        if (text_of(fields[at]) or "").rpartition("/")[2] not in _SHELLS:
            return 0
        for place in range(at + 1, len(fields) - 1):
            option = text_of(fields[place]) or ""
            if re.fullmatch(r"-\w*c", option):
                return place + 1
            if option[:1] not in ("-", "+") and option != "pipefail":
                return 0
        return 0

    def _set_arguments(self, fields: Sequence[Field], command: Command) -> None:
        """Follow ``set``: its options, and the arguments of the script that it sets."""
        texts = [text_of(item) for item in fields]
        if "-a" in texts or "allexport" in texts:
            self._exports_all = self._exports_all or not self._is_conditional
            self._perhaps_exports_all = True
        options = list(takewhile(lambda text: text is not None and text[:1] in ("-", "+") and text != "--", texts))
        rest = list(fields[len(options) :])
        if texts[len(options) : len(options) + 1] == ["--"]:
            rest = rest[1:]
        elif not rest or (options and options[-1] is not None and options[-1].endswith("o")):
            return
        unread = Unread(f"is set within a condition on line {command.line}", command.line, "$@")
        self._arguments = [(unread,)] if self._is_conditional else rest

    def _keyword(self, name: str, command: Command) -> None:
        if name in _OPENING:
            self._blocks.append((name, command.line))
            self._is_pattern = name == "case"
        elif name == "{":
            self._blocks.append(("condition" if command.follows in _CONDITIONS else "", command.line))
        elif name in _CLOSING and self._blocks:
            self._blocks.pop()
            self._is_pattern = False
        if name in ("for", "select") and len(command.words) > 1:
            variable = plain(command.words[1])
            values = [part for word in command.words[3:] for part in self._fields(word)]
            what = f"is the variable of the loop on line {command.line}"
            loop = Unread(what, command.line, f"${variable}", tuple((value,) for value in values))
            self._set(variable, [(loop,)])

    def _declare(self, name: str, words: Sequence[Word], command: Command) -> None:
        """Follow ``export``, ``declare`` and their like."""
        options = "".join(plain(word)[1:] for word in words if plain(word)[:1] in ("-", "+"))
        found = [(each.name, self._value_of(each), each) for each in command.assignments]
        names = [each.name for each in command.assignments]
        for word in words:
            parts = self._scalar(word)
            known = [part for part in takewhile(lambda part: isinstance(part, Text), parts) if isinstance(part, Text)]
            variable, is_assigned, value = "".join(part.text for part in known).partition("=")
            if _WHOLE_NAME.fullmatch(variable):
                names.append(variable)
                if is_assigned:
                    rest = (Text(value, command.line), *parts[len(known) :])
                    found.append((variable, [rest], Assignment(variable, rest, False, command.line)))
            elif unread_in(parts):
                sentence = f"`{name}` with words that are not known is assumed to change no variable that the file sets"
                self.script.notes[sentence] = command.line
        if self._hidden and name in ("local", "declare", "typeset") and "g" not in options:
            for variable in names:
                self._hide(variable)
                if variable not in self._given and not any(variable == other for other, _, _ in found):
                    self._values.pop(variable, None)
        if any(letter in options for letter in "iulnc"):
            self._computed_names.update(names)
        if "n" in options and name != "export":
            others = {text for _, items, _ in found for item in items if (text := text_of(item))}
            self._computed_names.update(others)
            self._forget(others, command.line)
        if name == "export" or "x" in options:
            self._export(names, is_sure=not (self._is_conditional or (self._hidden and name != "export")))
            if "n" in options:
                self._exported.difference_update(names)
        for variable, items, assignment in found:
            self._assign(variable, items, command, assignment)
        if name == "readonly" or "r" in options:
            (self._computed_names if self._is_conditional else self._constant).update(names)

    def _export(self, names: Iterable[str], *, is_sure: bool) -> None:
        (self._exported if is_sure else self._perhaps_exported).update(names)

    def _value_of(self, assignment: Assignment) -> list[Field]:
        """Return the words of the variable that an assignment makes."""
        before = self._values.get(assignment.name, [])
        if isinstance(assignment.value, list):
            items = [part for word in assignment.value for part in self._fields(word)]
            return [*before, *items] if assignment.adds else items
        value = self._scalar(assignment.value)
        if assignment.adds:
            value = (*(before or [()])[0], *value)
        is_item = isinstance(assignment.value, tuple) and len(before) > 1
        return [value, *before[1:]] if is_item else [value]

    def _assign(self, name: str, value: list[Field], command: Command, assignment: Assignment) -> None:
        if name in self._computed_names:
            unread = Unread("is declared so that its value is not read", assignment.line, f"${name}")
            value = [(unread,)]
        if self._is_within_condition(command):
            value = self._either(assignment, self._values.get(name, []), value)
        self._set(name, value)

    def _either(self, assignment: Assignment, before: list[Field], value: list[Field]) -> list[Field]:
        """Return what a variable holds that may have been assigned: what both values begin with, and what is open."""
        if _texts(before) == _texts(value) is not None:
            return before
        kind, begin = next((block for block in reversed(self._blocks) if block[0]), ("condition", assignment.line))
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
        if name not in self._given and name not in self._constant:
            self._values[name] = value
        if self._exports_all:
            self._exported.add(name)
        elif self._perhaps_exports_all:
            self._perhaps_exported.add(name)

    def _change(self, name: str, words: Sequence[Word], command: Command) -> None:
        """Follow a command that gives variables values which only running it would determine."""
        texts = [text_of(self._scalar(word)) or "" for word in words]
        names = {text for text in texts if _WHOLE_NAME.fullmatch(text)}
        if name == "let":
            names = _changed_in(" ".join(texts))
        elif name == "printf":
            names = set(texts[1:2]) if texts[:1] == ["-v"] else set()
        elif name == "unset":
            if "-f" in texts:
                self._perhaps_defined |= set(texts)
                return
            names = {found for text in texts for found in _WHOLE_NAME.findall(text)}
            for variable in names.intersection(texts) if not self._is_conditional else ():
                if variable not in self._given and variable not in self._constant:
                    self._values.pop(variable, None)
                    self._exported.discard(variable)
                names.discard(variable)
        elif name == "getopts":
            names |= {"OPTARG", "OPTIND"}
        self._forget(names or ({"REPLY", "MAPFILE"} if name in ("read", "mapfile", "readarray") else ()), command.line)

    def _forget(self, names: Iterable[str], line: int) -> None:
        for name in names:
            unread = Unread(f"is changed on line {line} by a command that is not run", line, f"${name}")
            self._set(name, [(unread,)])

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
                current = current or []
                current.append(piece)
                continue
            is_whole = isinstance(piece, Variable) and piece.is_quoted
            if not is_whole and "IFS" in self._values:
                yield (*(current or ()), Unread("is divided at IFS, which is not read", piece.line, _written(piece)))
                current = None
                continue
            for number, item in enumerate(self._items(piece)):
                for index, part in enumerate([list(item)] if is_whole else _divided(item)):
                    if (number or index) and current is not None:
                        yield tuple(current)
                        current = None
                    current = current or []
                    current += part
        if current is not None:
            yield tuple(current)

    def _items(self, piece: Piece) -> list[Field]:
        """Return what `piece` stands for: one value, or every item of an array."""
        items = self._looked_up(piece)
        if isinstance(piece, Variable) and piece.joins:
            items = [tuple([part for item in items for part in (*item, Text(" ", piece.line))][:-1])]
        self._pieces += 1 + sum(map(len, items))
        if self._pieces > _MOST_PIECES:
            raise Broken("expands to more than a command line can be", piece.line)
        return items

    def _looked_up(self, piece: Piece) -> list[Field]:
        if isinstance(piece, Text | Unread):
            return [(piece,)]
        if isinstance(piece, Arithmetic):
            return [(self._computed(piece),)]
        if piece.name in ("@", "*") and self._arguments is None:
            self.script.notes["the script is assumed to be called without arguments"] = piece.line
            return []
        if not piece.name.isidentifier() and piece.name != "0" and self._arguments is not None:
            return self._argument(piece, self._arguments)
        value = self._values.get(piece.name)
        if piece.alternative is not None:
            return [self._alternative(piece, value)]
        if piece.default is not None and (value is None or (piece.if_empty and not _is_filled(value))):
            self.script.notes[f"{piece.name} is not set in the file, and has its default there"] = piece.line
            default = self._scalar(piece.default)
            if piece.assigns:
                before = self._values.get(piece.name, [])
                assignment = Assignment(piece.name, default, False, piece.line)
                is_sure = not self._is_conditional
                self._set(piece.name, [default] if is_sure else self._either(assignment, before, [default]))
            return [default]
        if value is None:
            what = "is not set in the file"
            if not piece.name.isidentifier():
                is_argument = piece.name.isdecimal()
                what = "is an argument of the script" if is_argument else "is known only where the script runs"
            return [(Unread(what, piece.line, f"${piece.name}"),)]
        return value if piece.all_items else value[:1]

    def _argument(self, piece: Variable, arguments: list[Field]) -> list[Field]:
        """Return what ``$1`` and its like stand for within a function, or behind ``set``."""
        if piece.name in ("@", "*"):
            return arguments
        if piece.name == "#" or piece.name.isdecimal():
            count = len(arguments) if piece.name == "#" else min(int(piece.name[:9]), len(arguments) + 1)
            unread = next(
                (found for item in arguments[: count - (piece.name != "#")] if (found := unread_in(item))), None
            )
            if unread is not None:
                what = "is behind an argument that is not known"
                return [(Unread(what, piece.line, f"${piece.name}"),)]
            if piece.name == "#":
                return [(Text(str(count), piece.line),)]
            value = arguments[count - 1] if count <= len(arguments) else None
            if piece.alternative is not None:
                return [() if value is None else self._alternative(piece, [value])]
            if piece.default is not None and (value is None or (piece.if_empty and not _is_filled([value]))):
                return [self._scalar(piece.default)]
            return [()] if value is None else [value]
        return [(Unread("is known only where the script runs", piece.line, f"${piece.name}"),)]

    def _alternative(self, piece: Variable, value: list[Field] | None) -> Field:
        """Return ``${NAME:+alternative}``; a variable that the file does not set may be set where it runs."""
        written = self._scalar(piece.alternative or ())
        if value is None or (
            value and unread_in(value[0]) and not any(isinstance(p, Text) and p.text for p in value[0])
        ):
            what = "is not set in the file" if value is None else "is not known"
            return (Unread(what, piece.line, f"${piece.name}", ((), (written,))),)
        return written if _is_filled(value) or not piece.if_empty else ()

    def _computed(self, piece: Arithmetic) -> Text | Unread:
        """Return the value of an arithmetic expression of integers."""
        written = f"$(({piece.expression}))"
        names: dict[str, int] = {}
        if changed := _changed_in(piece.expression):
            self._forget(changed, piece.line)
            return Unread("changes a variable, which is not read", piece.line, written)
        for name in re.findall(r"[A-Za-z_]\w*", piece.expression):
            value = self._values.get(name)
            text = None if not value else text_of(value[0])
            if text is None or not re.fullmatch(r"\s*[+-]?(0|[1-9][0-9]{0,29})\s*", text):
                return Unread(f"needs {name}, which is not an integer that the file determines", piece.line, written)
            names[name] = int(text)
        result = result_of(_NAMED.sub(r"\1\2", piece.expression), names)
        if result is None:
            return Unread("is not integer arithmetic with + - * / % ** and brackets", piece.line, written)
        return Text(str(result), piece.line)


def _changed_in(expression: str) -> set[str]:
    """Return the variables that arithmetic changes."""
    return {one or other for one, other in _CHANGED.findall(expression)}


def _written(piece: Piece) -> str:
    return f"${piece.name}" if isinstance(piece, Variable) else getattr(piece, "written", "") or "$((...))"


def _is_run(fields: Sequence[Field], at: int) -> bool:
    """Return whether a word is a command with flags, which another shell may run, and not the value of a flag."""
    parts = [text_of(part) or "" for part in divided([fields[at]])]
    before = (text_of(fields[at - 1]) or "") if at else ""
    is_value = before.startswith("--") and before != "--wrap"
    is_wrapped = parts[0].startswith("--wrap=") if parts else False
    is_command = any(part.startswith("--") for part in parts[1:]) and (is_wrapped or not parts[0].startswith("--"))
    return is_command and not is_value


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
