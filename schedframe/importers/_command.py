"""A command of a shell script: its program, and its flags as data."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, takewhile
from pathlib import PurePath
from typing import Any, NamedTuple

from schedframe._errors import ConfigError, Problem, did_you_mean
from schedframe._files.shell.fields import Field, divided, line_of, text_of, unread_in
from schedframe._files.shell.follower import SILENT, Script
from schedframe._files.shell.words import Text, Unread
from schedframe.importers._source import Source


class Word(NamedTuple):
    """A word of a command.

    Attributes:
        field: its parts.
        text: the whole, where it is known.
        line: where it stands.
    """

    field: Field
    text: str | None
    line: int


@dataclass(frozen=True)
class Flags:
    """Which flags of a program are read; names have underscores in place of hyphens.

    Attributes:
        known: their names.
        fault: returns what is wrong with a flag that is not `known`; empty where it does not concern the schedule.
        switches: those without a value.
        optional: those with or without a value.
        lists: how many values those have that have more than one.
        spare: those that a schedule can do without, whose values may be unknown.
    """

    known: Collection[str]
    fault: Callable[[str], str]
    switches: Collection[str] = ()
    optional: Collection[str] = ()
    lists: Mapping[str, int] = field(default_factory=dict)
    spare: Collection[str] = ()


@dataclass(frozen=True)
class Command:
    """A command of a script.

    Attributes:
        line: where it begins.
        words: its words. One in quotes that holds flags alone is divided, unless it may be the value of a flag.
        variables: the variables that hold the words, where these are no command of the script, with the words of each.
    """

    line: int
    words: tuple[Word, ...]
    variables: Mapping[str, tuple[Word, ...]] = field(default_factory=dict)

    @cached_property
    def program(self) -> str:
        """The known words up to the Python script, or up to the first flag where there is no such script."""
        end = self._script or next((i for i, word in enumerate(self.words) if _is_flag(word)), len(self.words))
        return " ".join(word.text for word in self.words[:end] if word.text is not None)

    @cached_property
    def arguments(self) -> tuple[Word, ...]:
        """The words behind the Python script; all where there is none."""
        return self.words[self._script :]

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of its flags."""
        return frozenset(_name(flag) for word in self.words if (flag := _flag_in(word)))

    @cached_property
    def alternatives(self) -> list["Command"]:
        """This command with each of what its first word may be that is not known; empty where all are known."""
        found = ((at, unread) for at, word in enumerate(self.words) if (unread := unread_in(word.field)) is not None)
        at, unread = next(((at, unread) for at, unread in found if unread.held), (0, None))
        if unread is None:
            return []
        before, after = self.words[:at], self.words[at + 1 :]
        return [replace(self, words=(*before, *_words(held), *after)) for held in unread.held]

    @cached_property
    def _script(self) -> int:
        scripts = (i for i, word in enumerate(self.words) if word.text and PurePath(word.text).suffix == ".py")
        return next(scripts, -1) + 1


def find_commands(source: Source, is_meant: Callable[[Command], bool]) -> list[Command]:
    """Return the commands of a script that are meant.

    Where there is none, the variables of the script that hold flags are one, if it is meant: another script may use
    them, or a here-document.
    """
    if source.script is None:
        return []
    made = [Command(command.line, tuple(_words_of_command(command.fields))) for command in source.script.commands]
    shown = [command for command in made if command.words and command.words[0].text not in SILENT]
    if any(map(is_meant, shown)):
        each = ([command] if is_meant(command) else command.alternatives for command in shown)
        return list(filter(is_meant, chain.from_iterable(each)))
    return list(filter(is_meant, _of_variables(source.script)))


def read_command(
    source: Source, is_meant: Callable[[Command], bool], flags: Flags, program: str
) -> tuple[Source, dict[str, int]]:
    """Return the arguments of a command in place of the script, and sentences on what was assumed, with their lines.

    Values that options give take the place of those in the command.

    Args:
        source: the script.
        is_meant: returns whether a command is the one with the schedule.
        flags: those that are read.
        program: whose flags these are, for errors.

    Raises:
        ConfigError: no command is meant, or several with different arguments; or a flag has no value, or may be hidden
            in a word that is not known.
    """
    found = find_commands(source, is_meant)
    if not found:
        raise ConfigError(str(source.path), [Problem("", f"has no command with flags of {program}")])
    read = [_read_flags(source, command, flags) for command in found]
    first, notes = read[0]
    if any(_differs(first, other) for other, _ in read[1:]):
        places = " and ".join(str(command.line) for command in found)
        fault = f"has {len(found)} commands with flags of {program} (lines: {places}); choose one with --line"
        raise ConfigError(str(source.path), [Problem("", fault)])
    faults = [fault for name, fault in first.faults.items() if name not in flags.spare]
    if faults:
        raise ConfigError(str(source.path), faults)
    return first, notes


