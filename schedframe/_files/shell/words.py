"""Divides the text of a shell script into commands and words, with the line of every piece. Nothing is expanded."""

import re
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TypeAlias

from schedframe._files.config.parsed import DEEPEST, Broken, too_deep


@dataclass(frozen=True)
class Text:
    """Characters as they are; those that are not quoted are divided at white space where a variable holds them."""

    text: str
    line: int


@dataclass(frozen=True)
class Variable:
    """``$NAME``, ``${NAME}``, ``${NAME:-default}`` and ``${NAME:+alternative}``.

    Attributes:
        name: the variable, or the character of a special one.
        line: where it stands.
        is_quoted: it stands between double quotes.
        default: what stands for a variable that is not set; ``None`` without one.
        if_empty: an empty variable is one that is not set: ``:-``, ``:+``.
        all_items: ``[@]`` or ``[*]`` follows the name.
        alternative: what stands for a variable that is set; ``None`` without one.
        assigns: the default is assigned to a variable that is not set: ``:=``.
        joins: all items are one word, as of ``"${NAME[*]}"``, and of each in a here-document.
    """

    name: str
    line: int
    is_quoted: bool
    default: "Word | None" = None
    if_empty: bool = False
    all_items: bool = False
    alternative: "Word | None" = None
    assigns: bool = False
    joins: bool = False


@dataclass(frozen=True)
class Arithmetic:
    """``$((...))``."""

    expression: str
    line: int


@dataclass(frozen=True)
class Unread:
    """What only running the script could determine, such as ``$(date)``.

    Attributes:
        what: what it is, as a sentence without its subject.
        line: where it stands.
        written: how it is written.
        held: what it can be, where that is known: the words of each possibility.
    """

    what: str
    line: int
    written: str = ""
    held: "tuple[tuple[tuple[Text | Unread, ...], ...], ...]" = field(default=(), compare=False, repr=False)


Piece: TypeAlias = Text | Variable | Arithmetic | Unread
Word: TypeAlias = tuple[Piece, ...]


@dataclass(frozen=True)
class Assignment:
    """``NAME=word``, ``NAME+=word`` or ``NAME=(words)``.

    Attributes:
        name: the variable.
        value: a word; of an array a list of words.
        adds: whether the value is added to the one that there is.
        line: where it stands.
    """

    name: str
    value: Word | list[Word]
    adds: bool
    line: int


@dataclass
class Command:
    """A simple command.

    Attributes:
        line: where it begins.
        words: its words, as they are written.
        assignments: those before its first word, and those of ``export`` and ``declare``.
        follows: the operator before it.
        ends: the operator behind it.
    """

    line: int
    follows: str
    ends: str = ""
    words: list[Word] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)


_NAME = re.compile(r"[A-Za-z_]\w*")
_ASSIGNED = re.compile(r"([A-Za-z_]\w*)(\[[^]\n]*\])?(\+?)=")
_BACKQUOTED = re.compile(r"`(?:[^`\\]|\\.)*`", re.DOTALL)
_FUNCTION = re.compile(r"\([ \t]*\)")
_BRACES = re.compile(r"\{[^\s{}]*(,|\.\.)[^\s{}]*\}")
_OPERATOR = re.compile(r"\n|;;&?|;&|;|&&|&|\|\||\|&?|\(\(|\(|\)")
_REDIRECTION = re.compile(r"\d*(<<<|<<-?|>\||[<>]{1,2}&?)|&>>?")
_BEFORE_COMMANDS = ("if", "elif", "while", "until", "then", "else", "do", "{", "!", "time")
_SHELLS = ("sbatch", "bash", "sh", "zsh", "srun", "ssh", "qsub", "bsub")
"""Programs that run the here-document that they are given."""

_DECLARING = ("export", "declare", "local", "readonly", "typeset", "env")
_ESCAPED = ('"', "\n", "\r", "\\", "$", "`")
"""What a backslash escapes between double quotes; in a here-document all but the first."""

_SPECIAL = "@*#?!$-0123456789"
_UNKNOWN = "\0"
"""Stands in a text for what is not known; no file that is read has it."""


def commands(text: str) -> Iterator[Command]:
    """Yield the simple commands of a script, in the order of the file; keywords such as ``if`` are commands too.

    A function is the command ``function NAME`` before its body. The brackets of a subshell are commands too.

    Raises:
        Broken: a quote or bracket is not closed, or too much is nested.
    """
    return _Lexer(text).commands()


