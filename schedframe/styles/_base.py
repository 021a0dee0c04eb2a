"""The base classes of styles: a style is a frozen set of options and one pure formula.

Three tiers for learning rate, each implementing the one above it; the same three for weight decay::

    LRStyle.lr(point)                                          not an interpolation between the bounds
    └── LRShape.coefficient_at(step, warmup_steps, decay_steps)    a coefficient of the step
        └── LRCurve.coefficient(progress)                          a coefficient of progress
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple, final, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    create_model,
    model_serializer,
    model_validator,
)

with suppress(Exception):
    create_model("First")  # here pydantic looks for its own plugins, and fails where any distribution is unreadable

from schedframe._plain import plain

LATER = ("boundaries", "k")
"""Options that early versions did not have; at their default they are in no state, so that fingerprints stay."""


class LRPoint(NamedTuple):
    """The position on the run, and the bounds, for which a learning rate is computed.

    Read the fields by attribute: later versions may add fields at the end.

    Attributes:
        step: the position, in steps (in Megatron samples), at least `warmup_steps`; it may lie past `decay_steps`.
        warmup_steps: length of the warmup, in steps.
        decay_steps: where the decay ends, in steps from the start of the run.
        max_lr: the param group's max LR.
        min_lr: the param group's min LR.
    """

    step: float
    warmup_steps: float
    decay_steps: float
    max_lr: float
    min_lr: float


class WDPoint(NamedTuple):
    """The position on the run, and the bounds, for which a weight decay is computed.

    Read the fields by attribute: later versions may add fields at the end.

    Attributes:
        step: the position, in steps (in Megatron samples), at least 0; it may lie past `incr_steps`.
        incr_steps: where the weight-decay schedule ends, in steps.
        start_wd: the param group's weight decay at step 0.
        end_wd: the param group's weight decay at `incr_steps` and after.
        lr: the learning rate of the same param group at the same step, a float.
        max_lr: the param group's max LR.
        warmup_steps: length of the learning rate's warmup, in steps.
    """

    step: float
    incr_steps: float
    start_wd: float
    end_wd: float
    lr: float
    max_lr: float
    warmup_steps: float = 0


class Cooldown(NamedTuple):
    """The cooldown of a style, which a branch uses by default.

    Attributes:
        style: the style of the cooldown, from the learning rate where it begins (its max LR) to `to` (its min LR);
            usually an `LRCurve`.
        to: where it ends: a percentage of the param group's max LR such as ``10%``, a number, or ``None`` for min LR.
        name: its name in previews and reports; may be empty.
    """

    style: "LRStyle"
    to: float | str | None = None
    name: str = ""


class _Boolean:
    """Stands for ``true`` or ``false`` where an option is not a boolean: pydantic would read it as 1 or 0."""

    def __init__(self, value: bool) -> None:
        self.value = value

    def __repr__(self) -> str:
        return repr(self.value)


def _takes_bool(annotation: Any) -> bool:
    parts = get_args(annotation)
    if not parts and isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return True
    return annotation in (bool, Any, object) or any(map(_takes_bool, parts))


def _mask_bools(value: Any) -> Any:
    if isinstance(value, bool):
        return _Boolean(value)
    if isinstance(value, list | tuple):
        return [_mask_bools(item) for item in value]
    if isinstance(value, dict):
        return {key: _mask_bools(item) for key, item in value.items()}
    return value


@lru_cache(maxsize=1024)
def _keys_without_bool(style: type[BaseModel]) -> frozenset[str]:
    """Return the names and aliases of the fields of `style` that take neither ``true`` nor ``false``."""
    numeric = {name: field for name, field in style.model_fields.items() if not _takes_bool(field.annotation)}
    return frozenset(numeric) | {field.alias for field in numeric.values() if field.alias}


class Style(BaseModel, ABC):
    """Base of every style: options are fields, frozen and validated; the formula is one method.

    A style is pure: the same point gives the same float, in any order, in any thread. It has no state
    and no access to the optimizer. Every class is abstract or final.

    Attributes:
        style: the style's name, a ``Literal`` equal to its entry point's name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True, defer_build=True)

    style: str

    @model_validator(mode="before")
    @classmethod
    def _no_bool_for_a_number(cls, options: Any) -> Any:
        if not isinstance(options, Mapping):
            return options
        without_bool = _keys_without_bool(cls)
        return {key: _mask_bools(value) if key in without_bool else value for key, value in plain(options).items()}


