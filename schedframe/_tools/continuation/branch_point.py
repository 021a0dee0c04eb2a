"""A schedule at the step where another one continues it."""

from collections.abc import Callable, Mapping
from typing import Any

from schedframe._errors import ConfigError, Problem
from schedframe._plan.conditions import within
from schedframe._plan.evaluate import finite_values, lr_at, values_by_role
from schedframe._plugins import hooks as _hooks
from schedframe._run.resume.decide import decide
from schedframe._run.resume.read import read
from schedframe._schedule.schedule import Schedule
from schedframe._units.lengths import Scale
from schedframe._units.numbers import parse_rate, whole

Position = float | str | Mapping[str, Any]
"""Where a schedule is left: a step, ``450M``, or the scheduler's state of a checkpoint."""


class BranchPoint:
    """A schedule at the step where another one continues it.

    Attributes:
        schedule: the parent.
        keys: those that the parent was declared with.
        plan: the parent's plan, completed from the checkpoint if there is one.
        step: the scheduler's count.
        own_step: the same as the parent counts it, from its own step 0.
        lr: the learning rate there.
        wd: the weight decay there; ``None`` where it is not scheduled.
    """

    def __init__(self, schedule: Schedule, at: Position) -> None:
        self.schedule, self.keys, self.plan = schedule, schedule.to_dict(), schedule.plan
        if isinstance(at, Mapping):
            saved = read(_hooks.translate_state(at))
            decision = decide(saved, self.plan, policy="strict", parent=schedule.parent)
            self.plan, self.step = decision.plan, decision.position
        else:
            self.step = self.position("start_step", at)
        self.own_step = self.step - self.plan.start_step
        if self.own_step < 0:
            raise self.refusal(
                "start_step", f"lies after step {self.step}, from which the run continues", self.plan.start_step
            )
        self.lr, self.wd = finite_values(self.plan, self.step)

    def refusal(self, key: str, message: str, value: Any) -> ConfigError:
        return self.schedule.origin.error([Problem(key, message, str(value))])

    def parsed(self, key: str, value: Any, parse: Callable[[Any], float]) -> float:
        """Return `value` as `parse` reads it.

        Raises:
            ConfigError: with the ``ValueError`` that `parse` raises.
        """
        try:
            return parse(value)
        except ValueError as error:
            raise self.refusal(key, str(error), repr(value)) from None

    def position(self, key: str, value: Any) -> float:
        """Return the scheduler's count at a position of the run."""
        return self.parsed(key, value, self.schedule.step_at)

    def length(self, key: str, value: Any, start: float) -> float:
        """Return a length in the scheduler's steps, from its count `start` on."""
        return self.parsed(key, value, Scale(self.schedule.scale.units, start).absolute)

    def rate(self, key: str, value: Any) -> float:
        """Return a learning rate; a percentage is of the parent's ``max_lr``."""
        return self.parsed(key, value, lambda given: parse_rate(given, self.plan.max_lr))

    def refuse_unless_stable(self) -> None:
        """Refuse a step at which the learning rate is not what it has been since the last breakpoint of its style."""
        plan, first = self.plan, max(self.plan.ends()[0], 0)
        if self.own_step < first:
            raise self.refusal(
                "lr_warmup_steps",
                f"step {self.step} lies in the warmup, not in a stable phase; branch from a later step",
                first,
            )
        jumps = [step for step in plan.jumps() if first <= step <= self.own_step]
        marks = [step for step in plan.landmarks().values() if first <= step < self.own_step]
        last = max((*jumps, *marks), default=first)
        for step in within(last, (), self.own_step)[1:]:
            lr = lr_at(plan, step, {})
            if lr != self.lr:
                raise self.refusal(
                    "lr_decay_style",
                    f"step {self.step} does not lie in a stable phase: the learning rate is {self.lr} there, and "
                    f"was {lr} at "
                    f"step {plan.start_step + whole(step)}. Branch from an earlier step, or start a new decay with "
                    f"rewarm",
                    plan.lr_style.style,
                )

    def first_difference(self, other: Schedule) -> float | None:
        """Return the first of many steps up to the branch point at which `other` differs; ``None`` if there is none."""
        start = self.plan.start_step
        marks = [step - start for step in self.schedule.landmarks().values()]
        steps = [start + whole(step) for step in within(0.0, marks, self.own_step)]
        return next((s for s in steps if values_by_role(self.plan, s) != values_by_role(other.plan, s)), None)
