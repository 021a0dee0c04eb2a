"""A schedule as a notebook shows it: HTML with a picture."""

from collections.abc import Callable, Iterable
from html import escape

from schedframe._errors import SchedframeError


def as_html(summary: str, picture: Callable[[], str], findings: Callable[[], Iterable[object]]) -> str:
    """Return a block of HTML: the `summary`, the SVG of the `picture`, and the `findings` as a list.

    What cannot be made has its error in its place; where matplotlib is not installed there is no picture.
    """
    return f"<div><p>{escape(summary)}</p>{_picture(picture)}{_list(findings)}</div>"


def _picture(picture: Callable[[], str]) -> str:
    try:
        return picture()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        return ""
    except SchedframeError as error:
        return f"<p>no picture: {escape(str(error))}</p>"


def _list(findings: Callable[[], Iterable[object]]) -> str:
    try:
        items = "".join(f"<li>{escape(str(finding))}</li>" for finding in findings())
    except SchedframeError as error:
        return f"<p>no findings: {escape(str(error))}</p>"
    return f"<ul>{items}</ul>" if items else ""
