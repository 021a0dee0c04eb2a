"""Where a trainer that keeps the position itself, in steps, samples or tokens, is on a schedule."""

from math import ceil
from typing import Any

from schedframe._errors import Problem
from schedframe._run.optimizers import as_one
from schedframe._schedule.schedule import Schedule
from schedframe._units.units import RUN_KEYS
from schedframe.adapters._jump import refuse_jump
from schedframe.adapters._undecayed import Undecayed
from schedframe.adapters._updates import Updates


class Positioned:
    """A schedule on an optimizer, at the position of the trainer: there is nothing to step, to save or to load.

    Attributes:
        running: the `OptimizerParamScheduler` behind it.
    """

    def __init__(self, schedule: Schedule, optimizer: Any, unit: str, *, allow_jump: bool) -> None:
        """Schedule `optimizer`, a torch optimizer or several.

        Args:
            schedule: the schedule.
            optimizer: what `Schedule.build` takes.
            unit: what the trainer counts: ``iters``, ``samples`` or ``tokens``.
            allow_jump: let the learning rate jump where the schedule goes on from another scheduler.

        Raises:
            ConfigError: the unit cannot be converted to the schedule's, or the optimizer's groups contradict it.
        """
        self._schedule, self._unit, self._allows_jump = schedule, unit, allow_jump
        try:
            schedule.step_at(f"1 {unit}")
        except ValueError as error:
            fault = f"is {schedule.clock}, and the trainer counts {unit}: {error}"
            raise schedule.origin.error([Problem("clock", fault, schedule.clock)]) from None
        whole = as_one(optimizer)
        self._held = [(_plain(group.get("lr")), _plain(group.get("weight_decay"))) for group in whole.param_groups]
        self._undecayed = Undecayed(schedule, whole)
        self.running = schedule.build(optimizer)
        self._is_begun = False

    def refuse_other_length(self, total: float, unit: str) -> None:
        """Refuse a trainer that makes `total` of `unit` where the schedule's run has another length.

        Raises:
            ConfigError: with both numbers.
        """
        steps, start = self._schedule.train_steps, self._schedule.start_step
        if steps is None or unit not in self._schedule.scale.units.known():
            return
        last, first = (self._schedule.units_at(at)[unit] for at in (start + steps, start))
        if all(abs(length - total) >= 1 for length in (last, last - first)):
            key = next(key for key in reversed(RUN_KEYS) if getattr(self._schedule, key) is not None)
            fault = f"is {last - first:g} {unit}, and the trainer makes {total:g}; make both the same"
            raise self._schedule.origin.error([Problem(key, fault, str(getattr(self._schedule, key)))])

    def go_to(self, position: float) -> None:
        """Write what the schedule has at `position`, in the trainer's unit, into all groups.

        Raises:
            PluginError: a style fails.
            StateError: `position` lies before the start of the schedule, or the values would jump at the first one.
        """
        count = self._schedule.step_at(f"{position} {self._unit}")
        if not self._is_begun:
            self._begin_at(count)
        self.running.num_steps = count
        self.running.step(0)

    def _begin_at(self, count: float) -> None:
        """Compare what a checkpoint left in the groups with the schedule: with the next update, or with the last one.

        Trainers write the learning rate before an update or after it. Where the schedule does not specify how long an
        update is, nothing is compared.
        """
        before = self._one_update_before(count)
        if before is not None and not self._allows_jump:
            made = f"{self._schedule.units_at(count)['iters']:g} updates"
            for index, (held, group) in enumerate(zip(self._held, self.running.optimizer.param_groups, strict=True)):
                refuse_jump(
                    f"of param_groups[{index}]",
                    made,
                    held,
                    *(self.running.values_at(at, group) for at in (count, before)),
                )
        self._is_begun = True

    def _one_update_before(self, count: float) -> float | None:
        if count <= self._schedule.start_step or "iters" not in self._schedule.scale.units.known():
            return None
        updates = Updates(self._schedule)
        return max(updates.count_after(ceil(updates.update_at(count)) - 1), self._schedule.start_step)


def _plain(value: Any) -> float | None:
    """Return `value` as a number of its own: a tensor is filled in place."""
    return None if value is None else float(value)
