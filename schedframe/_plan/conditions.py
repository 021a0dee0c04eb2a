"""What must hold between the numbers of a run, for the config and for the scheduler.

A config that breaks a condition is rejected. The scheduler, which is compatible with Megatron's, rejects what Megatron
rejects, and warns about mistakes that Megatron accepts.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import inf, isfinite
from typing import Any, NamedTuple

from schedframe._errors import FAILURES, Problem
from schedframe._plan.evaluate import outside
from schedframe._plan.plan import CURRENT, Parent
from schedframe._units import batches
from schedframe._units.lengths import OPEN
from schedframe.styles._base import LRPoint, LRStyle, Style, WDPoint, WDStyle
from schedframe.styles._installed import source_of

_Landmarks = Callable[[], Mapping[str, float]]
_Value = Callable[[float], float]


_BEGIN = "decay_begin"
"""Stands among the keys of a condition for the step at which the decay begins."""


class Fault(NamedTuple):
    """What is wrong, and with which option of the style in the key; empty for the key as a whole."""

    option: str
    message: str


@dataclass(frozen=True)
class Condition:
    """One condition.

    Attributes:
        needs: the keys that the condition reads; the first one is blamed.
        check: returns what is wrong, if anything; its arguments are the values of `needs`, then of `also`.
        also: keys that the condition reads even where they are not given, as ``None``.
        refused_by_megatron: Megatron asserts it, or cannot run with it.
    """

    needs: tuple[str, ...]
    check: Callable[..., str | Fault | None]
    also: tuple[str, ...] = ()
    refused_by_megatron: bool = True

    @property
    def key(self) -> str:
        """The key that is blamed."""
        return self.needs[0]

    def fault(self, values: Mapping[str, Any]) -> Fault | None:
        """Return what is wrong with `values`; ``None`` if the condition holds, or a key that it needs is not known."""
        needed = [_begin_of_decay(values) if name == _BEGIN else values.get(name) for name in self.needs]
        if None in needed or CURRENT in needed or not values.keys() >= {*self.also}:
            return None
        try:
            fault = self.check(*needed, *(values[name] for name in self.also))
        except FAILURES as error:
            if not isinstance(needed[0], Style):
                raise
            fault = f"{needed[0]!r} from {source_of(needed[0])} fails: {type(error).__name__}: {error}"
        if isinstance(fault, str):
            return Fault("", fault) if fault else None
        return fault


def _begin_of_decay(values: Mapping[str, Any]) -> Any:
    return 0 if values.get("decay_from") == 0 else values.get("lr_warmup_steps")


def _if(broken: bool, text: str) -> str:
    return text if broken else ""


def _not_negative(value: float) -> str:
    return _if(value < 0, "must not be negative")


def _positive(value: float) -> str:
    return _if(value <= 0, "must be above 0")


def _not_above_max_lr(value: float, max_lr: float) -> str:
    share = f"; {100 * value:g}% of max_lr is {value * max_lr:g}" if 0.01 <= value < 1 else ""
    return _if(value > max_lr, f"must not be above max_lr ({max_lr}){share}")


def _warmup_ends_before_decay(warmup_steps: float, decay_steps: float) -> str:
    return _if(
        warmup_steps >= decay_steps,
        f"must be below lr_decay_steps ({decay_steps}); for a run that ends within the warmup, set lr_decay_steps to "
        f"more than the warmup",
    )


def _warmup_is_finite(warmup_steps: float, max_lr: float) -> str:
    return _if(abs(max_lr) * warmup_steps == inf, f"times max_lr ({max_lr}) is too large for a float")


def _branch_point_is_inside(parent: Parent, start_step: float) -> Fault | None:
    return Fault("step", f"must not be below start_step ({start_step})") if parent.step < start_step else None


def _fault_of_lr_style(style: LRStyle, begin: float, end: float) -> Fault | None:
    return _fault_of_style(style, begin, end) if begin < end else None


def _fault_of_style(style: LRStyle | WDStyle, start: float, end: float) -> Fault | None:
    return next((Fault(*fault) for fault in style.faults(start, end)), None)


def _needs_no_end(style: LRStyle, warmup_steps: float, decay_steps: float, max_lr: float, min_lr: float) -> str:
    """Where the end is open, the learning rate may not depend on it."""
    return _if(
        decay_steps == OPEN
        and _depends_on_end(
            within(max(warmup_steps, 0), style.landmarks(warmup_steps, OPEN // 2).values(), OPEN // 2),
            lambda step, end: style.lr(LRPoint(step, warmup_steps, end, max_lr, min_lr)),
        ),
        "needs a known end, but lr_decay_steps is open; set it to a length, or use a style without an end, such as "
        "constant, or phases whose last one has no end, and branch from it",
    )


def _wd_needs_no_end(style: WDStyle, incr_steps: float, start_wd: float, end_wd: float, max_lr: float) -> str:
    return _if(
        incr_steps == OPEN
        and _depends_on_end(
            within(0, style.landmarks(OPEN // 2).values(), OPEN // 2),
            lambda step, end: style.wd(WDPoint(step, end, start_wd, end_wd, max_lr, max_lr)),
        ),
        "needs a known end, but the schedule is open-ended; set wd_incr_steps to a length",
    )


def _depends_on_end(steps: list[float], value_at: Callable[[float, float], float]) -> bool:
    return any(value_at(step, OPEN) != value_at(step, OPEN // 2) for step in steps)


def _horizon_for_wd(style: WDStyle, incr_steps: float) -> str:
    return _if(not style.is_constant and incr_steps <= 0, "wd_incr_steps must be above 0")


def _one_run(length: float, *others: float | None) -> str:
    return _if(any(other is not None for other in others), "is a second length of the run; remove one of the two")


def _sizes_to_decrease(
    decrease: bool, global_batch_size: int | None, micro_batch_size: int | None, data_parallel_size: int | None
) -> str:
    if not decrease:
        return ""
    if micro_batch_size is None or data_parallel_size is None:
        return "needs micro_batch_size and data_parallel_size"
    return _refusal(batches.constant, global_batch_size or 1 << 62, micro_batch_size * data_parallel_size)


def _ramp(
    ramp: tuple[int, int, int], size: int | None, decrease: bool, micro: int | None, data_parallel: int | None
) -> str:
    if size is None:
        return "needs global_batch_size, at which the ramp ends"
    divisor = micro * data_parallel if decrease and micro and data_parallel else 1
    return _refusal(batches.ramped, *ramp, size, divisor)


def _step_schedule(schedule: str, seq_length: int | None, size: int | None, ramp: object, decrease: bool) -> str:
    for key, value in (("global_batch_size", size), ("rampup_batch_size", ramp)):
        if value is not None:
            return f"sets the batch sizes, and so does {key}; remove one of the two"
    if decrease:
        return "cannot be combined with decrease_batch_size_if_needed, as in Megatron"
    if seq_length is None:
        return "needs seq_length, because its thresholds are tokens"
    return _refusal(batches.stepped, schedule, seq_length)


def _refusal(make: Callable[..., object], *arguments: Any) -> str:
    """Return why `make` refuses its `arguments`; empty where it accepts them."""
    try:
        make(*arguments)
    except ValueError as error:
        return str(error)
    return ""


def lr_fault(style: LRStyle, decay_steps: float, warmup_steps: float, max_lr: float, min_lr: float) -> str:
    """Evaluate `style` over the run and past its end; return where it has no finite value from 0 to the max LR."""
    first = max(warmup_steps, 0)
    if first >= decay_steps:
        return ""
    return _first_fault(
        style,
        (first, decay_steps),
        max(max_lr, min_lr),
        lambda: style.landmarks(warmup_steps, decay_steps),
        lambda step: style.lr(LRPoint(max(step, first), warmup_steps, decay_steps, max_lr, min_lr)),
    )


def wd_fault(style: WDStyle, incr_steps: float, start_wd: float, end_wd: float, max_lr: float) -> str:
    """Evaluate `style` over the run and past its end; return where it has no finite value of at least 0."""
    if incr_steps <= 0:
        return ""
    return _first_fault(
        style,
        (0, incr_steps),
        inf,
        lambda: style.landmarks(incr_steps),
        lambda step: style.wd(WDPoint(step, incr_steps, start_wd, end_wd, max_lr, max_lr)),
    )


def within(first: float, landmarks: Iterable[float], last: float) -> list[float]:
    """Return 16 steps of every stretch between two landmarks, and the last one."""
    marks = sorted({first, last, *(mark for mark in landmarks if first < mark < last)})
    inside = [start + (stop - start) * part / 16 for start, stop in pairwise(marks) for part in range(16)]
    return [*inside, last]


def _first_fault(
    style: Style, ends: tuple[float, float], highest: float, landmarks: _Landmarks, value_at: _Value
) -> str:
    first, last = ends
    try:
        marks = landmarks()
        for label, mark in marks.items():
            if not isfinite(mark):
                return (
                    f"{style!r} from {source_of(style)} has the landmark {label!r} at {mark}, which is not a valid step"
                )
        for step in (*within(first, marks.values(), last), last + 1, last + 10 * (last - first)):
            value = value_at(step)
            fault = outside(value, highest) if 0 <= value < inf else ""
            if fault or not 0 <= value < inf:
                return f"{style!r} from {source_of(style)} gives {value} at step {step:g}{fault}"
    except ValueError as error:
        source = source_of(style)
        return f"{error}" if source.distribution == "schedframe" else f"{error} (reported by {source})"
    except FAILURES as error:
        return f"{style!r} from {source_of(style)} fails when it is evaluated: {type(error).__name__}: {error}"
    return ""


_STYLE_OF_LR = ("lr_decay_style", _BEGIN, "lr_decay_steps")
_STYLE_OF_WD = ("wd_incr_style", "wd_incr_steps", "start_wd", "end_wd", "max_lr")

CONDITIONS = (
    Condition(
        ("decrease_batch_size_if_needed",),
        _sizes_to_decrease,
        also=("global_batch_size", "micro_batch_size", "data_parallel_size"),
    ),
    Condition(
        ("rampup_batch_size",),
        _ramp,
        also=("global_batch_size", "decrease_batch_size_if_needed", "micro_batch_size", "data_parallel_size"),
    ),
    Condition(
        ("step_batch_size_schedule",),
        _step_schedule,
        also=("seq_length", "global_batch_size", "rampup_batch_size", "decrease_batch_size_if_needed"),
    ),
    Condition(("train_iters",), _one_run, also=("train_samples",)),
    Condition(("train_tokens",), _one_run, also=("train_samples", "train_iters")),
    Condition(("start_step",), _not_negative),
    Condition(("lr_decay_steps",), _positive),
    Condition(("max_lr",), _positive, refused_by_megatron=False),
    Condition(("min_lr",), _not_negative),
    Condition(("min_lr", "max_lr"), _not_above_max_lr),
    Condition(("init_lr",), _not_negative, refused_by_megatron=False),
    Condition(("init_lr", "max_lr"), _not_above_max_lr),
    Condition(("lr_warmup_steps",), _not_negative, refused_by_megatron=False),
    Condition(("lr_warmup_steps", "max_lr"), _warmup_is_finite),
    Condition(_STYLE_OF_LR, _fault_of_lr_style, refused_by_megatron=False),
    Condition(("lr_decay_style", "lr_decay_steps", _BEGIN, "max_lr", "min_lr"), lr_fault),
    Condition((*_STYLE_OF_LR, "max_lr", "min_lr"), _needs_no_end, refused_by_megatron=False),
    Condition(("start_wd",), _not_negative),
    Condition(("end_wd",), _not_negative),
    Condition(("wd_incr_style", "wd_incr_steps"), _horizon_for_wd),
    Condition(("wd_incr_style", "start_wd", "end_wd"), _fault_of_style),
    Condition(_STYLE_OF_WD, wd_fault),
    Condition(_STYLE_OF_WD, _wd_needs_no_end, refused_by_megatron=False),
    Condition(("parent", "start_step"), _branch_point_is_inside),
)
"""Every condition, each after those it builds on."""

CONDITIONS_OF_GROUPS = tuple(
    Condition(("max_lr",), _not_negative) if condition.needs == ("max_lr",) else condition for condition in CONDITIONS
)
"""The conditions for the schedule of some param groups, which a max LR of 0 freezes."""


CONDITIONS_OF_MEGATRON = (
    Condition(("lr_warmup_steps", "lr_decay_steps"), _warmup_ends_before_decay),
    *CONDITIONS,
)
"""The conditions for Megatron's class, which asserts that the decay does not end within the warmup."""


def by_key(conditions: Iterable[Condition]) -> dict[str, tuple[Condition, ...]]:
    """Return `conditions` by the key that is blamed."""
    conditions = tuple(conditions)
    keys = dict.fromkeys(condition.key for condition in conditions)
    return {key: tuple(condition for condition in conditions if condition.key == key) for key in keys}


def broken_conditions(
    values: Mapping[str, Any], conditions: Iterable[Condition] = CONDITIONS
) -> tuple[list[Problem], list[str]]:
    """Return what Megatron refuses about `values`, and what it runs although it is a mistake."""
    sound = dict(values)
    refused, mistakes = [], []
    for condition in conditions:
        fault = condition.fault(sound)
        if fault is None:
            continue
        if condition.refused_by_megatron:
            refused.append(Problem(condition.key, fault.message, repr(sound.pop(condition.key))))
        else:
            value = getattr(sound[condition.key], fault.option) if fault.option else sound[condition.key]
            mistakes.append(f"{fault.option or condition.key} = {value!r}: {fault.message}")
    return refused, mistakes
