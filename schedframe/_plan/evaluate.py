"""Evaluates a plan at a step: warmup, styles, param-group bounds. Pure, without state.

The order of operations is Megatron's (``megatron/core/optimizer_param_scheduler.py`` at core_v0.16.1), so that
results are bit-for-bit identical. A group's value of ``None`` is the same as no value. A `step` here is the plan's
own, counted from its ``start_step``.
"""

import sys
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from math import inf, isfinite
from operator import le
from typing import Any

from schedframe._errors import FAILURES, PluginError, SchedframeError, StateError, written
from schedframe._plan.plan import Plan
from schedframe._units.numbers import LARGEST, plain, plain_size
from schedframe.styles._base import LRPoint, Style, WDPoint

Group = Mapping[str, Any]

BOUNDS = ("max_lr", "min_lr", "start_wd", "end_wd", "wd_mult")
"""What a param group may have of its own; each is a finite number of at least 0."""

ROUNDING = 1e-15
"""How far above 1, or below 0, a result in floating point may lie: a few units in the last place."""


def lr_at(plan: Plan, step: float, group: Group) -> float:
    """Return the learning rate at `step` for one param group; the group's own bounds take precedence.

    Raises:
        PluginError: the style gives a value that is not finite, is negative, or lies above the max LR.
        StateError: a bound of the group is not a finite number of at least 0.
    """
    max_lr, min_lr = _bound(group, "max_lr", plan.max_lr), _bound(group, "min_lr", plan.min_lr)
    style = plan.lr_style
    if plan.is_read_elsewhere:
        step = plan.read_at(step)
    if plan.lr_warmup_steps > 0 and step <= plan.warmup_end:
        init_lr, done, total = _warmup(plan, step)
        return _number(init_lr + ((max_lr - init_lr) * done / total), style, step)
    if plan.is_all_warmup:
        return float(max_lr if style.style == "constant" else min_lr)
    lr = _number(style.lr(LRPoint(step, plan.decay_begin, plan.lr_decay_steps, max_lr, min_lr)), style, step)
    if fault := outside(lr, max(max_lr, min_lr)):
        raise _refusal(lr, style, step, fault)
    return lr


def lrs_at(plan: Plan, steps: Sequence[float]) -> list[float]:
    """Return `lr_at` of each of `steps` for groups without bounds of their own.

    Where the style is a shape and `steps` rise, its coefficient is all that is evaluated step by step.
    """
    coefficient_at = plan.lr_coefficient_at
    if coefficient_at is None or plan.is_read_elsewhere or not all(map(le, steps, islice(steps, 1, None))):
        return [lr_at(plan, step, {}) for step in steps]
    begin = bisect_right(steps, plan.warmup_end) if plan.lr_warmup_steps > 0 else 0
    end = bisect_right(steps, plan.lr_decay_steps, begin)
    coefficients = list(map(coefficient_at, steps[begin:end]))
    if not _are_parts(coefficients):
        return [lr_at(plan, step, {}) for step in steps]
    min_lr, height = plan.min_lr, plan.max_lr - plan.min_lr
    values = [lr_at(plan, step, {}) for step in steps[:begin]]
    values += [min_lr + coefficient * height for coefficient in coefficients]
    return values + [lr_at(plan, step, {}) for step in steps[end : end + 1]] * (len(steps) - end)


def _are_parts(coefficients: list[float]) -> bool:
    """Return whether all are floats from 0 to 1; the sum finds NaN, which no comparison does."""
    if not coefficients:
        return True
    are_floats = set(map(type, coefficients)) == {float}
    return are_floats and min(coefficients) >= 0.0 and max(coefficients) <= 1.0 and isfinite(sum(coefficients))


def wd_at(plan: Plan, step: float, group: Group) -> float | None:
    """Return the weight decay at `step` for one param group, before its ``wd_mult``.

    ``None`` where the plan does not schedule weight decay.

    Raises:
        PluginError: a style gives a value that is not finite, or is negative.
        StateError: a bound of the group is not a finite number of at least 0.
    """
    return lr_and_wd_at(plan, step, group)[1]


def lr_and_wd_at(plan: Plan, step: float, group: Group) -> tuple[float, float | None]:
    """Return `lr_at` and `wd_at`, with the learning rate evaluated once."""
    lr = lr_at(plan, step, group)
    return lr, _wd_of(plan, plan.read_at(step) if plan.is_read_elsewhere else step, group, lr)


def curves_at(plan: Plan, step: float) -> tuple[float, float | None]:
    """Return `lr_and_wd_at` for groups without bounds of their own.

    Raises:
        PluginError: a style fails, whatever it raises.
        StateError: `init_lr` is ``current``.
    """
    try:
        return lr_and_wd_at(plan, step, {})
    except SchedframeError:
        raise
    except FAILURES as error:
        raise PluginError(f"the schedule fails at step {step}: {type(error).__name__}: {error}") from error


