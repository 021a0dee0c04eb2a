"""``schedframe check``: what is wrong, and probably wrong, with these schedules?"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from schedframe._cli.arguments import importing
from schedframe._cli.completion import rule, schedule_file
from schedframe._cli.exit_codes import CANNOT_BE_USED, Findings
from schedframe._cli.findings import print_finding, wrapped
from schedframe._cli.opening import open_document
from schedframe._cli.output import print_json
from schedframe._errors import ConfigError, Problem
from schedframe._files.config.document import Document, parse_text
from schedframe._files.config.search import find_schedules
from schedframe._tools.examination import examine
from schedframe._tools.views.findings import Report, as_data, as_github, as_sarif
from schedframe.lint._engine import all_rules, rules_named
from schedframe.lint._rule import SEVERITIES

_STDIN = Path("-")
_Names = list[str] | None


@importing
def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH",
            help="Files, folders to search, or - for standard input (YAML).",
            show_default=".",
            autocompletion=schedule_file,
        ),
    ] = None,
    select: Annotated[
        _Names,
        typer.Option(
            metavar="RULE",
            help="Apply only these rules: a code (SF101), a prefix (SF2), or a name.",
            autocompletion=rule,
        ),
    ] = None,
    ignore: Annotated[
        _Names, typer.Option(metavar="RULE", help="Do not apply these rules.", autocompletion=rule)
    ] = None,
    notes: Annotated[bool, typer.Option("--notes", help="Also show notes.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Also exit with 1 for notes.")] = False,
    format: Annotated[Literal["text", "json", "github", "sarif"], typer.Option(help="Output format.")] = "text",
) -> None:
    """Check schedules for errors and likely mistakes.

    Each file is loaded, and the curves of all its param groups are evaluated over the whole run. Folders are
    searched for YAML, TOML and JSON files with the key max_lr. `schedframe rule` explains each rule; the key `ignore`
    in a file disables rules, each with a reason.

    The exit code is 0 if nothing is worse than a note, 1 for warnings and errors, 2 if a file cannot be loaded.

    Examples:
      schedframe check run.yaml
      schedframe check configs --ignore SF201
      schedframe check - < run.yaml
      schedframe check configs --format github
      schedframe check run.yaml --import ./my_styles.py
    """
    rules = [rule for rule, _ in all_rules().values()]
    for names in (select, ignore):
        rules_named(names or (), rules)
    reports = [_examine(path, select or (), ignore or ()) for path in _watched(list(_files(paths or [Path()])))]
    if format == "json":
        print_json(as_data(reports))
    elif format == "sarif":
        print_json(as_sarif(reports, rules))
    elif format == "github":
        typer.echo("".join(f"{line}\n" for line in as_github(reports)), nl=False)
    else:
        _print(reports, notes or strict)
    if not all(report.is_loaded for report in reports):
        raise typer.Exit(CANNOT_BE_USED)
    if any(report.count(severity) for report in reports for severity in SEVERITIES[: 3 if strict else 2]):
        raise Findings


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if not _is_folder(path):
            yield path
            continue
        found = list(find_schedules(path))
        if not found:
            raise ConfigError(str(path), [Problem("", "holds no YAML, TOML or JSON file with the key max_lr")])
        yield from found


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False  # reading it reports why


def _watched(files: list[Path]) -> Iterator[Path]:
    """Yield `files`, with a progress bar where there are many and standard error is a terminal."""
    if len(files) < 20 or sys.stderr is None or not sys.stderr.isatty():
        yield from files
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(files, "checking", console=Console(stderr=True), transient=True)


def _examine(path: Path, select: list[str] | tuple[()], ignore: list[str] | tuple[()]) -> Report:
    name = "<stdin>" if path == _STDIN else str(path)
    examined = examine(
        name, _read_stdin if path == _STDIN else partial(open_document, path), select=select, ignore=ignore
    )
    summary = "" if examined.schedule is None else examined.schedule.summary()
    return Report(name, summary, examined.findings, examined.notes)


def _read_stdin() -> Document:
    document = parse_text(Path("stdin.yaml"), sys.stdin.read())
    return replace(document, path=Path("<stdin>"))


def _print(reports: list[Report], with_notes: bool) -> None:
    hidden = 0
    for report in reports:
        shown = [finding for finding in report.findings if with_notes or finding.severity != "note"]
        hidden += len(report.findings) - len(shown)
        for finding in shown:
            print_finding(finding)
        for note in report.notes:
            typer.echo(f"{report.file}: note: {note}")
        if not shown:
            typer.echo(f"{report.file}: ok")
        if report.is_loaded and len(reports) == 1:
            typer.echo(wrapped(report.schedule, "  "))
    _print_counts(reports, hidden)


def _print_counts(reports: list[Report], hidden: int) -> None:
    counts = {severity: sum(report.count(severity) for report in reports) for severity in SEVERITIES}
    unusable = sum(not report.is_loaded for report in reports)
    parts = [f"{count} {severity}{'s' if count != 1 else ''}" for severity, count in counts.items() if count]
    if unusable:
        parts.insert(0, f"{unusable} of {len(reports)} file{'s' if len(reports) != 1 else ''} cannot be loaded")
    if len(reports) > 1 and not unusable:
        parts.insert(0, f"{len(reports)} files")
    if parts:
        typer.echo(", ".join(parts) + ("; --notes shows the notes" if hidden else ""))
