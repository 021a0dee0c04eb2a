"""``schedframe branch``, ``extend`` and ``rewarm``: a new config file that goes on from another."""

import json
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import schedframe
from schedframe._errors import ConfigError, Problem

if TYPE_CHECKING:
    from schedframe._tools.continuation.continuation import Continuation

EPILOGS = {
    "branch": """\b
Examples:
  schedframe branch run.yaml --at 450M --wsd-decay-steps 50M -o cooldown.yaml
  schedframe branch run.yaml --checkpoint ckpt --wsd-decay-steps 50M -o c.yaml
""",
    "extend": """\b
Examples:
  schedframe extend run.yaml --checkpoint ckpt --lr-decay-steps 800M -o l.yaml
  schedframe extend cos.yaml --at 4M --lr-decay-steps 9M --reshape -o l9.yaml
""",
    "rewarm": """\b
Examples:
  schedframe rewarm run.yaml --checkpoint ckpt --max-lr 4e-4 \\
      --lr-warmup-steps 1% --lr-decay-steps 100M -o continued.yaml
  schedframe rewarm run.yaml --at 500M --lr-warmup-steps 1M --lr-decay-steps 50M \\
      --lr-decay-style '{style: WSD, wsd_decay_steps: 10M}' -o w.yaml
""",
}


class Format(str, Enum):
    """What is printed."""

    text = "text"
    json = "json"


File = Annotated[Path, typer.Argument(metavar="FILE", help="The schedule to go on from: YAML, TOML or JSON.")]
At = Annotated[str | None, typer.Option(metavar="STEP", help="The step to go on from: 2000, 450M.")]
FromCheckpoint = Annotated[
    Path | None, typer.Option(metavar="CHECKPOINT", help="The checkpoint to go on from, instead of --at.")
]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="NEW", help="The file to write, in FILE's format.")]
Force = Annotated[bool, typer.Option("--force", help="Replace NEW where it is there already; never FILE.")]
Print = Annotated[Format, typer.Option(help="What to print.")]
EndWD = Annotated[
    str | None,
    typer.Option(metavar="WD", help="Where weight decay goes by the end, linearly; `current` holds it."),
]


def branch(
    file: File,
    wsd_decay_steps: Annotated[str, typer.Option(metavar="STEPS", help="Length of the cooldown: 200, 50M.")],
    output: Output,
    at: At = None,
    checkpoint: FromCheckpoint = None,
    lr_wsd_decay_style: Annotated[
        str | None, typer.Option(metavar="STYLE", help="Curve of the cooldown; by default that of FILE's tail.")
    ] = None,
    min_lr: Annotated[str | None, typer.Option(metavar="LR", help="Where it ends: 0, 3e-5, 10%.")] = None,
    stable_until: Annotated[
        str | None, typer.Option(metavar="STEP", help="Stay at the peak until this step before the cooldown.")
    ] = None,
    end_wd: EndWD = None,
    force: Force = False,
    format: Print = Format.text,
) -> None:
    """Start a cooldown from a stable phase.

    Writes NEW, which is FILE with what changes, its comments kept. Start the run with it from the checkpoint;
    no flag is needed: NEW says of which schedule it is the continuation.
    """
    _write(
        schedframe.branch(
            schedframe.load(file),
            _position(file, at, checkpoint),
            wsd_decay_steps=wsd_decay_steps,
            lr_wsd_decay_style=_style(lr_wsd_decay_style, "--lr-wsd-decay-style"),
            min_lr=min_lr,
            stable_until=stable_until,
            end_wd=end_wd,
        ),
        output,
        force,
        format,
    )