def _wd_of(plan: Plan, step: float, group: Group, lr: float) -> float | None:
    if plan.start_wd is None or plan.end_wd is None:
        return None
    start_wd, end_wd = _bound(group, "start_wd", plan.start_wd), _bound(group, "end_wd", plan.end_wd)
    max_lr, style = _bound(group, "max_lr", plan.max_lr), plan.wd_style
    point = WDPoint(step, plan.wd_incr_steps, start_wd, end_wd, lr, max_lr, plan.lr_warmup_steps)
    wd = _number(style.wd(point), style, step)
    if wd < -ROUNDING * max(start_wd, end_wd):
        raise _refusal(wd, style, step, ", which is negative")
    return wd


def outside(lr: float, highest: float) -> str:
    """Return how the learning rate `lr` lies outside 0 to `highest` by more than rounding; empty where it does not."""
    if lr < -ROUNDING * highest:
        return ", which is negative"
    return f", which is above the max LR, {highest}" if lr > highest * (1.0 + 2.0 * ROUNDING) else ""


def values_by_role(plan: Plan, num_steps: float) -> dict[str, tuple[float, float | None]]:
    """Return `finite_values` of each role."""
    return {role: finite_values(role_plan, num_steps) for role, role_plan in plan.roles().items()}


def finite_values(plan: Plan, num_steps: float) -> tuple[float, float | None]:
    """Return learning rate and weight decay at the scheduler's count `num_steps`, between the plan's own bounds.

    Raises:
        StateError: one of them cannot be evaluated, or is not a finite number.
    """
    step = num_steps - plan.start_step
    try:
        lr, wd = lr_and_wd_at(plan, step, {})
    except StateError:
        raise
    except FAILURES as error:
        raise StateError(f"the schedule fails at step {num_steps}: {type(error).__name__}: {error}") from error
    if not isfinite(lr) or not isfinite(wd or 0.0):
        raise StateError(f"the schedule has learning rate {lr} and weight decay {wd} at step {num_steps}")
    return lr, wd


Value = tuple[dict[str, Any], float, float | None]
"""A param group, and the learning rate and weight decay to write into it; ``None`` leaves its weight decay."""


def values_at(plan: Plan, step: float, groups: list[dict[str, Any]]) -> list[Value]:
    """Return what `write` writes into `groups` at `step`; nothing is changed.

    Equal to `lr_at`, and to `wd_at` times the group's ``wd_mult``. The coefficient of a shape is evaluated once,
    whatever the number of groups, and a group with the bounds of the one before has its values. The loop over the
    groups is written out, because a call for each group would cost more than its arithmetic.

    Raises:
        PluginError: a style gives a value that is not finite, is negative, or lies above the max LR.
        StateError: a group's own bound is not a finite number of at least 0.
    """
    lr_c = init_lr = total = 0.0
    position = step
    if plan.is_read_elsewhere:
        step = plan.read_at(step)
    lr_coefficient_at = plan.lr_coefficient_at
    if plan.lr_warmup_steps > 0 and step <= plan.warmup_end:
        init_lr, done, total = _warmup(plan, step)
    elif lr_coefficient_at is None:
        return _values_by_bounds(plan, position, groups)
    elif step <= plan.lr_decay_steps:
        lr_c = lr_coefficient_at(step)
        if lr_c.__class__ is not float or not 0.0 <= lr_c <= 1.0:
            return _values_by_bounds(plan, position, groups)
    min_lr, max_lr = plan.min_lr, plan.max_lr
    lr = init_lr + ((max_lr - init_lr) * done / total) if total else min_lr + lr_c * (max_lr - min_lr)
    start_wd: Any = plan.start_wd
    end_wd: Any = plan.end_wd
    wd = wd_c = None
    if start_wd is not None:
        incr_steps, wd_coefficient_at = plan.wd_incr_steps, plan.wd_coefficient_at
        if wd_coefficient_at is None:
            return _values_by_bounds(plan, position, groups)
        if step <= incr_steps:
            curve = plan.wd_curve
            wd_c = wd_coefficient_at(step, incr_steps) if curve is None else curve(float(step) / float(incr_steps))
        wd = (end_wd if wd_c is None else start_wd + wd_c * (end_wd - start_wd)) * 1.0
        if wd.__class__ is not float or not 0.0 <= wd < inf:
            return _values_by_bounds(plan, position, groups)
    values: list[Value] = []
    low_before, high_before = min_lr, max_lr
    first_before, last_before = start_wd, end_wd
    wd_mult_before = 1.0
    try:
        for group in groups:
            low = group.get("min_lr", min_lr)
            high = group.get("max_lr", max_lr)
            if low is not low_before or high is not high_before:
                low_before, high_before = low, high
                lr = init_lr + ((high - init_lr) * done / total) if total else low + lr_c * (high - low)
                if lr.__class__ is not float or not (0.0 <= low <= LARGEST and 0.0 <= high <= LARGEST):
                    return _values_by_bounds(plan, position, groups)
            if wd is not None:
                first = group.get("start_wd", start_wd)
                last = group.get("end_wd", end_wd)
                wd_mult = group.get("wd_mult", 1.0)
                if wd_mult != wd_mult_before or last is not last_before or first is not first_before:
                    first_before, last_before = first, last
                    wd_mult_before = wd_mult
                    wd = (last if wd_c is None else first + wd_c * (last - first)) * wd_mult
                    if wd.__class__ is not float or not (0.0 <= wd < inf and 0.0 <= first <= LARGEST):
                        return _values_by_bounds(plan, position, groups)
                    if not (last >= 0.0 and wd_mult >= 0.0):
                        return _values_by_bounds(plan, position, groups)
            values.append((group, lr, wd))
    except Exception:  # a bound that is None, or of another type than a number
        return _values_by_bounds(plan, position, groups)
    return values