def _differs(one: Source, other: Source) -> bool:
    known = [{name: value for name, value in each.data.items() if name not in each.faults} for each in (one, other)]
    messages = [{name: fault.message for name, fault in each.faults.items()} for each in (one, other)]
    return known[0] != known[1] or messages[0] != messages[1]


def _of_variables(script: Script) -> Iterator[Command]:
    """Yield the variables of a script that hold flags as one command; those whose words others hold are left out."""
    held: dict[str, tuple[Word, ...]] = {}
    for name, fields in script.variables.items():
        words = tuple(_words(fields) if len(fields) == 1 else _words_of_command(fields))
        if any(map(_is_flag, words)):
            held[name] = words
    seen: set[tuple[str | None, int]] = set()
    kept: dict[str, tuple[Word, ...]] = {}
    for name, words in sorted(held.items(), key=lambda item: -len(item[1])):
        places = {(word.text, word.line) for word in words}
        if not places <= seen:
            kept[name] = words
            seen |= places
    if kept:
        yield Command(min(words[0].line for words in kept.values()), tuple(chain(*kept.values())), kept)


def _read_flags(source: Source, command: Command, flags: Flags) -> tuple[Source, dict[str, int]]:
    """Return the arguments of `command`; a value that is not known is a fault of the source."""
    notes = {} if source.script is None else dict(source.script.notes)
    if command.variables:
        names = ", ".join(sorted(command.variables))
        notes[f"no command of the file has these flags, which are those of the variables {names}"] = command.line
    reader = _Reader(source, flags)
    found: dict[str, tuple[Any, int]] = {}
    for words in command.variables.values() or [command.arguments]:
        for name, (value, line) in {name: (value, line) for name, value, line in reader.values(words)}.items():
            other, place = found.get(name, (value, line))
            if other != value:
                fault = f"has another value on line {place}, and no command of the file has both"
                raise ConfigError(str(source.path), [Problem(_flag(name), fault, line=line)])
            found[name] = value, line
    if reader.passed:
        sentence = "are not known, and are taken for values of flags that do not concern the schedule"
        notes[f"{', '.join(sorted(reader.passed))} {sentence}"] = min(reader.passed.values())
    given = {name: value for name, value in source.data.items() if name in flags.known}
    for name in source.data.keys() - given.keys():
        what = f"is no flag of a schedule and no variable of the script{did_you_mean(name, flags.known)}"
        raise ConfigError(f"--set {name}", [Problem("", what)])
    taken = {name: place for name, place in found.items() if name not in given}
    faults = {name: value for name, (value, _) in taken.items() if isinstance(value, Problem)}
    values = {name: None if name in faults else value for name, (value, _) in taken.items()}
    lines = {name: line for name, (_, line) in taken.items()}
    return replace(source, data={**values, **given}, lines=lines, script=None, faults=faults), notes


def _words_of_command(fields: Sequence[Field]) -> Iterator[Word]:
    """Yield the words of a command; what is behind a Python script or a flag is one word, whatever it holds."""
    before, is_divided = "", True
    for whole in fields:
        first = next((text_of(part) or "" for part in divided([whole])), "")
        is_value = before.startswith("--") and "=" not in before
        if is_divided and not is_value and first.startswith("--") and "=" not in first:
            yield from _words([whole])
        elif whole:
            yield Word(whole, text_of(whole), line_of(whole))
        before = text_of(whole) or ""
        is_divided = is_divided and PurePath(before).suffix != ".py"


def _words(fields: Sequence[Field]) -> Iterator[Word]:
    """Yield words, divided where they hold flags."""
    for whole in fields:
        parts = divided([whole])
        if not any((text_of(part) or "").startswith("--") for part in parts):
            parts = [whole]
        for part in parts:
            if part:
                yield Word(part, text_of(part), line_of(part))


def _is_flag(word: Word) -> bool:
    return word.text is not None and word.text.startswith("--")


def _flag_in(word: Word) -> str:
    """Return the flag of a word, whose value may be unknown where ``=`` is before it; empty where there is none."""
    if _is_flag(word):
        return word.text or ""
    head = _head(word)
    return head if head.startswith("--") and "=" in head else ""


def _head(word: Word) -> str:
    """Return the text of a word up to what is not known."""
    known = takewhile(lambda part: isinstance(part, Text), word.field)
    return "".join(part.text for part in known if isinstance(part, Text))


def _name(flag: str) -> str:
    return flag.partition("=")[0].removeprefix("--").replace("-", "_")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def variable_of(unread: Unread) -> str:
    """Return the name of the variable that could not be determined; empty for what is no variable alone."""
    found = re.fullmatch(r"\$\{?(\w+)\}?", unread.written)
    return found[1] if found else ""


def fault_of(unread: Unread, name: str) -> str:
    """Return what is wrong with the value called `name`, of which a part is not known, and what gives it."""
    given = variable_of(unread) or name
    return f"has the value {unread.written}, which {unread.what}; give it with --set {given}=VALUE"