def extend(
    file: File,
    lr_decay_steps: Annotated[str, typer.Option(metavar="STEPS", help="The new end of the decay: 800M.")],
    output: Output,
    at: At = None,
    checkpoint: FromCheckpoint = None,
    reshape: Annotated[
        bool, typer.Option("--reshape", help="Change the curve although the learning rate jumps to another one.")
    ] = False,
    force: Force = False,
    format: Print = Format.text,
) -> None:
    """Give a schedule a later end.

    The stable phase of WSD grows. A style that cannot get another end without changing what is behind it,
    such as cosine, is refused, and both learning rates are shown.
    """
    _write(
        schedframe.extend(
            schedframe.load(file),
            _position(file, at, checkpoint),
            lr_decay_steps=lr_decay_steps,
            reshape=reshape,
        ),
        output,
        force,
        format,
    )


def rewarm(
    file: File,
    lr_warmup_steps: Annotated[str, typer.Option(metavar="STEPS", help="Length of the new warm-up: 1M, 1%.")],
    lr_decay_steps: Annotated[str, typer.Option(metavar="STEPS", help="End of the new decay, from the seam on.")],
    output: Output,
    at: At = None,
    checkpoint: FromCheckpoint = None,
    max_lr: Annotated[str | None, typer.Option(metavar="LR", help="The new peak; by default FILE's.")] = None,
    init_lr: Annotated[
        str, typer.Option(metavar="LR", help="Where the new warm-up begins; by default where the old run is.")
    ] = "current",
    min_lr: Annotated[str | None, typer.Option(metavar="LR", help="The new floor; by default FILE's.")] = None,
    lr_decay_style: Annotated[
        str | None, typer.Option(metavar="STYLE", help="Style after the warm-up; by default FILE's.")
    ] = None,
    end_wd: EndWD = None,
    force: Force = False,
    format: Print = Format.text,
) -> None:
    """Start a new warm-up, with a decay after it.

    For continual pre-training: from the learning rate that the run has, or a given one, to a new peak.
    """
    _write(
        schedframe.rewarm(
            schedframe.load(file),
            _position(file, at, checkpoint),
            lr_warmup_steps=lr_warmup_steps,
            lr_decay_steps=lr_decay_steps,
            max_lr=max_lr,
            init_lr=init_lr,
            min_lr=min_lr,
            lr_decay_style=_style(lr_decay_style, "--lr-decay-style"),
            end_wd=end_wd,
        ),
        output,
        force,
        format,
    )


def _position(file: Path, at: str | None, checkpoint: Path | None) -> Any:
    if (at is None) == (checkpoint is None):
        raise typer.BadParameter("say where to go on: one of --at and --checkpoint", param_hint="'--at'")
    if checkpoint is None:
        return at
    from schedframe._files import checkpoint as _checkpoint

    return _checkpoint.read(checkpoint).state


def _style(text: str | None, option: str) -> Any:
    """Read a style as a config file says it: a name, or a table ``{style: NAME, option: value}``."""
    if text is None or not text.lstrip().startswith("{"):
        return text
    from schedframe._files.config import parsed as _parsed
    from schedframe._files.config import yaml as _yaml

    try:
        parsed = _yaml.parse(text)
    except _parsed.Broken as error:
        raise typer.BadParameter(f"{text!r} {error}", param_hint=f"'{option}'") from None
    if parsed.problems:
        raise ConfigError(option, [Problem(p.path, p.message, p.value) for p in parsed.problems])
    return parsed.data


def _write(made: "Continuation", output: Path, force: bool, format: Format) -> None:
    from schedframe._cli.words import summary

    made.write(output, overwrite=force)
    before, after = {"lr": made.lr_before, "wd": made.wd_before}, {"lr": made.lr_after, "wd": made.wd_after}
    if format is Format.json:
        told = {"file": str(output), "operation": made.operation, "step": made.step, "before": before, "after": after}
        typer.echo(json.dumps(told, indent=2))
        return
    typer.echo(f"{output}: {summary(made.schedule)}")
    typer.echo(f"step {made.step:_}: learning rate {before['lr']} before, {after['lr']} after")
    if made.wd_before is not None:
        typer.echo(f"step {made.step:_}: weight decay {before['wd']} before, {after['wd']} after")
