"""What a log is made of, and the names that logs have for one thing."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import compress, islice
from math import nan
from typing import Literal, NamedTuple

Shown = Literal["next", "own"]
"""Which learning rate a log shows at iteration n: that of the next update, n + 1, or the one that update n had."""

Progress = Callable[[int], None]
"""Is called with the number of bytes that were read since the last call."""

SPELLINGS = {
    "lr": ("lr", "learning_rate"),
    "wd": ("wd", "weight_decay"),
    "samples": ("consumed_samples", "consumed_train_samples"),
    "skipped": ("number_of_skipped_iterations",),
    "loss": ("loss", "lm_loss", "train_loss"),
}
"""The names that logs have for a number, by the name that `Record` has for it; written as by `folded`."""

ITERATION = ("iteration", "iter", "global_step", "step")
"""The names of the column with the iteration, the best one first; written as by `folded`."""

_NAME_OF = {spelling: name for name, spellings in SPELLINGS.items() for spelling in spellings}


class Record(NamedTuple):
    """What a log has of one iteration in one place.

    Attributes:
        iteration: the number of updates that were made.
        numbers: by name, as the log writes them; a format that writes bits has numbers.
    """

    iteration: int
    numbers: Mapping[str, str | float]


class Columns(NamedTuple):
    """What a log has of several iterations, in the order of the file.

    Attributes:
        iterations: the number of updates that were made, of each record.
        numbers: by name, the number of each record; ``None`` where a record does not have it.
    """

    iterations: Sequence[int]
    numbers: Mapping[str, Sequence[str | float | None]]

    def only(self, selected: Sequence[bool]) -> "Columns":
        """Return the records that are `selected`."""
        numbers = {name: list(compress(column, selected)) for name, column in self.numbers.items()}
        return Columns(list(compress(self.iterations, selected)), numbers)


_AT_ONCE = 1024
"""How many records become columns at once."""


def columns_of(records: Iterable[Record], wanted: Collection[str]) -> Iterator[Columns]:
    """Yield `records` as columns of the `wanted` numbers."""
    left = iter(records)
    while some := list(islice(left, _AT_ONCE)):
        present = [name for name in wanted if any(name in record.numbers for record in some)]
        numbers = {name: [record.numbers.get(name) for record in some] for name in present}
        yield Columns([record.iteration for record in some], numbers)


class BrokenLog(Exception):
    """A log cannot be read; the text is the reason, as a sentence without its subject."""


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """Return the name of a column without what loggers put around it.

    Prefixes that end in ``/`` are dropped, and so is the name of the run in an export of W&B (``run - lr``); blanks,
    hyphens and leading underscores are one thing. The names of `OptimizerParamScheduler.metrics` keep their prefix, but
    for the values of the role ``default``: the others are of other param groups, and the step may count samples.
    """
    last = name.strip().rpartition(" - ")[2]
    _, schedule, metric = last.rpartition("schedule/")
    if schedule and metric not in ("default/lr", "default/wd"):
        return f"schedule/{metric}".lower()
    last = last.rpartition("/")[2]
    return last.strip().lower().replace(" ", "_").replace("-", "_").lstrip("_")


def name_of(column: str) -> str:
    """Return the name that `Record` has for a column."""
    return _NAME_OF.get(folded(column), folded(column))


def number(value: str | float) -> float:
    """Return `value`, a number as a log writes it; NaN where it is none."""
    try:
        return float(value)
    except ValueError:
        return nan


def whole_number(value: object) -> int | None:
    """Return `value`, a number or the text of one, as an iteration; ``None`` where it is none."""
    try:
        number = float(value) if isinstance(value, str | int | float) else -1.0
    except (ValueError, OverflowError):
        return None
    return int(number) if number.is_integer() and 0 <= number < 2**53 else None
