"""``schedframe backtest``: what would have been predicted for finished runs, against what was measured."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from schedframe import foresight
from schedframe._cli.arguments import TextOrJson, importing
from schedframe._cli.console import print_parts, table
from schedframe._cli.findings import wrapped
from schedframe._cli.fitting import EVIDENCE, HOLDS_FOR, Fits, Loss, Step, finished
from schedframe._cli.output import print_json


@importing
def backtest(
    fit: Fits,
    law: Annotated[str, typer.Option(metavar="NAME", help="The law to fit.")] = "intrinsic-time",
    loss: Loss = None,
    step: Step = None,
    format: TextOrJson = "text",
) -> None:
    """Predict each of several finished runs from the others.

    Each prediction is shown beside the measured loss: the mean over the last 2 % of the run that is logged. For a run
    that cannot be predicted from the others, the reasons are given.

    Examples:
      schedframe backtest --fit a.log:a.yaml --fit b.log:b.yaml
      schedframe backtest --fit a.log:a.yaml --fit b.log:b.yaml --format json
    """
    tested = foresight.backtest([run.pair for run in finished(fit, loss, step)], law)
    if format == "json":
        print_json({"law": law, "runs": [_as_data(each) for each in tested]})
        return
    typer.echo(wrapped(HOLDS_FOR, ""))
    typer.echo(wrapped(EVIDENCE, ""))
    typer.echo()
    grid = table("left out", "measured", "predicted", "95 of 100 such runs", "error")
    for each in tested:
        if each.predicted is None or each.bounds is None or each.error is None:
            grid.add_row(each.log, f"{each.measured:.4f}", "refused", "", "")
            continue
        lower, upper = each.bounds
        outside = "" if lower <= each.measured <= upper else ", outside"
        grid.add_row(
            each.log,
            f"{each.measured:.4f}",
            f"{each.predicted:.4f}",
            f"{lower:.4f} to {upper:.4f}{outside}",
            f"{each.error:+.4f}",
        )
    print_parts(grid)
    for each in tested:
        for reason in each.reasons:
            typer.echo(wrapped(f"{each.log} is not predicted: {reason}", ""))


def _as_data(tested: foresight.Tested) -> dict[str, Any]:
    return {**asdict(tested), "error": tested.error}
