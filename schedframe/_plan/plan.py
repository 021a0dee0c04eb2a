"""Everything that determines both curves of a run, as numbers and styles, and its fingerprint."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from math import inf, nextafter
from numbers import Real
from typing import Any, Literal

from schedframe._errors import FAILURES
from schedframe._plan.rule import DEFAULT, GroupRule, merge
from schedframe._plugins.source import Source
from schedframe._units.units import Clock
from schedframe.styles._base import LRShape, LRStyle, WDCurve, WDShape, WDStyle
from schedframe.styles._installed import sources_within
from schedframe.styles._warmup import MEGATRONS_TABLE, Warmup

WARMUP: Literal["warmup"] = "warmup"
"""A value of ``decay_from``: the end of the warmup."""

DecayFrom = Literal["warmup", 0]
"""Where the decay begins."""

_MOST_STAIRS = 10_000
"""Stairs of more than these are as low as the steps of a run without an interval."""

CURRENT: Literal["current"] = "current"
"""A value of ``init_lr``: the learning rate that the checkpoint's schedule has where this one starts."""


@dataclass(frozen=True)
class Parent:
    """Which schedule this one continues, and from where.

    Attributes:
        fingerprint: the parent's.
        step: the scheduler's count at which this schedule takes over.
    """

    fingerprint: str
    step: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that determines both curves, except the position: of a schedule, a scheduler or a checkpoint.

    Attributes:
        clock: what one step of the scheduler is.
        start_step: the scheduler's count at which the plan's own step 0 lies; the lengths below start there.
        init_lr: learning rate at the plan's step 0; ``"current"`` until a checkpoint is loaded.
        groups: rules that give some param groups a plan of their own.
        first_update: how far ahead of the position both curves are read, in steps; below 0 behind it. They are read at
            step 0 at the earliest. A plan that continues another one, with a `start_step`, is read at the position.
        decay_from: where the decay begins: ``"warmup"`` is the end of the warmup; from 0 on, the decay runs below the
            warmup, and holds from its end on.
        interval: how many steps both curves hold what they were at the last multiple of it, in steps of the run; 0 is
            none.
    """

    clock: Clock
    start_step: float
    init_lr: float | Literal["current"]
    max_lr: float
    min_lr: float
    lr_warmup_steps: float
    lr_warmup_style: Warmup
    lr_decay_steps: float
    lr_style: LRStyle
    start_wd: float | None
    end_wd: float | None
    wd_incr_steps: float
    wd_style: WDStyle
    groups: tuple[GroupRule, ...] = ()
    first_update: float = 0
    decay_from: DecayFrom = WARMUP
    interval: float = 0

    lr_coefficient_at: Callable[[float], float] | None = field(init=False, repr=False, compare=False)
    wd_coefficient_at: Callable[[float, float], float] | None = field(init=False, repr=False, compare=False)
    wd_curve: Callable[[float], float] | None = field(init=False, repr=False, compare=False)
    shift: float = field(init=False, repr=False, compare=False)
    is_read_elsewhere: bool = field(init=False, repr=False, compare=False)
    warmup_end: float = field(init=False, repr=False, compare=False)
    decay_begin: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Bind the styles' coefficient methods, and where the curves are read."""
        lr, wd, bind = self.lr_style, self.wd_style, object.__setattr__
        warmup, is_below = self.lr_warmup_steps, self.decay_from == 0
        bind(self, "shift", 0 if self.start_step else self.first_update)
        bind(self, "is_read_elsewhere", bool(self.shift or self.interval))
        bind(self, "warmup_end", nextafter(warmup, -inf) if is_below or self._decay_begins_with_a_jump() else warmup)
        bind(self, "decay_begin", 0 if is_below else warmup)
        of_run = None
        if isinstance(lr, LRShape) and not self.is_all_warmup:
            of_run = lr.over(self.decay_begin, self.lr_decay_steps)
        bind(self, "lr_coefficient_at", of_run)
        bind(self, "wd_coefficient_at", wd.coefficient_at if isinstance(wd, WDShape) else None)
        bind(self, "wd_curve", wd.coefficient if isinstance(wd, WDCurve) else None)

    def _decay_begins_with_a_jump(self) -> bool:
        """Return whether the end of the warmup is a boundary, at which the decay has its own value already.

        A style whose jumps cannot be computed has none here; `schedframe.lint` reports it.
        """
        warmup, style = self.lr_warmup_steps, self.lr_style
        if warmup <= 0 or self.is_all_warmup or getattr(style, "boundaries", "open") == "closed":
            return False
        with suppress(*FAILURES):
            return warmup in style.jumps_at(warmup, self.lr_decay_steps)
        return False

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle the values alone."""
        return Plan, tuple(getattr(self, name) for name in NAMES)

    @property
    def is_all_warmup(self) -> bool:
        """Whether the decay ends within the warmup."""
        return 0 < self.lr_warmup_steps >= self.lr_decay_steps

    def read_at(self, step: float) -> float:
        """Return the step at which the curves are read at the position `step`, both from the plan's own step 0."""
        if self.interval:
            step = (step + self.start_step) // self.interval * self.interval - self.start_step
        return max(step + self.shift, 0)

    def position_of(self, step: float) -> float:
        """Return the first position at which the curves are read at `step`, or behind it."""
        position = step - self.shift
        if self.interval and position < inf:
            position = -(-(position + self.start_step) // self.interval) * self.interval - self.start_step
        return max(position, 0) if step > 0 else 0

    def ends(self) -> tuple[float, float]:
        """Return the positions at which the warmup and the decay end."""
        return self.position_of(self.lr_warmup_steps), self.position_of(self.lr_decay_steps)

    def landmarks(self) -> dict[str, float]:
        """Return the positions of the breakpoints of the learning-rate style, by label."""
        if self.is_all_warmup:
            return {}
        marks = self.lr_style.landmarks(self.decay_begin, self.lr_decay_steps)
        return {label: self.position_of(step) for label, step in marks.items()}

    def jumps(self) -> list[float]:
        """Return the positions at which the learning rate jumps by design."""
        if self.is_all_warmup:
            return []
        jumps = [*self.lr_style.jumps_at(self.decay_begin, self.lr_decay_steps)]
        if self.decay_begin < self.lr_warmup_steps:
            jumps.append(self.lr_warmup_steps)
        return [self.position_of(step) for step in jumps]

    def stairs(self) -> list[float]:
        """Return the positions up to the end of the decay at which an interval ends; none where there are very many."""
        _, end = self.ends()
        if not self.interval or end / self.interval > _MOST_STAIRS:
            return []
        first = self.interval - self.start_step % self.interval
        return [first + stair * self.interval for stair in range(int((end - first) // self.interval) + 1)]

    def under(self, rules: Iterable[GroupRule]) -> "Plan":
        """Return the plan of a param group that `rules` match.

        Raises:
            ValueError: two of them set one field to different values.
        """
        values = merge(rules)
        if not values and not self.groups:
            return self
        return replace(self, groups=(), **{name: value for name, value in values.items() if name in NAMES})

    def roles(self) -> dict[str, "Plan"]:
        """Return the plan of ``default``, and of each rule's role."""
        return {DEFAULT: self.under(()), **{rule.role: self.under([rule]) for rule in self.groups}}


NAMES = tuple(field.name for field in fields(Plan) if field.init)
STYLES = ("lr_style", "wd_style")


def styles_of(plan: Plan) -> dict[str, LRStyle | WDStyle]:
    """Return every style of `plan`, those of its rules too, by dotted path."""
    rules = {
        f"groups.{rule.role}.{name}": value for rule in plan.groups for name, value in rule.values if name in STYLES
    }
    return {**{name: getattr(plan, name) for name in STYLES}, **rules}


def sources_of(plan: Plan) -> dict[str, Source]:
    """Return where every style of `plan` comes from, by dotted path; a style may hold others."""
    found = [sources_within(path, style) for path, style in styles_of(plan).items()]
    return {path: source for sources in found for path, source in sources.items()}


def plain_values(plan: Plan) -> dict[str, Any]:
    """Return the fields of `plan` as plain values, styles and rules as tables."""
    values = {name: getattr(plan, name) for name in NAMES}
    styles = {name: values[name].model_dump(mode="json") for name in (*STYLES, "lr_warmup_style")}
    return {**values, **styles, "groups": [rule.table() for rule in plan.groups]}


def fingerprint(plan: Plan) -> str:
    """Return a digest of everything that determines the curves of `plan`, and of nothing else.

    It is equal in every process. Numbers are compared by their exact value, an ``int`` as the float that it equals.
    """
    return fingerprint_of(plain_values(plan))


def fingerprint_of(values: Mapping[str, Any]) -> str:
    """Return the fingerprint of a plan whose fields are plain `values`, its styles as tables."""
    return fingerprint_as_written({**values, "groups": [_of_curves(table, values) for table in values["groups"]]})


def fingerprint_as_written(values: Mapping[str, Any]) -> str:
    """Return the fingerprint in states of early versions, in which the spelling of a rule counts."""
    warmup, weight_decay = values["lr_warmup_steps"] > 0, values["start_wd"] is not None
    decays = values["lr_style"]["style"] != "constant"
    is_used = {
        "clock": values["clock"] != "samples",
        "start_step": values["start_step"],
        "init_lr": warmup,
        "min_lr": decays,
        "lr_warmup_style": warmup and values["lr_warmup_style"] != MEGATRONS_TABLE,
        "lr_decay_steps": decays,
        **dict.fromkeys(("start_wd", "end_wd", "wd_style"), weight_decay),
        "wd_incr_steps": weight_decay and values["wd_style"]["style"] != "constant",
        "groups": values["groups"],
        "first_update": values.get("first_update") and not values["start_step"],
        "decay_from": warmup and values.get("decay_from", WARMUP) != WARMUP,
        "interval": values.get("interval"),
    }
    return digest({name: values[name] for name in NAMES if is_used.get(name, True)})


def _of_curves(table: Mapping[str, Any], plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule's `table` with those values of its curve that differ from those of the `plan`."""
    values = {name: value for name, value in table.get("values", {}).items() if _exact(value) != _exact(plan.get(name))}
    return {**table, "values": values, "lr_mult": None}


def digest(values: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits of the SHA-256 of `values`, in which numbers count by their exact value."""
    return hashlib.sha256(json.dumps(_exact(values), sort_keys=True).encode()).hexdigest()[:16]


def _exact(value: Any) -> Any:
    """Return `value` with each number as the hexadecimal form of its float."""
    if isinstance(value, Mapping):
        return {key: _exact(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(inner) for inner in value]
    if isinstance(value, bool) or not isinstance(value, Real):
        return value
    return float(value).hex()
