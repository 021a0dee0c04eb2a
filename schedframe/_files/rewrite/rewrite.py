"""Derives one config file from another: keys change, comments stay."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from schedframe._errors import ConfigError, Problem, SchedframeError
from schedframe._files.config.document import Document, from_text
from schedframe._files.config.parsed import Broken
from schedframe._files.rewrite import json, toml, yaml
from schedframe._files.rewrite.editor import newline_of
from schedframe._files.rewrite.written import same

_WRITERS = {".yaml": yaml, ".yml": yaml, ".toml": toml, ".json": json}


class _Removed:
    def __repr__(self) -> str:
        return "REMOVED"


REMOVED: Final = _Removed()
"""Stands for the value of a key that goes."""


def rewritten(document: Document, changes: Mapping[str, Any], *, heading: Sequence[str], suffix: str) -> str:
    """Return the text of `document`'s file with `changes` made; every comment is kept.

    What does not change stays byte for byte. A table whose new value is a table is changed key by key.
    A line that goes and has a comment stays, commented out as a whole.

    Args:
        document: a file that was read without problems.
        changes: for each key at the top its new value, plain data, or `REMOVED`.
        heading: lines of a comment at the top; left out of JSON, which has none.
        suffix: of the file to be written, which must be of the same format.

    Raises:
        ConfigError: the formats differ, no key would be left, or the file is written in a way that cannot be edited.
        SchedframeError: the text made would not say what was asked for, or lacks a comment.
    """
    own_suffix = document.path.suffix.lower()
    if _WRITERS[own_suffix] != _WRITERS.get(suffix.lower()):
        raise _refusal(
            document, f"keeps its format when it is derived from; use the suffix {own_suffix}, not {suffix!r}"
        )
    data = {key: value for key, value in {**document.data, **changes}.items() if value is not REMOVED}
    if not data:
        raise _refusal(document, "would have no key left")
    writer = _WRITERS[own_suffix]
    try:
        text: str = writer.edit(document.text, document.data, data)
    except Broken as error:
        raise _refusal(document, str(error), error.line) from None
    if heading and writer.HAS_COMMENTS:
        newline = newline_of(document.text)
        text = newline.join([*map(_comment, heading), "", text])
    _verify(document, text, data, writer)
    return text


def _comment(line: str) -> str:
    printable = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in line)
    return printable if printable.startswith("#") else f"# {printable}".rstrip()


def _verify(document: Document, text: str, data: dict[str, Any], writer: Any) -> None:
    """Refuse `text` unless it says `data` and has every comment of `document`, be it within a longer one."""
    try:
        written = from_text(document.path, text)
    except ConfigError as error:
        raise _bug(document, f"cannot be read ({error.problems[0]})") from None
    if written.problems or not same(written.data, data):
        raise _bug(document, "does not say what it should")
    before, after = writer.comments(document.text), writer.comments(text)
    for comment in before:
        if sum(other.endswith(comment) for other in after) < sum(other.endswith(comment) for other in before):
            raise _bug(document, f"lacks the comment {comment!r}")


def _bug(document: Document, what: str) -> SchedframeError:
    return SchedframeError(
        f"{document.path}: the text made from it {what}, and was not used; "
        "this is a bug in schedframe, please report it with the file and what was to change"
    )


def _refusal(document: Document, message: str, line: int | None = None) -> ConfigError:
    return ConfigError(str(document.path), [Problem("", message, line=line)])
