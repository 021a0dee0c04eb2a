"""``schedframe check``: are these files schedules that can be run?"""

import shutil
import sys
import textwrap
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from schedframe._cli.arguments import TextOrJson, importing
from schedframe._cli.exit_codes import CANNOT_BE_USED
from schedframe._cli.output import print_json
from schedframe._cli.words import summary
from schedframe._errors import ConfigError, Problem, SchedframeError
from schedframe._files.config.document import Document, read
from schedframe._plugins.hooks import complaints
from schedframe._schedule.schedule import load


class _Result(NamedTuple):
    """What is known of one file; `notes` hold whether or not it can be used."""

    file: Path
    schedule: str
    error: SchedframeError | None
    notes: tuple[str, ...]


@importing
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Schedules: YAML, TOML or JSON.")],
    format: TextOrJson = "text",
) -> None:
    """Say whether files are schedules that can be run.

    Where one is not, every problem is listed; the house rules of installed plugins count. All files are
    checked; the exit code is 0 when all of them are good, else 2.

    Examples:
      schedframe check run.yaml
      schedframe check run.yaml --format json
      schedframe check run.yaml --import ./my_styles.py
    """
    results = [_examine(file) for file in files]
    if format == "json":
        print_json({"files": [_as_data(result) for result in results]})
    else:
        for result in results:
            _print(result)
    if any(result.error for result in results):
        raise typer.Exit(CANNOT_BE_USED)


def _examine(file: Path) -> _Result:
    try:
        schedule = load(file)
        problems = [Problem("", complaint) for complaint in complaints(schedule)]
        if problems:
            raise ConfigError(str(file), problems)
    except SchedframeError as error:
        try:
            notes = _notes(read(file))
        except ConfigError:
            notes = ()
        return _Result(file, "", error, notes)
    return _Result(file, summary(schedule), None, _notes(schedule.origin.document))


def _notes(document: Document | None) -> tuple[str, ...]:
    if document is None or document.ends_cleanly or document.path.suffix.lower() == ".json":
        return ()  # JSON that can be read is whole
    return ("does not end in a newline; was it cut?",)


def _print(result: _Result) -> None:
    if result.error is None:
        typer.echo(f"{result.file}: ok\n{_indented(result.schedule)}")
    else:
        text = str(result.error)
        typer.echo(text if isinstance(result.error, ConfigError) else f"{result.file}: {text}", err=True)
    for note in result.notes:
        typer.echo(f"{result.file}: note: {note}", err=True)


def _indented(line: str) -> str:
    """Indent `line`; on a terminal that is too narrow for it, wrap it between words."""
    if sys.stdout is None or not sys.stdout.isatty():
        return f"  {line}"
    width = shutil.get_terminal_size().columns
    return textwrap.fill(line, width, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)


def _as_data(result: _Result) -> dict[str, object]:
    error, keys = result.error, ("path", "value", "file", "line", "message")
    problems = error.problems if isinstance(error, ConfigError) else [Problem("", str(error))] if error else []
    return {
        "file": str(result.file),
        "ok": error is None,
        "schedule": result.schedule or None,
        "problems": [{key: getattr(problem, key) for key in keys} for problem in problems],
        "notes": list(result.notes),
    }
