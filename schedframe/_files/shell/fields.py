"""Expanded words of a shell script: what is known of them, and how they are divided."""

import re
from collections.abc import Sequence
from typing import TypeAlias

from schedframe._files.shell.words import Text, Unread

Field: TypeAlias = tuple[Text | Unread, ...]
"""An expanded word: texts, and what could not be determined."""


def text_of(expanded: Field) -> str | None:
    """Return the text of a word; ``None`` where a part of it could not be determined."""
    return "".join(part.text for part in expanded if isinstance(part, Text)) if not unread_in(expanded) else None


def line_of(expanded: Field) -> int:
    """Return the line on which a word begins."""
    return next((part.line for part in expanded if isinstance(part, Unread) or part.text), expanded[0].line)


def unread_in(expanded: Field) -> Unread | None:
    """Return the first part of a word that could not be determined."""
    return next((part for part in expanded if isinstance(part, Unread)), None)


def texts_of(fields: Sequence[Field]) -> list[str] | None:
    """Return the texts of words; ``None`` where one of them could not be determined."""
    texts = [text_of(item) for item in fields]
    return None if None in texts else [text for text in texts if text is not None]


def is_filled(value: Sequence[Field]) -> bool:
    """Return whether a variable with these words is not empty."""
    return bool(value) and text_of(value[0]) != ""


def count_shared(one: Sequence[object], other: Sequence[object]) -> int:
    """Return how many items two sequences have in common at their beginnings."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def divided(fields: Sequence[Field]) -> list[Field]:
    """Return `fields` divided at white space, as ``eval`` and ``bash -c`` do."""
    return [tuple(part) for item in fields for part in divide(item)]


def divide(item: Field) -> list[list[Text | Unread]]:
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
