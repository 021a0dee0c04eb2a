"""The commands, and how each of them reports errors and warnings."""

import functools
import sys
import warnings
from collections.abc import Callable
from typing import Annotated, Any

import typer

from schedframe._cli import check as _check
from schedframe._cli import conform as _conform
from schedframe._cli import continuing as _continue
from schedframe._cli import inspect as _inspect
from schedframe._cli import new as _new
from schedframe._cli import plugins as _plugins
from schedframe._cli import preview as _preview
from schedframe._cli import schema as _schema
from schedframe._cli import styles as _styles
from schedframe._cli.importing import importing
from schedframe._errors import SchedframeError, SchedframeWarning
from schedframe._version import __version__


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"schedframe {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Look at learning-rate and weight-decay schedules before the run, and go on from one to the next."""


def _reporting(command: Callable[..., None]) -> Callable[..., None]:
    """Let `command` end in plain text and exit code 2 where schedframe raises, and warn in one line."""

    @functools.wraps(command)
    def run(**arguments: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always", SchedframeWarning)
            warnings.showwarning = functools.partial(_warn, warnings.showwarning)
            try:
                command(**arguments)
            except SchedframeError as error:
                typer.echo(str(error), err=True)
                raise typer.Exit(2) from None

    return run


def _warn(others: Callable[..., None], message: Warning | str, category: type[Warning], *where: Any) -> None:
    if issubclass(category, SchedframeWarning):
        print(f"warning: {message}", file=sys.stderr)
    else:
        others(message, category, *where)


_EPILOG = """\b
Examples:
  schedframe styles
  schedframe check run.yaml
  schedframe preview run.yaml
  schedframe inspect checkpoints --with run.yaml
"""

app = typer.Typer(
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.callback()(_options)
app.command("styles", epilog=_styles.EPILOG)(_reporting(importing(_styles.styles)))
app.command("check", epilog=_check.EPILOG)(_reporting(importing(_check.check)))
app.command("preview", epilog=_preview.EPILOG)(_reporting(importing(_preview.preview)))
app.command("inspect", epilog=_inspect.EPILOG)(_reporting(importing(_inspect.inspect)))
app.command("plugins", epilog=_plugins.EPILOG)(_reporting(importing(_plugins.plugins)))
app.command("schema", epilog=_schema.EPILOG)(_reporting(importing(_schema.schema)))
app.command("conform", epilog=_conform.EPILOG)(_reporting(importing(_conform.conform)))
app.command("new", epilog=_new.EPILOG)(_reporting(_new.new))
for _command in (_continue.branch, _continue.extend, _continue.rewarm):
    app.command(_command.__name__, epilog=_continue.EPILOGS[_command.__name__])(_reporting(importing(_command)))
