"""What a run's logs have of one number, as columns, and how exactly."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import islice, pairwise, repeat
from math import floor, isfinite, log10, nan
from operator import le, lt
from pathlib import Path
from typing import Any, NamedTuple

from schedframe._files.logs.formats import open_log
from schedframe._files.logs.record import Columns, Progress, Shown, number

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
    out, and every value has as many significant digits as the longest one. Without texts there is no rounding.
    """

    def __init__(self) -> None:
        self.significant = 0
        self._decimals: set[int] = set()

    def see(self, texts: Sequence[Any]) -> None:
        """Take account of finite numbers as they are written."""
        together = "".join(texts)
        if together.count("e") + together.count("E") == len(texts):
            texts = list(dict(zip(map(len, texts), texts, strict=True)).values())  # as long, and as many digits
        for text in texts:
            self._see(text)

    def _see(self, text: str) -> None:
        mantissa, exponent, _ = text.strip().lower().partition("e")
        figures = mantissa.lstrip("+-0.").replace(".", "")
        self.significant = max(self.significant, len(figures))
        self._decimals.add(_SCIENTIFIC if exponent else len(mantissa.partition(".")[2]))

    def half_unit(self, value: float) -> float:
        """Return how far the number that was rounded to `value` can lie from it."""
        if not self._decimals:
            return 0.0
        if len(self._decimals) == 1 and _SCIENTIFIC not in self._decimals:
            return 0.5 * 10.0 ** -min(self._decimals)
        return 0.5 * 10.0 ** (floor(log10(abs(value))) + 1 - self.significant) if value else 0.0


_COLUMNS = ("iterations", "values", "samples", "skipped", "logs")


class Points:
    """One number over the iterations of a run; the last value of an iteration counts.

    Attributes:
        iterations: rising, after `settle`.
        values: at each iteration.
        samples: consumed up to each iteration; NaN where the log does not have it.
        skipped: updates that were skipped since the record before, of each record.
        logs: which log each of them is of, from 0.
        digits: of each log.
        repeated: how many values were replaced by later ones.
        shown: which value a log has at an iteration; ``None`` where that is not known.
    """

    def __init__(self) -> None:
        self.iterations, self.logs = array("q"), array("L")
        self.values, self.samples, self.skipped = array("d"), array("d"), array("d")
        self.digits: list[Digits] = []
        self.repeated = 0
        self.shown: Shown | None = None

    def begin(self, shown: Shown | None) -> None:
        """Go on with another log, which has the value that is `shown` at an iteration."""
        self.digits.append(Digits())
        self.shown = self.shown or shown

    def add(self, columns: Columns, name: str) -> int:
        """Append the number `name` of `columns`, and return how many of its values are not finite."""
        texts = columns.numbers.get(name)
        if texts is None:
            return 0
        values = _numbers(texts)
        if not all(map(isfinite, values)):
            good = list(map(isfinite, values))
            if any(good):
                self.add(columns.only(good), name)
            return sum(text is not None for text in texts) - sum(good)
        self.iterations.extend(columns.iterations)
        self.values.extend(values)
        nothing = [None] * len(values)
        self.samples.extend(_numbers(columns.numbers.get("samples", nothing)))
        self.skipped.extend(_numbers(columns.numbers.get("skipped", nothing), missing=0.0))
        self.logs.extend(repeat(len(self.digits) - 1, len(values)))
        if isinstance(texts[0], str):
            self.digits[-1].see(texts)
        return 0

    @property
    def significant(self) -> int:
        """The fewest significant digits that a log has; 0 where none is rounded."""
        return min((digits.significant for digits in self.digits if digits.significant), default=0)

    def half_unit(self, index: int) -> float:
        """Return how far the number before it was rounded can lie from the value at `index`."""
        return self.digits[self.logs[index]].half_unit(self.values[index])

    def least_half_unit(self, begin: int, end: int) -> float:
        """Return a length that no `half_unit` of the points from `begin` to before `end` lies below."""
        smallest = max(min(self.values[begin:end]), 0.0)
        logs = set(self.logs[begin:end]) if len(self.digits) > 1 else [0]
        return min(self.digits[log].half_unit(smallest) for log in logs)

    def settle(self) -> None:
        """Put iterations in order, and keep the last value of each."""
        if all(map(lt, self.iterations, islice(self.iterations, 1, None))):
            return
        order = sorted(range(len(self.iterations)), key=self.iterations.__getitem__)
        kept = [index for index, after in pairwise(order) if self.iterations[index] != self.iterations[after]]
        kept.append(order[-1])
        self.repeated = len(order) - len(kept)
        for name in _COLUMNS:
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
        unreadable: how many learning rates and weight decays in it are not finite.
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
    records = unreadable = 0
    first = last = -1
    before = max((log.last for log in logged.logs), default=-1)
    with open_log(path, _WANTED, progress) as log:
        for points in logged.points.values():
            points.begin(log.format.shows)
        for columns in log.columns:
            iterations = columns.iterations
            if not records and before >= 0:
                _note(logged.restarts, Restart(path, before, iterations[0]))
                before = iterations[0]
            lowest, highest = iterations[0], iterations[-1]
            if lowest < before or not all(map(le, iterations, islice(iterations, 1, None))):
                lowest, highest = min(iterations), max(iterations)
                for earlier, iteration in pairwise([before, *iterations]):
                    if iteration < earlier:
                        _note(logged.restarts, Restart(path, earlier, iteration))
            before, records = iterations[-1], records + len(iterations)
            first, last = lowest if first < 0 else min(first, lowest), max(last, highest)
            unreadable += sum(points.add(columns, name) for name, points in logged.points.items())
        format = log.format.name
    logged.logs.append(Read(path, format, records, first, last, unreadable))


def _note(restarts: list[Restart], restart: Restart) -> None:
    if len(restarts) < _MOST_RESTARTS:
        restarts.append(restart)


def _numbers(texts: Sequence[str | float | None], missing: float = nan) -> "array[float]":
    """Return `texts` as numbers; NaN where one is none, and `missing` for ``None``."""
    try:
        return array("d", map(float, texts))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return array("d", (missing if text is None else number(text) for text in texts))
