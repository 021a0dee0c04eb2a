"""Logged values over the curves of their schedule."""

from schedframe._pictures.series import Dots, Mark, Named, Picture, Quantity, picture_of, unit_of
from schedframe._tools.audit.audit import Audit
from schedframe._tools.audit.comparison import Comparison

_MOST_DOTS = 2000


def picture_of_audit(found: Audit, name: str) -> Picture:
    """Return the picture of an audit, over iterations where they are known; the first difference is marked.

    Args:
        found: the audit.
        name: what the schedule is called.
    """
    schedule = found.schedule.for_role(found.role)
    named = [Named(name, schedule)]
    unit = unit_of(named, "iters" if "iters" in schedule.scale.units.known() else None)
    firsts = [verdict.first for verdict in found.verdicts if verdict.first is not None]
    marks = [Mark("first difference", schedule.units_at(first.step)[unit]) for first in firsts[:1]]
    what: list[Quantity] = ["lr" if one.quantity == "lr" else "wd" for one in found.comparisons]
    picture = picture_of(named, unit=unit, what=what, also=marks)
    return picture._replace(dots=tuple(_dots(comparison, unit) for comparison in found.comparisons))


def _dots(comparison: Comparison, unit: str) -> Dots:
    known = [index for index, step in enumerate(comparison.steps) if step == step]
    shown = known[:: max(len(known) // _MOST_DOTS, 1)]
    xs = [comparison.schedule.units_at(comparison.steps[index])[unit] for index in shown]
    quantity: Quantity = "lr" if comparison.quantity == "lr" else "wd"
    return Dots("logged", quantity, xs, [comparison.points.values[index] for index in shown])
