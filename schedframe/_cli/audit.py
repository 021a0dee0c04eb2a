"""``schedframe audit``: what a run logged against what the file specifies."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from schedframe._cli.arguments import TextOrJson, importing
from schedframe._cli.completion import schedule_file
from schedframe._cli.exit_codes import Findings
from schedframe._cli.findings import wrapped
from schedframe._cli.output import print_json
from schedframe._cli.picture import write_picture
from schedframe._files.logs.record import Progress
from schedframe._pictures.series import TITLES
from schedframe._plan.rule import DEFAULT
from schedframe._schedule.schedule import load
from schedframe._tools.audit.audit import Audit, Verdict, as_data
from schedframe._tools.audit.audit import audit as compare
from schedframe._tools.audit.picture import picture_of_audit
from schedframe._units.notation import rate

_MOST_RESTARTS = 5
_SHOWN = {"next": "the next update", "own": "the update itself"}


@importing
def audit(
    logs: Annotated[list[Path], typer.Argument(metavar="LOG", help="Logs of one run, in the order it wrote them.")],
    with_: Annotated[
        Path,
        typer.Option("--with", metavar="FILE", help="The schedule of the run.", autocompletion=schedule_file),
    ],
    role: Annotated[str, typer.Option(metavar="ROLE", help="The param groups whose values are logged.")] = DEFAULT,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="PICTURE", help="Draw logged values over the curve.", show_default=False
        ),
    ] = None,
    format: TextOrJson = "text",
) -> None:
    """Compare what a run logged with its schedule.

    Reports the first iteration at which the learning rate or the weight decay differs from the schedule, by how much,
    and the likely cause. Reads what Megatron-LM prints, TensorBoard's event files, JSON Lines, CSV and
    trainer_state.json. The last value of an iteration is used. Rounding to the digits of the log is not a difference.

    The exit code is 1 if the log differs from the schedule.

    Examples:
      schedframe audit train.log --with run.yaml
      schedframe audit first.log resumed.log --with run.yaml -o audit.png
      schedframe audit events.out.tfevents.1700000000.node --with run.yaml --format json
    """
    schedule = load(with_)
    try:
        with _progress(logs) as progress:
            found = compare(schedule, logs, role=role, progress=progress)
    except ValueError as error:
        if type(error) is not ValueError:
            raise
        raise typer.BadParameter(str(error), param_hint="'--role'") from None
    if output is not None:
        write_picture(output, picture_of_audit(found, str(with_)), "--output")
    if format == "json":
        print_json(as_data(found))
    else:
        _print(found, with_)
    if found.differs:
        raise Findings


@contextmanager
def _progress(logs: list[Path]) -> Iterator[Progress]:
    """Yield what shows the progress of reading on standard error, where that is a terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda size: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=sum(log.stat().st_size for log in logs if log.is_file()))
        yield lambda size: bar.advance(task, size)


def _print(found: Audit, file: Path) -> None:
    for log in found.logs:
        typer.echo(f"{log.path}: {log.format}, {log.records} records, iterations {log.first} to {log.last}")
    for restart in found.restarts[:_MOST_RESTARTS]:
        typer.echo(f"{restart.path}: continues at iteration {restart.iteration}, after iteration {restart.before}")
    if len(found.restarts) > _MOST_RESTARTS:
        typer.echo(f"and {len(found.restarts) - _MOST_RESTARTS} more restarts")
    for verdict in found.verdicts:
        typer.echo()
        _print_verdict(verdict, file)
    for note in found.notes:
        typer.echo(f"note: {note}")


def _print_verdict(verdict: Verdict, file: Path) -> None:
    what, first, worst, cause = TITLES[verdict.quantity], verdict.first, verdict.worst, verdict.cause
    if first is None or worst is None or cause is None:
        typer.echo(f"{what}: as in {file} at all {verdict.compared} iterations")
        return
    typer.echo(f"{what}: differs from {file} at {verdict.different} of {verdict.compared} iterations")
    for words, one in (("first", first), ("worst", worst)):
        by = f", {(one.logged / one.expected - 1) * 100:+.3g} %" if one.expected else ""
        logged, expected = rate(one.logged, 7), rate(one.expected, 7)
        typer.echo(f"  {words} at iteration {one.iteration}: logged {logged}, expected {expected}{by}")
    typer.echo(
        wrapped(f"likely cause: {cause.sentence} (explains {cause.share:.0%} of the values from there on)", "  ")
    )
    typer.echo(f"  at each iteration, the log has the value of {_SHOWN[verdict.shown]}")
