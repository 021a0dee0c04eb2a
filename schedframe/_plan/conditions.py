"""What must hold between the numbers of a run, for the config and for the scheduler.

A config refuses every condition that is broken. The scheduler, Megatron's twin, refuses what Megatron
refuses, and warns about what Megatron runs although it is a mistake.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import Any, NamedTuple

from schedframe._errors import Problem
from schedframe._plan.plan import CURRENT, Parent
from schedframe._units import batches as _batches
from schedframe._units.lengths import OPEN
from schedframe.styles._base import LRPoint, LRStyle, Style, WDPoint, WDStyle
from schedframe.styles._installed import source_of

Values = Mapping[str, Any]


class Fault(NamedTuple):
    """What is wrong, and with which option of the style in the key; empty for the key as a whole."""

    option: str
    message: str


@dataclass(frozen=True)
class Condition:
    """One condition.

    Attributes:
        key: the key that is blamed.
        needs: the keys that the condition reads.
        check: returns what is wrong, if anything; its arguments are the values of `needs`, then of `also`.
        also: keys that the condition reads even where they are not given, as ``None``.
        refused_by_megatron: Megatron asserts it, or cannot run with it.
        option: the option of the style in `key` that is blamed; empty for the key as a whole.
    """

    key: str
    needs: tuple[str, ...]
    check: Callable[..., str | Fault | None]
    also: tuple[str, ...] = ()
    refused_by_megatron: bool = True
    option: str = ""

    def fault(self, values: Values) -> Fault | None:
        """Return what is wrong with `values`; ``None`` if the condition holds, or a key that it needs is not known."""
        needed = [values.get(name) for name in self.needs]
        if None in needed or CURRENT in needed or not values.keys() >= {*self.also}:
            return None
        found = self.check(*needed, *(values[name] for name in self.also))
        if isinstance(found, Fault):
            return found
        return Fault(self.option, found) if found else None


def _if(broken: bool, text: str) -> str:
    return text if broken else ""


def _not_negative(value: float) -> str:
    return _if(value < 0, "must not be negative")


def _positive(value: float) -> str:
    return _if(value <= 0, "must be above 0")


def _not_above_max_lr(value: float, max_lr: float) -> str:
    return _if(value > max_lr, f"must not be above max_lr ({max_lr})")


def _warmup_is_finite(warmup_steps: float, max_lr: float) -> str:
    return _if(abs(max_lr) * warmup_steps == inf, f"times max_lr ({max_lr}) is too large for a float")


def _seam_is_inside(parent: Parent, start_step: float) -> str:
    return _if(parent.step < start_step, f"must not be below start_step ({start_step})")


def _faults_of_lr_style(style: LRStyle, warmup_steps: float, decay_steps: float) -> Fault | None:
    return next((Fault(*fault) for fault in style.faults(warmup_steps, decay_steps)), None)


def _faults_of_wd_style(style: WDStyle, start_wd: float, end_wd: float) -> Fault | None:
    return next((Fault(*fault) for fault in style.faults(start_wd, end_wd)), None)


def _needs_no_end(style: LRStyle, warmup_steps: float, decay_steps: float, max_lr: float, min_lr: float) -> str:
    """Where the end is open, the learning rate may not depend on it."""
    if decay_steps != OPEN:
        return ""
    first = max(warmup_steps, 0)
    marks = style.landmarks(warmup_steps, OPEN // 2).values()
    return _if(
        any(
            style.lr(LRPoint(step, warmup_steps, OPEN, max_lr, min_lr))
            != style.lr(LRPoint(step, warmup_steps, OPEN // 2, max_lr, min_lr))
            for step in within(first, marks, OPEN // 2)
        ),
        "needs to know where it ends, and lr_decay_steps is open; give that a length, or name a style that goes on "
        "for ever, such as constant, or phases whose last one does, and branch from it",
    )


def _wd_needs_no_end(style: WDStyle, incr_steps: float, start_wd: float, end_wd: float, max_lr: float) -> str:
    if incr_steps != OPEN:
        return ""
    marks = style.landmarks(OPEN // 2).values()
    return _if(
        any(
            style.wd(WDPoint(step, OPEN, start_wd, end_wd, max_lr, max_lr))
            != style.wd(WDPoint(step, OPEN // 2, start_wd, end_wd, max_lr, max_lr))
            for step in within(0, marks, OPEN // 2)
        ),
        "needs to know where it ends, and the schedule is open; give wd_incr_steps a length",
    )


def _horizon_for_wd(style: WDStyle, incr_steps: float) -> str:
    return _if(not style.is_constant and incr_steps <= 0, "wd_incr_steps must be above 0")


def _one_run(told: float, *others: float | None) -> str:
    return _if(any(other is not None for other in others), "is a second length of the run; leave one of the two out")


def _sizes_to_decrease(
    decrease: bool, global_batch_size: int | None, micro_batch_size: int | None, data_parallel_size: int | None
) -> str:
    if not decrease:
        return ""
    if micro_batch_size is None or data_parallel_size is None:
        return "needs micro_batch_size and data_parallel_size"
    return _refusal(_batches.constant, global_batch_size or 1 << 62, micro_batch_size * data_parallel_size)


def _ramp(
    ramp: tuple[int, int, int], size: int | None, decrease: bool, micro: int | None, data_parallel: int | None
) -> str:
    if size is None:
        return "needs global_batch_size, at which the ramp ends"
    divisor = micro * data_parallel if decrease and micro and data_parallel else 1
    return _refusal(_batches.ramped, *ramp, size, divisor)


def _step_schedule(schedule: str, seq_length: int | None, size: int | None, ramp: object, decrease: bool) -> str:
    for key, said in (("global_batch_size", size), ("rampup_batch_size", ramp)):
        if said is not None:
            return f"says the batch sizes, and so does {key}; leave one of the two out"
    if decrease:
        return "cannot stand beside decrease_batch_size_if_needed, as in Megatron"
    if seq_length is None:
        return "needs seq_length, because its thresholds are tokens"
    return _refusal(_batches.stepped, schedule, seq_length)


def _refusal(make: Callable[..., object], *arguments: Any) -> str:
    """What `make` says against its `arguments`."""
    try:
        make(*arguments)
    except ValueError as error:
        return str(error)
    return ""


def lr_fault(style: LRStyle, decay_steps: float, warmup_steps: float, max_lr: float, min_lr: float) -> str:
    """Evaluate `style` over the run and past its end; say where it has no finite value of at least 0."""
    first = max(warmup_steps, 0)
    return _first_fault(
        style,
        lambda: _sampled(first, style.landmarks(warmup_steps, decay_steps).values(), decay_steps),
        lambda step: style.lr(LRPoint(max(step, first), warmup_steps, decay_steps, max_lr, min_lr)),
    )


def wd_fault(style: WDStyle, incr_steps: float, start_wd: float, end_wd: float, max_lr: float) -> str:
    """Evaluate `style` over the run and past its end; say where it has no finite value of at least 0."""
    if incr_steps <= 0:
        return ""
    return _first_fault(
        style,
        lambda: _sampled(0, style.landmarks(incr_steps).values(), incr_steps),
        lambda step: style.wd(WDPoint(step, incr_steps, start_wd, end_wd, max_lr, max_lr)),
    )


def _sampled(first: float, landmarks: Iterable[float], last: float) -> list[float]:
    """Steps of every stretch between two landmarks, and past the end."""
    return [*within(first, landmarks, last), last + 1, last + 10 * (last - first)]


def within(first: float, landmarks: Iterable[float], last: float) -> list[float]:
    """Steps of every stretch between two landmarks."""
    marks = sorted({first, last, *(mark for mark in landmarks if first < mark < last)})
    inside = [start + (stop - start) * part / 16 for start, stop in pairwise(marks) for part in range(16)]
    return [*inside, last]


def _first_fault(style: Style, steps: Callable[[], list[float]], value_at: Callable[[float], float]) -> str:
    try:
        for step in steps():
            value = value_at(step)
            if not 0 <= value < inf:
                return f"{style!r} from {source_of(style)} gives {value} at step {step:g}"
    except ValueError as error:
        source = source_of(style)
        return f"{error}" if source.distribution == "schedframe" else f"{error}, says {source}"
    except Exception as error:
        return f"{style!r} from {source_of(style)} fails when it is evaluated: {type(error).__name__}: {error}"
    return ""


CONDITIONS = (
    Condition(
        "decrease_batch_size_if_needed",
        ("decrease_batch_size_if_needed",),
        _sizes_to_decrease,
        also=("global_batch_size", "micro_batch_size", "data_parallel_size"),
    ),
    Condition(
        "rampup_batch_size",
        ("rampup_batch_size",),
        _ramp,
        also=("global_batch_size", "decrease_batch_size_if_needed", "micro_batch_size", "data_parallel_size"),
    ),
    Condition(
        "step_batch_size_schedule",
        ("step_batch_size_schedule",),
        _step_schedule,
        also=("seq_length", "global_batch_size", "rampup_batch_size", "decrease_batch_size_if_needed"),
    ),
    Condition("train_iters", ("train_iters",), _one_run, also=("train_samples",)),
    Condition("train_tokens", ("train_tokens",), _one_run, also=("train_samples", "train_iters")),
    Condition("start_step", ("start_step",), _not_negative),
    Condition("lr_decay_steps", ("lr_decay_steps",), _positive),
    Condition("max_lr", ("max_lr",), _positive, refused_by_megatron=False),
    Condition("min_lr", ("min_lr",), _not_negative),
    Condition("min_lr", ("min_lr", "max_lr"), _not_above_max_lr),
    Condition("init_lr", ("init_lr",), _not_negative, refused_by_megatron=False),
    Condition(
        "init_lr", ("init_lr", "max_lr"), lambda low, high: _if(low > high, f"must not be above max_lr ({high})")
    ),
    Condition("lr_warmup_steps", ("lr_warmup_steps",), _not_negative, refused_by_megatron=False),
    Condition("lr_warmup_steps", ("lr_warmup_steps", "max_lr"), _warmup_is_finite),
    Condition(
        "lr_warmup_steps",
        ("lr_warmup_steps", "lr_decay_steps"),
        lambda warmup, decay: _if(warmup >= decay, f"must be below lr_decay_steps ({decay})"),
    ),
    Condition(
        "lr_decay_style",
        ("lr_decay_style", "lr_warmup_steps", "lr_decay_steps"),
        _faults_of_lr_style,
        refused_by_megatron=False,
    ),
    Condition(
        "lr_decay_style",
        ("lr_decay_style", "lr_decay_steps", "lr_warmup_steps", "max_lr", "min_lr"),
        lr_fault,
    ),
    Condition(
        "lr_decay_style",
        ("lr_decay_style", "lr_warmup_steps", "lr_decay_steps", "max_lr", "min_lr"),
        _needs_no_end,
        refused_by_megatron=False,
    ),
    Condition("start_wd", ("start_wd",), _not_negative),
    Condition("end_wd", ("end_wd",), _not_negative),
    Condition("wd_incr_style", ("wd_incr_style", "wd_incr_steps"), _horizon_for_wd),
    Condition("wd_incr_style", ("wd_incr_style", "start_wd", "end_wd"), _faults_of_wd_style),
    Condition("wd_incr_style", ("wd_incr_style", "wd_incr_steps", "start_wd", "end_wd", "max_lr"), wd_fault),
    Condition(
        "wd_incr_style",
        ("wd_incr_style", "wd_incr_steps", "start_wd", "end_wd", "max_lr"),
        _wd_needs_no_end,
        refused_by_megatron=False,
    ),
    Condition("parent", ("parent", "start_step"), _seam_is_inside, option="step"),
)
"""Every condition, each after those it builds on."""

CONDITIONS_OF_GROUPS = tuple(
    Condition("max_lr", ("max_lr",), _not_negative)
    if condition.check is _positive and condition.key == "max_lr"
    else condition
    for condition in CONDITIONS
)
"""The conditions for the schedule of some param groups, which a peak of 0 freezes."""


def by_key(conditions: Iterable[Condition]) -> dict[str, tuple[Condition, ...]]:
    """Return `conditions` by the key that is blamed."""
    found: dict[str, tuple[Condition, ...]] = {}
    for condition in conditions:
        found[condition.key] = (*found.get(condition.key, ()), condition)
    return found


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
