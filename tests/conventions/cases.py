"""What a framework's own test becomes here: schedule files, and the learning rates that the test expects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

import schedframe

Keys = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A file, and the learning rates of the framework's test.

    Attributes:
        keys: the schedule file, with the framework's own numbers.
        expected: the learning rates by update, counted from 0.
        within: how far a learning rate may be from the expected one.
    """

    keys: Keys
    expected: Mapping[float, float]
    within: float = 1e-14


@dataclass(frozen=True)
class Refused:
    """A file that is refused as the framework refuses its arguments.

    Attributes:
        keys: the schedule file.
        says: what the message contains.
    """

    keys: Keys
    says: str


def listed(rates: Sequence[float]) -> dict[float, float]:
    """Return the learning rates by update, from update 0 on."""
    return dict(enumerate(rates))


def check(part: Case | Refused) -> None:
    """Check that a file has the expected learning rates, or is refused."""
    if isinstance(part, Refused):
        with pytest.raises(schedframe.ConfigError) as refusal:
            schedframe.Schedule(**part.keys)
        assert part.says in str(refusal.value)
        return
    schedule = schedframe.Schedule(**part.keys)
    assert part.expected
    assert {update: schedule.lr_at(update) for update in part.expected} == pytest.approx(
        part.expected, rel=0, abs=part.within
    )


def table(style: str, **options: Any) -> Keys:
    """Return a style with its options."""
    return {"style": style, **options}


def phases(*parts: Keys) -> Keys:
    """Return the style `phases`."""
    return {"style": "phases", "phases": list(parts)}
