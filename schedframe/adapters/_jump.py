"""Refuses a learning rate or weight decay that jumps where a schedule takes over from another scheduler."""

from math import isclose
from typing import Any

from schedframe._errors import StateError

Values = tuple[Any, Any]
"""Learning rate and weight decay of a param group."""

_SAME = 1e-6
"""Learning rates with a smaller relative difference are equal: other schedulers compute in float32, or recursively."""


def refuse_jump(where: str, at: str, before: Values, *after: Values) -> None:
    """Refuse what a param group holds `before` where it is none of the values `after`.

    Args:
        where: the group.
        at: the position, such as ``"15 updates"``.
        before: what the other scheduler has left there.
        after: what the schedule has there; any of them is right.

    Raises:
        StateError: with both numbers.
    """
    for what, old, *new in zip(("learning rate", "weight decay"), before, *after, strict=True):
        if old is None or any(value is None or isclose(float(old), value, rel_tol=_SAME) for value in new):
            continue
        raise StateError(
            f"the {what} {where} would jump: after {at} it is {float(old):g}, and the schedule has {new[0]:g} there. "
            f"Make the two curves meet, or give allow_jump=True"
        )
