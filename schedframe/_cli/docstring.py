"""A style's docstring, fitted to the width of the terminal."""

import inspect
import textwrap
from itertools import groupby

_AS_WRITTEN = ("Formula:", "Examples:", "::")


def fitted(docstring: str, width: int) -> str:
    """Refill the prose of `docstring` to `width` columns; formulas and code keep their lines."""
    lines: list[str] = []
    above = ""
    for indent, block in groupby(inspect.cleandoc(docstring).splitlines(), _indent):
        texts = [line.strip() for line in block]
        if indent == 0:
            above = texts[-1]
        if indent and above.endswith(_AS_WRITTEN):
            lines += [part for text in texts for part in _filled(text, indent, indent + 4, width)]
        else:
            lines += _filled(" ".join(texts), indent or 0, indent or 0, width)
    return "\n".join(lines)


def _indent(line: str) -> int | None:
    return len(line) - len(line.lstrip()) if line.strip() else None


def _filled(text: str, first: int, others: int, width: int) -> list[str]:
    wrapped = textwrap.wrap(
        text,
        width,
        initial_indent=" " * first,
        subsequent_indent=" " * others,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return wrapped or [""]
