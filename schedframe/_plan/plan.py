"""Everything that determines both curves of a run, as numbers and styles, and its fingerprint."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from math import isfinite
from numbers import Real
from typing import Any, Literal

from schedframe._errors import StateError
from schedframe._plan import evaluate as _engine
from schedframe._plan.rule import DEFAULT, GroupRule, merged
from schedframe._units.units import Clock
from schedframe.styles._base import LRShape, LRStyle, WDShape, WDStyle
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


@dataclass(frozen=True)
class Plan:
    """What a schedule says, a scheduler runs or a checkpoint holds, but for the position.

    Attributes:
        clock: what one step of the scheduler is.
        start_step: the scheduler's count at which the plan's own step 0 lies; the lengths below start there.
        init_lr: learning rate at the plan's step 0; ``"current"`` until a checkpoint says it.
        groups: what is another plan for some param groups.
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

    @classmethod
    def of(cls, run: Any) -> "Plan":
        """Return the plan of `run`, a `Schedule` or an `OptimizerParamScheduler`, as it is now."""
        return cls(*(getattr(run, name) for name in NAMES))

    @property
    def lr_coefficient_at(self) -> Callable[[float, float, float], float] | None:
        """The learning-rate style's method where it is a shape."""
        return self.lr_style.coefficient_at if isinstance(self.lr_style, LRShape) else None

    @property
    def wd_coefficient_at(self) -> Callable[[float, float], float] | None:
        """The weight-decay style's method where it is a shape."""
        return self.wd_style.coefficient_at if isinstance(self.wd_style, WDShape) else None

    def under(self, rules: Iterable[GroupRule]) -> "Plan":
        """Return the plan of a param group for which there are `rules`.

        Raises:
            ValueError: two of them give it different values of one thing.
        """
        given = merged(rules)
        if not given and not self.groups:
            return self
        return replace(self, groups=(), **{name: value for name, value in given.items() if name in NAMES})

    def roles(self) -> dict[str, "Plan"]:
        """Return the plan of each role, the rules' own one by one and ``default``."""
        return {DEFAULT: self.under(()), **{rule.role: self.under([rule]) for rule in self.groups}}

    def lr_at(self, num_steps: float) -> float:
        """Return the learning rate at the scheduler's count `num_steps`, between the plan's own bounds."""
        return _engine.lr_at(self, num_steps - self.start_step, {})

    def all_at(self, num_steps: float) -> dict[str, tuple[float, float | None]]:
        """Return learning rate and weight decay of each role at the scheduler's count `num_steps`.

        Raises:
            StateError: one of them cannot be had, or is no finite number.
        """
        return {role: plan.finite_at(num_steps) for role, plan in self.roles().items()}

    def finite_at(self, num_steps: float) -> tuple[float, float | None]:
        """Return learning rate and weight decay at the scheduler's count `num_steps`.

        Raises:
            StateError: one of them cannot be had, or is no finite number.
        """
        try:
            lr, wd = self.lr_at(num_steps), self.wd_at(num_steps)
        except StateError:
            raise
        except Exception as error:
            raise StateError(f"the schedule fails at step {num_steps}: {type(error).__name__}: {error}") from error
        if not isfinite(lr) or not isfinite(wd or 0.0):
            raise StateError(f"the schedule has learning rate {lr} and weight decay {wd} at step {num_steps}")
        return lr, wd

    def wd_at(self, num_steps: float) -> float | None:
        """Return the weight decay at the scheduler's count `num_steps`; ``None`` where it is left alone."""
        return _engine.wd_at(self, num_steps - self.start_step, {})


NAMES = tuple(field.name for field in fields(Plan))


def styles_of(run: Any) -> dict[str, LRStyle | WDStyle]:
    """Return every style of `run`, those of its rules too, by dotted path.

    Args:
        run: a `Schedule`, an `OptimizerParamScheduler` or a `Plan`.
    """
    found = {"lr_style": run.lr_style, "wd_style": run.wd_style}
    for rule in run.groups:
        for name, value in rule.values:
            if name in ("lr_style", "wd_style"):
                found[f"groups.{rule.role}.{name}"] = value
    return found


def fingerprint(run: Any) -> str:
    """Return a digest of everything that determines the curves of `run`, and of nothing else.

    Equal in every process; numbers count by their exact value, an ``int`` as the float it equals.

    Args:
        run: a `Schedule`, an `OptimizerParamScheduler` or a `Plan`.
    """
    said = {name: getattr(run, name) for name in NAMES}
    styles = {name: said[name].model_dump(mode="json") for name in ("lr_style", "wd_style", "lr_warmup_style")}
    return fingerprint_of({**said, **styles, "groups": [rule.table() for rule in said["groups"]]})


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
