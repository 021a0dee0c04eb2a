"""``schedframe propose``: a better schedule for a run, as a file."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from schedframe import foresight
from schedframe._cli.arguments import TextOrJson, importing
from schedframe._cli.console import print_parts, table
from schedframe._cli.exit_codes import Findings
from schedframe._cli.findings import wrapped
from schedframe._cli.fitting import HOLDS_FOR, Fits, Loss, Step, finished, in_hundred, law_as_data, print_law
from schedframe._cli.output import print_json
from schedframe._files.config.document import EXTENDS, name_from
from schedframe._files.config.dump import dump
from schedframe._files.write import write_new
from schedframe._schedule.schedule import load

_MOST_SHOWN = 12


@importing
def propose(
    fit: Fits,
    file: Annotated[Path, typer.Argument(metavar="RUN", help="The run to improve: YAML, TOML or JSON.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="NEW", help="The file to write.", show_default=False)
    ] = None,
    family: Annotated[str, typer.Option(metavar="NAME", help="How candidates are declared: wsd or phases.")] = "wsd",
    loss: Loss = None,
    step: Step = None,
    force: Annotated[bool, typer.Option("--force", help="Replace NEW if it exists; never RUN.")] = False,
    format: TextOrJson = "text",
) -> None:
    """Propose a better schedule for a run.

    Candidates have the length, peak, warmup, batch size and weight decay of RUN, and a cooldown of 15 to 90 % (linear,
    1-sqrt, power 1.5, cosine; to 0 or 10 %). All candidates within 0.005 of the best are too close to call; they form
    the plateau. The proposal is the least steep of them that is not predicted to be worse than the rule of thumb, WSD
    with a linear cooldown of 40 % to 0. The output compares the proposal with that rule and with cosine.

    The exit code is 1 if the proposal and RUN are too close to call, and 2 if nothing can be predicted. NEW extends
    RUN and contains only the keys that change.

    Examples:
      schedframe propose --fit train.log:cosine.yaml cosine.yaml
      schedframe propose --fit train.log:cosine.yaml run.yaml -o better.yaml
    """
    schedule = load(file)
    law = foresight.fit([run.pair for run in finished(fit, loss, step)])
    try:
        found = foresight.propose(law, schedule, family)
    except ValueError as error:
        if type(error) is not ValueError:
            raise
        raise typer.BadParameter(str(error), param_hint="'--family'") from None
    if output is not None:
        keys = {EXTENDS: name_from(output.parent, file), **found.chosen.changes}
        sources = [file] if schedule.origin.document is None else [file, *schedule.origin.document.extends]
        text = dump(keys, output, comments=list(_comments(law, found, file)))
        write_new(output, text, overwrite=force, never=sources)
    if format == "json":
        print_json({**law_as_data(law), **_as_data(found), "file": None if output is None else str(output)})
    else:
        _print(law, found, file)
        if output is not None:
            typer.echo(f"wrote {output}")
    if found.against_given is not None and found.against_given.is_close:
        raise Findings


def _comments(law: foresight.Law, found: foresight.Proposal, file: Path) -> Iterator[str]:
    yield f"schedframe propose for {file.name}: {found.chosen.label}"
    for run in law.runs:
        yield f"predicted by the law {law.name} from {run.log} with {run.schedule}"
    yield f"final loss {found.chosen.final:.4f}; {found.rule.label} {found.rule.final:.4f}; {_given(found, file)}"
    yield HOLDS_FOR


def _given(found: foresight.Proposal, file: Path) -> str:
    return f"{file.name} not predicted" if found.given is None else f"{file.name} {found.given.final:.4f}"


def _print(law: foresight.Law, found: foresight.Proposal, file: Path) -> None:
    print_law(law)
    typer.echo(f"\nproposed: {found.chosen.label}, predicted {found.chosen.final:.4f}\n")
    grid = table("against", "final loss", "difference", "")
    against: Mapping[str, tuple[foresight.Candidate | None, foresight.Difference | None]] = {
        str(file): (found.given, found.against_given),
        found.rule.label: (found.rule, found.against_rule),
        found.cosine.label: (found.cosine, found.against_cosine),
    }
    for label, (candidate, difference) in against.items():
        if candidate is None or difference is None:
            grid.add_row(label, "", "", "not predicted: an abrupt step or a second warmup")
        else:
            grid.add_row(label, f"{candidate.final:.4f}", f"{difference.difference:+.4f}", _words(difference))
    print_parts(grid)
    shown = found.plateau[:_MOST_SHOWN]
    typer.echo(
        f"\nplateau: {len(found.plateau)} of {len(found.candidates)} candidates are predicted within "
        f"{foresight.CLOSE} of the best, {found.candidates[0].final:.4f}"
    )
    for candidate in shown:
        chosen = "  <- proposed" if candidate is found.chosen else ""
        typer.echo(f"  {candidate.final:.4f}  {candidate.label}{chosen}")
    if len(found.plateau) > len(shown):
        typer.echo(f"  and {len(found.plateau) - len(shown)} more")
    if found.chosen not in shown:
        typer.echo(f"  {found.chosen.final:.4f}  {found.chosen.label}  <- proposed")
    typer.echo(wrapped(f"no curve that falls from the peak is predicted below {found.lowest:.4f}", ""))


def _words(difference: foresight.Difference) -> str:
    if difference.difference == 0:
        return "the same schedule"
    if difference.is_close:
        return "too close to call: not known to be better"
    return f"{'better' if difference.difference < 0 else 'worse'}, {in_hundred(difference)}"


def _as_data(found: foresight.Proposal) -> dict[str, Any]:
    against = {"given": found.against_given, "rule": found.against_rule, "cosine": found.against_cosine}
    return {
        "proposed": _candidate(found.chosen),
        "plateau": [_candidate(candidate) for candidate in found.plateau],
        "rule": _candidate(found.rule),
        "cosine": _candidate(found.cosine),
        "given": None if found.given is None else {"final": found.given.final},
        "against": {
            name: None
            if difference is None
            else {
                "difference": difference.difference,
                "reliability": difference.reliability,
                "too_close_to_call": difference.is_close,
            }
            for name, difference in against.items()
        },
        "lowest": found.lowest,
    }


def _candidate(candidate: foresight.Candidate) -> dict[str, Any]:
    return {"label": candidate.label, "final": candidate.final, "keys": dict(candidate.changes)}
