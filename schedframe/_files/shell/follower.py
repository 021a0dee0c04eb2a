"""Follows a shell script from its first line to its last. Nothing is run, and no file is opened."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import takewhile

from schedframe._files.config.parsed import DEEPEST, Broken, too_deep
from schedframe._files.shell.fields import Field, divided, text_of, unread_in
from schedframe._files.shell.variables import Variables, changed_in
from schedframe._files.shell.words import Command, Text, Unread, Word, commands_in, plain

SILENT = ("echo", "printf", "#", ":", "true", "false", "test", "[", "[[", "alias")
"""Commands that run none of their words."""

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
_WHOLE_NAME = re.compile(r"[A-Za-z_]\w*")


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


def follow(found: Iterable[Command], given: Mapping[str, str], *, is_traced: bool) -> Script:
    """Return what the commands of a script expand to.

    Args:
        found: the commands.
        given: variables whose values are not those of the script.
        is_traced: ``bash -x`` printed the commands, which were run.

    Raises:
        Broken: too much is nested, called or expanded.
    """
    return _Follower(given, is_traced).follow(list(_separated(found)))


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


class _Follower:
    """Goes from command to command, with the blocks, functions and shells in which they stand."""

    def __init__(self, given: Mapping[str, str], is_traced: bool) -> None:
        self.script = Script()
        self._is_traced = is_traced
        self._variables = Variables(given, self.script.notes)
        self._blocks: list[tuple[str, int]] = []
        self._functions: dict[str, list[Sequence[Command]]] = {}
        self._perhaps_defined: set[str] = set()
        self._called: set[str] = set()
        self._active: list[str] = []
        self._hidden: list[dict[str, list[Field] | None]] = []
        self._base = self._steps = self._depth = self._earliest = 0
        self._is_pattern = False
        self._is_recording = True

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
        self.script.variables = self._variables.values
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
    def _apart(self, is_apart: bool, variables: Variables | None = None) -> Iterator[None]:
        """Leave out what is set within, where that is a shell of its own, which begins with `variables` or these."""
        if not is_apart:
            yield
            return
        kept = self._variables, dict(self._functions), list(self._blocks)
        self._variables = variables or self._variables.fork()
        try:
            with suppress(_ShellEnds):
                yield
        finally:
            kept[0].join(self._variables)
            self._variables, self._functions, self._blocks = kept

    def _define(self, command: Command, body: Sequence[Command]) -> None:
        name = plain(command.words[1]) if len(command.words) > 1 else ""
        is_sure = self._condition_of(command) is None
        self._functions[name] = [*(() if is_sure else self._functions.get(name, ())), body]
        self._perhaps_defined = self._perhaps_defined - {name} if is_sure else self._perhaps_defined | {name}
        self._called.discard(name)

    def _condition_of(self, command: Command) -> tuple[str, int] | None:
        """Return the block that decides whether `command` is run; ``None`` where it is."""
        block = next((block for block in reversed(self._blocks) if block[0]), None)
        return block or (("condition", command.line) if command.follows in _CONDITIONS else None)

    def _call(self, name: str, arguments: list[Field], command: Command) -> None:
        """Follow the function `name`, whose commands are on their own lines, or on that of a later call."""
        if name in self._active:
            sentence = f"{name} calls itself, and the inner call is assumed to change no variable"
            self.script.notes[sentence] = command.line
            return
        bodies, variables = self._functions[name], self._variables
        kept = variables.arguments, list(self._blocks), self._is_pattern, self._earliest, self._base
        variables.arguments, self._is_pattern, self._base = arguments, False, len(self._blocks)
        if command.follows in _CONDITIONS or name in self._perhaps_defined:
            self._blocks.append(("condition", command.line))
        if name in self._called:
            self._earliest = max(self._earliest, command.line)
        self._called.add(name)
        self._active.append(name)
        self._hidden.append({})
        declared = variables.declared()
        variables.condition = self._condition_of(command)
        for assignment in command.assignments:
            self._hide(assignment.name)
            variables.assign(assignment)
        try:
            for body in bodies:
                with self._deeper(command.line), suppress(_FunctionEnds):
                    self._follow_all(body)
        finally:
            hidden = self._hidden.pop()
            variables.undeclare(hidden, declared)
            for local, value in hidden.items():
                variables.restore(local, value)
            self._active.pop()
            variables.arguments, self._blocks, self._is_pattern, self._earliest, self._base = kept

    def _hide(self, name: str) -> None:
        """Let the value of `name` come back where the function ends."""
        self._hidden[-1].setdefault(name, self._variables.values.get(name))

    def _follow_text(self, parts: Field, command: Command, arguments: list[Field] | None, *, is_sure: bool) -> None:
        """Follow what another shell runs, which has the variables that are exported, if it `is_sure` to have those."""
        kept = self._earliest, self._is_pattern
        before = [(assignment.name, self._variables.value_of(assignment)) for assignment in command.assignments]
        inner = self._variables.of_another_shell(command.line, is_sure=is_sure)
        for name, value in before:
            inner.put(name, value)
        inner.arguments = arguments
        with self._deeper(command.line), self._apart(is_apart=True, variables=inner):
            self._is_pattern, self._blocks = False, []
            self._earliest = max(self._earliest, command.line)
            self._follow_all(list(_separated(commands_in(parts, self._depth))))
        self._earliest, self._is_pattern = kept

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
        self._variables.condition = self._condition_of(command)
        is_apart = command.ends in _APART or command.follows in _PIPES
        if name in _SETTING:
            self._change(name, words[1:], command)
        elif name in _DECLARING:
            if not is_apart:
                self._declare(name, words[1:], command)
            return
        if not words and not is_apart:
            for assignment in command.assignments:
                self._variables.assign(assignment)
        elif words:
            fields = tuple(part for word in words for part in self._variables.fields(word))
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
        elif name == "shift" and self._variables.arguments is not None:
            count = text_of(fields[1]) if len(fields) > 1 else "1"
            is_known = count is not None and count.isdecimal() and len(count) < 9 and not self._is_in_condition
            unread = Unread(f"is changed on line {command.line} by a command that is not run", command.line, "$@")
            self._variables.arguments = self._variables.arguments[int(count or 0) :] if is_known else [(unread,)]
        elif name in ("exit", "return") and not self._is_traced:
            self._leave(name, command)
        else:
            self._record(fields, command)
            if name == "exec" and len(fields) > 1 and not (self._is_in_condition or self._is_traced):
                raise _ShellEnds

    def _leave(self, name: str, command: Command) -> None:
        if not self._is_in_condition:
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
            self._variables.export_all()
        options = list(takewhile(lambda text: text is not None and text[:1] in ("-", "+") and text != "--", texts))
        rest = list(fields[len(options) :])
        if texts[len(options) : len(options) + 1] == ["--"]:
            rest = rest[1:]
        elif not rest or (options and options[-1] is not None and options[-1].endswith("o")):
            return
        unread = Unread(f"is set within a condition on line {command.line}", command.line, "$@")
        self._variables.arguments = [(unread,)] if self._is_in_condition else rest

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
            values = [part for word in command.words[3:] for part in self._variables.fields(word)]
            what = f"is the variable of the loop on line {command.line}"
            loop = Unread(what, command.line, f"${variable}", tuple((value,) for value in values))
            self._variables.put(variable, [(loop,)])

    def _declare(self, name: str, words: Sequence[Word], command: Command) -> None:
        """Follow ``export``, ``declare`` and their like."""
        options = "".join(plain(word)[1:] for word in words if plain(word)[:1] in ("-", "+"))
        found = [(each.name, self._variables.value_of(each), each.line) for each in command.assignments]
        names = [each.name for each in command.assignments]
        for word in words:
            parts = self._variables.scalar(word)
            known = [part for part in takewhile(lambda part: isinstance(part, Text), parts) if isinstance(part, Text)]
            variable, is_assigned, value = "".join(part.text for part in known).partition("=")
            if _WHOLE_NAME.fullmatch(variable):
                names.append(variable)
                if is_assigned:
                    rest = (Text(value, command.line), *parts[len(known) :])
                    found.append((variable, [rest], command.line))
            elif unread_in(parts):
                sentence = f"`{name}` with words that are not known is assumed to change no variable that the file sets"
                self.script.notes[sentence] = command.line
        if self._hidden and name in ("local", "declare", "typeset") and "g" not in options:
            for variable in names:
                self._hide(variable)
                if not any(variable == other for other, _, _ in found):
                    self._variables.hide(variable)
        if any(letter in options for letter in "iulnc"):
            self._variables.make_unreadable(names)
        if "n" in options and name != "export":
            others = {text for _, items, _ in found for item in items if (text := text_of(item))}
            self._variables.make_unreadable(others)
            self._variables.forget(others, command.line)
        if name == "export" or "x" in options:
            is_local = bool(self._hidden) and name != "export"
            self._variables.export(names, is_sure=not (self._is_in_condition or is_local))
            if "n" in options:
                self._variables.export_no_more(names)
        for variable, items, line in found:
            self._variables.set_if_run(variable, items, line)
        if name == "readonly" or "r" in options:
            self._variables.make_constant(names)

    def _change(self, name: str, words: Sequence[Word], command: Command) -> None:
        """Follow a command that gives variables values which only running it would determine."""
        texts = [text_of(self._variables.scalar(word)) or "" for word in words]
        names = {text for text in texts if _WHOLE_NAME.fullmatch(text)}
        if name == "let":
            names = changed_in(" ".join(texts))
        elif name == "printf":
            names = set(texts[1:2]) if texts[:1] == ["-v"] else set()
        elif name == "unset":
            if "-f" in texts:
                self._perhaps_defined |= set(texts)
                return
            names = {found for text in texts for found in _WHOLE_NAME.findall(text)}
            for variable in names.intersection(texts) if not self._is_in_condition else ():
                self._variables.unset(variable)
                names.discard(variable)
        elif name == "getopts":
            names |= {"OPTARG", "OPTIND"}
        implied = {"REPLY", "MAPFILE"} if name in ("read", "mapfile", "readarray") else set()
        self._variables.forget(names or implied, command.line)

    @property
    def _is_in_condition(self) -> bool:
        return self._variables.condition is not None


def _is_run(fields: Sequence[Field], at: int) -> bool:
    """Return whether a word is a command with flags, which another shell may run, and not the value of a flag."""
    parts = [text_of(part) or "" for part in divided([fields[at]])]
    before = (text_of(fields[at - 1]) or "") if at else ""
    is_value = before.startswith("--") and before != "--wrap"
    is_wrapped = parts[0].startswith("--wrap=") if parts else False
    is_command = any(part.startswith("--") for part in parts[1:]) and (is_wrapped or not parts[0].startswith("--"))
    return is_command and not is_value
