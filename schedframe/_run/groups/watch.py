"""Detects probable mistakes in what other code does to an optimizer's param groups between the steps of a scheduler."""

import warnings
from collections.abc import Sequence
from math import isclose

from schedframe._errors import SchedframeWarning
from schedframe._plan.evaluate import Value
from schedframe._run.groups.bounds import Group, ignored_factors
from schedframe._units.numbers import plain

_LONGEST_GAP = 64


class Watch:
    """Looks at the groups at some steps: the first ones, then fewer and fewer, and at last every 64th.

    Attributes:
        next_look: the step after this position is the next one that looks.
    """

    next_look: float

    def __init__(self, count: int, *, ignores_lr_mult: bool) -> None:
        """Begin with `count` groups, whose factors were reported when the scheduler was built."""
        self._count = count
        self._ignores_lr_mult = ignores_lr_mult
        self._reported = False
        self.begin_at(0)

    def begin_at(self, position: float) -> None:
        """Look at the next step from `position`, and often after it."""
        self.next_look, self._gap = position, 1

    def look(self, groups: Sequence[Group], written: Sequence[Value], position: float, increment: float) -> None:
        """Warn of another writer of learning rates, once, and of factors of groups that were added.

        Args:
            groups: the optimizer's, before the step writes into them.
            written: what the step before wrote. A load of the optimizer replaces groups, and those that it replaced
                hold what they did.
            position: where the step goes.
            increment: its length.
        """
        self.next_look = position + (self._gap - 1) * increment
        self._gap = min(2 * self._gap, _LONGEST_GAP)
        added = list(enumerate(groups))[self._count :]
        self._count = max(self._count, len(groups))
        for mistake in ignored_factors(added, self._ignores_lr_mult):
            warnings.warn(mistake, SchedframeWarning, stacklevel=3)
        other = None if self._reported else next((value for value in written if _is_overwritten(value)), None)
        if other is not None:
            self._reported = True
            group, lr, _ = other
            where = next((f"param_groups[{index}]" for index, each in enumerate(groups) if each is group), "a group")
            warnings.warn(
                f"{where} has lr = {group['lr']}, and the step before wrote {lr}: something else writes the learning "
                f"rates of this optimizer too, a second scheduler or a line that sets group['lr'], and each overwrites "
                f"the other. Remove one of them; a factor for some groups is a rule under `groups` with lr_mult",
                SchedframeWarning,
                stacklevel=3,
            )


def _is_overwritten(value: Value) -> bool:
    """Return whether the group holds another learning rate than was written, beyond what its type rounds."""
    group, written, _ = value
    held = group.get("lr")
    if held is written:
        return False
    try:
        return not isclose(plain(held), written, rel_tol=1e-6 if isinstance(held, float) else 1e-2)
    except ValueError:
        return False
