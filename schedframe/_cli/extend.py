"""``schedframe extend``: a new config file with a later end."""

from typing import Annotated

import typer

from schedframe._cli.arguments import TextOrJson, importing
from schedframe._cli.continuing import At, Force, FromCheckpoint, Output, Parent, position, write
from schedframe._schedule.schedule import load
from schedframe._tools.continuation import operations


@importing
def extend(
    file: Parent,
    lr_decay_steps: Annotated[str, typer.Option(metavar="STEPS", help="The new end of the decay: 800M.")],
    output: Output,
    at: At = None,
    checkpoint: FromCheckpoint = None,
    reshape: Annotated[
        bool, typer.Option("--reshape", help="Change the curve even if the learning rate jumps.")
    ] = False,
    force: Force = False,
    format: TextOrJson = "text",
) -> None:
    """Extend a schedule to a later end.

    The stable phase of WSD grows. A style whose curve before the branch point would change, such as cosine, is
    refused, and both learning rates are shown.

    Examples:
      schedframe extend run.yaml --checkpoint ckpt --lr-decay-steps 800M -o l.yaml
      schedframe extend cos.yaml --at 4M --lr-decay-steps 9M --reshape -o l9.yaml
    """
    new = operations.extend(load(file), position(at, checkpoint), lr_decay_steps=lr_decay_steps, reshape=reshape)
    write(new, output, force, format)
