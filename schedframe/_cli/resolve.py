"""``schedframe resolve``: a schedule with every inherited key and every default written out."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from schedframe._cli.arguments import File, importing
from schedframe._errors import ConfigError, Problem
from schedframe._files.config.document import parse_text
from schedframe._files.config.dump import dump
from schedframe._recipes.installed import recipe_name
from schedframe._schedule.schedule import Schedule, load


@importing
def resolve(
    file: File,
    format: Annotated[
        Literal["yaml", "toml", "json"] | None, typer.Option(help="Format of the output.  [default: that of FILE]")
    ] = None,
) -> None:
    """Print the whole schedule, with inherited keys and defaults.

    The output is a complete config file that loads to an equal schedule. It does not extend another file, and
    it holds the defaults of this version, so that it records everything that a run was trained with.

    Examples:
      schedframe resolve run.yaml
      schedframe resolve run.yaml > complete.yaml
      schedframe resolve run.yaml --format json
    """
    schedule = load(file)
    name = recipe_name(file)
    path = file if name is None else Path(f"{name}.yaml")
    path = path.with_suffix(f".{format}") if format else path
    try:
        text = dump(schedule.to_dict(resolve=True), path)
    except TypeError:  # of tomli_w
        raise _error(file, "has a null within a table, and TOML has no null; choose --format yaml or json") from None
    if Schedule(**parse_text(path, text).data) != schedule:
        raise _error(file, "cannot be written out: the resolved keys declare another schedule; this is a bug")
    typer.echo(text, nl=False)


def _error(file: Path, fault: str) -> ConfigError:
    return ConfigError(str(file), [Problem("", fault)])