class _Reader:
    """Reads the flags of one command."""

    def __init__(self, source: Source, flags: Flags) -> None:
        """Begin without words that are `passed`: those that are not known, with their lines."""
        self._source = source
        self._flags = flags
        self.passed: dict[str, int] = {}
        self._checked: set[int] = set()

    def values(self, words: Sequence[Word]) -> Iterator[tuple[str, Any, int]]:
        """Yield each argument that concerns the schedule, with its value and line; the last one of a flag counts.

        A value that is not known is the problem that it makes where it is read.
        """
        flag, rest = "", iter(words)
        ahead = next(rest, None)
        while ahead is not None:
            word, ahead = ahead, next(rest, None)
            if not _is_flag(word):
                name = _name(_flag_in(word))
                if name in self._flags.known and (unread := unread_in(word.field)) is not None:
                    yield name, self._unknown(_flag(name), unread), word.line
                else:
                    self._pass(word, flag)
                flag = ""
                continue
            flag, has_value, value = (word.text or "").partition("=")
            name = _name(flag)
            if name not in self._flags.known:
                if fault := self._flags.fault(name):
                    raise self._error(flag, fault, word.line)
                flag = "" if has_value else flag
                continue
            is_alone = name in self._flags.optional and not has_value and (ahead is None or _is_flag(ahead))
            if name in self._flags.switches or is_alone:
                flag = ""
                yield name, True, word.line
                continue
            values: list[Any] = [value] if has_value else []
            while len(values) < self._flags.lists.get(name, 1):
                values.append(self._value(flag, ahead, word.line))
                ahead = next(rest, None)
            if ahead is not None and ahead.text and not _is_flag(ahead):
                fault = f"has a value and the further word {ahead.text!r}, which the program refuses; quote the value"
                raise self._error(flag, fault, ahead.line)
            unknown = next((value for value in values if isinstance(value, Problem)), None)
            yield name, unknown or (values if name in self._flags.lists else values[0]), word.line
            flag = ""

    def _error(self, flag: str, fault: str, line: int) -> ConfigError:
        return ConfigError(str(self._source.path), [Problem(flag, fault, line=line)])

    def _value(self, flag: str, word: Word | None, line: int) -> str | Problem:
        if word is None or _is_flag(word):
            raise self._error(flag, "has no value", line)
        unread = unread_in(word.field)
        return (word.text or "") if unread is None else self._unknown(flag, unread)

    def _unknown(self, flag: str, unread: Unread) -> Problem:
        """Return the problem that a value makes of which a part is not known."""
        return Problem(flag, fault_of(unread, _name(flag)), line=unread.line)

    def _pass(self, word: Word, flag: str) -> None:
        """Go over a word that is no flag, which may be the value of `flag`, or hold flags where it is not known."""
        unread = unread_in(word.field)
        if unread is None or unread.written.startswith("$(("):
            return
        known = "".join(part.text for part in word.field if isinstance(part, Text))
        if known.startswith("--"):
            self._check_the_name(word, unread)
        is_mixed = any(isinstance(part, Text) and part.text for part in word.field)
        found = self._hidden(unread)
        if found == "flags" and (flag or is_mixed):
            found = None
        if found is not None:
            hint = f"; give it with --set {name}=VALUE" if (name := variable_of(unread)) else ""
            raise self._error("", f"{unread.written} {unread.what}; it may hold {found}{hint}", unread.line)
        if flag and not is_mixed and unread.written.startswith("$"):
            self.passed[unread.written] = unread.line

    def _check_the_name(self, word: Word, unread: Unread) -> None:
        """Refuse a flag whose name is known in part, where the whole may be one of the schedule."""
        head, is_whole, _ = _head(word).partition("=")
        name = _name(head)
        fault = self._flags.fault(name)
        if is_whole and fault:
            raise self._error(head, fault, word.line)
        if not is_whole and (fault or any(known.startswith(name) for known in self._flags.known)):
            raise self._error("", f"{head}{unread.written} {unread.what}; it may be a flag of the schedule", word.line)

    def _hidden(self, unread: Unread) -> str | None:
        """Return which flags of the schedule `unread` may hold; ``None`` for none."""
        if not unread.held:
            return "flags"
        inner = [unread]
        while inner:
            found = inner.pop()
            if id(found) in self._checked:
                continue
            self._checked.add(id(found))
            for alternative in found.held:
                flag = ""
                for word in _words(alternative):
                    if _is_flag(word):
                        flag = word.text or ""
                        if (name := _name(flag)) in self._flags.known or self._flags.fault(name):
                            return flag.partition("=")[0]
                        flag = "" if "=" in flag else flag
                        continue
                    nested = unread_in(word.field)
                    is_whole = not any(isinstance(part, Text) and part.text for part in word.field)
                    if nested is not None and is_whole and not flag:
                        if not nested.held:
                            return "flags"
                        inner.append(nested)
                    flag = ""
        return None
