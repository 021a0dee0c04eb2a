"""A schedule at the step where it is left for another one."""

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from math import isclose
from typing import Any

from schedframe._errors import ConfigError, Problem
from schedframe._plan.evaluate import finite_values, values_by_role
from schedframe._plan.plan import CURRENT, fingerprint
from schedframe._plan.rule import DEFAULT
from schedframe._plugins import hooks as _hooks
from schedframe._run.resume.decide import decide
from schedframe._run.resume.read import read
from schedframe._schedule.schedule import Schedule
from schedframe._tools.continuation.continuation import Continuation, spelled
from schedframe._tools.keys import given_keys, plain
from schedframe._units.lengths import Scale
from schedframe._units.numbers import parse_number, parse_rate, whole
from schedframe._units.units import RUN_KEYS
from schedframe.styles._base import LRPoint
from schedframe.styles._flat_wsd import FLAT_WSD

Position = float | str | Mapping[str, Any]
"""Where a schedule is left: a step, ``450M``, or the scheduler's state of a checkpoint."""

_DEFAULTS = {"init_lr": 0.0, "lr_warmup_steps": 0, "resume": "strict", "wd_incr_style": "constant"}


class Seam:
    """A schedule at the step where it is left."""

    def __init__(self, schedule: Schedule, at: Position) -> None:
        self.schedule = schedule
        self.keys = given_keys(schedule)
        self.plan = schedule.plan
        if isinstance(at, Mapping):
            saved = read(_hooks.translated(at))
            decision = decide(saved, self.plan, policy="strict", parent=schedule.parent)
            self.plan, self.step = decision.plan, decision.position
        else:
            self.step = self.position("start_step", at)
        self.own_step = self.step - self.plan.start_step
        if self.own_step < 0:
            raise self.refusal("start_step", f"lies after step {self.step}, where it goes on", self.plan.start_step)
        self.lr, self.wd = finite_values(self.plan, self.step)

    @property
    def name(self) -> str:
        """The parent's file name, for errors."""
        document = self.schedule.origin.document
        return "the schedule" if document is None else document.path.name

    def refusal(self, path: str, message: str, value: Any) -> ConfigError:
        return self.schedule.origin.error([Problem(path, message, str(value))])

    def position(self, key: str, value: Any) -> float:
        """Return the scheduler's count that `value` says, from the start of the run."""
        return self._parsed(key, value, self.schedule.step_at)

    def length(self, key: str, value: Any) -> float:
        """Return the length that `value` says, in the scheduler's steps, from where the schedule is left."""
        return self._absolute(key, value, self.step)

    def end_of(self, key: str, value: Any) -> float:
        """Return where `value` says that the schedule ends, in steps from its own step 0."""
        return self._absolute(key, value, self.plan.start_step)

    def _absolute(self, key: str, value: Any, start: float) -> float:
        return self._parsed(key, value, Scale(self.schedule.scale.units, start).absolute)

    def rate(self, key: str, value: Any) -> float:
        return self._parsed(key, value, lambda given: parse_rate(given, self.plan.max_lr))

    def _parsed(self, key: str, value: Any, parse: Callable[[Any], float]) -> float:
        try:
            return parse(value)
        except ValueError as error:
            raise self.refusal(key, str(error), repr(value)) from None

    def continuation(self, operation: str, changes: Mapping[str, Any]) -> Continuation:
        changes = {
            **changes,
            "resume": "strict",
            "parent": {"fingerprint": fingerprint(self.plan), "step": self.step},
        }
        changes = {key: spelled(key, value) for key, value in changes.items() if not self._has(key, value, changes)}
        keys = {key: value for key, value in {**self.keys, **changes}.items() if value is not None}
        try:
            schedule = Schedule(**keys)
        except ConfigError as error:
            raise ConfigError(f"the {operation} of {self.name}", error.problems) from None
        self._refuse_jumps(operation, schedule)
        return Continuation(operation, self.schedule, schedule, self.step, self.lr, self.wd, changes)

    def _refuse_jumps(self, operation: str, schedule: Schedule) -> None:
        """Refuse a schedule in which a rule for param groups goes on elsewhere than where it was.

        Where the whole schedule jumps, as `extend` with ``reshape``, so may its rules.
        """
        before, after = values_by_role(self.plan, self.step), values_by_role(schedule.plan, self.step)
        if not _is_near(before[DEFAULT], after[DEFAULT]):
            return
        problems = [
            Problem(
                f"groups.{index}",
                f"has learning rate {before[rule.role][0]} and weight decay {before[rule.role][1]} at step "
                f"{self.step}, "
                f"and would go on with {after[rule.role][0]} and {after[rule.role][1]}, because {operation} leaves "
                f"rules as they are; write the file by hand, with start_step: {self.step}, or let the rule set "
                f"lr_mult instead",
                rule.role,
            )
            for index, rule in enumerate(self.plan.groups)
            if not _is_near(before[rule.role], after[rule.role])
        ]
        if problems:
            raise ConfigError(f"the {operation} of {self.name}", problems)

    def _has(self, key: str, value: Any, changes: Mapping[str, Any]) -> bool:
        """Return whether the parent's config has `value` for `key` already, in its own spelling or by default."""
        if key not in self.keys:
            return value is None or (key in _DEFAULTS and value == _DEFAULTS[key])
        if self.keys[key] == value:
            return True
        same_peak = changes.get("max_lr", self.schedule.max_lr) == self.schedule.max_lr
        return same_peak and key in ("max_lr", "min_lr", "init_lr") and value == getattr(self.schedule, key)

    def refuse_unless_stable(self) -> None:
        """Refuse a step at which the learning rate is not what it has been since its style bent last."""
        plan, first = self.plan, max(self.plan.lr_warmup_steps, 0)
        if self.own_step < first:
            raise self.refusal("lr_warmup_steps", f"step {self.step} lies in the warm-up, in no stable phase", first)
        bends = plan.lr_style.landmarks(plan.lr_warmup_steps, plan.lr_decay_steps).values()
        bent = max((step for step in (first, *bends) if first <= step < self.own_step), default=first)
        for part in range(1, 17):
            step = bent + (self.own_step - bent) * part / 16
            lr = plan.lr_style.lr(LRPoint(step, first, plan.lr_decay_steps, plan.max_lr, plan.min_lr))
            if lr != self.lr:
                raise self.refusal(
                    "lr_decay_style",
                    f"step {self.step} lies in no stable phase: the learning rate is {self.lr} there, and was {lr} at "
                    f"step {plan.start_step + whole(step)}. Branch from an earlier step, or start a new decay with "
                    f"rewarm",
                    plan.lr_style.style,
                )

    def first_difference(self, other: Schedule) -> float | None:
        """Return the first of many steps up to the seam at which `other` is not the same; ``None`` if there is none."""
        marks = sorted(
            {0.0, self.own_step, *(step - self.plan.start_step for step in self.schedule.landmarks().values())}
        )
        inside = [first + (last - first) * part / 16 for first, last in pairwise(marks) for part in range(16)]
        for own_step in [*inside, marks[-1]]:
            step = self.plan.start_step + whole(own_step)
            if own_step <= self.own_step and values_by_role(self.plan, step) != values_by_role(other.plan, step):
                return step
        return None

    def end(self, steps: float, start: float, run_steps: float | None = None) -> dict[str, Any]:
        """Return the keys that say where decay and run end, those that the parent uses for it.

        Args:
            steps: where the decay ends, in steps from `start`.
            start: the scheduler's count at the new schedule's own step 0.
            run_steps: where the run ends, where the parent says both; by default as the decay.
        """
        said = {"lr_decay_steps": steps} if self.keys.get("lr_decay_steps") is not None else {}
        run = steps if run_steps is None or not said else run_steps
        scale = Scale(self.schedule.scale.units, start)
        runs = {key: unit for key, unit in RUN_KEYS.items() if self.keys.get(key) is not None}
        return {**{key: scale.in_unit(run, unit) for key, unit in runs.items()}, **said}

    def style(self, table: Any) -> dict[str, Any]:
        """Return the keys that say the style: Megatron's flat ones where the parent has those."""
        flat = [key for key in FLAT_WSD if key in self.keys]
        if not flat:
            return {"lr_decay_style": table}
        gone: dict[str, Any] = dict.fromkeys(flat, None)
        if isinstance(table, Mapping) and table["style"] == "WSD":
            return {**gone, "lr_decay_style": "WSD", **{key: table[key] for key in FLAT_WSD if key in table}}
        return {**gone, "lr_decay_style": table}

    def weight_decay(self, end_wd: float | str | None) -> dict[str, Any]:
        """Return the keys that let weight decay go on from its value at the seam."""
        if self.wd is None:
            return {}
        plan = self.plan
        if plan.wd_style.is_constant and end_wd in (None, CURRENT):
            return {}
        moving = not plan.wd_style.is_constant and not (self.own_step >= plan.wd_incr_steps and self.wd == plan.end_wd)
        if moving and end_wd is None:
            raise self.refusal(
                "wd_incr_style",
                f"weight decay is still moving at step {self.step}: it is {self.wd} there, on its way to "
                f"{plan.end_wd}. Say where it goes with end_wd (--end-wd): {plan.end_wd}, or `current` to hold it",
                plan.wd_style.style,
            )
        end = self.wd if end_wd in (None, CURRENT) else self._parsed("end_wd", end_wd, parse_number)
        style = "constant" if end == self.wd else "linear"
        return {"start_wd": self.wd, "end_wd": end, "wd_incr_steps": None, "wd_incr_style": style}

    def without_percentages(self) -> dict[str, Any]:
        """Return the keys that are said in percent of `lr_decay_steps`, as the numbers that they are."""
        schedule = self.schedule
        said = {"lr_warmup_steps": schedule.lr_warmup_steps, "wd_incr_steps": schedule.wd_incr_steps}
        numbers: dict[str, Any] = {key: value for key, value in said.items() if _is_percentage(self.keys.get(key))}
        flat = [key for key in FLAT_WSD if _is_percentage(self.keys.get(key))]
        numbers.update({key: getattr(schedule.lr_style, key) for key in flat})
        for key, style in (("lr_decay_style", schedule.lr_style), ("wd_incr_style", schedule.wd_style)):
            if any(_is_percentage(leaf) for leaf in _leaves(self.keys.get(key))):
                numbers[key] = plain(style)
        return numbers


def _is_near(before: tuple[float, float | None], after: tuple[float, float | None]) -> bool:
    """Say whether learning rate and weight decay are the same but for rounding."""
    return all(
        was == now or (was is not None and now is not None and isclose(was, now, rel_tol=1e-12))
        for was, now in zip(before, after, strict=True)
    )


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _leaves(inner)
    else:
        yield value


def _is_percentage(value: Any) -> bool:
    return isinstance(value, str) and value.strip().endswith("%")