class LaterOptions(BaseModel):
    """A style with options of `LATER`: at their default they are not written."""

    @model_serializer(mode="wrap")
    def _without_later_options(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        table: dict[str, Any] = dump(self)
        return {key: value for key, value in table.items() if key not in LATER or value != fields[key].default}


class LRStyle(Style):
    """A learning-rate style: the learning rate at every step after the warmup.

    The scheduler computes the warmup, the bounds and the state. Subclass this class only for a formula that is not an
    interpolation between the bounds; `LRShape` and `LRCurve` are faster, because they are evaluated once per step
    instead of once per param group.
    """

    @abstractmethod
    def lr(self, point: LRPoint) -> float:
        """Return the learning rate at `point`, for one param group.

        Args:
            point: step, lengths (in steps) and the group's bounds; `point.step` is never inside the
                warmup, and may lie past `point.decay_steps`: the style decides what happens there.

        Raises:
            ValueError: the formula has no value between these bounds; raised at construction, not at the step.
        """

    def peak(self, warmup_steps: float) -> float | None:
        """Return the max_lr that follows from the options, so that a config need not give it; ``None`` for none.

        Args:
            warmup_steps: length of the warmup, in steps.
        """
        return None

    def landmarks(self, warmup_steps: float, decay_steps: float) -> dict[str, float]:
        """Return the breakpoints of the style, steps by label; previews, plots and reports show them.

        Args:
            warmup_steps: length of the warmup, in steps.
            decay_steps: where the decay ends, in steps from the start of the run.
        """
        return {}

    def phase(self, step: float, warmup_steps: float, decay_steps: float) -> str:
        """Return the name of the phase at `step`, for reports: that of the last landmark behind it, or the style's own.

        Args:
            step: from the end of the warmup to `decay_steps`.
            warmup_steps: length of the warmup, in steps.
            decay_steps: where the decay ends, in steps from the start of the run.
        """
        marks = self.landmarks(warmup_steps, decay_steps)
        jumps = self.jumps_at(warmup_steps, decay_steps)
        passed = [(at, label) for label, at in marks.items() if at < step or at == warmup_steps or at == step in jumps]
        return max(passed)[1].removesuffix(" start") if passed else self.style

    def faults(self, warmup_steps: float, decay_steps: float) -> Iterator[tuple[str, str]]:
        """Yield each option that does not fit the lengths of a run, with a message; a config that has one is rejected.

        Args:
            warmup_steps: length of the warmup, in steps.
            decay_steps: where the decay ends, in steps from the start of the run.
        """
        yield from ()

    def jumps_at(self, warmup_steps: float, decay_steps: float) -> Sequence[float]:
        """Return the steps at which the learning rate jumps by design: milestones, restarts.

        `schedframe.lint` reports every other jump.

        Args:
            warmup_steps: length of the warmup, in steps.
            decay_steps: where the decay ends, in steps from the start of the run.
        """
        return ()

    def may_rise(self) -> bool:
        """Return whether the learning rate rises after the warmup by design; `schedframe.lint` reports others."""
        return False

    def cooldown(self, step: float, warmup_steps: float, decay_steps: float) -> Cooldown | None:
        """Return the style's own cooldown after `step`, which a branch uses by default; ``None`` if it has none.

        Args:
            step: where the branch starts, in steps from the start of the run.
            warmup_steps: length of the warmup, in steps.
            decay_steps: where the decay ends, in steps from the start of the run.
        """
        return None


class LRShape(LRStyle):
    """A learning-rate style that is a coefficient of the step: ``lr = min_lr + c * (max_lr - min_lr)``."""

    @abstractmethod
    def coefficient_at(self, step: float, warmup_steps: float, decay_steps: float) -> float:
        """Return the coefficient at `step`: 1 is max LR, 0 is min LR.

        Args:
            step: from the end of the warmup to `decay_steps`, both included. It is not called past the end:
                the learning rate is min LR there.
            warmup_steps: length of the warmup, in steps.
            decay_steps: where the decay ends, in steps from the start of the run.
        """

    def over(self, warmup_steps: float, decay_steps: float) -> Callable[[float], float]:
        """Return `coefficient_at` of one run, as a function of the step alone; the scheduler calls it at every step.

        A style may compute here, once, the values that depend only on the lengths.
        """
        return lambda step: self.coefficient_at(step, warmup_steps, decay_steps)

    @final
    def lr(self, point: LRPoint) -> float:
        """Interpolate between the bounds; past the end, return min_lr."""
        if point.step > point.decay_steps:
            return point.min_lr
        coefficient = self.coefficient_at(point.step, point.warmup_steps, point.decay_steps)
        return point.min_lr + coefficient * (point.max_lr - point.min_lr)


class LRCurve(LRShape):
    """A learning-rate style that is a coefficient of progress; it also serves as the cooldown of ``WSD``."""

    @abstractmethod
    def coefficient(self, progress: float) -> float:
        """Return the coefficient at `progress` in [0, 1]: 1 is max LR, 0 is min LR."""

    @final
    def coefficient_at(self, step: float, warmup_steps: float, decay_steps: float) -> float:
        """Return the coefficient at the fraction of the decay that is done at `step`."""
        return self.coefficient(float(step - warmup_steps) / float(decay_steps - warmup_steps))

    @final
    def over(self, warmup_steps: float, decay_steps: float) -> Callable[[float], float]:
        """Return the coefficient as a function of the step."""
        coefficient, length = self.coefficient, float(decay_steps - warmup_steps)
        return lambda step: coefficient(float(step - warmup_steps) / length)


class WDStyle(Style):
    """A weight-decay style: the weight decay at every step from 0 on.

    Subclass this class only for a formula that is not an interpolation between the bounds; `WDShape` and `WDCurve`
    are evaluated once per step instead of once per param group.
    """

    @abstractmethod
    def wd(self, point: WDPoint) -> float:
        """Return the weight decay at `point`, for one param group, before its ``wd_mult``.

        Raises:
            ValueError: the formula has no value between these bounds; raised at construction, not at the step.
        """

    def landmarks(self, incr_steps: float) -> dict[str, float]:
        """Return the breakpoints of the style, steps by label; previews, plots and reports show them."""
        return {}

    @property
    def is_constant(self) -> bool:
        """Whether the weight decay is the same at every step, whatever the learning rate."""
        return False

    @property
    def uncoupled(self) -> "WDStyle":
        """The base of a style that follows the learning rate; otherwise the style itself."""
        return self

    def on(self, base: "WDStyle") -> "WDStyle":
        """Return this style with `base` in place of `uncoupled`."""
        return base

    def faults(self, start_wd: float, end_wd: float) -> Iterator[tuple[str, str]]:
        """Yield each option that does not fit the bounds, with a message; no name means the whole style."""
        yield from ()


class WDShape(WDStyle):
    """A weight-decay style that is a coefficient of the step: ``wd = start_wd + c * (end_wd - start_wd)``."""

    @abstractmethod
    def coefficient_at(self, step: float, incr_steps: float) -> float:
        """Return the coefficient at `step`: 0 is `start_wd`, 1 is `end_wd`.

        Args:
            step: from 0 to `incr_steps`, both included. It is not called past the end: the weight
                decay is `end_wd` there.
            incr_steps: where the weight-decay schedule ends, in steps.
        """

    @final
    def wd(self, point: WDPoint) -> float:
        """Interpolate between the bounds; past the end, return `end_wd`."""
        if point.step > point.incr_steps:
            return point.end_wd
        coefficient = self.coefficient_at(point.step, point.incr_steps)
        return point.start_wd + coefficient * (point.end_wd - point.start_wd)


class WDCurve(WDShape):
    """A weight-decay style that is a coefficient of progress."""

    @abstractmethod
    def coefficient(self, progress: float) -> float:
        """Return the coefficient at `progress` in [0, 1]: 0 is `start_wd`, 1 is `end_wd`."""

    @final
    def coefficient_at(self, step: float, incr_steps: float) -> float:
        """Return the coefficient at the fraction of the schedule that is done at `step`."""
        return self.coefficient(float(step) / float(incr_steps))
