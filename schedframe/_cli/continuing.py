"""What ``schedframe branch``, ``extend`` and ``rewarm`` share: their options, and the new file that they write."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from schedframe._cli.completion import schedule_file
from schedframe._cli.output import print_json
from schedframe._errors import ConfigError, Problem
from schedframe._files.checkpoint import read
from schedframe._files.config.parsed import Broken
from schedframe._files.config.yaml import parse
from schedframe._tools.continuation.continuation import Continuation

Parent = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="The schedule to continue: YAML, TOML or JSON.", autocompletion=schedule_file),
]
At = Annotated[str | None, typer.Option(metavar="STEP", help="The step to continue from: 2000, 450M.")]
FromCheckpoint = Annotated[
    Path | None, typer.Option(metavar="CHECKPOINT", help="The checkpoint to continue from, instead of --at.")
]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="NEW", help="The file to write, in FILE's format.")]
Force = Annotated[bool, typer.Option("--force", help="Replace NEW if it exists; never FILE.")]
EndWD = Annotated[
    str | None,
    typer.Option(
        metavar="WD", help="Weight decay at the end, reached linearly; `current` holds it. A coupling is kept."
    ),
]


def position(at: str | None, checkpoint: Path | None) -> Any:
    """Return the place to go on from: the step `at`, or the scheduler's state in `checkpoint`."""
    if (at is None) == (checkpoint is None):
        raise typer.BadParameter("give the step to go on from: one of --at and --checkpoint", param_hint="'--at'")
    return at if checkpoint is None else read(checkpoint).state


def style(text: str | None, option: str) -> Any:
    """Read a style as a config file declares it: a name, or a table ``{style: NAME, option: value}``."""
    if text is None or not text.lstrip().startswith("{"):
        return text
    try:
        parsed = parse(text)
    except Broken as error:
        raise typer.BadParameter(f"{text!r} {error}", param_hint=f"'{option}'") from None
    if parsed.problems:
        raise ConfigError(option, [Problem(p.path, p.message, p.value) for p in parsed.problems])
    return parsed.data


def write(new: Continuation, output: Path, force: bool, format: str) -> None:
    """Write the new file; print learning rate and weight decay at the branch point, and every key that changes."""
    new.write(output, overwrite=force)
    before, after = {"lr": new.lr_before, "wd": new.wd_before}, {"lr": new.lr_after, "wd": new.wd_after}
    if format == "json":
        changes = {key: {"before": new.replaced[key], "after": value} for key, value in new.changes.items()}
        report = {"file": str(output), "operation": new.operation, "step": new.step, "before": before, "after": after}
        print_json({**report, "changes": changes})
        return
    typer.echo(f"{output}: {new.schedule.summary()}")
    for key, value in {"lr": "learning rate", "wd": "weight decay"}.items():
        if before[key] is not None:
            typer.echo(f"step {new.step:_}: {value} {before[key]} before, {after[key]} after")
    for key, after_it in new.changes.items():
        typer.echo(_change(key, new.replaced[key], after_it))


def _change(key: str, before: Any, after: Any) -> str:
    """Write the change of a key in one line."""
    if after is None:
        return f"dropped {key}: {_flow(before)}"
    return f"added {key}: {_flow(after)}" if before is None else f"changed {key}: {_flow(before)} -> {_flow(after)}"


def _flow(value: Any) -> str:
    """Write plain data as in one line of YAML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
