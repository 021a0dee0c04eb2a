"""Compares two schedules: the keys that differ, and where and by how much the curves differ."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, pairwise
from math import ceil, floor
from pathlib import Path
from typing import Any, Literal, NamedTuple

from schedframe._errors import ConfigError, Problem
from schedframe._files.config.document import FORMATS, read
from schedframe._plan.plan import CURRENT, NAMES, Plan
from schedframe._plan.rule import DEFAULT, GroupRule, key_of
from schedframe._recipes.installed import recipe_name
from schedframe._schedule.curves import RoleCurves
from schedframe._schedule.keys import Keys
from schedframe._schedule.schedule import Schedule, declare
from schedframe._schedule.written import plain
from schedframe._tools.inspection import look_at
from schedframe._units.lengths import OPEN
from schedframe.styles._flat_wsd import FLAT_WSD

ROUNDING = 1e-12
"""Curves that differ by less than this part of their highest value are equal."""

_POINTS = 400
_CLOSE = 1e-4
_AS_HIGH = 1 - 1e-9
_PLAN_KEYS = frozenset(map(key_of, NAMES))


@dataclass(frozen=True)
class Place:
    """A position on both runs.

    Attributes:
        a: by unit, as the first schedule converts it.
        b: as the second one does, which may have other batch sizes.
    """

    a: dict[str, float]
    b: dict[str, float]


@dataclass(frozen=True)
class Gap:
    """The values of both curves where they are farthest apart."""

    at: Place
    a: float
    b: float


@dataclass(frozen=True)
class CurveDifference:
    """How the two curves of one role differ.

    Attributes:
        role: the role of the param groups.
        quantity: ``lr`` or ``wd``; weight decay is after ``wd_mult``.
        first: the first step at which they differ; ``None`` where they are equal everywhere.
        largest: where they are farthest apart; ``None`` where they are equal everywhere.
        area: between the curves: a value times a length in the unit of the comparison.
        area_share: the same as a part of the area under the curve of the first schedule; ``None`` where that is 0.
    """

    role: str
    quantity: Literal["lr", "wd"]
    first: Place | None
    largest: Gap | None
    area: float
    area_share: float | None


@dataclass(frozen=True)
class KeyDifference:
    """A key that differs.

    Attributes:
        key: its dotted path; an option of a style, or a key of a rule, which is under its role.
        a: as the first schedule has it written; ``None`` where it has not.
        b: as the second one has it written.
        value_a: what it is in the first schedule, lengths in steps; ``None`` where there is no such key.
        value_b: what it is in the second one.
    """

    key: str
    a: Any
    b: Any
    value_a: Any
    value_b: Any


@dataclass(frozen=True)
class Comparison:
    """How two schedules differ.

    Attributes:
        a: the name of the first one.
        b: the name of the second one.
        unit: of the positions at which the curves were compared: a whole number of it each.
        begin: the first position; the later of the two starts.
        end: the last position; the later of the two ends of the run, or of the decay.
        keys: the keys that differ.
        curves: of each role that both have, learning rate, and weight decay where both schedule it.
        roles_of_a: the roles that only the first one has.
        roles_of_b: the roles that only the second one has.
        unscheduled: the names of the schedules that leave weight decay unchanged, where the other one schedules it.
    """

    a: str
    b: str
    unit: str
    begin: Place
    end: Place
    keys: tuple[KeyDifference, ...]
    curves: tuple[CurveDifference, ...]
    roles_of_a: tuple[str, ...]
    roles_of_b: tuple[str, ...]
    unscheduled: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether a curve differs, or one of the two has a curve that the other one lacks."""
        alone = self.roles_of_a or self.roles_of_b or self.unscheduled
        return bool(alone) or any(curve.first is not None for curve in self.curves)

    def as_data(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {"differs": self.differs, **asdict(self)}


def diff(a: Schedule, b: Schedule, names: tuple[str, str] = ("a", "b")) -> Comparison:
    """Return how two schedules differ.

    The curves are evaluated at up to 400 positions of each, all breakpoints and every fiftieth of the run among them,
    such that straight lines are within 0.01 % of the highest value. They are equal where they differ by less than 1e-12
    of it. The first difference is found by bisection, the largest one by
    search around the farthest position; both are exact to one step of the unit of the comparison.

    Args:
        a: the first schedule.
        b: the second one.
        names: what they are called in the report.

    Raises:
        ConfigError: they have no unit in common, or an `init_lr` is ``current``.
        PluginError: a style fails at one of the steps.
    """
    for name, schedule in zip(names, (a, b), strict=True):
        _refuse_unknown_start(name, schedule)
    unit = _common_unit(a, b, names)
    sides = _Side(a, unit), _Side(b, unit)
    roles = [[DEFAULT, *(rule.role for rule in schedule.groups)] for schedule in (a, b)]
    both = [role for role in roles[0] if role in roles[1]]
    compared = {role: _Role(sides, role) for role in both}
    positions = compared[DEFAULT].positions
    decayed = [schedule.start_wd is not None for schedule in (a, b)]
    quantities: list[Literal["lr", "wd"]] = ["lr", "wd"] if all(decayed) else ["lr"]
    return Comparison(
        *names,
        unit,
        _place(sides, positions[0]),
        _place(sides, positions[-1]),
        tuple(_key_differences(a, b)),
        tuple(_compare(sides, compared[role], role, quantity) for role in both for quantity in quantities),
        tuple(role for role in roles[0] if role not in both),
        tuple(role for role in roles[1] if role not in both),
        tuple(name for name, is_decayed in zip(names, decayed, strict=True) if any(decayed) and not is_decayed),
    )


class Read(NamedTuple):
    """A schedule that was read from a file or a checkpoint, and what is worth knowing about it."""

    schedule: Schedule
    note: str = ""


def _no_import(path: Path) -> None:
    """Import nothing."""


def read_both(a: Path, b: Path, imported: Callable[[Path], Schedule | None] = _no_import) -> tuple[Read, Read]:
    """Return the schedules in two paths, each a file or a checkpoint.

    Args:
        a: the one.
        b: the other.
        imported: returns the schedule of a config of another framework; ``None`` for every other file.

    Raises:
        ConfigError: a file does not declare a schedule.
        StateError: a checkpoint cannot be read, or does not hold what determines its curves.
    """
    imports = [imported(path) for path in (a, b)]
    files = [None if _is_checkpoint(path) else path for path in (a, b)]
    if imports[0] is not None:
        return Read(imports[0]), Read(imports[1]) if imports[1] is not None else _read(b, files[1], None)
    return _read(a, files[0], files[1]), Read(imports[1]) if imports[1] is not None else _read(b, files[1], files[0])


def _is_checkpoint(path: Path) -> bool:
    if recipe_name(path) is not None:
        return False
    suffix = path.suffix.lower()
    if suffix != ".json" or path.is_dir():
        return path.is_dir() or suffix not in FORMATS
    try:
        return not {"max_lr", "extends"} & read(path).data.keys() or "num_steps" in read(path).data
    except ConfigError:
        return False  # loading it reports why


def _read(path: Path, file: Path | None, other: Path | None) -> Read:
    if file is not None:
        return Read(declare(read(file)))
    inspection = look_at(path, other)
    if inspection.plan is None:
        raise ConfigError(
            str(path), [Problem("", f"holds no whole schedule: {inspection.unknown}; compare it with a file")]
        )
    note = ""
    if inspection.saved.by_megatron and other is not None:
        note = f"{path} is Megatron's, which saves neither init_lr nor a style's options: they are those of {other}"
    return Read(_schedule_of(inspection.plan), note)


def _schedule_of(plan: Plan) -> Schedule:
    return Schedule(clock=plan.clock, max_lr=1.0, lr_decay_steps=1).with_plan(plan)


def _refuse_unknown_start(name: str, schedule: Schedule) -> None:
    if schedule.init_lr == CURRENT and schedule.lr_warmup_steps:
        fault = "is not known here: a checkpoint of the parent has it, and Megatron saves none; give a number in a file"
        raise ConfigError(name, [Problem("init_lr", fault, CURRENT)])


def _common_unit(a: Schedule, b: Schedule, names: Sequence[str]) -> str:
    known = a.scale.units.known(), b.scale.units.known()
    for unit in (a.clock, b.clock, *known[0]):
        if unit in known[0] and unit in known[1]:
            return unit
    fault = f"counts {b.clock}, and {names[0]} counts {a.clock}; give both files global_batch_size and seq_length"
    raise ConfigError(names[1], [Problem("clock", fault)])


class _Side:
    """A schedule, evaluated at whole positions in a unit."""

    def __init__(self, schedule: Schedule, unit: str) -> None:
        units = schedule.scale.units
        self.schedule = schedule
        self.step = units.converter(unit, schedule.clock)
        self.position = units.converter(schedule.clock, unit)

    def positions(self, curves: RoleCurves) -> list[float]:
        return [self.position(self.schedule.start_step + step) for step in curves.steps(_POINTS, _CLOSE)]

    def values(self, positions: Sequence[int], curves: RoleCurves) -> Iterator[tuple[float, float]]:
        start = self.schedule.start_step
        lrs, wds = curves.values(max(self.step(position) - start, 0) for position in positions)
        return zip(lrs, (wd or 0.0 for wd in wds), strict=True)


_Sides = tuple[_Side, _Side]


def _place(sides: _Sides, position: int) -> Place:
    a, b = (side.schedule.units_at(side.step(position)) for side in sides)
    return Place(a, b)


def _positions(a: list[float], b: list[float]) -> list[int]:
    """Return the whole positions around the sampled ones, from the later start to the later end."""
    first = ceil(max(a[0], b[0]))
    around = {whole for position in chain(a, b) for whole in (floor(position), ceil(position))}
    return sorted({first, *(position for position in around if position >= first)})


class _Role:
    """The curves of one role in both schedules, evaluated once at each whole position."""

    def __init__(self, sides: _Sides, role: str) -> None:
        self._sides = [(side, RoleCurves(side.schedule, role)) for side in sides]
        self.positions = _positions(*(side.positions(curves) for side, curves in self._sides))
        self._values: dict[int, tuple[tuple[float, float], ...]] = {}

    def values(self, positions: Sequence[int], quantity: Literal["lr", "wd"]) -> list[tuple[float, float]]:
        """Return the values of `quantity` in the first and the second schedule at each of `positions`."""
        new = [position for position in positions if position not in self._values]
        values = (side.values(new, curves) for side, curves in self._sides)
        self._values.update(zip(new, zip(*values, strict=True), strict=True))
        index = 0 if quantity == "lr" else 1
        return [(a[index], b[index]) for a, b in map(self._values.__getitem__, positions)]


def _compare(sides: _Sides, curves: _Role, role: str, quantity: Literal["lr", "wd"]) -> CurveDifference:
    positions = curves.positions
    values = dict(zip(positions, curves.values(positions, quantity), strict=True))
    least = ROUNDING * max(max(pair) for pair in values.values())

    def gap_at(position: int) -> float:
        if position not in values:
            (values[position],) = curves.values([position], quantity)
        a, b = values[position]
        return abs(b - a)

    gaps = [gap_at(position) for position in positions]
    if max(gaps) <= least:
        return CurveDifference(role, quantity, None, None, 0.0, 0.0)
    index = next(index for index, gap in enumerate(gaps) if gap > least)
    first = positions[0] if index == 0 else _first_above(least, gap_at, positions[index - 1], positions[index])
    farthest = next(index for index, gap in enumerate(gaps) if gap >= _AS_HIGH * max(gaps))
    around = positions[max(farthest - 1, 0)], positions[min(farthest + 1, len(positions) - 1)]
    largest = _highest(gap_at, positions[farthest], *around)
    area = _area(positions, [values[at][1] - values[at][0] for at in positions])
    under = _area(positions, [values[at][0] for at in positions])
    gap = Gap(_place(sides, largest), *values[largest])
    return CurveDifference(role, quantity, _place(sides, first), gap, area, area / under if under else None)


def _first_above(least: float, gap_at: Callable[[int], float], equal: int, different: int) -> int:
    while different - equal > 1:
        middle = (equal + different) // 2
        equal, different = (equal, middle) if gap_at(middle) > least else (middle, different)
    return different


def _highest(gap_at: Callable[[int], float], known: int, low: int, high: int) -> int:
    """Return the position of the highest gap between `low` and `high`, at `known` where that is as high."""
    while high - low > 2:
        left, right = low + (high - low) // 3, high - (high - low) // 3
        low, high = (left, high) if gap_at(left) < gap_at(right) else (low, right)
    best = max(range(low, high + 1), key=gap_at)
    return best if gap_at(best) * _AS_HIGH > gap_at(known) else known


def _area(positions: Sequence[int], heights: Sequence[float]) -> float:
    """Return the area between 0 and the straight lines through `heights`."""
    total = 0.0
    for (x, before), (next_x, after) in pairwise(zip(positions, heights, strict=True)):
        size = abs(before) + abs(after)
        crosses = before * after < 0
        total += (next_x - x) * ((before**2 + after**2) / size if crosses else size) / 2
    return total


def _key_differences(a: Schedule, b: Schedule) -> Iterator[KeyDifference]:
    are_declared = bool(a.origin.given) and bool(b.origin.given)
    written, values = [_written(a), _written(b)], [_values(a), _values(b)]
    for key in dict.fromkeys(chain(*written)):
        pairs = [tuple(side.get(key) for side in sides) for sides in (written, values)]
        if are_declared:
            differs = any(first != second for first, second in pairs)
        else:
            differs = key.partition(".")[0] in _PLAN_KEYS and pairs[1][0] != pairs[1][1]
        if differs:
            yield KeyDifference(key, *pairs[0], *pairs[1])


def _written(schedule: Schedule) -> dict[str, Any]:
    """Return the keys as they are written, by their dotted path."""
    keys = schedule.to_dict()
    flat = {f"lr_decay_style.{key}": keys.pop(key) for key in FLAT_WSD if key in keys}
    return {**dict(_leaves("", keys)), **flat}


def _values(schedule: Schedule) -> dict[str, Any]:
    """Return the values of all keys, by their dotted path."""
    return dict(_leaves("", {key: _value(getattr(schedule, key)) for key in Keys.model_fields}))


def _value(value: Any) -> Any:
    if isinstance(value, tuple) and value and isinstance(value[0], GroupRule):
        return [{"role": rule.role, "match": rule.match.table(), **_sets(rule)} for rule in value]
    return "open" if value == OPEN else plain(value)


def _sets(rule: GroupRule) -> dict[str, Any]:
    return {key_of(name): _value(value) for name, value in rule.sets().items()}


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what stands at each dotted path; a style's name is at the path of the style, a rule is at its role."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(path if key == "style" else f"{path}.{key}" if path else str(key), inner)
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        for index, item in enumerate(value):
            others = {key: inner for key, inner in item.items() if key != "role"}
            yield from _leaves(f"{path}.{item.get('role', index)}", others)
    else:
        yield path, value
