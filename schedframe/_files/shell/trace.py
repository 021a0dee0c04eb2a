"""What ``bash -x`` prints of a script, as a script."""

import re
from collections.abc import Iterator

_CLOSING_QUOTES = {"'": ("'", "$'", "\\'"), "$'": ("'", "$'"), '"': ('"',)}
"""What ends each quote, as it is found in a line."""

_TRACED = re.compile(r"\++ (.*)", re.DOTALL)


def is_trace(text: str) -> bool:
    """Return whether the first line of `text` is one that ``bash -x`` prints."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    return _TRACED.fullmatch(first) is not None


def untraced(text: str) -> str:
    """Return the commands that ``bash -x`` printed, on their lines; what they printed themselves is left out."""
    return "\n".join(_untraced(text.split("\n")))


def _untraced(lines: list[str]) -> Iterator[str]:
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
