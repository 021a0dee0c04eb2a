"""``schedframe plot``: the curves of schedules as a page, as a picture, or in the terminal."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from schedframe._cli.arguments import Files, importing
from schedframe._cli.opening import open_schedule
from schedframe._cli.page import SUFFIX, open_page, write_page
from schedframe._cli.picture import SUFFIXES, check_suffix, named, write_picture
from schedframe._pictures.series import QUANTITIES, Mark, Picture, Quantity, picture_of, unit_of
from schedframe._tools.views.page.data import Shown, page_data


@importing
def plot(
    files: Files,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Write a page (.html) or a picture (.png, .svg, .pdf; extra: plot).",
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
    title: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Title; by default the names of the files.", show_default=False)
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Mark the position of this checkpoint.", show_default=False)
    ] = None,
    no_open: Annotated[
        bool, typer.Option("--no-open", help="Without --output: draw in the terminal, open no browser.")
    ] = False,
) -> None:
    """Draw learning rate and weight decay.

    All param groups and all files are overlaid. The phases of a single file are shaded and named. A page is a single
    file that works offline: it shows exact values under the cursor, zooms, changes the unit, and shows the findings
    of check and the text of the file. Without --output, the page is opened in the browser; if there is none, or if
    standard output is not a terminal, the curves are drawn as text.

    Examples:
      schedframe plot run.yaml
      schedframe plot run.yaml -o run.html
      schedframe plot run.yaml -o run.png
      schedframe plot run.yaml other.yaml -o both.svg --x iters
      schedframe plot run.yaml -o run.pdf --what lr,wd,lrwd --log
      schedframe plot run.yaml -o run.png --checkpoint checkpoints
    """
    quantities = _quantities(what)
    if output is not None:
        check_suffix(output, (SUFFIX, *SUFFIXES), "--output")
    opened = [open_schedule(file) for file in files]
    loaded = [each.schedule for each in opened]
    schedules = named(files, loaded)
    shown = [Shown(name, each.schedule, each.text) for (name, _), each in zip(schedules, opened, strict=True)]
    marked = {} if checkpoint is None else {"checkpoint": _position_of(checkpoint)}
    try:
        unit = unit_of(schedules, x)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'--x'") from None
    options: dict[str, Any] = {"unit": unit, "what": quantities, "log": log, "title": title}
    if output is None and not no_open and open_page(shown, **options, also=marked):
        return
    if output is not None and output.suffix.lower() == SUFFIX:
        data = page_data(shown, **options, also=marked)
        write_page(output, data)
        drawn = [panel["quantity"] for panel in data["panels"]]
    else:
        marks = [Mark(label, schedules[0].schedule.units_at(step)[unit]) for label, step in marked.items()]
        picture = picture_of(schedules, **options, also=marks)
        drawn = [panel.quantity for panel in picture.panels]
        if output is None:
            _show(picture)
        else:
            write_picture(output, picture, "--output")
    if output is not None:
        panels = " and ".join(dict.fromkeys(drawn))
        typer.echo(f"wrote {output}: {panels} of {', '.join(map(str, files))} over {unit}")


def _position_of(checkpoint: Path) -> float:
    from schedframe._files.checkpoint import read
    from schedframe._run.resume.read import read as read_state

    return read_state(read(checkpoint).state).num_steps


def _show(picture: Picture) -> None:
    from schedframe._cli.schedule_page import show_charts

    typer.echo(f"{picture.title}\n")
    show_charts(picture)


def _quantities(what: str) -> list[Quantity]:
    names = [name.strip() for name in what.split(",")]
    for name in names:
        if name not in QUANTITIES:
            raise typer.BadParameter(f"{name!r} is not one of {', '.join(QUANTITIES)}", param_hint="'--what'")
    return [quantity for quantity in QUANTITIES if quantity in names]
