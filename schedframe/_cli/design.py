"""``schedframe design``: a file's text and its curves, live in the browser."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from schedframe._cli.arguments import importing
from schedframe._cli.completion import schedule_file
from schedframe._cli.page import browser, refuse_unbuilt
from schedframe._tools.design.file import DesignedFile


@importing
def design(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="The schedule; a new file is created if it does not exist.",
            autocompletion=schedule_file,
        ),
    ],
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port; by default any free one.", show_default=False)
    ] = 0,
    no_open: Annotated[bool, typer.Option("--no-open", help="Print the address, and open no browser.")] = False,
) -> None:
    """Edit a schedule beside its curves, in the browser.

    The text is checked, and the curves are redrawn, when you pause typing. Keys and styles are completed. Ctrl-S
    saves, unless the file has been changed on disk. The page is served on this machine only, to anyone who has its
    address. Ctrl-C ends the command, and so does closing the page. The extra `design` is required.

    Examples:
      schedframe design run.yaml
      schedframe design new.yaml
      schedframe design run.yaml --no-open --port 8765
    """
    from schedframe._tools.design.server import serve

    refuse_unbuilt("'FILE'")
    designed = DesignedFile(file)

    def announce(address: str) -> None:
        typer.echo(f"{file} is open at {address}\nCtrl-C, or closing the page, ends it")
        opens = None if no_open else browser()
        if opens is not None:
            opens.open(address)

    try:
        is_busy = serve(designed, port, announce)
    except OSError as error:
        raise typer.BadParameter(f"port {port} cannot be used: {error.strerror}", param_hint="'--port'") from None
    typer.echo("ended")
    if is_busy:
        sys.stdout.flush()
        os._exit(0)
