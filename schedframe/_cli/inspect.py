"""``schedframe inspect``: the scheduler's part of a checkpoint, and what resuming from it would do."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from schedframe._cli.arguments import importing
from schedframe._cli.console import console, print_parts, table
from schedframe._cli.words import summary
from schedframe._files.checkpoint import Checkpoint
from schedframe._plan.evaluate import finite_values
from schedframe._tools.inspection import Inspection, Outcome, as_data, look_at, sources


@importing
def inspect(
    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="A checkpoint's folder or file.")],
    with_: Annotated[
        Path | None, typer.Option("--with", metavar="FILE", help="Show what resuming with this schedule would do.")
    ] = None,
    format: Annotated[Literal["table", "json"], typer.Option(help="What to print; json holds exact values.")] = "table",
) -> None:
    """Show the scheduler's part of a checkpoint.

    Reads Megatron's formats torch and torch_dist, torch distributed checkpoints, torch.save and JSON, written
    with schedframe or without. Nothing that the checkpoint names is run, and no tensor is read.

    Examples:
      schedframe inspect checkpoints
      schedframe inspect checkpoints --with run.yaml
      schedframe inspect model_optim_rng.pt --format json
    """
    found = look_at(checkpoint, with_)
    if format == "json":
        typer.echo(json.dumps(as_data(found), indent=2))
        return
    _print_state(found)
    _print_groups(found.checkpoint)
    if found.schedule is not None:
        _print_differences(found)
        _print_outcomes(found)
    for note in found.notes:
        typer.echo(f"note: {note}")


def _print_state(found: Inspection) -> None:
    saved, checkpoint = found.saved, found.checkpoint
    unknown = f"unknown: {found.unknown}"
    if saved.by_megatron and found.schedule is None:
        unknown += "; --with FILE takes what is missing from a schedule"
    said = ", ".join(f"{key} {value}" for key, value in saved.numbers.items())
    told = {
        "file": f"{checkpoint.path} ({', '.join(filter(None, (checkpoint.format, checkpoint.slot)))})",
        "position": f"step {saved.num_steps:_}"
        + (f", iteration {checkpoint.iteration}" if checkpoint.iteration is not None else ""),
        "learning rate": unknown if found.lr is None else str(found.lr),
        "weight decay": unknown if found.lr is None else _wd(found.wd),
        "schedule": summary(found.plan) if found.plan is not None else f"{saved.lr.name}: {said}",
        "written by": saved.doubt or ("Megatron's class" if saved.by_megatron else "schedframe"),
        "fingerprint": saved.fingerprint or "none",
    }
    if found.plan is not None and found.lr is not None:
        for rule in found.plan.groups:
            lr, wd = finite_values(found.plan.under([rule]), saved.num_steps)
            told[f"role {rule.role}"] = f"learning rate {lr}, weight decay {_wd(wd)}"
    for path, source in sources(saved).items():
        told[path] = f"{source.name} from {source}"
    width, out = max(map(len, told)), console()
    for what, value in told.items():
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


def _print_differences(found: Inspection) -> None:
    rows = found.differences
    if rows:
        grid = table("differs", "checkpoint", str(found.file))
        for row in rows:
            grid.add_row(row.key, row.saved, row.declared)
        print_parts("", grid)
    elif rows is not None:
        typer.echo(f"\n{found.file} says what the checkpoint says")


def _print_outcomes(found: Inspection) -> None:
    grid = table("resume", "learning rate", "weight decay", "")
    for outcome in found.outcomes:
        of_the_file = found.schedule is not None and outcome.policy == found.schedule.resume.policy
        grid.add_row(f"{outcome.policy} (of the file)" if of_the_file else outcome.policy, *_cells(outcome, found))
    print_parts("", grid)


def _cells(outcome: Outcome, found: Inspection) -> tuple[str, str, str]:
    if outcome.decision is None:
        differs = outcome.policy == "strict" and found.differences and not found.saved.doubt
        return "", "", "refused, because they differ" if differs else f"refused: {outcome.refusal}"
    lr, wd = finite_values(outcome.decision.plan, outcome.decision.position)
    return str(lr), _wd(wd), "from the parent that the file declares" if outcome.decision.handed_over else ""


def _wd(wd: float | None) -> str:
    return "left alone" if wd is None else str(wd)
