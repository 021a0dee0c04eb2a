"""What is compared: a schedule of a framework, run by the framework's own code, and the file that says the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import schedframe

SHOWN = 24
"""At how many updates the measured learning rates are kept."""


@dataclass(frozen=True)
class Case:
    """A schedule of a framework.

    Attributes:
        name: the framework's name for it, with the options that matter.
        updates: how many optimizer updates are compared.
        run: runs the framework's code; returns the learning rate of each update, from the first.
        plain: the keys of a schedule file, with the framework's own numbers and the words for its conventions.
        exact: keys that give the same learning rates where those of `plain` do not.
        note: why `plain` does not, or what the framework does that nobody expects.
    """

    name: str
    updates: int
    run: Callable[[], Sequence[float]]
    plain: dict[str, Any]
    exact: dict[str, Any] | None = None
    note: str = ""


@dataclass(frozen=True)
class Framework:
    """A framework and its schedules.

    Attributes:
        name: what the table calls it.
        source: a distribution or a repository, with its version or commit.
        cases: what is compared.
        not_written: schedules that no file can say, each with the reason.
    """

    name: str
    source: str
    cases: Sequence[Case]
    not_written: dict[str, str] = field(default_factory=dict)


def differences(keys: dict[str, Any], rates: Sequence[float]) -> float:
    """Return the largest difference over all updates, as a share of the highest learning rate."""
    schedule = schedframe.Schedule(**keys)
    return max(abs(schedule.lr_at(update) - rate) for update, rate in enumerate(rates)) / max(map(abs, rates))


def measure(case: Case) -> dict[str, Any]:
    """Return what the table says of `case`, and its learning rates at some updates.

    Raises:
        ValueError: the framework gave another number of learning rates, or a file is wrong.
    """
    rates = [float(rate) for rate in case.run()]
    if len(rates) != case.updates:
        raise ValueError(f"{case.name} gave {len(rates)} learning rates for {case.updates} updates")
    shown = sorted({round(index * (case.updates - 1) / (SHOWN - 1)) for index in range(SHOWN)})
    files = {"plain": case.plain} | ({"exact": case.exact} if case.exact else {})
    try:
        compared = {name: {"keys": keys, "difference": differences(keys, rates)} for name, keys in files.items()}
    except schedframe.ConfigError as error:
        raise ValueError(f"{case.name}: {error}") from None
    return {
        "name": case.name,
        "updates": case.updates,
        "note": case.note,
        "files": compared,
        "rates": {str(update): rates[update] for update in shown},
    }
