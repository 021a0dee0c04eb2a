"""The option ``--import`` of every command that knows styles."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from schedframe._plugins.imports import import_styles

_NAME = "import_"
_Import = Annotated[
    list[str] | None,
    typer.Option("--import", metavar="MODULE_OR_FILE", help="Import this first; it registers styles. May be repeated."),
]


def importing(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command` the option; what it names, and what ``SCHEDFRAME_IMPORT`` names, is imported first."""

    @functools.wraps(command)
    def run(**arguments: Any) -> None:
        import_styles(arguments.pop(_NAME) or ())
        command(**arguments)

    option = inspect.Parameter(_NAME, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_Import)
    signature = inspect.signature(command)
    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), option])  # type: ignore[attr-defined]
    return run
