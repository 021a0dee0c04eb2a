"""``schedframe rewarm``: a new config file with a new warmup and a decay after it."""

from typing import Annotated

import typer

from schedframe._cli.arguments import TextOrJson, importing
from schedframe._cli.completion import lr_style
from schedframe._cli.continuing import At, EndWD, Force, FromCheckpoint, Output, Parent, position, style, write
from schedframe._schedule.schedule import load
from schedframe._tools.continuation import operations


@importing
def rewarm(
    file: Parent,
    lr_warmup_steps: Annotated[str, typer.Option(metavar="STEPS", help="Length of the new warmup: 1M, 1%.")],
    lr_decay_steps: Annotated[str, typer.Option(metavar="STEPS", help="Length of the new decay, from that step on.")],
    output: Output,
    at: At = None,
    checkpoint: FromCheckpoint = None,
    max_lr: Annotated[
        str | None, typer.Option(metavar="LR", help="The new max LR, or `current`; by default FILE's.")
    ] = None,
    init_lr: Annotated[
        str,
        typer.Option(
            metavar="LR", help="The learning rate at which the new warmup begins; by default that of FILE at this step."
        ),
    ] = "current",
    min_lr: Annotated[str | None, typer.Option(metavar="LR", help="The new min LR; by default FILE's.")] = None,
    lr_decay_style: Annotated[
        str | None,
        typer.Option(metavar="STYLE", help="Style after the warmup; by default FILE's.", autocompletion=lr_style),
    ] = None,
    end_wd: EndWD = None,
    allow_jump: Annotated[
        bool, typer.Option("--allow-jump", help="Continue even if the learning rate jumps at that step.")
    ] = False,
    force: Force = False,
    format: TextOrJson = "text",
) -> None:
    r"""Start a new warmup, with a decay after it.

    For continual pre-training: the new warmup rises from the current learning rate of the run to a new max LR. If the
    learning rate would jump, because of --init-lr or without a warmup, --allow-jump must confirm the jump.

    Examples:
      schedframe rewarm run.yaml --checkpoint ckpt --max-lr 4e-4 \
          --lr-warmup-steps 1% --lr-decay-steps 100M -o continued.yaml
      schedframe rewarm run.yaml --at 500M --lr-warmup-steps 1M --lr-decay-steps 50M \
          --lr-decay-style '{style: WSD, wsd_decay_steps: 10M}' -o w.yaml
    """
    new = operations.rewarm(
        load(file),
        position(at, checkpoint),
        lr_warmup_steps=lr_warmup_steps,
        lr_decay_steps=lr_decay_steps,
        max_lr=max_lr,
        init_lr=init_lr,
        min_lr=min_lr,
        lr_decay_style=style(lr_decay_style, "--lr-decay-style"),
        end_wd=end_wd,
        allow_jump=allow_jump,
    )
    write(new, output, force, format)
