"""``schedframe inspect``: the scheduler's part of a checkpoint, and what resuming from it would do."""

from pathlib import Path
from typing import Annotated

import typer

from schedframe._cli.arguments import TableOrJson, importing
from schedframe._cli.completion import schedule_file
from schedframe._cli.console import console, print_parts, table
from schedframe._cli.exit_codes import Findings
from schedframe._cli.output import print_json
from schedframe._files.checkpoint import Checkpoint
from schedframe._plan.evaluate import finite_values
from schedframe._plan.summary import summary
from schedframe._tools.inspection import Inspection, Outcome, as_data, look_at, sources


@importing
def inspect(
    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="A checkpoint's folder or file.")],
    with_: Annotated[
        Path | None,
        typer.Option(
            "--with",
            metavar="FILE",
            help="Show what resuming with this schedule would do.",
            autocompletion=schedule_file,
        ),
    ] = None,
    format: TableOrJson = "table",
) -> None:
    """Show the scheduler's part of a checkpoint.

    Reads Megatron's formats torch and torch_dist, torch distributed checkpoints, torch.save and JSON, whether
    schedframe wrote them or not. No code that the checkpoint names is executed, and no tensor is read.

    With --with, the exit code is 1 if a resume with the policy of FILE would be refused.

    Examples:
      schedframe inspect checkpoints
      schedframe inspect checkpoints --with run.yaml
      schedframe inspect model_optim_rng.pt --format json
    """
    inspection = look_at(checkpoint, with_)
    if format == "json":
        print_json(as_data(inspection))
    else:
        _print(inspection)
    if inspection.is_refused:
        raise Findings


def _print(inspection: Inspection) -> None:
    _print_state(inspection)
    _print_groups(inspection.checkpoint)
    if inspection.schedule is not None:
        _print_differences(inspection)
        _print_outcomes(inspection)
    for note in inspection.notes:
        typer.echo(f"note: {note}")


def _print_state(inspection: Inspection) -> None:
    saved, checkpoint = inspection.saved, inspection.checkpoint
    unknown = f"unknown: {inspection.unknown}"
    if saved.by_megatron and inspection.schedule is None:
        unknown += "; --with FILE takes what is missing from a schedule"
    numbers = ", ".join(f"{key} {value}" for key, value in saved.numbers.items())
    facts = {
        "file": f"{checkpoint.path} ({', '.join(filter(None, (checkpoint.format, checkpoint.slot)))})",
        "position": f"step {saved.num_steps:_}"
        + (f" in {saved.numbers['clock']}" if saved.numbers["clock"] != "samples" else "")
        + (f", iteration {checkpoint.iteration}" if checkpoint.iteration is not None else ""),
        "learning rate": unknown if inspection.lr is None else str(inspection.lr),
        "weight decay": unknown if inspection.lr is None else _wd(inspection.wd),
        "schedule": summary(inspection.plan) if inspection.plan is not None else f"{saved.lr.name}: {numbers}",
        "written by": saved.doubt or ("Megatron's class, or one like it" if saved.by_megatron else "schedframe"),
        "fingerprint": saved.fingerprint or "none",
    }
    if inspection.plan is not None and inspection.lr is not None:
        for rule in inspection.plan.groups:
            lr, wd = finite_values(inspection.plan.under([rule]), saved.num_steps)
            facts[f"role {rule.role}"] = f"learning rate {lr}, weight decay {_wd(wd)}"
    for path, source in sources(saved).items():
        facts[path] = f"{source.name} from {source}"
    width, out = max(map(len, facts)), console()
    for what, value in facts.items():
        out.print(f"{what:<{width}}  {value}", soft_wrap=True)


def _print_groups(checkpoint: Checkpoint) -> None:
    if checkpoint.groups:
        keys = list(dict.fromkeys(key for group in checkpoint.groups for key in group))
        grid = table("param group", *keys)
        for index, group in enumerate(checkpoint.groups):
            grid.add_row(str(index), *(repr(group[key]) if key in group else "" for key in keys))
        print_parts("", grid)
    if checkpoint.groups_note:
        typer.echo(f"\nparam groups: {checkpoint.groups_note}")


def _print_differences(inspection: Inspection) -> None:
    rows = inspection.differences
    if rows:
        grid = table("differs", "checkpoint", str(inspection.file))
        for row in rows:
            grid.add_row(row.key, row.saved, row.declared)
        print_parts("", grid)
    elif rows is not None:
        typer.echo(f"\n{inspection.file} has the same schedule as the checkpoint")


def _print_outcomes(inspection: Inspection) -> None:
    grid = table("resume", "learning rate", "weight decay", "")
    for outcome in inspection.outcomes:
        of_the_file = inspection.schedule is not None and outcome.policy == inspection.schedule.resume.policy
        grid.add_row(f"{outcome.policy} (of the file)" if of_the_file else outcome.policy, *_cells(outcome, inspection))
    print_parts("", grid)


def _cells(outcome: Outcome, inspection: Inspection) -> tuple[str, str, str]:
    if outcome.decision is None:
        differs = outcome.policy == "strict" and inspection.differences and not inspection.saved.doubt
        return "", "", "refused, because they differ" if differs else f"refused: {outcome.refusal}"
    lr, wd = finite_values(outcome.decision.plan, outcome.decision.position)
    return str(lr), _wd(wd), "from the parent that the file declares" if outcome.decision.handed_over else ""


def _wd(wd: float | None) -> str:
    return "not scheduled" if wd is None else str(wd)
