"""Predicted losses with their bands over measured ones, as a picture and as the data of a page."""

from collections.abc import Sequence
from typing import Any

from schedframe import foresight
from schedframe._cli.fitting import Finished
from schedframe._pictures.series import TITLES, Band, Dots, Line, Panel, Picture
from schedframe._plan.rule import DEFAULT
from schedframe._tools.views.page.data import Shown, page_data

_MOST_DOTS = 1000
_UNIT = "iters"
_DIGITS = 5


def loss_picture(law: foresight.Law, runs: Sequence[Finished], shown: Sequence[Shown]) -> Picture:
    """Return the picture of the losses that `law` predicts for the schedules `shown`, over updates.

    Args:
        law: the fitted law.
        runs: the finished runs, whose losses are drawn as points.
        shown: names and schedules.
    """
    lines, bands = [], []
    for file, (name, schedule, _) in enumerate(shown):
        forecast = law.predict(schedule)
        lower, upper = forecast.bounds(0.95)
        lines.append(Line(name, file, DEFAULT, forecast.steps, forecast.loss))
        bands.append(Band(file, "loss", forecast.steps, lower, upper))
    begin, end = min(line.xs[0] for line in lines), max(line.xs[-1] for line in lines)
    dots = [Dots(f"measured, {run.log.name}", "loss", *_measured(run, begin, end)) for run in runs]
    return Picture("", _UNIT, [Panel("loss", lines)], [], dots=tuple(dots), bands=tuple(bands))


def _measured(run: Finished, begin: float, end: float) -> tuple[list[float], list[float]]:
    steps, loss = run.log.steps, run.log.loss
    kept = (steps >= begin) & (steps <= end)
    apart = max(int(kept.sum()) // _MOST_DOTS, 1)
    return steps[kept][::apart].tolist(), loss[kept][::apart].tolist()


def loss_page(law: foresight.Law, runs: Sequence[Finished], shown: Sequence[Shown]) -> dict[str, Any]:
    """Return the data of the page of the schedules `shown`, with a panel of their losses above their learning rates.

    Args:
        law: the fitted law.
        runs: the finished runs, whose losses are drawn as points.
        shown: names and schedules.
    """
    data = page_data(shown, unit=_UNIT, what=("lr",))
    curves: list[dict[str, Any]] = []
    bands: list[dict[str, Any]] = []
    begins = []
    for file, (name, schedule, _) in enumerate(shown):
        positions = data["files"][file]["positions"][_UNIT]
        begin = law.predict(schedule).steps[0]
        begins.append(begin)
        known = [position for position in positions if position >= begin]
        forecast = law.predict(schedule, known)
        before: list[float | None] = [None] * (len(positions) - len(known))
        lower, upper = forecast.bounds(0.95)
        values = [*before, *_rounded(forecast.loss)]
        curves.append({"label": name, "file": file, "role": DEFAULT, "values": values, "borders": {}})
        bands.append({"file": file, "lower": [*before, *_rounded(lower)], "upper": [*before, *_rounded(upper)]})
    dots = [_dots(run, min(begins), data["units"]) for run in runs]
    panel = {**data["panels"][0], "quantity": "loss", "title": TITLES["loss"], "curves": curves}
    data["panels"].insert(0, {**panel, "bands": bands, "dots": dots})
    return data


def _dots(run: Finished, begin: float, units: Sequence[str]) -> dict[str, Any]:
    steps, loss = _measured(run, begin, float(run.log.steps[-1]))
    places = [run.schedule.units_at(run.schedule.step_at(f"{step} iters")) for step in steps]
    known = {unit: [place[unit] for place in places] for unit in units if all(unit in place for place in places)}
    return {"label": run.log.name, "at": known, "values": loss}


def _rounded(losses: Sequence[float]) -> list[float]:
    return [round(loss, _DIGITS) for loss in losses]
