"""On which line each key and each item of a JSON or TOML text stands, whose readers do not record it.

The text is read a second time, as tokens. It is valid, and no larger than a config can be.
"""

import re
from collections.abc import Callable, Iterator

from schedframe._errors import Problem, dotted
from schedframe._files.config.parsed import Parsed

Path = tuple[str, ...]

_END = ""
_NEWLINE = "\n"


class Places:
    """Walks over the tokens of a text, and notes the line of each key and item at its first mention."""

    def __init__(self, text: str, token: re.Pattern[str], assign: str, key_of: Callable[[str], str]) -> None:
        """Begin before the first token.

        Args:
            text: the text.
            token: matches each token, a newline too where it counts.
            assign: the token between a key and its value; a ``.`` before it joins keys.
            key_of: returns the key that a token spells.
        """
        self.token, self.line = _END, 1
        self._tokens = _with_lines(text, token)
        self._assign, self._key_of = assign, key_of
        self._lines: dict[Path, int] = {}
        self._repeated: list[tuple[Path, int]] = []
        self.advance()

    def advance(self) -> None:
        """Go to the next token; at the end it is empty."""
        self.token, self.line = next(self._tokens, (_END, self.line))

    def note(self, path: Path) -> None:
        """Note that what is at `path` stands here, if it stands nowhere before."""
        self._lines.setdefault(path, self.line)

    def add_to(self, parsed: Parsed) -> None:
        """Give `parsed` the lines, and a problem for each key that stands twice."""
        parsed.lines = {dotted(path): line for path, line in self._lines.items()}
        for path, line in self._repeated:
            message = f"is given twice, first on line {self._lines[path]}; keep one"
            parsed.problems.append(Problem(dotted(path), message, line=line))

    def keys(self, end: str) -> Path:
        """Go behind the token `end`, and return the keys before it."""
        keys = []
        while self.token not in (end, _END):
            if self.token != ".":
                keys.append(self._key_of(self.token))
            self.advance()
        self.advance()
        return tuple(keys)

    def pair(self, table: Path) -> None:
        """Go behind a key and its value, which are in `table`."""
        line = self.line
        keys = self.keys(self._assign)
        path = (*table, *keys)
        if path in self._lines:
            self._repeated.append((path, line))
        for length in range(len(table) + 1, len(path) + 1):
            self._lines.setdefault(path[:length], line)
        self.value(path)

    def value(self, path: Path) -> None:
        """Go behind the value at `path`."""
        if self.token in ("[", "{"):
            self._items(path, "]" if self.token == "[" else "}")
        while self.token not in (",", "]", "}", _NEWLINE, _END):
            self.advance()

    def _items(self, path: Path, end: str) -> None:
        index = 0
        self.advance()
        while self.token not in (end, _END):
            if self.token in (",", _NEWLINE):
                self.advance()
            elif end == "}":
                self.pair(path)
            else:
                item = (*path, str(index))
                self.note(item)
                self.value(item)
                index += 1
        self.advance()


def _with_lines(text: str, token: re.Pattern[str]) -> Iterator[tuple[str, int]]:
    """Yield each token with the line on which it begins, from 1; comments are left out."""
    line, counted = 1, 0
    for match in token.finditer(text):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        if not match[0].startswith("#"):
            yield match[0], line