def commands_in(parts: Sequence[Text | Unread], depth: int) -> Iterator[Command]:
    """Yield the simple commands of a word that a shell runs, as of ``bash -c``; `depth` is how many are around it."""
    lexer = _Lexer("".join(part.text if isinstance(part, Text) else _UNKNOWN for part in parts), depth=depth)
    lexer.place(parts)
    return lexer.commands()


class _Lexer:
    """Walks over the characters of a script."""

    def __init__(self, text: str, line: int = 1, depth: int = 0) -> None:
        self._text, self._at, self._line, self._depth = text, 0, line, depth
        self._heredocs: list[tuple[str, bool, bool, bool]] = []
        self._begins: list[int] = []
        self._parts: Sequence[Text | Unread] = ()
        if depth > DEEPEST:
            raise too_deep(line)

    def place(self, parts: Sequence[Text | Unread]) -> None:
        """Let the text be that of `parts`, with their lines."""
        self._parts = parts
        self._begins = list(accumulate((len(part.text) if isinstance(part, Text) else 1 for part in parts), initial=0))
        self._advance(0)

    def commands(self) -> Iterator[Command]:
        command = Command(1, "\n")
        brackets: list[bool] = []
        cases: list[int] = []
        while self._at < len(self._text):
            self._skip_blanks()
            operator = _OPERATOR.match(self._text, self._at)
            if self._at >= len(self._text):
                break
            if self._redirection(command):
                continue
            if not operator:
                if not (command.words or command.assignments):
                    command.line = self._line
                self._take(command)
                if len(command.words) == 3 and plain(command.words[0]) == "function" and plain(command.words[2]) == "{":
                    yield replace(command, words=command.words[:2])
                    command = Command(self._line, ")", words=command.words[2:])
                continue
            if operator[0] == "((":
                yield self._arithmetic_command(command.follows)
                continue
            names = [plain(word) for word in command.words]
            if _is_keyword(names, "case"):
                cases.append(len(brackets))
            elif names[:1] == ["esac"] and cases:
                cases.pop()
            if operator[0] == ")" and (not brackets or (cases and cases[-1] == len(brackets))):
                if _is_keyword(names, "case"):
                    yield command
                command = Command(self._line, ")")
                self._advance()
                continue
            function = _FUNCTION.match(self._text, self._at) if operator[0] == "(" else None
            if function and names and not command.assignments:
                before = len(names) - 2 if names[-2:-1] == ["function"] else len(names) - 1
                if before:
                    yield replace(command, words=command.words[:before])
                yield Command(self._line, command.follows, words=[(Text("function", self._line),), command.words[-1]])
                command = Command(self._line, ")")
                self._advance(len(function[0]))
                continue
            is_subshell = operator[0] == "(" and not command.assignments and all(n in _BEFORE_COMMANDS for n in names)
            if command.words or command.assignments:
                command.ends = operator[0]
                yield command
            is_piped = command.follows in ("|", "|&") and bool(names) and names[0].rpartition("/")[2] in _SHELLS
            if operator[0] == "(":
                is_pattern = bool(cases) and cases[-1] == len(brackets) and command.follows in (";;", ";&", ";;&", "in")
                brackets.append(is_subshell and not is_pattern)
                if brackets[-1]:
                    follows = "\n" if names else command.follows
                    yield Command(self._line, follows, words=[(Text("(", self._line),)])
                command = Command(self._line, "(")
            elif operator[0] == ")":
                is_marked = brackets.pop()
                command = Command(self._line, ")", words=[(Text(")", self._line),)] if is_marked else [])
            elif command.words or command.assignments or operator[0] != "\n":
                follows = "in" if _is_keyword(names, "case") else operator[0]
                command = Command(self._line, follows)
            self._advance(len(operator[0]))
            if operator[0] == "\n":
                yield from self._heredoc_commands(is_piped)
        if command.words or command.assignments:
            yield command

    def _take(self, command: Command) -> None:
        """Read one word or assignment into `command`."""
        before = next((name for word in command.words if (name := plain(word)) not in _BEFORE_COMMANDS), None)
        assigned = _ASSIGNED.match(self._text, self._at)
        if assigned and (before is None or before in _DECLARING):
            line = self._line
            self._advance(len(assigned[0]))
            value = self._array() if self._peek() == "(" else self._word()
            is_read = not assigned[2] and not (isinstance(value, list) and any(map(_is_item, value)))
            if not is_read:
                value = (Unread("is an array of which items are set one by one", line, f"${assigned[1]}"),)
            command.assignments.append(Assignment(assigned[1], value, bool(assigned[3]) and is_read, line))
        else:
            begin = self._at
            command.words.append(self._word())
            if self._at == begin:
                raise Broken(f"has {self._peek()!r} where a word is expected", self._line)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _advance(self, count: int = 1) -> None:
        self._line += self._text.count("\n", self._at, self._at + count)
        self._at += count
        if self._begins:
            self._line = self._parts[min(bisect(self._begins, self._at), len(self._parts)) - 1].line

    def _skip_blanks(self) -> None:
        """Go behind blanks, continued lines and comments."""
        while self._at < len(self._text):
            if self._peek() in " \t\r":
                self._advance()
            elif self._text.startswith(("\\\n", "\\\r\n"), self._at):
                self._advance(self._text.index("\n", self._at) - self._at + 1)
            elif self._peek() == "#":
                end = self._text.find("\n", self._at)
                self._advance((len(self._text) if end < 0 else end) - self._at)
            else:
                return

    def _redirection(self, command: Command) -> bool:
        """Go behind a redirection of `command` and its word, if one begins here."""
        found = _REDIRECTION.match(self._text, self._at)
        if found is None or self._text.startswith(("<(", ">("), self._at):
            return False
        self._advance(len(found[0]))
        self._skip_blanks()
        begin = self._at
        word = self._word()
        if found[1] in ("<<", "<<-"):
            written = self._text[begin : self._at]
            is_quoted = any(quote in written for quote in "'\"\\")
            is_run = any(plain(word).rpartition("/")[2] in _SHELLS for word in command.words[:2])
            end = plain(word) if is_quoted else written
            self._heredocs.append((end, found[1] == "<<-", is_quoted, is_run))
        return True

    def _heredoc_commands(self, is_piped: bool) -> Iterator[Command]:
        """Go behind the here-documents that begin here, and yield ``bash -c`` with those that a shell runs.

        Where it `is_piped`, a shell runs what another command prints.
        """
        for end, is_indented, is_quoted, is_run in self._heredocs:
            begin = self._line
            rows: list[str] = []
            while True:
                if self._at >= len(self._text):
                    raise Broken(f"has a here-document that does not end with {end}", begin)
                stop = self._text.find("\n", self._at)
                stop = len(self._text) if stop < 0 else stop
                row = self._text[self._at : stop]
                self._advance(stop - self._at + 1)
                row = row.lstrip("\t") if is_indented else row
                if row.rstrip("\r") == end:
                    break
                rows.append(row)
            if is_run or is_piped:
                inner = [(Text("bash", begin),), (Text("-c", begin),)]
                texts: Word = tuple(Text(f"{row}\n", begin + number) for number, row in enumerate(rows))
                text = "".join(f"{row}\n" for row in rows)
                yield Command(begin, "\n", words=[*inner, texts if is_quoted else self._within(text, begin)])
        self._heredocs = []

    def _within(self, text: str, line: int) -> Word:
        """Return the text of a here-document as a word, in which variables are expanded."""
        pieces = _Lexer(text, line, self._depth + 1)._double(is_open=True)
        return _joined([replace(each, joins=True) if isinstance(each, Variable) else each for each in pieces])

    def _arithmetic_command(self, follows: str) -> Command:
        line, end = self._line, self._text.find("))", self._at)
        if end < 0:
            raise Broken("has (( without ))", line)
        inner = self._text[self._at + 2 : end]
        self._advance(end + 2 - self._at)
        return Command(line, follows, words=[(Text("let", line),), (Text(inner, line),)])

    def _array(self) -> list[Word]:
        """Read ``(words)``."""
        line = self._line
        words: list[Word] = []
        self._advance()
        while True:
            self._skip_blanks()
            if self._peek() == "\n":
                self._advance()
                continue
            if not self._peek():
                raise Broken("has an array without its closing bracket", line)
            if self._peek() == ")":
                self._advance()
                return words
            before = self._at
            words.append(self._word())
            if self._at == before:
                raise Broken(f"has {self._peek()!r} within an array", self._line)

    def _word(self) -> Word:
        """Read a word, up to a blank or an operator."""
        pieces: list[Piece] = []
        while self._at < len(self._text):
            letter = self._peek()
            if letter in " \t\r\n;|()<>" or (letter == "&"):
                if self._text.startswith(("<(", ">("), self._at):
                    pieces.append(self._skipped("(", ")", 1, "is a process substitution"))
                    continue
                break
            if letter == "'":
                pieces += self._single()
            elif letter == '"':
                pieces += self._double()
            elif letter == "\\":
                pieces += self._escaped()
            elif letter in "$`":
                pieces.append(self._expansion(is_quoted=False))
            elif letter == _UNKNOWN:
                pieces.append(self._unknown())
            elif letter == "{" and (braces := _BRACES.match(self._text, self._at)):
                pieces.append(Unread("is a brace expansion, which is not read", self._line, braces[0]))
                self._advance(len(braces[0]))
            else:
                pieces.append(Text(letter, self._line))
                self._advance()
        return _joined(pieces)

    def _unknown(self) -> Unread:
        """Read what stands for a part that is not known."""
        part = self._parts[bisect(self._begins, self._at) - 1] if self._parts else None
        found = part if isinstance(part, Unread) else Unread("is not known", self._line)
        self._advance()
        return found

    def _single(self) -> list[Piece]:
        if _UNKNOWN in self._text[self._at : self._text.find("'", self._at + 1)]:
            return self._single_with_unknown()
        line, end = self._line, self._text.find("'", self._at + 1)
        if end < 0:
            raise Broken("has a quote ' that is not closed", line)
        rows = self._text[self._at + 1 : end].split("\n")
        self._advance(end + 1 - self._at)
        return [Text(row + ("\n" if number < len(rows) - 1 else ""), line + number) for number, row in enumerate(rows)]

    def _single_with_unknown(self) -> list[Piece]:
        pieces: list[Piece] = [Text("", self._line)]
        self._advance()
        while self._peek() != "'":
            if self._peek() == _UNKNOWN:
                pieces.append(self._unknown())
            else:
                pieces.append(Text(self._peek(), self._line))
                self._advance()
        self._advance()
        return pieces

    def _double(self, *, is_open: bool = False) -> list[Piece]:
        """Read what is between double quotes; where `is_open`, the whole text is, as in a here-document."""
        line = self._line
        self._advance(not is_open)
        pieces: list[Piece] = [Text("", line)]
        while is_open or self._peek() != '"':
            letter = self._peek()
            if not letter and is_open:
                return pieces
            if not letter:
                raise Broken('has a quote " that is not closed', line)
            if letter == "\\" and self._text[self._at + 1 : self._at + 2] in _ESCAPED[is_open:]:
                pieces += self._escaped()
            else:
                pieces.append(self._quoted())
        self._advance()
        return pieces

    def _quoted(self) -> Piece:
        """Read an expansion between double quotes, or one character."""
        letter = self._peek()
        if letter in "$`":
            return self._expansion(is_quoted=True)
        if letter == _UNKNOWN:
            return self._unknown()
        piece = Text(letter, self._line)
        self._advance()
        return piece

    def _escaped(self) -> list[Piece]:
        """Read a backslash and what follows; before a new line both are left out."""
        self._advance()
        if self._text.startswith(("\n", "\r\n"), self._at):
            self._advance(self._text.index("\n", self._at) - self._at + 1)
            return []
        piece = Text(self._peek(), self._line)
        self._advance()
        return [piece]

    def _expansion(self, *, is_quoted: bool) -> Piece:
        """Read what begins with ``$`` or a backquote."""
        line = self._line
        if self._peek() == "`":
            return self._backquoted()
        if self._text.startswith("$((", self._at):
            written = self._skipped("(", ")", 1, "").written
            if not written.endswith("))"):
                raise Broken("has $(( without ))", line)
            return Arithmetic(written[3:-2], line)
        if self._text.startswith("$(", self._at):
            return self._skipped("(", ")", 1, "is the output of a command, and no command is run")
        if self._text.startswith("${", self._at):
            return self._braced(is_quoted)
        name = _NAME.match(self._text, self._at + 1)
        following = self._text[self._at + 1 : self._at + 2]
        if name:
            self._advance(1 + len(name[0]))
            return Variable(name[0], line, is_quoted, all_items=False)
        if following and following in _SPECIAL:
            self._advance(2)
            return Variable(following, line, is_quoted, all_items=following in "@*")
        if following in ("'", '"') and not is_quoted and following:
            self._advance()
            end = self._text.find(following, self._at + 1)
            if end < 0:
                raise Broken(f"has a quote {following} that is not closed", line)
            written = self._text[self._at : end + 1]
            self._advance(len(written))
            return Unread("has escapes that are not read; write it without `$` before the quote", line, f"${written}")
        self._advance()
        return Text("$", line)

    def _backquoted(self) -> Unread:
        line, found = self._line, _BACKQUOTED.match(self._text, self._at)
        if found is None:
            raise Broken("has a backquote ` that is not closed", line)
        written = found[0]
        self._advance(len(written))
        return Unread("is the output of a command, and no command is run", line, written)

    def _skipped(self, opening: str, closing: str, offset: int, what: str) -> Unread:
        """Go behind the bracket that closes the one at `offset`; quotes within hide brackets."""
        line, begin = self._line, self._at
        self._advance(offset)
        depth = 0
        while self._at < len(self._text):
            letter = self._peek()
            if letter == "'":
                self._single()
                continue
            if letter == '"':
                self._double()
                continue
            if letter == "\\":
                self._advance()
            depth += (letter == opening) - (letter == closing)
            self._advance()
            if not depth:
                return Unread(what, line, self._text[begin : self._at])
        raise Broken(f"has {self._text[begin : begin + 2]} without {closing}", line)

    def _braced(self, is_quoted: bool) -> Piece:
        """Read ``${...}``."""
        skipped = _Lexer(self._text[self._at :], self._line, self._depth + 1)
        line, written = self._line, skipped._skipped("{", "}", 1, "").written
        self._advance(len(written))
        found = re.fullmatch(r"([A-Za-z_]\w*|[0-9]+|[@*])(\[[@*0]\])?(?:(:?)([-=+?])(.*))?", written[2:-1], re.DOTALL)
        if found is None:
            return Unread("is an expansion that is not read", line, written)
        name, items, colon, operator, default = found.groups()
        word = _Lexer(default, line, self._depth + 1)._default(is_quoted) if operator in ("-", "=", "+") else None
        is_all = items in ("[@]", "[*]") or name in "@*"
        joins = is_quoted and (items == "[*]" or name == "*")
        if operator == "+":
            return Variable(name, line, is_quoted, None, colon == ":", is_all, word)
        return Variable(name, line, is_quoted, word, colon == ":", is_all, assigns=operator == "=", joins=joins)

    def _default(self, is_quoted: bool) -> Word:
        """Read the whole text as one word, quotes in which are left out."""
        pieces: list[Piece] = [Text("", self._line)]
        while letter := self._peek():
            if letter == "'" and not is_quoted:
                pieces += self._single()
            elif letter == '"':
                pieces += self._double()
            elif letter == "\\" and (not is_quoted or self._text[self._at + 1 : self._at + 2] in _ESCAPED):
                pieces += self._escaped()
            else:
                pieces.append(self._quoted())
        return _joined(pieces)


def plain(word: Word) -> str:
    """Return the texts of a word, without its expansions."""
    return "".join(piece.text for piece in word if isinstance(piece, Text))


def _is_keyword(names: Sequence[str], name: str) -> bool:
    """Return whether the keyword `name` is the first of `names` behind others."""
    return next((other for other in names if other not in _BEFORE_COMMANDS), "") == name


def _is_item(word: Word) -> bool:
    """Return whether a word of an array begins with its index, as in ``[1]=word``."""
    return bool(word) and isinstance(word[0], Text) and re.match(r"\[[^]]*\]\+?=", word[0].text) is not None


def _joined(pieces: list[Piece]) -> Word:
    """Return `pieces` with neighbouring texts of one line joined."""
    joined: list[Piece] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if isinstance(piece, Text) and isinstance(last, Text) and last.line == piece.line:
            joined[-1] = Text(last.text + piece.text, piece.line)
        else:
            joined.append(piece)
    return tuple(joined)
