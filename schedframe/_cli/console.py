"""What every table is printed with."""

import os

import typer
from rich import box
from rich.console import Console, RenderableType
from rich.table import Table

_UNWRAPPED = 400


def console() -> Console:
    """Return the console of standard output; if that is not a terminal, it is too wide to wrap anything."""
    out = Console(highlight=False, markup=False, emoji=False)
    if not out.is_terminal and "COLUMNS" not in os.environ:
        out.width = _UNWRAPPED
    return out


def table(*headers: str) -> Table:
    """Return a table with nothing but a line under its headers."""
    return Table(
        *headers, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="bold"
    )


def print_parts(*parts: RenderableType) -> None:
    """Print `parts`, without spaces at the ends of lines if standard output is not a terminal."""
    out = console()
    if out.is_terminal:
        out.print(*parts, sep="\n")
        return
    with out.capture() as captured:
        out.print(*parts, sep="\n")
    typer.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))
