"""Pages of schedules: written into a file, or opened in a browser."""

import os
import sys
import webbrowser
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import typer

from schedframe._files.write import write_new
from schedframe._tools.views.page.data import Shown, page_data
from schedframe._tools.views.page.html import is_built, page_of

SUFFIX = ".html"
_NOT_BUILT = (
    "this schedframe was built without Node.js and has no pages: install a release, or install Node.js and build them "
    "(`make frontend` in a checkout)"
)


def write_page(path: Path, data: Mapping[str, Any]) -> None:
    """Write the page that shows `data`, of `page_data`, to the file at `path`, whole or not at all.

    A file that is there is replaced.

    Raises:
        typer.BadParameter: the front end is not built.
        ConfigError: the file cannot be written.
    """
    refuse_unbuilt("'--output'")
    write_new(path, page_of(data), overwrite=True)


def open_page(schedules: Sequence[Shown], **options: Any) -> bool:
    """Open the page of `schedules` in the browser, and return whether there is one to open it.

    The page stands in a temporary folder of its own, which stays: the browser reads it when this process has ended.
    """
    opens = browser()
    if opens is None or not is_built():
        return False
    path = Path(mkdtemp(prefix="schedframe-"), f"{Path(schedules[0].name).stem or 'page'}{SUFFIX}")
    write_page(path, page_data(schedules, **options))
    if not opens.open(path.as_uri()):
        return False
    typer.echo(f"opened {path}")
    return True


def refuse_unbuilt(place: str) -> None:
    """Raise `typer.BadParameter`, about the parameter `place`, if the front end is not built."""
    if not is_built():
        raise typer.BadParameter(_NOT_BUILT, param_hint=place)


def browser() -> webbrowser.BaseBrowser | None:
    """Return a browser with a window of its own, or the one that ``BROWSER`` names, where a person is there to look."""
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    has_windows = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    is_named = bool(os.environ.get("BROWSER"))
    if not is_named and (not has_windows or os.environ.get("SSH_CONNECTION")):
        return None
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return None
    draws_text = type(browser) is webbrowser.GenericBrowser  # lynx, w3m: they would take the terminal
    return None if draws_text and not is_named else browser
