"""``schedframe check``: are these files schedules that can be run?"""

import json
import shutil
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from schedframe._cli.arguments import importing
from schedframe._cli.exit_codes import CANNOT_BE_USED
from schedframe._cli.words import summary
from schedframe._errors import ConfigError, Problem, SchedframeError
from schedframe._files.config.document import Document, read
from schedframe._plugins.hooks import complaints
from schedframe._schedule.schedule import load


@dataclass(frozen=True)
class _Finding:
    """What was found about one file.

    Attributes:
        file: the path as it was given.
        schedule: what the schedule is, in one line; empty where it cannot be used.
        error: why it cannot be used.
        notes: what is odd about a file whether or not it can be used.
    """

    file: Path
    schedule: str
    error: SchedframeError | None
    notes: tuple[str, ...]


@importing
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Schedules: YAML, TOML or JSON.")],
    format: Annotated[Literal["text", "json"], typer.Option(help="What to print.")] = "text",
) -> None:
    """Say whether files are schedules that can be run.

    Where one is not, every problem is listed; the house rules of installed plugins count. All files are
    checked; the exit code is 0 when all of them are good, else 2.

    Examples:
      schedframe check run.yaml
      schedframe check run.yaml --format json
      schedframe check run.yaml --import ./my_styles.py
    """
    findings = [_examine(file) for file in files]
    if format == "json":
        typer.echo(json.dumps({"files": [_as_data(finding) for finding in findings]}, indent=2))
    else:
        for finding in findings:
            _print(finding)
    if any(finding.error for finding in findings):
        raise typer.Exit(CANNOT_BE_USED)


def _examine(file: Path) -> _Finding:
    try:
        schedule = load(file)
        problems = [Problem("", complaint) for complaint in complaints(schedule)]
        if problems:
            raise ConfigError(str(file), problems)
    except SchedframeError as error:
        return _Finding(file, "", error, _notes(_read(file)))
    return _Finding(file, summary(schedule), None, _notes(schedule.origin.document))


def _read(file: Path) -> Document | None:
    try:
        return read(file)
    except ConfigError:
        return None


def _notes(document: Document | None) -> tuple[str, ...]:
    if document is None or document.ends_cleanly or document.path.suffix.lower() == ".json":
        return ()  # JSON that can be read is whole
    return ("does not end in a newline; was it cut?",)


def _print(finding: _Finding) -> None:
    if finding.error is None:
        typer.echo(f"{finding.file}: ok\n{_indented(finding.schedule)}")
    else:
        text = str(finding.error)
        typer.echo(text if isinstance(finding.error, ConfigError) else f"{finding.file}: {text}", err=True)
    for note in finding.notes:
        typer.echo(f"{finding.file}: note: {note}", err=True)


def _indented(line: str) -> str:
    """Indent `line`; on a terminal that is too narrow for it, wrap it between words."""
    if sys.stdout is None or not sys.stdout.isatty():
        return f"  {line}"
    words = textwrap.TextWrapper(
        shutil.get_terminal_size().columns, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
    )
    return words.fill(line)


def _as_data(finding: _Finding) -> dict[str, object]:
    error = finding.error
    problems = error.problems if isinstance(error, ConfigError) else [Problem("", str(error))] if error else []
    return {
        "file": str(finding.file),
        "ok": error is None,
        "schedule": finding.schedule or None,
        "problems": [
            {key: getattr(problem, key) for key in ("path", "value", "file", "line", "message")} for problem in problems
        ],
        "notes": list(finding.notes),
    }
