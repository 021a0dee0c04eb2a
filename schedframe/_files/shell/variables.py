"""The variables of a shell script at one of its lines, and what words expand to there."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from schedframe._files.config.parsed import Broken
from schedframe._files.shell.arithmetic import result_of
from schedframe._files.shell.fields import (
    Field,
    count_shared,
    divide,
    is_filled,
    text_of,
    texts_of,
    unread_in,
)
from schedframe._files.shell.words import Arithmetic, Assignment, Piece, Text, Unread, Variable, Word

_MOST_PIECES = 100_000
_MOST_COPIES = 1_000_000
_NAMED = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")
_CHANGED = re.compile(r"([A-Za-z_]\w*)\s*(?:(?:[-+*/%&|^]|<<|>>)?=(?!=)|\+\+|--)|(?:\+\+|--)\s*([A-Za-z_]\w*)")
"""A variable that arithmetic changes."""


class Variables:
    """The variables of a shell, and the arguments with which it is called.

    Attributes:
        arguments: those of the function, or of ``set``; ``None`` for those of the script, which are not known.
        condition: the block that decides whether the next command is run, and its line; ``None`` where it is.
        notes: sentences on what was assumed, each with its line.
    """

    def __init__(self, given: Mapping[str, str], notes: dict[str, int]) -> None:
        """Begin with the variables that are `given`, which no command changes."""
        self.arguments: list[Field] | None = None
        self.condition: tuple[str, int] | None = None
        self.notes = notes
        self._given = frozenset(given)
        self._values: dict[str, list[Field]] = {name: [(Text(value, 0),)] for name, value in given.items()}
        self._exported: set[str] = set(given)
        self._perhaps_exported: set[str] = set()
        self._exports_all = self._perhaps_exports_all = False
        self._constant: set[str] = set()
        self._unreadable: set[str] = set()
        self._pieces = self._copies = 0

    @property
    def values(self) -> dict[str, list[Field]]:
        """The words of each variable."""
        return self._values

    def fork(self) -> "Variables":
        """Return the variables of a shell of its own, which begins with these."""
        forked = self._forked()
        forked._values = dict(self._values)
        return forked

    def of_another_shell(self, line: int, *, is_sure: bool) -> "Variables":
        """Return the variables of a shell that a command starts.

        Args:
            line: of the command.
            is_sure: whether the shell has the variables that are exported; else each of them may be missing.
        """
        forked = self._forked()
        unread = Unread("is perhaps not exported to the shell that uses it", line)
        perhaps = self._perhaps_exported if is_sure else self._values.keys()
        unsure: dict[str, list[Field]] = {
            name: [(replace(unread, written=f"${name}"),)]
            for name in perhaps
            if name in self._values and name not in self._given
        }
        forked._values = {**{name: self._values[name] for name in self._exported if name in self._values}, **unsure}
        return forked

    def _forked(self) -> "Variables":
        self._copies += 1 + len(self._values)
        if self._copies > _MOST_COPIES:
            raise Broken("has more shells within shells than are followed", 1)
        forked = Variables({}, self.notes)
        forked.arguments, forked._given = self.arguments, self._given
        forked._exported, forked._perhaps_exported = set(self._exported), set(self._perhaps_exported)
        forked._exports_all, forked._perhaps_exports_all = self._exports_all, self._perhaps_exports_all
        forked._constant, forked._unreadable = set(self._constant), set(self._unreadable)
        forked._pieces, forked._copies = self._pieces, self._copies
        return forked

    def join(self, forked: "Variables") -> None:
        """Count what was read in a shell that ended; none of its variables come back."""
        self._pieces, self._copies = forked._pieces, forked._copies

    def assign(self, assignment: Assignment) -> None:
        """Follow an assignment, which may not be run where there is a `condition`."""
        self.set_if_run(assignment.name, self.value_of(assignment), assignment.line)

    def set_if_run(self, name: str, value: list[Field], line: int) -> None:
        """Set a variable where the command on `line` is run; else it has one of two values."""
        if name in self._unreadable:
            value = [(Unread("is declared so that its value is not read", line, f"${name}"),)]
        if self.condition is not None:
            value = _either(name, line, self.condition, self._values.get(name, []), value)
        self.put(name, value)

    def put(self, name: str, value: list[Field]) -> None:
        """Set a variable that is neither given nor constant."""
        if name not in self._given and name not in self._constant:
            self._values[name] = value
        if self._exports_all:
            self._exported.add(name)
        elif self._perhaps_exports_all:
            self._perhaps_exported.add(name)

    def unset(self, name: str) -> None:
        """Remove a variable that is neither given nor constant."""
        if name not in self._given and name not in self._constant:
            self._values.pop(name, None)
            self._exported.discard(name)

    def hide(self, name: str) -> None:
        """Remove the value of a variable that is local to a function."""
        if name not in self._given:
            self._values.pop(name, None)

    def restore(self, name: str, value: list[Field] | None) -> None:
        """Give a variable the value back that it had outside a function; ``None`` is no value."""
        if value is None:
            self._values.pop(name, None)
        else:
            self._values[name] = value

    def forget(self, names: Iterable[str], line: int) -> None:
        """Note that a command on `line` changes variables in a way that is not read."""
        for name in names:
            self.put(name, [(Unread(f"is changed on line {line} by a command that is not run", line, f"${name}"),)])

    def export(self, names: Iterable[str], *, is_sure: bool) -> None:
        """Export variables to the shells that are started; perhaps, unless it `is_sure`."""
        (self._exported if is_sure else self._perhaps_exported).update(names)

    def export_no_more(self, names: Iterable[str]) -> None:
        """Take variables from those that are exported."""
        self._exported.difference_update(names)

    def export_all(self) -> None:
        """Export every variable that is set from now on, or perhaps, where there is a `condition`."""
        self._exports_all = self._exports_all or self.condition is None
        self._perhaps_exports_all = True

    def make_constant(self, names: Iterable[str]) -> None:
        """Let variables keep their values; where there is a `condition`, these are not read from now on."""
        (self._constant if self.condition is None else self._unreadable).update(names)

    def make_unreadable(self, names: Iterable[str]) -> None:
        """Note that values which variables get from now on are changed by how these are declared."""
        self._unreadable.update(names)

    def declared(self) -> tuple[set[str], set[str]]:
        """Return the names of constant variables, and of those whose values are not read."""
        return set(self._constant), set(self._unreadable)

    def undeclare(self, names: Iterable[str], before: tuple[set[str], set[str]]) -> None:
        """Undo the declarations of variables that a function had, but for those that there were `before`."""
        names = set(names)
        self._constant -= names - before[0]
        self._unreadable -= names - before[1]

    def value_of(self, assignment: Assignment) -> list[Field]:
        """Return the words of the variable that an assignment makes."""
        before = self._values.get(assignment.name, [])
        if isinstance(assignment.value, list):
            items = [part for word in assignment.value for part in self.fields(word)]
            return [*before, *items] if assignment.adds else items
        value = self.scalar(assignment.value)
        if assignment.adds:
            value = (*(before or [()])[0], *value)
        is_item = isinstance(assignment.value, tuple) and len(before) > 1
        return [value, *before[1:]] if is_item else [value]

    def scalar(self, word: Word) -> Field:
        """Return the value of an assignment, which is not divided."""
        parts: list[Text | Unread] = []
        for piece in word:
            parts += [part for item in self._items(piece) for part in (*item, Text(" ", piece.line))][:-1]
        return tuple(part for part in parts if not isinstance(part, Text) or part.text) or tuple(parts[:1])

    def fields(self, word: Word) -> Iterator[Field]:
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
                for index, part in enumerate([list(item)] if is_whole else divide(item)):
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
        if piece.name in ("@", "*") and self.arguments is None:
            self.notes["the script is assumed to be called without arguments"] = piece.line
            return []
        if not piece.name.isidentifier() and piece.name != "0" and self.arguments is not None:
            return self._argument(piece, self.arguments)
        value = self._values.get(piece.name)
        if piece.alternative is not None:
            return [self._alternative(piece, value)]
        if piece.default is not None and (value is None or (piece.if_empty and not is_filled(value))):
            self.notes[f"{piece.name} is not set in the file, and has its default there"] = piece.line
            default = self.scalar(piece.default)
            if piece.assigns:
                self.set_if_run(piece.name, [default], piece.line)
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
            if piece.default is not None and (value is None or (piece.if_empty and not is_filled([value]))):
                return [self.scalar(piece.default)]
            return [()] if value is None else [value]
        return [(Unread("is known only where the script runs", piece.line, f"${piece.name}"),)]

    def _alternative(self, piece: Variable, value: list[Field] | None) -> Field:
        """Return ``${NAME:+alternative}``; a variable that the file does not set may be set where it runs."""
        written = self.scalar(piece.alternative or ())
        if value is None or (
            value and unread_in(value[0]) and not any(isinstance(p, Text) and p.text for p in value[0])
        ):
            what = "is not set in the file" if value is None else "is not known"
            return (Unread(what, piece.line, f"${piece.name}", ((), (written,))),)
        return written if is_filled(value) or not piece.if_empty else ()

    def _computed(self, piece: Arithmetic) -> Text | Unread:
        """Return the value of an arithmetic expression of integers."""
        written = f"$(({piece.expression}))"
        names: dict[str, int] = {}
        if changed := changed_in(piece.expression):
            self.forget(changed, piece.line)
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


def _either(name: str, line: int, condition: tuple[str, int], before: list[Field], value: list[Field]) -> list[Field]:
    """Return what a variable holds that may have been assigned: what both values begin with, and what is open."""
    if texts_of(before) == texts_of(value) is not None:
        return before
    what = f"is set within the `{condition[0]}` on line {condition[1]}, which is not evaluated"
    held: tuple[tuple[Field, ...], ...]
    if len(value) == 1 and len(before) < 2:
        old = before[0] if before else ()
        same = count_shared(old, value[0])
        held = ((old[same:],), (value[0][same:],))
        return [(*old[:same], Unread(what, line, f"${name}", held))]
    same = count_shared(before, value)
    held = (tuple(before[same:]), tuple(value[same:]))
    return [*value[:same], (Unread(what, line, f"${name}", held),)]


def changed_in(expression: str) -> set[str]:
    """Return the variables that arithmetic changes."""
    return {one or other for one, other in _CHANGED.findall(expression)}


def _written(piece: Piece) -> str:
    return f"${piece.name}" if isinstance(piece, Variable) else getattr(piece, "written", "") or "$((...))"
