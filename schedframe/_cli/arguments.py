"""Arguments and options that several commands have."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from schedframe._cli.completion import schedule_file
from schedframe._plugins.imports import import_styles

File = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="The schedule: YAML, TOML or JSON.", autocompletion=schedule_file),
]
Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE", help="Schedules: YAML, TOML or JSON; several are overlaid.", autocompletion=schedule_file
    ),
]
Kind = Annotated[Literal["lr", "wd"] | None, typer.Option(help="Only learning-rate, or only weight-decay styles.")]
TableOrJson = Annotated[Literal["table", "json"], typer.Option(help="Output format; json has exact values.")]
TextOrJson = Annotated[Literal["text", "json"], typer.Option(help="Output format.")]

_IMPORT = "import_"
_Import = Annotated[
    list[str] | None,
    typer.Option(
        "--import", metavar="MODULE_OR_FILE", help="Import this module first, to register styles. Repeatable."
    ),
]


def importing(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command` the option ``--import``: it imports what that and ``SCHEDFRAME_IMPORT`` name before it runs."""

    @functools.wraps(command)
    def run(**arguments: Any) -> None:
        import_styles(arguments.pop(_IMPORT) or ())
        command(**arguments)

    option = inspect.Parameter(_IMPORT, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_Import)
    signature = inspect.signature(command)
    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), option])  # type: ignore[attr-defined]
    return run
