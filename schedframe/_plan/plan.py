"""Everything that determines both curves of a run, as numbers and styles, and its fingerprint."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from numbers import Real
from typing import Any, Literal

from schedframe._plan.rule import DEFAULT, GroupRule, merge
from schedframe._units.units import Clock
from schedframe.styles._base import LRCurve, LRShape, LRStyle, WDCurve, WDShape, WDStyle
from schedframe.styles._warmup import MEGATRONS_TABLE, Warmup

CURRENT: Literal["current"] = "current"
"""Said for ``init_lr``: the learning rate that the checkpoint's schedule has where this one starts."""


@dataclass(frozen=True)
class Parent:
    """Which schedule this one continues, and from where.

    Attributes:
        fingerprint: the parent's.
        step: the scheduler's count at which it goes over to this schedule.
    """

    fingerprint: str
    step: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that determines both curves, except the position: of a schedule, a scheduler or a checkpoint.

    Attributes:
        clock: what one step of the scheduler is.
        start_step: the scheduler's count at which the plan's own step 0 lies; the lengths below start there.
        init_lr: learning rate at the plan's step 0; ``"current"`` until a checkpoint says it.
        groups: rules that give some param groups a plan of their own.
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

    lr_coefficient_at: Callable[[float, float, float], float] | None = field(init=False, repr=False, compare=False)
    wd_coefficient_at: Callable[[float, float], float] | None = field(init=False, repr=False, compare=False)
    lr_curve: Callable[[float], float] | None = field(init=False, repr=False, compare=False)
    wd_curve: Callable[[float], float] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Bind the styles' coefficient methods."""
        lr_style, wd_style = self.lr_style, self.wd_style
        bind = object.__setattr__
        bind(self, "lr_coefficient_at", lr_style.coefficient_at if isinstance(lr_style, LRShape) else None)
        bind(self, "wd_coefficient_at", wd_style.coefficient_at if isinstance(wd_style, WDShape) else None)
        bind(self, "lr_curve", lr_style.coefficient if isinstance(lr_style, LRCurve) else None)
        bind(self, "wd_curve", wd_style.coefficient if isinstance(wd_style, WDCurve) else None)

    def under(self, rules: Iterable[GroupRule]) -> "Plan":
        """Return the plan of a param group for which there are `rules`.

        Raises:
            ValueError: two of them give it different values of one thing.
        """
        given = merge(rules)
        if not given and not self.groups:
            return self
        return replace(self, groups=(), **{name: value for name, value in given.items() if name in NAMES})

    def roles(self) -> dict[str, "Plan"]:
        """Return the plan of each role, the rules' own one by one and ``default``."""
        return {DEFAULT: self.under(()), **{rule.role: self.under([rule]) for rule in self.groups}}


NAMES = tuple(field.name for field in fields(Plan) if field.init)


def styles_of(plan: Plan) -> dict[str, LRStyle | WDStyle]:
    """Return every style of `plan`, those of its rules too, by dotted path."""
    found: dict[str, LRStyle | WDStyle] = {"lr_style": plan.lr_style, "wd_style": plan.wd_style}
    for rule in plan.groups:
        for name, value in rule.values:
            if name in ("lr_style", "wd_style"):
                found[f"groups.{rule.role}.{name}"] = value
    return found


def fingerprint(plan: Plan) -> str:
    """Return a digest of everything that determines the curves of `plan`, and of nothing else.

    It is equal in every process. Numbers are compared by their exact value, an ``int`` as the float that it equals.
    """
    values = {name: getattr(plan, name) for name in NAMES}
    styles = {name: values[name].model_dump(mode="json") for name in ("lr_style", "wd_style", "lr_warmup_style")}
    return fingerprint_of({**values, **styles, "groups": [rule.table() for rule in plan.groups]})


def fingerprint_of(said: Mapping[str, Any]) -> str:
    """Return the fingerprint of a plan that is said in plain values, its styles as tables."""
    used = ["max_lr", "lr_warmup_steps", "lr_style"]
    if said["clock"] != "samples":
        used.append("clock")
    if said["start_step"]:
        used.append("start_step")
    if said["lr_warmup_steps"] > 0:
        used.append("init_lr")
        if said["lr_warmup_style"] != MEGATRONS_TABLE:
            used.append("lr_warmup_style")
    if said["lr_style"]["style"] != "constant":
        used += ["min_lr", "lr_decay_steps"]
    if said["start_wd"] is not None:
        used += ["start_wd", "end_wd", "wd_style"]
        if said["wd_style"]["style"] != "constant":
            used.append("wd_incr_steps")
    if said["groups"]:
        used.append("groups")
    return digest({name: said[name] for name in used})


def digest(said: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits of the SHA-256 of `said`, in which numbers count by their exact value."""
    return hashlib.sha256(json.dumps(_exact(said), sort_keys=True).encode()).hexdigest()[:16]


def _exact(value: Any) -> Any:
    """`value` with each number as the hexadecimal form of its float."""
    if isinstance(value, Mapping):
        return {key: _exact(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(inner) for inner in value]
    if isinstance(value, bool) or not isinstance(value, Real):
        return value
    return float(value).hex()