def write(values: Iterable[Value]) -> None:
    """Write ``lr`` and ``weight_decay`` into every group, empty ones too; tensors are filled in place."""
    for group, lr, wd in values:
        write_value(group, "lr", lr)
        if wd is not None:
            write_value(group, "weight_decay", wd)


def _values_by_bounds(plan: Plan, step: float, groups: list[dict[str, Any]]) -> list[Value]:
    """Evaluate the styles once for each set of bounds: they are pure."""
    known: dict[tuple[float | None, ...], tuple[float, float | None]] = {}
    values: list[Value] = []
    before: tuple[Any, ...] = ()
    lr, wd = 0.0, None
    for group in groups:
        get = group.get
        held = (get("max_lr"), get("min_lr"), get("start_wd"), get("end_wd"), get("wd_mult"))
        if not _equal(held, before):
            bounds = tuple(own_bound(group, key) for key in BOUNDS)
            if bounds not in known:
                known[bounds] = _values_of(plan, step, dict(zip(BOUNDS, bounds, strict=True)))
            (lr, wd), before = known[bounds], held
        values.append((group, lr, wd))
    return values


def _equal(held: tuple[Any, ...], before: tuple[Any, ...]) -> bool:
    try:
        return held == before
    except Exception:  # as of arrays
        return False


def _values_of(plan: Plan, step: float, group: Group) -> tuple[float, float | None]:
    lr, wd = lr_and_wd_at(plan, step, group)
    return float(lr), None if wd is None else _number(wd * _bound(group, "wd_mult", 1.0), plan.wd_style, step)


def write_value(group: dict[str, Any], key: str, value: float) -> None:
    """Write `value`; a tensor is filled in place."""
    fill_in_place = getattr(group.get(key), "fill_", None)
    if fill_in_place is None:
        group[key] = value
    else:
        fill_in_place(value)


def _warmup(plan: Plan, step: float) -> tuple[float, float, float]:
    """Return where the warmup begins, and how much of it is done, of how much."""
    if isinstance(plan.init_lr, str):
        raise StateError(
            "init_lr is `current`, the learning rate that the checkpoint has where this schedule starts, and no "
            "checkpoint is loaded yet; load one, or give init_lr a number"
        )
    if plan.lr_warmup_style.is_megatrons:
        return plan.init_lr, float(step), float(plan.lr_warmup_steps)
    return plan.init_lr, plan.lr_warmup_style.share(step, plan.lr_warmup_steps), 1.0


def own_bound(group: Group, key: str) -> float | None:
    """Return the group's own value of `key`, one of `BOUNDS`; ``None`` where it has none.

    Raises:
        StateError: it is not a finite number of at least 0.
    """
    value = group.get(key)
    if value is None or (value.__class__ is float and 0.0 <= value < inf):
        return value
    try:
        return plain_size(value, sys.float_info.max)
    except ValueError as error:
        raise StateError(f"a param group has {key} = {written(value)}, which {error}") from None


def _bound(group: Group, key: str, default: float) -> float:
    value = own_bound(group, key) if group else None
    return default if value is None else value


def _number(value: Any, style: Style, step: float) -> float:
    """Return what `style` gives as a plain number."""
    if value.__class__ is float and value - value == 0.0:
        return value
    try:
        return float(plain(value))
    except ValueError as error:
        raise _refusal(written(value), style, step) from error


def _refusal(value: object, style: Style, step: float, fault: str = "") -> PluginError:
    return PluginError(f"style {style!r} gives {value} at step {step}{fault}; no param group was changed")
