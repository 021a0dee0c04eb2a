"""The table of commands, and how each of them reports errors and warnings."""

import functools
import inspect
import shlex
import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from keyword import iskeyword
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from schedframe._cli.exit_codes import CANNOT_BE_USED, Findings
from schedframe._errors import SchedframeError, SchedframeWarning
from schedframe._version import __version__

COMMANDS = {
    "init": "Write a new schedule file.",
    "recipes": "List published schedules, or write one as a file.",
    "import": "Write the config of another framework as a schedule file.",
    "styles": "List the installed styles, or show one.",
    "check": "Check schedules for errors and likely mistakes.",
    "rule": "List the rules of check, or explain one.",
    "preview": "Show learning rate and weight decay at key steps.",
    "plot": "Draw learning rate and weight decay.",
    "design": "Edit a schedule beside its curves, in the browser.",
    "diff": "Compare two schedules.",
    "resolve": "Print the whole schedule, with inherited keys and defaults.",
    "inspect": "Show the scheduler's part of a checkpoint.",
    "audit": "Compare what a run logged with its schedule.",
    "predict": "Predict the final loss of schedules from finished runs.",
    "propose": "Propose a better schedule for a run.",
    "backtest": "Predict each of several finished runs from the others.",
    "plugins": "List the installed plugins, and import each.",
    "schema": "Print the JSON Schema (2020-12) of a config.",
    "conform": "Run the conformance kit, schedframe.testing, on styles.",
    "new": "Create a plugin that passes its own tests.",
    "branch": "Start a cooldown from a stable phase.",
    "extend": "Extend a schedule to a later end.",
    "rewarm": "Start a new warmup, with a decay after it.",
}
"""The first line of each command's help. A command is the function of its name in the module of its name; of a
keyword of Python, such as ``import``, both end in an underscore."""

OTHER_NAMES = {
    "lint": "check",
    "validate": "check",
    "show": "preview",
    "draw": "plot",
    "edit": "design",
    "compare": "diff",
    "convert": "resolve",
    "list": "styles",
    "create": "init",
    "version": "--version",
}
"""What other tools call a command, and what to type here."""

_EPILOG = """\b
Examples:
  schedframe styles
  schedframe check run.yaml
  schedframe preview run.yaml
  schedframe inspect checkpoints --with run.yaml
"""


class _Commands(TyperGroup):
    """The commands; the names that other tools give them are answered with the name to type."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that ``args[0]`` names."""
        name, *rest = args
        if name in OTHER_NAMES and not ctx.resilient_parsing:
            right = shlex.join(["schedframe", OTHER_NAMES[name], *rest])
            typer.echo(f"there is no command {name}; run `{right}`", err=True)
            raise typer.Exit(CANNOT_BE_USED)
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EPILOG,
    invoke_without_command=True,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def _options(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="With --version: report the platform, plugins and libraries.")
    ] = False,
) -> None:
    """Check, plot, compare, run and continue learning-rate and weight-decay schedules."""
    if verbose and not version:
        raise typer.BadParameter("requires --version", param_hint="'--verbose'")
    if version and verbose:
        from schedframe._cli.versions import report

        typer.echo(report())
    elif version:
        typer.echo(f"schedframe {__version__}")
    elif context.invoked_subcommand is None:
        context.fail("Missing command.")
    if version:
        raise typer.Exit


class _LateCommand(TyperCommand):
    """A command whose module is imported when its arguments are parsed."""

    def make_context(self, *arguments: Any, **extra: Any) -> Any:
        """Import the command, and parse its arguments."""
        return _load(str(self.name)).make_context(*arguments, **extra)


for _name, _help in COMMANDS.items():
    app.command(_name, cls=_LateCommand, help=_help)(lambda: None)


def home_of(name: str) -> str:
    """Return what the module and the function of the command `name` are called."""
    return f"{name}_" if iskeyword(name) else name


def _load(name: str) -> Any:
    """Import the command `name`; a section ``Examples:`` at the end of its docstring is shown below its options."""
    home = home_of(name)
    command = getattr(import_module(f"schedframe._cli.{home}"), home)
    text, _, examples = (inspect.getdoc(command) or "").partition("\n\nExamples:\n")
    epilog = f"\b\nExamples:\n{examples}"
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    alone.command(name, help=text, epilog=epilog)(_reporting(command))
    return typer.main.get_command(alone)


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
                raise typer.Exit(CANNOT_BE_USED) from None
            except Findings:
                raise
            except SystemExit as stop:
                typer.echo(
                    f"a plugin ended the command: sys.exit({stop.code!r}); fix the plugin, or run without it", err=True
                )
                raise typer.Exit(CANNOT_BE_USED) from None

    return run


def _warn(others: Callable[..., None], message: Warning | str, category: type[Warning], *where: Any) -> None:
    if issubclass(category, SchedframeWarning):
        print(f"warning: {message}", file=sys.stderr)
    else:
        others(message, category, *where)
