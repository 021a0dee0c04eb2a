"""Notices a loop that steps the scheduler at another rate than the optimizer updates."""

import warnings
from collections.abc import Callable
from typing import Any

from schedframe._errors import SchedframeWarning
from schedframe.adapters._hooks import replace_hook

_ALIKE = 5
"""The number of consecutive updates that must be followed by the same wrong number of calls.

A mixed-precision loop may skip updates, in no regular pattern, and step the scheduler all the same."""

_BEHIND = 8
"""The number of updates that must lack their calls.

A single one may: frameworks step an optimizer once to create its state."""

_REMEDIES = (
    "The schedule counts updates. accelerate needs calls_per_update=accelerator.num_processes, and Lightning "
    "{'scheduler': ..., 'interval': 'step'}; DeepSpeed, Lightning and the Trainer of Hugging Face step the scheduler "
    "themselves, so that the loop must not; with gradient accumulation it is stepped once an update, not once a "
    "micro-batch"
)


class StepRate:
    """Counts the updates of an optimizer and the calls of a scheduler's ``step()`` between them.

    Attributes:
        calls: how often ``step()`` was called since the last load.
        updates: how many updates the optimizer made since then.
    """

    def __init__(self, optimizer: Any, calls_per_update: int, is_followed: Callable[[], bool]) -> None:
        """Count the updates of `optimizer`, a torch optimizer or a wrapper of one.

        Args:
            optimizer: where it has no hooks, no update is counted, and nothing is noticed.
            calls_per_update: the right number of calls for each update.
            is_followed: returns whether the optimizer has the values of the scheduler. Where it has not, something else
                schedules it now, such as Lightning's learning-rate finder or an averaging of weights.
        """
        self._expected = calls_per_update
        self._is_followed = is_followed
        self._whole = len(optimizer.param_groups)
        self._has_told = False
        self.restart()
        replace_hook(optimizer, "register_step_post_hook", self._count_update)

    def restart(self) -> None:
        """Count from 0, after a load."""
        self.calls = self.updates = 0
        self._updated_groups = 0
        self._calls_at_update = 0
        self._alike, self._calls_alike = 0, 0

    def _count_update(self, optimizer: Any, *_: Any) -> None:
        """Count one call of the optimizer's step; ZeRO steps once for each group, with that group alone."""
        self._updated_groups += len(optimizer.param_groups)
        if self._updated_groups < self._whole:
            return
        self._updated_groups = 0
        if self.updates:
            between = self.calls - self._calls_at_update
            self._alike = self._alike + 1 if between == self._calls_alike else 1
            self._calls_alike = between
        self.updates += 1
        self._calls_at_update = self.calls
        is_fast = self._alike >= _ALIKE and self._calls_alike > self._expected
        is_slow = self.calls + _BEHIND * self._expected < self.updates * self._expected
        if not self._has_told and (is_fast or (is_slow and self._is_followed())):
            self._tell()

    def _tell(self) -> None:
        self._has_told = True
        rate = "once" if self._expected == 1 else f"{self._expected} times"
        warnings.warn(
            f"step() of the schedule was called {self.calls} times for {self.updates} updates of the optimizer, but "
            f"must be called {rate} for each. {_REMEDIES}",
            SchedframeWarning,
            stacklevel=2,
        )


def without_wrappers(optimizer: Any) -> Any:
    """Return the torch optimizer within `optimizer`: accelerate's wrapper is an optimizer without hooks."""
    while hasattr(getattr(optimizer, "optimizer", None), "param_groups"):
        optimizer = optimizer.optimizer
    return optimizer
