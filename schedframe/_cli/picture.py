"""Curves drawn into a picture file."""

from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from schedframe._tools.views.table import Curve

_SUFFIXES = (".png", ".svg", ".pdf")


def draw(picture: Path, title: str, curves: dict[str, Curve]) -> None:
    """Draw each of `curves` over its steps, one below the other, and write the file as a whole or not at all.

    Raises:
        typer.BadParameter: the file has an unknown suffix, or cannot be written.
    """
    if picture.suffix.lower() not in _SUFFIXES:
        raise typer.BadParameter(f"{picture} must end in one of {', '.join(_SUFFIXES)}", param_hint="'--plot'")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3 * len(curves)), layout="constrained")
    figure.suptitle(title)
    for axes, (name, (steps, values)) in zip(figure.subplots(len(curves), squeeze=False)[:, 0], curves.items()):  # noqa: B905
        axes.plot(steps, values)
        axes.set(ylabel=name, ylim=(0, None), xlim=(min(steps), None))
        axes.grid(alpha=0.3)
    axes.set_xlabel("step")
    try:
        with TemporaryDirectory(dir=picture.parent) as folder:
            finished = Path(folder, picture.name)
            figure.savefig(finished, dpi=150)
            finished.replace(picture)
    except OSError as error:
        raise typer.BadParameter(f"{picture} cannot be written: {error.strerror}", param_hint="'--plot'") from None
