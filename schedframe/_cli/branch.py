"""``schedframe branch``: a new config file with a cooldown from a stable phase."""

from typing import Annotated

import typer

from schedframe._cli.arguments import TextOrJson, importing
from schedframe._cli.completion import lr_style
from schedframe._cli.continuing import At, EndWD, Force, FromCheckpoint, Output, Parent, position, style, write
from schedframe._schedule.schedule import load
from schedframe._tools.continuation import operations


@importing
def branch(
    file: Parent,
    wsd_decay_steps: Annotated[str, typer.Option(metavar="STEPS", help="Length of the cooldown: 200, 50M.")],
    output: Output,
    at: At = None,
    checkpoint: FromCheckpoint = None,
    lr_wsd_decay_style: Annotated[
        str | None,
        typer.Option(
            metavar="STYLE", help="Curve of the cooldown; by default that of FILE's own.", autocompletion=lr_style
        ),
    ] = None,
    min_lr: Annotated[
        str | None,
        typer.Option(metavar="LR", help="The learning rate at its end: 0, 3e-5, 10%; by default that of FILE's own."),
    ] = None,
    stable_until: Annotated[
        str | None, typer.Option(metavar="STEP", help="Stay at max LR until this step before the cooldown.")
    ] = None,
    end_wd: EndWD = None,
    force: Force = False,
    format: TextOrJson = "text",
) -> None:
    """Start a cooldown from a stable phase.

    By default, the cooldown has the curve and the end of FILE's own cooldown: the last of its phases, or that of WSD.
    Weight decay that follows the learning rate continues to follow it, and rules for param groups stay. Every key that
    changes is printed.

    Writes NEW, which extends FILE and contains only the keys that change. Start the run from the checkpoint with NEW;
    no extra flag is needed, because NEW names the schedule that it continues.

    Examples:
      schedframe branch run.yaml --at 450M --wsd-decay-steps 50M -o cooldown.yaml
      schedframe branch run.yaml --checkpoint ckpt --wsd-decay-steps 50M -o c.yaml
    """
    new = operations.branch(
        load(file),
        position(at, checkpoint),
        wsd_decay_steps=wsd_decay_steps,
        lr_wsd_decay_style=style(lr_wsd_decay_style, "--lr-wsd-decay-style"),
        min_lr=min_lr,
        stable_until=stable_until,
        end_wd=end_wd,
    )
    write(new, output, force, format)
