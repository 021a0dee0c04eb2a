"""What a run's logs have of one number, as columns, and how exactly."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from itertools import pairwise
from math import floor, log10, nan
from pathlib import Path
from typing import NamedTuple

from schedframe._files.logs.formats import open_log
from schedframe._files.logs.record import Progress, Shown

FLOAT32 = 1.2e-7
"""The distance of two 32-bit floats, which Megatron reduces and TensorBoard keeps, as a share of their value."""

_MOST_RESTARTS = 1000


class Restart(NamedTuple):
    """A place where a log goes back to an earlier iteration, or another log begins.

    Attributes:
        path: the log.
        before: the last iteration before it.
        iteration: the first one after it.
    """

    path: Path
    before: int
    iteration: int


class Digits:
    """How many digits a log writes of one number.

    A log that always writes the same number of decimals rounds to the last of them. Otherwise trailing zeros are left
    out, and every value has as many significant digits as the longest one.
    """

    def __init__(self) -> None:
        self.significant = 0
        self._decimals: set[int] = set()
        self._lengths: dict[tuple[int, int, int], None] = {}

    def see(self, text: str) -> None:
        """Take account of one value as it is written."""
        mantissa, exponent, _ = text.lower().partition("e")
        shape = len(mantissa), mantissa.find("."), len(exponent)
        if shape in self._lengths and exponent:
            return
        self._lengths[shape] = None
        figures = mantissa.lstrip("+-0.").replace(".", "")
        self.significant = max(self.significant, len(figures))
        self._decimals.add(-1 if exponent else len(mantissa.partition(".")[2]))

    def half_unit(self, value: float) -> float:
        """Return how far the number that was rounded to `value` can lie from it."""
        if not self._decimals:
            return 0.0
        if len(self._decimals) == 1 and -1 not in self._decimals:
            return 0.5 * 10.0 ** -min(self._decimals)
        return 0.5 * 10.0 ** (floor(log10(abs(value))) - self.significant + 1) if value else 0.0


class Points:
    """One number over the iterations of a run; the last value of an iteration counts.

    Attributes:
        iterations: rising, after `settle`.
        values: at each iteration.
        half_units: how far the number before it was rounded can lie from each value.
        samples: consumed up to each iteration; NaN where the log does not have it.
        skipped: updates that were skipped since the record before, of each record.
        digits: the fewest significant digits that a log has; 0 where none is rounded.
        repeated: how many values were replaced by later ones.
        shown: which value a log has at an iteration; ``None`` where that is not known.
    """

    def __init__(self) -> None:
        self.iterations, self.values, self.half_units = array("q"), array("d"), array("d")
        self.samples, self.skipped = array("d"), array("d")
        self.digits = self.repeated = 0
        self.shown: Shown | None = None

    def settle(self) -> None:
        """Put iterations in order, and keep the last value of each."""
        if all(earlier < later for earlier, later in pairwise(self.iterations)):
            return
        order = sorted(range(len(self.iterations)), key=self.iterations.__getitem__)
        kept = [index for index, after in pairwise(order) if self.iterations[index] != self.iterations[after]]
        kept.append(order[-1])
        self.repeated = len(order) - len(kept)
        for name in ("iterations", "values", "half_units", "samples", "skipped"):
            column = getattr(self, name)
            setattr(self, name, array(column.typecode, map(column.__getitem__, kept)))

    def index_of(self, iteration: int) -> int:
        """Return the index of the first point at or behind `iteration`."""
        return bisect_left(self.iterations, iteration)


class Read(NamedTuple):
    """One log that was read.

    Attributes:
        path: its file.
        format: the name of its format.
        records: how many it has.
        first: the lowest iteration; -1 where there is none.
        last: the highest iteration.
        unreadable: how many numbers in it are none.
    """

    path: Path
    format: str
    records: int
    first: int
    last: int
    unreadable: int


class Logged(NamedTuple):
    """What all logs of a run have.

    Attributes:
        logs: as they were read.
        restarts: where they go back, the first 1000.
        points: by the name of the number, ``lr`` and ``wd``.
    """

    logs: list[Read]
    restarts: list[Restart]
    points: dict[str, Points]


QUANTITIES = ("lr", "wd")
_WANTED = (*QUANTITIES, "samples", "skipped")


def read_all(paths: Iterable[Path], progress: Progress = lambda size: None) -> Logged:
    """Return what the logs at `paths` have of a run, in the order in which it wrote them.

    Raises:
        LogError: one of them cannot be read.
    """
    logged = Logged([], [], {name: Points() for name in QUANTITIES})
    for path in paths:
        _read(path, logged, progress)
    for points in logged.points.values():
        points.settle()
    return logged


def _read(path: Path, logged: Logged, progress: Progress) -> None:
    digits = {name: Digits() for name in QUANTITIES}
    begins = {name: len(logged.points[name].values) for name in QUANTITIES}
    records = unreadable = 0
    first = last = -1
    before = max((log.last for log in logged.logs), default=-1)
    with open_log(path, _WANTED, progress) as log:
        for iteration, numbers in log.records:
            records += 1
            if iteration < before or (records == 1 and before >= 0):
                _note(logged.restarts, Restart(path, before, iteration))
            before = iteration
            first, last = iteration if first < 0 else min(first, iteration), max(last, iteration)
            for name in QUANTITIES:
                if name in numbers:
                    text = numbers[name]
                    value = _number(text)
                    if value != value:
                        unreadable += 1
                        continue
                    if isinstance(text, str):
                        digits[name].see(text)
                    points = logged.points[name]
                    points.iterations.append(iteration)
                    points.values.append(value)
                    points.samples.append(_number(numbers.get("samples", nan)))
                    points.skipped.append(_number(numbers.get("skipped", 0.0)))
        shown, format = log.format.shows, log.format.name
    logged.logs.append(Read(path, format, records, first, last, unreadable))
    for name, points in logged.points.items():
        new = points.values[begins[name] :]
        if new:
            points.half_units.extend(map(digits[name].half_unit, new))
            points.digits = min(filter(None, (points.digits, digits[name].significant)), default=0)
            points.shown = points.shown or shown


def _note(restarts: list[Restart], restart: Restart) -> None:
    if len(restarts) < _MOST_RESTARTS:
        restarts.append(restart)


def _number(value: str | float) -> float:
    try:
        return float(value)
    except ValueError:
        return nan
