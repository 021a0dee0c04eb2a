"""What a log is made of, and the names that logs have for one thing."""

from collections.abc import Callable, Mapping
from functools import lru_cache
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


class BrokenLog(Exception):
    """A log cannot be read; the text says why, as a sentence without its subject."""


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


def whole_number(value: object) -> int | None:
    """Return `value`, a number or the text of one, as an iteration; ``None`` where it is none."""
    try:
        number = float(value) if isinstance(value, str | int | float) else -1.0
    except (ValueError, OverflowError):
        return None
    return int(number) if number.is_integer() and 0 <= number < 2**53 else None
