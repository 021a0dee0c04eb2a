"""A schedule as rules see it: its curves over the whole run, its units, and its keys as they were given."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

from schedframe._errors import FAILURES, PluginError, SchedframeError
from schedframe._plan.evaluate import Group, curves_at, lr_at, wd_at
from schedframe._plan.plan import CURRENT, Plan
from schedframe._plan.sampling import breakpoints, end_of
from schedframe._units.lengths import Scale

_POINTS = 600
_TINY = 1e-9

_Value = TypeVar("_Value")


class Curve(NamedTuple):
    """A curve over the run.

    Attributes:
        steps: from the schedule's own step 0 on, rising.
        values: the value at each of them.
    """

    steps: tuple[float, ...]
    values: tuple[float, ...]


class Gap(NamedTuple):
    """A jump of the learning rate at `step`, or right behind it: from `before` to `after`."""

    step: float
    before: float
    after: float


@dataclass(frozen=True)
class GroupCurves:
    """The curves of the param groups with one role, up to the last step that is looked at.

    Attributes:
        role: the role; ``default`` for groups without a rule.
        plan: everything that determines the curves.
        wd_mult: the factor of the rule on the weight decay; ``None`` for none.
        path: dotted path of the rule; empty for groups without a rule.
        end: the last step.
    """

    role: str
    plan: Plan
    wd_mult: float | None
    path: str
    end: float

    @property
    def tiny(self) -> float:
        """A distance between two steps that is nothing on this run."""
        return _TINY * self.end

    def key(self, name: str) -> str:
        """Return the dotted path of a key that the groups' rule may set; the schedule's own where there is no rule."""
        return f"{self.path}.{name}" if self.path else name

    def lr(self, step: float) -> float:
        """Return the learning rate at `step`.

        Raises:
            PluginError: the style fails there.
        """
        return self._evaluated(lr_at, step)

    def wd(self, step: float) -> float:
        """Return the weight decay at `step`, before its ``wd_mult``; 0 where it is not scheduled.

        Raises:
            PluginError: the style fails there.
        """
        return self._evaluated(wd_at, step) or 0.0

    def _evaluated(self, function: Callable[[Plan, float, Group], _Value], step: float) -> _Value:
        try:
            return function(self.plan, step, {})
        except SchedframeError:
            raise
        except FAILURES as error:
            raise PluginError(f"the schedule fails at step {step}: {type(error).__name__}: {error}") from error

    @cached_property
    def lr_curve(self) -> Curve:
        """The learning rate at every breakpoint, right behind each, and between them."""
        return Curve(self._steps, tuple(lr for lr, _ in self._values))

    @cached_property
    def wd_curve(self) -> Curve:
        """The weight decay at every breakpoint and between them; empty where it is not scheduled."""
        if self.plan.start_wd is None:
            return Curve((), ())
        return Curve(self._steps, tuple(wd or 0.0 for _, wd in self._values))

    @cached_property
    def _values(self) -> list[tuple[float, float | None]]:
        return [curves_at(self.plan, step) for step in self._steps]

    @cached_property
    def _steps(self) -> tuple[float, ...]:
        inside = breakpoints(self.plan, self.end)
        marks = [0.0, *inside, self.end]
        points = max(2, _POINTS // len(marks))
        steps = {start + (stop - start) * part / points for start, stop in pairwise(marks) for part in range(points)}
        behind = {mark + self.tiny for mark in (0.0, *inside)}
        return tuple(sorted(steps | behind | {self.end}))

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """The jumps of the learning rate by more than a hundredth of the peak, from the end of the warmup on."""
        return tuple(self._gaps())

    def _gaps(self) -> Iterator[Gap]:
        least, marks = self.plan.max_lr / 100, {*breakpoints(self.plan, self.end)}
        warmup_end, _ = self.plan.ends()
        for (first, before), (last, after) in pairwise(zip(*self.lr_curve, strict=True)):
            if first < warmup_end - self.tiny * 2 or abs(after - before) <= least:
                continue
            while last - first > self.tiny * 1.5:
                middle = (first + last) / 2
                value = self.lr(middle)
                if abs(value - before) >= abs(after - value):
                    last, after = middle, value
                else:
                    first, before = middle, value
            if abs(after - before) > least and last < self.end:
                yield Gap(last if last in marks else first, before, after)

    @cached_property
    def plateau(self) -> float:
        """The step from which the learning rate stays what it is at the end."""
        steps, values = self.lr_curve
        at_end = values[-1]
        moving = [step for step, value in zip(steps, values, strict=True) if value != at_end]
        if not moving:
            return 0.0
        first, stop = moving[-1], next(step for step in steps if step > moving[-1])
        while stop - first > self.tiny:
            middle = (first + stop) / 2
            if self.lr(middle) == at_end:
                stop = middle
            else:
                first = middle
        return stop

    def step_below(self, level: float) -> float:
        """Return the step from which the learning rate stays below `level` to the end; the end if it does not."""
        steps, values = self.lr_curve
        above = [step for step, value in zip(steps, values, strict=True) if value >= level]
        return next((step for step in steps if step > above[-1]), self.end) if above else 0.0


class RuleContext:
    """A schedule as rules see it. Steps are counted from the schedule's own step 0.

    Attributes:
        plan: everything that determines the curves; an `init_lr` that a checkpoint decides is `min_lr` here.
        init_lr_is_known: whether `init_lr` is a number.
        scale: converts steps to the units that are known, and written lengths to steps.
        given: the keys as they were given, before any conversion.
        param_groups: the optimizer's, where the schedule is built on one.
    """

    def __init__(
        self, plan: Plan, scale: Scale, given: Mapping[str, Any], param_groups: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        """Hold what the rules read; the curves are evaluated at their first use."""
        self.init_lr_is_known = plan.init_lr != CURRENT
        self.plan = _evaluable(plan)
        self.scale = scale
        self.given = given
        self.param_groups = param_groups

    @cached_property
    def groups(self) -> tuple[GroupCurves, ...]:
        """The curves of the groups without a rule, then those of each rule's groups."""
        rules = {rule.role: (rule.wd_mult, f"groups.{index}") for index, rule in enumerate(self.plan.groups)}
        return tuple(
            GroupCurves(role, _evaluable(plan), *rules.get(role, (None, "")), self.end)
            for role, plan in self.plan.roles().items()
        )

    @cached_property
    def run_steps(self) -> float | None:
        """Length of the run; ``None`` where it is not given."""
        return self.scale.run_steps

    @cached_property
    def end(self) -> float:
        """The last step that is looked at: the end of the run, or of the decay where the run's is not known."""
        return end_of(self.plan, self.run_steps)

    def units_at(self, step: float) -> dict[str, float]:
        """Return the position `step` in every unit that is known, the clock's own first, from the start of the run."""
        units = self.scale.units
        return {unit: units.converter(units.clock, unit)(self.plan.start_step + step) for unit in units.known()}

    def length_in(self, steps: float, unit: str) -> float | None:
        """Return `steps` from step 0 on in `unit`; ``None`` where that cannot be converted."""
        return self.scale.in_unit(steps, unit) if unit in self.scale.units.known() else None

    def lengths(self) -> Iterator[tuple[str, Any]]:
        """Yield every length that was given, by its dotted path, as it was written."""
        for path, name, value in _leaves(self.given):
            if (name.endswith("_steps") or name == "length") and path.partition(".")[0] != "parent":
                yield path, value


def _evaluable(plan: Plan) -> Plan:
    return plan if plan.init_lr != CURRENT else replace(plan, init_lr=plan.min_lr)


def _leaves(value: Any, path: str = "", name: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield dotted path, last key and value of everything in tables and lists; items have the key of their list."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key), str(key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}.{index}", name)
    else:
        yield path, name, value
