"""Changes a config's text span by span: what is not changed stays byte for byte, and every comment stays."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

_BLANKS = " \t"


@dataclass(frozen=True)
class Entry:
    """A key and its value within braces, as places in the text: the value is at ``[value, end)``."""

    key: str
    start: int
    value: int
    end: int


class Editor:
    """Collects changes of a text, which must not overlap, and makes them all at once.

    A line that is removed and has a comment stays, commented out as a whole.

    Attributes:
        text: the text as it was.
        newline: how its lines end.
        refuge: where lines that stay for their comment go, the start of a line; by default they stay in place.
    """

    def __init__(self, text: str, comments: Iterable[tuple[int, int]] = (), breaks: str = "\r\n|[\n\r]") -> None:
        """Take `text`, the spans of its comments, and the pattern of its line breaks."""
        self.text = text
        self.newline = newline_of(text)
        self.refuge: int | None = None
        self._comments = dict(comments)
        self._break = re.compile(breaks)
        self._lines = [0, *(match.end() for match in self._break.finditer(text))]
        self._changes: list[tuple[int, int, str]] = []

    def result(self) -> str:
        """Return the text with all changes; what is put in at one place stands there in the order of the calls."""
        parts, done = [], 0
        for start, end, new in sorted(self._changes, key=lambda change: change[:2]):
            parts += [self.text[done:start], new]
            done = end
        return "".join([*parts, self.text[done:]])

    def insert(self, at: int, new: str) -> None:
        """Put `new` in at `at`."""
        self._changes.append((at, at, new))

    def replace(self, start: int, end: int, new: str) -> None:
        """Put `new` in the place of a span; a comment on the span's first line stays on that line."""
        first, *others = self._pieces(start, end)
        if self.refuge is not None:
            self._what_stays([first, *others], start)
        elif self._has_comment(start, end):
            comment = self._comment_in(*first)
            tail = self.text[len(self.text[:comment].rstrip(_BLANKS)) : first[1]]
            new, end = self._joined(new + tail + self._what_stays(others, start), start, end)
        self._changes.append((start, end, new))

    def remove(self, start: int, end: int) -> None:
        """Take a span out, with its whole lines where nothing else stands on them."""
        end = self.past_comment(end)
        alone = self.indent(start) is not None
        whole = alone and self._ends_line(end)
        if whole:
            start, end = self.line_start(start), self.next_line(end)
        kept = self._what_stays(self._pieces(start, end), start)
        if kept and not whole:
            glue = "" if alone or self.text[start - 1] in _BLANKS else " "
            kept, end = self._joined(glue + kept, start, end)
        elif not whole:
            end = self._past_blanks(end)
            if not alone and (self._ends_line(end) or self.text[end] in "}]"):
                start = len(self.text[:start].rstrip(_BLANKS))
        self._changes.append((start, end, kept))

    def fit_entries(self, opened: int, entries: Sequence[Entry], gone: Iterable[str], added: Sequence[str]) -> None:
        """Remove and add entries within braces, with the commas between them.

        Args:
            opened: the place after the opening brace.
            entries: all that stand there now.
            gone: the keys of those to remove.
            added: the texts of those to add, after the last that stays.
        """
        gone = set(gone)
        staying = [entry for entry in entries if entry.key not in gone]
        last = staying[-1] if staying else None
        after = self._past_comma(last.end) if last else opened
        if added:
            self._add_entries(last, after, entries, added)
        elif last and last is not entries[-1]:
            self._changes.append((after - 1, after, ""))
        for leaving, run in groupby(entries, lambda entry: entry.key in gone):
            if leaving:
                together = list(run)
                self.remove(together[0].start, self._past_comma(together[-1].end))

    def _add_entries(self, last: Entry | None, after: int, entries: Sequence[Entry], added: Sequence[str]) -> None:
        """Add entries at `after`, behind `last` and its comma, each on a line of its own where the others are."""
        if last and after == last.end:
            self.insert(after, " ," if self.text[after - 1] == ":" else ",")
        model = last or next(iter(entries), None)
        indent = self.indent(model.start) if model else None
        if indent is not None and self._ends_line(self.past_comment(after)):
            line = self.newline + indent
            self.insert(self.past_comment(after), line + f",{line}".join(added))
        else:
            self.insert(after, (" " if last else "") + ", ".join(added))

    def line_start(self, at: int) -> int:
        """Return where the line of `at` starts."""
        return self._lines[bisect_right(self._lines, at) - 1]

    def next_line(self, at: int) -> int:
        """Return where the line after the one of `at` starts."""
        following = bisect_right(self._lines, at)
        return self._lines[following] if following < len(self._lines) else len(self.text)

    def line_number(self, at: int) -> int:
        """Return the number of the line of `at`, from 1."""
        return bisect_right(self._lines, at)

    def indent(self, at: int) -> str | None:
        """Return what stands before `at` on its line, if that is blank, else ``None``."""
        before = self.text[self.line_start(at) : at]
        return before if not before.strip(_BLANKS) else None

    def past_comment(self, at: int) -> int:
        """Return the end of the comment that follows on the line, or `at` where there is none."""
        return self._comments.get(self._past_blanks(at), at)

    def _past_comma(self, at: int) -> int:
        """Return the place after the comma that follows, or `at` where there is none."""
        following = at
        while following < len(self.text) and (self.text[following].isspace() or following in self._comments):
            following = self._comments.get(following, following + 1)
        return following + 1 if self.text[following : following + 1] == "," else at

    def _past_blanks(self, at: int) -> int:
        while self.text[at : at + 1] and self.text[at] in _BLANKS:
            at += 1
        return at

    def _ends_line(self, at: int) -> bool:
        return at == len(self.text) or self._break.match(self.text, self._past_blanks(at)) is not None

    def _has_comment(self, start: int, end: int) -> bool:
        return any(start <= comment < end for comment in self._comments)

    def _comment_in(self, start: int, end: int) -> int:
        """Return where the first comment of a span starts, or where the span's line break does."""
        inside = [comment for comment in self._comments if start <= comment < end]
        return min(inside) if inside else start + len(self._break.split(self.text[start:end])[0])

    def _pieces(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return the parts of a span that are on one line each, with their line breaks."""
        inner = [line for line in self._lines if start < line < end]
        return list(zip([start, *inner], [*inner, end], strict=True))

    def _what_stays(self, pieces: Iterable[tuple[int, int]], start: int) -> str:
        """Return what stays of the removed `pieces` of a span: those with comments, unless they go to the refuge."""
        line = self.line_start(start)
        depth = self._past_blanks(line) - line
        kept = [self._kept(*piece, depth) for piece in pieces if self._has_comment(*piece)]
        if self.refuge is None:
            return "".join(kept)
        for text in kept:
            self.insert(self.refuge, self._break.sub("", text) + self.newline)
        return ""

    def _kept(self, start: int, end: int, depth: int) -> str:
        """Return a line, or a part of one, as a comment that starts `depth` letters in."""
        inner = self._past_blanks(start)
        if inner in self._comments:
            return self.text[start:end]
        mark = min(start + depth, inner)
        return f"{self.text[start:mark]}# {self.text[mark:end]}"

    def _joined(self, kept: str, start: int, end: int) -> tuple[str, int]:
        """Fit `kept`, which may end in a line break, to what follows the removed span; return both, fitted."""
        *_, last = self._break.split(kept)
        if last:
            return kept, end
        if self._ends_line(end):
            return kept.removesuffix(self._break.findall(kept)[-1]), self._past_blanks(end)
        return kept + (self.indent(self._past_blanks(self._pieces(start, end)[-1][0])) or ""), end


def newline_of(text: str) -> str:
    """Return how the lines of `text` end, by the first of them."""
    first = re.search("\r\n|[\n\r]", text)
    return first[0] if first else "\n"
