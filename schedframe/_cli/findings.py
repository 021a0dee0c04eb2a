"""How the terminal shows what rules find."""

import shutil
import sys
import textwrap
from functools import lru_cache
from pathlib import Path

import typer

from schedframe._plan.summary import short
from schedframe._tools.views.findings import LOADING
from schedframe.lint._rule import Finding

_COLOURS = {"error": "red", "warning": "yellow", "note": "blue"}


def print_finding(finding: Finding) -> None:
    """Print one finding: where, what, the line of the file, the position and the fix."""
    place = f"{finding.file}:{finding.line}" if finding.line else finding.file
    severity = typer.style(finding.severity, fg=_COLOURS[finding.severity], bold=True)
    code = f"{finding.code} " if finding.code != LOADING.code else ""
    subject = f"{finding.path} = {finding.value}" if finding.value else finding.path
    details = [f"{subject}: {finding.message}" if subject else finding.message]
    head = f"{typer.style(place, bold=True)}: " if place else ""
    typer.echo(f"{head}{code}{severity}: {wrapped(details[0], '  ').lstrip()}")
    source = _line_of(finding.file, finding.line) if finding.line else ""
    if source:
        number, text = str(finding.line), source.strip()
        margin = " " * len(number)
        typer.echo(f"{margin} |\n{number} | {text}\n{margin} | {typer.style('^' * len(text), fg='red')}")
    if finding.role != "default":
        typer.echo(f"  for the param groups {finding.role}")
    if finding.step is not None:
        typer.echo(f"  at {_position(finding)}")
    if finding.fix:
        typer.echo(wrapped(f"fix: {finding.fix}", "  "))
    if finding.source:
        typer.echo(f"  a rule of {finding.source}")
    typer.echo()


def _position(finding: Finding) -> str:
    clock, *others = finding.units.items()
    known = ", ".join(f"{short(round(amount, 3))} {unit}" for unit, amount in others)
    return f"{short(round(clock[1], 3))} {clock[0]}{f' ({known})' if known else ''}"


@lru_cache(maxsize=1)
def _lines(file: str) -> tuple[str, ...]:
    try:
        return tuple(Path(file).read_text("utf-8-sig").split("\n"))
    except (OSError, UnicodeDecodeError, ValueError):
        return ()


def _line_of(file: str, line: int) -> str:
    lines = _lines(file)
    return lines[line - 1] if line <= len(lines) else ""


def wrapped(line: str, indent: str) -> str:
    """Indent `line`; on a terminal that is too narrow for it, wrap it between words."""
    if sys.stdout is None or not sys.stdout.isatty():
        return f"{indent}{line}"
    width = shutil.get_terminal_size().columns or 80  # Python 3.10 gives 0 where a terminal has no size
    return textwrap.fill(line, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
