"""Pictures of schedules, written into files."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from schedframe._pictures.figure import save
from schedframe._pictures.series import Named, Picture
from schedframe._schedule.schedule import Schedule

SUFFIXES = (".png", ".svg", ".pdf")


def named(files: Sequence[Path], schedules: Sequence[Schedule]) -> list[Named]:
    """Return the `schedules` with the names of their `files`: without folders where that distinguishes them."""
    short = 1 < len(files) == len({file.name for file in files})
    return [Named(file.name if short else str(file), it) for file, it in zip(files, schedules, strict=True)]


def check_suffix(path: Path, suffixes: Sequence[str], option: str) -> None:
    """Raise `typer.BadParameter` if the `path` that `option` gives ends in none of `suffixes`."""
    if path.suffix.lower() not in suffixes:
        raise typer.BadParameter(f"{path} must end in one of {', '.join(suffixes)}", param_hint=f"'{option}'")


def write_picture(path: Path, picture: Picture, option: str) -> None:
    """Draw `picture` into the file at `path`, whole or not at all.

    Args:
        path: the file; its suffix is the format.
        picture: what is drawn.
        option: the option that named the file, for errors.

    Raises:
        typer.BadParameter: the file has an unknown suffix, or cannot be written.
    """
    check_suffix(path, SUFFIXES, option)
    try:
        with TemporaryDirectory(dir=path.parent) as folder:
            finished = Path(folder, path.name)
            save(picture, finished, path.suffix.lower().removeprefix("."))
            finished.replace(path)
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be written: {error.strerror}", param_hint=f"'{option}'") from None
