"""``python -m schedframe.megatron --dry-run``: the schedule of a Megatron-LM command line."""

from collections.abc import Sequence
from pathlib import Path

import typer

from schedframe._cli.exit_codes import CANNOT_BE_USED
from schedframe._cli.findings import print_finding
from schedframe._cli.schedule_page import show_table
from schedframe._errors import SchedframeError
from schedframe._plan.rule import DEFAULT
from schedframe._tools.views.table import evaluate, labelled_steps
from schedframe.megatron._launch.dry_run import declared_by


def show(script: str, words: Sequence[str]) -> int:
    """Print the schedule that a command line declares, and what is found in it, and return the exit code.

    It is 0 where nothing is worse than a note, 1 for warnings and errors, 2 where there is no schedule.

    Args:
        script: the script that would run.
        words: what comes after it: Megatron's arguments.
    """
    try:
        declared = declared_by(script, words)
        schedule = declared.schedule
        roles = [DEFAULT, *(rule.role for rule in schedule.groups)]
        rows = {role: evaluate(schedule, labelled_steps(schedule.for_role(role)), role) for role in roles}
    except (SchedframeError, OSError) as error:
        typer.echo(f"schedframe: {error}", err=True)
        return CANNOT_BE_USED
    show_table(Path(declared.place), schedule, rows)
    findings = [finding for finding in schedule.findings() if finding.severity != "note"]
    if findings or declared.notes:
        typer.echo()
    for note in declared.notes:
        typer.echo(f"note: {note}")
    for finding in findings:
        print_finding(finding)
    return int(bool(findings))
