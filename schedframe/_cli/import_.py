"""``schedframe import``: the config of another framework as a schedule file."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from schedframe._cli.arguments import importing
from schedframe._cli.completion import importer
from schedframe._cli.output import print_json
from schedframe._errors import ConfigError, Problem
from schedframe._files.write import write_new
from schedframe.importers import _run, _source
from schedframe.importers._draft import Imported

_STDIN = Path("-")


@importing
def import_(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE", help="A config, launch script or command line of another framework; - is standard input."
        ),
    ],
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="NAME",
            help="The framework; by default it is recognised by the content.",
            show_default=False,
            autocompletion=importer,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="NEW",
            help="The file to write: YAML, TOML or JSON; by default YAML is printed.",
            show_default=False,
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A value of SOURCE, by its dotted path; in a script a flag, a variable or $1 as 1. Repeatable.",
            show_default=False,
        ),
    ] = None,
    line: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="The line of the command, if a script has several.", show_default=False),
    ] = None,
    train_iters: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Length of the run, if SOURCE has none.")
    ] = None,
    global_batch_size: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Samples per iteration, if SOURCE does not have them.")
    ] = None,
    seq_length: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Tokens per sample, if SOURCE does not have them.")
    ] = None,
    max_lr: Annotated[float | None, typer.Option(metavar="LR", help="The max LR, if SOURCE has none.")] = None,
    format: Annotated[
        Literal["text", "json"], typer.Option(help="What is printed: the file, or a report as JSON.")
    ] = "text",
) -> None:
    """Write the config of another framework as a schedule file.

    The schedule has the same learning rate and weight decay at every update. Comments in the file name the line from
    which each key comes, and what was assumed. If SOURCE lacks a value, such as the number of updates of a run that
    is given in epochs, the error names the option that sets it. A schedule that cannot be written exactly is an error
    with its line.

    Nothing in SOURCE is executed: in a shell script, variables, arrays, functions and integer arithmetic are read. The
    output of `bash -x` can be imported too. check, preview, plot and diff accept such a source directly.

    Examples:
      schedframe import pretrain.sh -o run.yaml
      schedframe import training_args.bin --train-iters 10000
      schedframe import train.toml --set training.steps=20000
      schedframe import sweep.sh --set PEAK=3e-4 --set 1=5000 --line 20
      bash -x pretrain.sh 2>&1 | schedframe import - --from megatron
    """
    given = {
        "train_iters": train_iters,
        "global_batch_size": global_batch_size,
        "seq_length": seq_length,
        "max_lr": max_lr,
    }
    answers = {key: value for key, value in given.items() if value is not None}
    text = sys.stdin.read() if source == _STDIN else None
    path = Path("standard input") if source == _STDIN else source
    imported = _run.import_source(_source.read(path, _settings(set_ or []), text, line), from_, answers)
    if output is not None:
        write_new(output, _run.text_of(imported, output), never=[source])
    if format == "json":
        print_json(_report(imported))
    elif output is None:
        typer.echo(_run.text_of(imported, Path("run.yaml")), nl=False)
    else:
        typer.echo(f"wrote {output}, from a config of {imported.title}")
        for sentence in imported.assumed:
            typer.echo(f"assumed: {sentence}")
        typer.echo(f"next: schedframe preview {output}")


def _settings(written: list[str]) -> dict[str, str]:
    settings = {}
    for text in written:
        key, has_value, value = text.partition("=")
        if not has_value or not all(key.split(".")):
            raise ConfigError("--set", [Problem("", "must be KEY=VALUE", repr(text))])
        settings[key] = value
    return settings


def _report(imported: Imported) -> dict[str, Any]:
    return {
        "source": str(imported.source.path),
        "importer": imported.importer,
        "framework": imported.title,
        "schedule": imported.keys,
        "taken": [
            {"key": taken.key, "from": list(taken.paths), "lines": list(taken.lines)} for taken in imported.taken
        ],
        "assumed": list(imported.assumed),
    }
