"""What a page shows, as plain data for JSON; `frontend/src/data.ts` has the same in TypeScript."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import ceil, floor
from typing import Any, NamedTuple

from schedframe._files.config.document import text_of
from schedframe._pictures.series import (
    BORDER,
    TITLES,
    Named,
    Panel,
    Quantity,
    marks_of,
    panels_of,
    phases_of,
    unit_of,
)
from schedframe._plan.rule import DEFAULT
from schedframe._plan.samples import Samples
from schedframe._schedule.curves import RoleCurves
from schedframe._schedule.schedule import Schedule
from schedframe._tools.views.findings import LOADING
from schedframe.lint._rule import Finding

_DENSE = 240
"""Points where the curves are curved."""

_EVEN = 400
"""Points that lie evenly, so that every stretch has values to read."""


class Shown(NamedTuple):
    """A schedule in a page.

    Attributes:
        name: what it is called in the legend.
        schedule: from a file, or from a program.
        text: of its file; by default what stands there.
    """

    name: str
    schedule: Schedule
    text: str | None = None


def page_data(
    shown: Sequence[Shown],
    *,
    unit: str | None = None,
    what: Sequence[Quantity] = ("lr", "wd"),
    log: bool = False,
    title: str | None = None,
    also: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Return the data of the page of `shown`, overlaid.

    Every curve has a value at each of the same 400 to 1,500 whole steps of its file; each is the value that the param
    groups of the curve's role have there.

    Args:
        shown: one schedule or several.
        unit: of the positions that are shown first; the page can change it.
        what: which quantities are drawn; weight decay only where it is scheduled.
        log: a logarithmic axis is shown first; the page can change it.
        title: above the page; by default the schedules' names.
        also: marked steps of the first schedule, by label, besides those of `series.marks_of`.

    Raises:
        ValueError: a schedule does not know the unit.
        PluginError: a style fails at one of the steps.
        StateError: an `init_lr` is ``current``.
    """
    schedules = [Named(each.name, each.schedule) for each in shown]
    first = unit_of(schedules, unit)
    units = [name for name in _units(shown[0].schedule) if all(name in _units(each.schedule) for each in shown)]
    sampled = [_samples_at_whole_steps(each.schedule) for each in shown]
    by_unit = {unit: panels_of(schedules, _in_unit(sampled, unit), what) for unit in units}
    panels = [_panel(dict(zip(by_unit, same, strict=True))) for same in zip(*by_unit.values(), strict=True)]
    return {
        "title": ", ".join(each.name for each in shown) if title is None else title,
        "unit": first,
        "units": units,
        "log": log,
        "files": [_file(each, samples) for each, samples in zip(shown, sampled, strict=True)],
        "panels": panels,
        "marks": list(_marks(schedules, units, also or {})),
        "border": BORDER,
    }


def _in_unit(sampled: Sequence[Sequence[Samples]], unit: str) -> list[list[Samples]]:
    return [[replace(samples, unit=unit) for samples in of_file] for of_file in sampled]


def _panel(by_unit: Mapping[str, Panel]) -> dict[str, Any]:
    """Return the data of a panel, which is given in each unit."""
    first = next(iter(by_unit.values()))
    return {
        "quantity": first.quantity,
        "title": TITLES[first.quantity],
        "phases": {unit: [phase._asdict() for phase in panel.phases] for unit, panel in by_unit.items()},
        "curves": [
            {
                "label": line.label,
                "file": line.file,
                "role": line.role,
                "values": line.ys,
                "borders": {unit: panel.borders(panel.lines[index]) for unit, panel in by_unit.items()},
            }
            for index, line in enumerate(first.lines)
        ],
    }


def _units(schedule: Schedule) -> list[str]:
    return schedule.scale.units.known()


def _samples_at_whole_steps(schedule: Schedule) -> list[Samples]:
    """Return the curves of each role, all at the same whole steps."""
    roles, start = [DEFAULT, *(rule.role for rule in schedule.groups)], schedule.start_step
    dense = [start + step for role in roles for step in RoleCurves(schedule, role).steps(_DENSE)]
    first = min(dense)
    last = max(*dense, first + 1)
    whole = {near(step) for step in dense for near in (floor, ceil)} | set(_even_steps(schedule, first, last))
    steps = sorted(step for step in whole if first <= step <= last)
    return [schedule.sample(steps, role=role) for role in roles]


def _even_steps(schedule: Schedule, first: float, last: float) -> Iterable[float]:
    """Yield evenly spaced steps from `first` to `last`, at which whole iterations end where those are known."""
    units, clock = schedule.scale.units, schedule.clock
    unit = "iters" if "iters" in units.known() else clock
    to_unit, to_steps = units.converter(clock, unit), units.converter(unit, clock)
    for part in range(_EVEN):
        yield round(to_steps(round(to_unit(first + (last - first) * part / _EVEN))))


def _file(shown: Shown, sampled: Sequence[Samples]) -> dict[str, Any]:
    schedule, samples = shown.schedule, sampled[0]
    clock, *others = _units(schedule)
    in_units = {unit: replace(samples, unit=unit) for unit in (clock, *others)}
    return {
        "name": shown.name,
        "summary": schedule.summary(),
        "roles": [samples.role for samples in sampled],
        "clock": clock,
        "positions": {unit: in_unit.positions for unit, in_unit in in_units.items()},
        "phases": {unit: [phase._asdict() for phase in phases_of(in_unit)] for unit, in_unit in in_units.items()},
        "findings": [finding_data(finding) for finding in schedule.findings()],
        "texts": list(_texts(shown)),
    }


def finding_data(finding: Finding) -> dict[str, Any]:
    """Return `finding` as the page shows it; one that keeps a file from loading has no code."""
    return {
        "code": "" if finding.code == LOADING.code else finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "subject": f"{finding.path} = {finding.value}" if finding.path and finding.value else finding.path,
        "message": finding.message,
        "fix": finding.fix,
        "role": finding.role,
        "file": finding.file,
        "line": finding.line,
    }


def _texts(shown: Shown) -> Iterable[dict[str, str]]:
    document = shown.schedule.origin.document
    if document is not None:
        text = text_of(document.path) if shown.text is None else shown.text
        yield {"file": str(document.path), "text": text}
        yield from ({"file": str(path), "text": text_of(path)} for path in document.extends)


def _marks(schedules: Sequence[Named], units: Sequence[str], also: Mapping[str, float]) -> Iterable[dict[str, Any]]:
    schedule = schedules[0].schedule
    in_units: dict[str, dict[str, float]] = {label: schedule.units_at(step) for label, step in also.items()}
    if len(schedules) == 1:
        for unit in units:
            for mark in marks_of(schedule, unit):
                in_units.setdefault(mark.label, {})[unit] = mark.x
    for label, at in in_units.items():
        yield {"label": label, "at": {unit: at[unit] for unit in units}}
