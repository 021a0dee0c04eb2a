"""What a run's logs have of one number, as columns, and how exactly."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise, repeat
from math import floor, isfinite, log10, nan
from pathlib import Path
from typing import NamedTuple

from schedframe._files.logs.formats import open_log
from schedframe._files.logs.record import Progress, Shown

FLOAT32 = 1.2e-7
"""The distance of two 32-bit floats, which Megatron reduces and TensorBoard keeps, as a share of their value."""

_MOST_RESTARTS = 1000


_SCIENTIFIC = -1
"""Stands for the decimals of a number with an exponent."""


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
        self._lengths: set[int] = set()

    def see(self, text: str) -> None:
        """Take account of one value as it is written."""
        is_scientific = "E" in text or "e" in text
        if is_scientific and len(text) in self._lengths:
            return
        mantissa = text.lower().partition("e")[0]
        figures = mantissa.lstrip("+-0.").replace(".", "")
        self.significant = max(self.significant, len(figures))
        if is_scientific:
            self._lengths.add(len(text))
        self._decimals.add(_SCIENTIFIC if is_scientific else len(mantissa.partition(".")[2]))

    def half_units(self, values: Iterable[float]) -> Iterator[float]:
        """Yield how far the number that was rounded to each of `values` can lie from it."""
        if not self._decimals:
            return repeat(0.0, len(list(values)))
        if len(self._decimals) == 1 and _SCIENTIFIC not in self._decimals:
            return repeat(0.5 * 10.0 ** -min(self._decimals), len(list(values)))
        last = 1 - self.significant
        return (0.5 * 10.0 ** (floor(log10(abs(value))) + last) if value else 0.0 for value in values)


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

    def add(self, iteration: int, value: float, numbers: Mapping[str, str | float]) -> None:
        """Append the value at an iteration, with what else its record has; `half_units` are added for all at once."""
        self.iterations.append(iteration)
        self.values.append(value)
        self.samples.append(_number(numbers.get("samples", nan)))
        self.skipped.append(_number(numbers.get("skipped", 0.0)))

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
        unreadable: how many learning rates and weight decays in it are no finite numbers.
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
                text = numbers.get(name)
                if text is None:
                    continue
                value = _number(text)
                if not isfinite(value):
                    unreadable += 1
                    continue
                if isinstance(text, str):
                    digits[name].see(text)
                logged.points[name].add(iteration, value, numbers)
        shown, format = log.format.shows, log.format.name
    logged.logs.append(Read(path, format, records, first, last, unreadable))
    for name, points in logged.points.items():
        new = points.values[begins[name] :]
        if new:
            points.half_units.extend(digits[name].half_units(new))
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
