"""``schedframe init``: a schedule file to begin with."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from schedframe._cli.arguments import importing
from schedframe._cli.completion import lr_style
from schedframe._cli.exit_codes import Findings
from schedframe._cli.findings import print_finding, wrapped
from schedframe._errors import ConfigError, Problem, SchedframeError
from schedframe._files.write import write_new
from schedframe._schedule.schedule import Schedule, load
from schedframe._tools.beginning import beginning, table_of
from schedframe._units.units import RUN_KEYS

_YAML = (".yaml", ".yml")
_SHORT_RUN = "1000"

_Answer = TypeVar("_Answer")
_Text = str | None


@importing
def init(
    tokens: Annotated[_Text, typer.Option(metavar="LENGTH", help="Length of the run in tokens: 2T, 300B.")] = None,
    samples: Annotated[_Text, typer.Option(metavar="LENGTH", help="Length of the run in samples: 500M.")] = None,
    iters: Annotated[_Text, typer.Option(metavar="LENGTH", help="Length of the run in iterations: 100K.")] = None,
    max_lr: Annotated[_Text, typer.Option(metavar="LR", help="The max LR: 3e-4.")] = None,
    style: Annotated[
        _Text, typer.Option(metavar="STYLE", help="The decay style: WSD, cosine.", autocompletion=lr_style)
    ] = None,
    seq_length: Annotated[int, typer.Option(metavar="N", min=1, help="Tokens per sample.")] = 4096,
    global_batch_size: Annotated[int, typer.Option(metavar="N", min=1, help="Samples per iteration.")] = 1024,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="NEW", help="The file to write, in YAML.")] = Path(
        "run.schedule.yaml"
    ),
) -> None:
    """Write a new schedule file.

    On a terminal, the command asks for the length of the run, the max LR and the decay style if they are not given.
    Each key has a comment. An existing file is never replaced.

    The exit code is 1 if `schedframe check` reports a warning or an error for the new file.

    Examples:
      schedframe init --tokens 2T --max-lr 3e-4 --style WSD
      schedframe init --iters 100K --max-lr 1e-3 --style cosine -o small.schedule.yaml
    """
    _refuse(output)
    given = {"train_tokens": tokens, "train_samples": samples, "train_iters": iters}
    batches = {"seq_length": seq_length, "global_batch_size": global_batch_size}
    run = {**_length({key: text for key, text in given.items() if text is not None}, batches), **batches}
    rate = _answer("--max-lr", "Max LR", "3e-4", max_lr, _max_lr)
    table = _answer("--style", "Decay style", "WSD", style, table_of)
    write_new(output, beginning(run, rate, table))
    _report(output)


def _refuse(output: Path) -> None:
    """Refuse what could not be written, before anything is asked."""
    if output.suffix.lower() not in _YAML:
        fault = "is not YAML, which init writes; `schedframe resolve FILE --format toml` prints a schedule as TOML"
        raise ConfigError(str(output), [Problem("", fault)])
    if os.path.lexists(output):
        raise ConfigError(str(output), [Problem("", "already exists; choose another name with --output")])


def _length(given: dict[str, str], batches: dict[str, int]) -> dict[str, str]:
    """Return the key of the run's length, with the length as it was written."""
    if len(given) > 1:
        raise typer.BadParameter("give one of --tokens, --samples and --iters", param_hint="'--tokens'")

    def length(text: str) -> dict[str, str]:
        amount, _, unit = text.partition(" ")
        key = next((key for key, name in RUN_KEYS.items() if name == unit), None)
        if key is None:
            raise ConfigError("", [Problem("", "write it with its unit: 2T tokens, 500M samples or 100K iters", text)])
        Schedule(**{key: amount}, **batches, max_lr=1.0)
        return {key: amount}

    text = next((f"{amount} {RUN_KEYS[key]}" for key, amount in given.items()), None)
    return _answer("--tokens", "Length of the run", "2T tokens", text, length)


def _max_lr(text: str) -> str:
    Schedule(max_lr=text, lr_decay_steps=_SHORT_RUN)
    return text


def _answer(option: str, question: str, default: str, given: str | None, read: Callable[[str], _Answer]) -> _Answer:
    """Return what `read` makes of the text that was `given`, or that is typed; a text that it refuses is asked again.

    Args:
        option: the option that gives it.
        question: what is asked on a terminal where it is not given.
        default: what is used where nothing is typed.
        given: the option's value.
        read: returns what a text declares; raises `SchedframeError` where it cannot be used.
    """
    if given is not None:
        return read(given)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise typer.BadParameter(
            "is missing; give it, or run the command on a terminal, where it asks for it", param_hint=f"'{option}'"
        )

    def typed(text: str) -> Any:
        try:
            return read(text.strip())
        except ConfigError as error:
            raise typer.BadParameter("; ".join(problem.message for problem in error.problems)) from None
        except SchedframeError as error:
            raise typer.BadParameter(str(error)) from None

    answer: _Answer = typer.prompt(question, default=default, value_proc=typed)
    return answer


def _report(output: Path) -> None:
    schedule = load(output)
    typer.echo(f"wrote {output}\n{wrapped(schedule.summary(), '  ')}")
    findings = [finding for finding in schedule.findings() if finding.severity != "note"]
    for finding in findings:
        print_finding(finding)
    if findings:
        raise Findings
    typer.echo(f"next: schedframe preview {output}, or schedframe design {output}")
