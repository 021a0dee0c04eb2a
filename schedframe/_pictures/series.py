"""What pictures of schedules show: lines by role and file, phases, and marked steps. One source for every view."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from math import isclose
from typing import Literal, NamedTuple, Protocol, get_args

from schedframe._plan.plan import Parent, Plan
from schedframe._plan.rule import DEFAULT
from schedframe._plan.samples import Samples
from schedframe._units.lengths import OPEN, Scale

Quantity = Literal["lr", "wd", "lrwd", "cumulative"]
QUANTITIES = get_args(Quantity)

AnyQuantity = Literal["lr", "wd", "lrwd", "cumulative", "loss"]
"""What a panel can show: a quantity of schedules, or the loss that is predicted for them."""

TITLES: dict[str, str] = {
    "lr": "learning rate",
    "wd": "weight decay",
    "lrwd": "learning rate * weight decay",
    "cumulative": "sum of the learning rate over iterations",
    "loss": "loss",
}
"""What each quantity is called on an axis."""

BORDER = "start of a group's own phase"
"""What the marks of `Panel.borders` are called in a legend."""

_LOWEST = 1e-4
"""A logarithmic axis begins at this share of the highest value, or at the lowest value above it."""

_APART = 20.0
"""Curves whose highest values differ by more than this factor are not read on one axis."""

_ALIKE = 1e-6
"""So much of the whole may lie between the borders of phases that are the same."""


class Drawable(Protocol):
    """What can be drawn: a `Schedule`, which stands above this room because it draws itself."""

    @property
    def plan(self) -> Plan:
        """Everything that determines the curves."""

    @property
    def scale(self) -> Scale:
        """What positions are measured with."""

    @property
    def parent(self) -> Parent | None:
        """The schedule that this one continues."""

    @property
    def train_steps(self) -> float | None:
        """Length of the run, in steps."""

    def sample(self, points: int | Sequence[float] = ..., unit: str | None = ..., role: str | None = ...) -> Samples:
        """Return the curves as columns of points."""

    def units_at(self, step: float) -> dict[str, float]:
        """Return the position at `step` in every known unit."""


class Named(NamedTuple):
    """A schedule and what it is called in a legend."""

    name: str
    schedule: Drawable


class Phase(NamedTuple):
    """A stretch with a name."""

    name: str
    begin: float
    end: float


class Line(NamedTuple):
    """A curve.

    Attributes:
        label: by role and file, for a legend.
        file: which of the schedules it is of, from 0.
        role: the role of its param groups.
        xs: positions, rising.
        ys: values.
        phases: those of its param groups.
    """

    label: str
    file: int
    role: str
    xs: list[float]
    ys: list[float]
    phases: Sequence[Phase] = ()


class Panel(NamedTuple):
    """Curves on one axis."""

    quantity: AnyQuantity
    lines: list[Line]

    @property
    def phases(self) -> Sequence[Phase]:
        """What is shaded and named: the phases of the default role, or of the first line where that role is not drawn.

        There are none where several schedules have different ones, or where one phase is all there is.
        """
        shown = next((line for line in self.lines if line.role == DEFAULT), self.lines[0]).phases
        differ = any(not _are_alike(line.phases, shown) for line in self.lines)
        return () if len(shown) == 1 or (differ and self._has_several_files) else shown

    def borders(self, line: Line) -> list[tuple[float, float]]:
        """Return the points of `line` at which its phases begin, to be marked if they are not those that are shaded."""
        if self._has_several_files or _are_alike(line.phases, self.phases):
            return []
        return [(phase.begin, line.ys[line.xs.index(phase.begin)]) for phase in line.phases[1:]]

    @property
    def _has_several_files(self) -> bool:
        return len({line.file for line in self.lines}) > 1


class Mark(NamedTuple):
    """A position that is marked."""

    label: str
    x: float


class Dots(NamedTuple):
    """Values that were observed.

    Attributes:
        label: for the legend.
        quantity: in whose panels they are drawn.
        xs: positions.
        ys: values.
    """

    label: str
    quantity: AnyQuantity
    xs: list[float]
    ys: list[float]


class Band(NamedTuple):
    """Between which values a line is expected.

    Attributes:
        file: of the line, from 0.
        quantity: in whose panels it is drawn.
        xs: positions, rising.
        lower: the lower values.
        upper: the upper values.
    """

    file: int
    quantity: AnyQuantity
    xs: list[float]
    lower: list[float]
    upper: list[float]


class Axis(NamedTuple):
    """An axis of values.

    Attributes:
        lowest: the value at which it begins.
        highest: the highest value on it.
        log: whether it is logarithmic.
    """

    lowest: float
    highest: float
    log: bool


class Picture(NamedTuple):
    """What is drawn, whatever draws it.

    Attributes:
        title: above all panels; empty for none.
        unit: of the positions.
        panels: one below the other.
        marks: positions that are marked.
        log: values are on a logarithmic axis.
        dots: observed values, drawn over the lines.
        bands: drawn below the lines.
    """

    title: str
    unit: str
    panels: list[Panel]
    marks: list[Mark]
    log: bool = False
    dots: tuple[Dots, ...] = ()
    bands: tuple[Band, ...] = ()

    def axis(self, panel: Panel) -> Axis:
        """Return the axis of all values on `panel`: from 0 on, but for the loss; logarithmic if any is above 0."""
        columns = [line.ys for line in panel.lines] + [dots.ys for dots in self.dots_of(panel)]
        for band in self.bands_of(panel):
            columns += [band.lower, band.upper]
        values = list(chain(*columns))
        above_zero = [value for value in values if value > 0]
        if self.log and above_zero:
            return Axis(max(max(above_zero) * _LOWEST, min(above_zero)), max(above_zero), log=True)
        lowest = min(values) if panel.quantity == "loss" else 0.0
        return Axis(lowest, max(lowest, max(values)), log=False)

    def bands_of(self, panel: Panel) -> list[Band]:
        """Return what is drawn below the lines of `panel`."""
        return [band for band in self.bands if band.quantity == panel.quantity]

    def dots_of(self, panel: Panel) -> list[Dots]:
        """Return what is drawn over the lines of `panel`."""
        return [dots for dots in self.dots if dots.quantity == panel.quantity]

    @property
    def lines(self) -> list[Line]:
        """The lines of all panels."""
        return [line for panel in self.panels for line in panel.lines]


def picture_of(
    schedules: Sequence[Named],
    *,
    unit: str | None = None,
    what: Sequence[Quantity] = ("lr", "wd"),
    log: bool = False,
    title: str | None = None,
    also: Iterable[Mark] = (),
    points: int = 400,
    roles: Sequence[str] = (),
) -> Picture:
    """Return the picture of `schedules`, overlaid.

    Args:
        schedules: one or several.
        unit: of the positions; by default tokens, or else what all schedules know.
        what: which quantities are drawn; weight decay only where it is scheduled.
        log: draw values on a logarithmic axis.
        title: above all panels; by default the schedules' names.
        also: further marks.
        points: of each curve.
        roles: which are drawn; by default all.

    Raises:
        ValueError: a schedule does not know the unit, or has no such role.
        StateError: an `init_lr` is ``current``.
    """
    unit = unit_of(schedules, unit)
    sampled = samples_of(schedules, unit, points, roles, log=log)
    alone = len(schedules) == 1
    return Picture(
        ", ".join(name for name, _ in schedules) if title is None else title,
        unit,
        panels_of(schedules, sampled, what),
        [*(marks_of(schedules[0].schedule, unit) if alone else ()), *also],
        log,
    )


def unit_of(schedules: Iterable[Named], asked: str | None) -> str:
    """Return the unit of the axis: the one that is `asked` for, else tokens, iterations or the clock's, known to all.

    Raises:
        ValueError: a schedule does not know the unit.
    """
    schedules = list(schedules)
    for name, schedule in schedules:
        known = schedule.scale.units.known()
        if asked is not None and asked not in known:
            raise ValueError(f"{name}: the unit {asked!r} is not known; the known units are {', '.join(known)}")
    if asked is not None:
        return asked
    everywhere = set.intersection(*(set(schedule.scale.units.known()) for _, schedule in schedules))
    preferred = ("tokens", schedules[0].schedule.plan.clock, "samples", "iters")
    for unit in preferred:
        if unit in everywhere:
            return unit
    raise ValueError("the schedules have no unit in common; give global_batch_size and seq_length in each file")


def samples_of(
    schedules: Iterable[Named], unit: str, points: int, roles: Sequence[str] = (), *, log: bool = False
) -> list[list[Samples]]:
    """Return the curves of each schedule, of each of its roles or of the `roles` that are asked for.

    Args:
        schedules: one or several.
        unit: of the positions.
        points: of each curve, dense where it is curved.
        roles: by default all.
        log: add as many points that lie evenly: a straight stretch is none on a logarithmic axis.
    """
    return [
        [
            _samples(schedule, unit, points, role, log=log)
            for role in roles or (DEFAULT, *(rule.role for rule in schedule.plan.groups))
        ]
        for _, schedule in schedules
    ]


def _samples(schedule: Drawable, unit: str, points: int, role: str, *, log: bool) -> Samples:
    dense = schedule.sample(points, unit, role)
    if not log:
        return dense
    first, last = dense["step"][0], dense["step"][-1]
    even = (first + (last - first) * part / points for part in range(points))
    return schedule.sample(sorted({*dense["step"], *even}), unit, role)


def panels_of(schedules: Sequence[Named], sampled: Sequence[list[Samples]], what: Sequence[Quantity]) -> list[Panel]:
    """Return the panels of each quantity in `what`; several where curves differ too much for one axis."""
    return [panel for quantity in what for panel in _panels(schedules, sampled, quantity)]


def _panels(schedules: Sequence[Named], sampled: Sequence[list[Samples]], quantity: Quantity) -> Iterator[Panel]:
    lines = [
        Line(_label(schedules, file, samples.role), file, samples.role, samples.positions, values, phases_of(samples))
        for file, of_file in enumerate(sampled)
        for samples in of_file
        if (values := _values(samples, quantity))
    ]
    highest = max((max(line.ys) for line in lines), default=0.0)
    while lines:
        together = [line for line in lines if max(line.ys) * _APART >= highest or max(line.ys) == 0]
        yield Panel(quantity, together)
        lines = [line for line in lines if line not in together]
        highest = max((max(line.ys) for line in lines), default=0.0)


def _label(schedules: Sequence[Named], file: int, role: str) -> str:
    name, schedule = schedules[file]
    if len(schedules) == 1:
        return role
    return f"{name}, {role}" if schedule.plan.groups else name


def _values(samples: Samples, quantity: Quantity) -> list[float]:
    if quantity == "cumulative":
        return list(_cumulated(samples["iters"] if "iters" in samples else samples["step"], samples["lr"]))
    return samples.columns.get({"lr": "lr", "wd": "wd", "lrwd": "lr_wd"}[quantity], [])


def _cumulated(steps: Sequence[float], values: Sequence[float]) -> Iterator[float]:
    total, before = 0.0, None
    for step, value in zip(steps, values, strict=True):
        if before is not None:
            total += (step - before[0]) * (value + before[1]) / 2
        before = step, value
        yield total


def phases_of(samples: Samples) -> list[Phase]:
    """Return the phases of the curves, each up to where the next one begins."""
    found = [
        (name, [x for x, _ in points])
        for name, points in groupby(zip(samples.positions, samples["phase"], strict=True), key=lambda point: point[1])
    ]
    begins = [xs[0] for _, xs in found]
    ends = [*begins[1:], samples.positions[-1]]
    return [Phase(name, begin, end) for (name, _), begin, end in zip(found, begins, ends, strict=True) if end > begin]


def _are_alike(phases: Sequence[Phase], others: Sequence[Phase]) -> bool:
    if [phase.name for phase in phases] != [phase.name for phase in others]:
        return False
    ends = [(phase.end, other.end) for phase, other in zip(phases, others, strict=True)]
    return all(isclose(end, other, rel_tol=0, abs_tol=_ALIKE * ends[-1][0]) for end, other in ends)


def marks_of(schedule: Drawable, unit: str) -> list[Mark]:
    """Return the positions that are marked: the end of the decay within the run, the parent, the end of the run."""
    marks = {}
    run, decay = schedule.train_steps, schedule.plan.lr_decay_steps
    if schedule.parent is not None:
        marks["branch"] = schedule.parent.step
    if decay != OPEN and run is not None and decay < run:
        marks["decay end"] = schedule.plan.start_step + decay
    return [Mark(label, schedule.units_at(step)[unit]) for label, step in marks.items()]
