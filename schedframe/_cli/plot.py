"""``schedframe plot``: the curves of schedules as a picture."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from schedframe._cli.arguments import Files, importing
from schedframe._cli.picture import named, write_picture
from schedframe._cli.schedule_page import show_charts
from schedframe._files.checkpoint import read
from schedframe._pictures.series import QUANTITIES, Mark, Quantity, picture_of
from schedframe._run.resume.read import read as read_state
from schedframe._schedule.schedule import load


@importing
def plot(
    files: Files,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PICTURE",
            help="Where to write it: .png, .svg or .pdf (extra: plot); by default it is drawn in the terminal.",
            show_default=False,
        ),
    ] = None,
    x: Annotated[
        Literal["tokens", "samples", "iters", "epochs"] | None,
        typer.Option("--x", help="The unit of the axis; by default tokens where they are known.", show_default=False),
    ] = None,
    what: Annotated[
        str, typer.Option(metavar="LIST", help="What to draw: lr, wd, lrwd (their product), cumulative (sum of lr).")
    ] = "lr,wd",
    log: Annotated[bool, typer.Option("--log", help="Draw values on a logarithmic axis.")] = False,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="By default the files.", show_default=False)] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Mark the position of this checkpoint.", show_default=False)
    ] = None,
) -> None:
    """Draw learning rate and weight decay.

    All param groups and all files are overlaid. The phases of a single file are shaded and named.

    Examples:
      schedframe plot run.yaml
      schedframe plot run.yaml -o run.png
      schedframe plot run.yaml other.yaml -o both.svg --x iters
      schedframe plot run.yaml -o run.pdf --what lr,wd,lrwd --log
      schedframe plot run.yaml -o run.png --checkpoint checkpoints
    """
    quantities = _quantities(what)
    schedules = named(files, [load(file) for file in files])
    try:
        picture = picture_of(schedules, unit=x, what=quantities, log=log, title=title)
        if checkpoint is not None:
            position = read_state(read(checkpoint).state).num_steps
            at = schedules[0].schedule.units_at(position)[picture.unit]
            picture.marks.append(Mark("checkpoint", at))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'--x'") from None
    if output is None:
        typer.echo(f"{picture.title}\n")
        show_charts(picture)
        return
    write_picture(output, picture, "--output")
    panels = " and ".join(dict.fromkeys(panel.quantity for panel in picture.panels))
    typer.echo(f"wrote {output}: {panels} of {', '.join(map(str, files))} over {picture.unit}")


def _quantities(what: str) -> list[Quantity]:
    names = [name.strip() for name in what.split(",")]
    for name in names:
        if name not in QUANTITIES:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(QUANTITIES)}", param_hint="'--what'")
    return [quantity for quantity in QUANTITIES if quantity in names]
