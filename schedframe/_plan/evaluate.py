"""Evaluates a plan at a step: warmup, styles, param-group bounds. Pure, without state.

The order of operations is Megatron's (``megatron/core/optimizer_param_scheduler.py`` at core_v0.16.1), so that
results are bit-for-bit identical. A group's value of ``None`` is the same as no value. A `step` here is the plan's
own, counted from its ``start_step``.
"""

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any, Literal

from schedframe._errors import FAILURES, PluginError, StateError
from schedframe._plan.plan import Plan
from schedframe.styles._base import LRPoint, Style, WDPoint

Group = Mapping[str, Any]


def lr_at(plan: Plan, step: float, group: Group) -> float:
    """Return the learning rate at `step` for one param group, whose own bounds win."""
    max_lr = _bound(group, "max_lr", plan.max_lr)
    warmup_steps = plan.lr_warmup_steps
    if warmup_steps > 0 and step <= warmup_steps:
        init_lr, warmup = _known(plan.init_lr), plan.lr_warmup_style
        if warmup.is_megatrons:
            return init_lr + ((max_lr - init_lr) * float(step) / float(warmup_steps))
        return init_lr + (max_lr - init_lr) * warmup.share(step, warmup_steps)
    point = LRPoint(step, warmup_steps, plan.lr_decay_steps, max_lr, _bound(group, "min_lr", plan.min_lr))
    return _finite(plan.lr_style.lr(point), plan.lr_style, step)


def wd_at(plan: Plan, step: float, group: Group) -> float | None:
    """Return the weight decay at `step` for one param group, before its ``wd_mult``.

    ``None`` where the plan does not schedule weight decay.
    """
    if plan.start_wd is None or plan.end_wd is None:
        return None
    start_wd, end_wd = _bound(group, "start_wd", plan.start_wd), _bound(group, "end_wd", plan.end_wd)
    max_lr = _bound(group, "max_lr", plan.max_lr)
    lr = lr_at(plan, step, group)
    point = WDPoint(step, plan.wd_incr_steps, start_wd, end_wd, lr, max_lr, plan.lr_warmup_steps)
    return _finite(plan.wd_style.wd(point), plan.wd_style, step)


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
        lr, wd = lr_at(plan, step, {}), wd_at(plan, step, {})
    except StateError:
        raise
    except FAILURES as error:
        raise StateError(f"the schedule fails at step {num_steps}: {type(error).__name__}: {error}") from error
    if not isfinite(lr) or not isfinite(wd or 0.0):
        raise StateError(f"the schedule has learning rate {lr} and weight decay {wd} at step {num_steps}")
    return lr, wd


Values = tuple[float | list[float], float | list[float] | None]
"""Learning rate and weight decay at a step: a coefficient for all groups, or a list with the value of each group.

A weight decay of ``None`` stands for ``end_wd``, or for weight decay that is not scheduled.
"""


def write_each(plans: Iterable[tuple[Plan, list[dict[str, Any]]]], step: float) -> None:
    """Write ``lr`` and ``weight_decay`` of the groups of several plans, once every style has been evaluated."""
    evaluated = [(plan, groups, values_at(plan, step, groups)) for plan, groups in plans]
    for plan, groups, values in evaluated:
        write(plan, groups, values)


def values_at(plan: Plan, step: float, groups: list[dict[str, Any]]) -> Values:
    """Return what `write` writes into `groups` at `step`.

    The coefficient of a shape is evaluated once, whatever the number of groups.

    Raises:
        PluginError: a style returns NaN or infinity.
    """
    lr: float | list[float] = 0.0
    wd: float | list[float] | None = None
    warmup_steps, decay_steps, lr_coefficient_at = plan.lr_warmup_steps, plan.lr_decay_steps, plan.lr_coefficient_at
    if warmup_steps > 0 and step <= warmup_steps:
        lr = _warmup_lrs(plan, step, groups)
    elif lr_coefficient_at is None:
        lr = _lrs_by_bounds(plan, step, groups)
    elif step <= decay_steps:
        curve = plan.lr_curve
        if curve is None:
            lr = lr_coefficient_at(step, warmup_steps, decay_steps)
        else:
            lr = curve(float(step - warmup_steps) / float(decay_steps - warmup_steps))
        if lr - lr != 0.0:
            _finite(lr, plan.lr_style, step)
    if plan.start_wd is not None:
        incr_steps, wd_coefficient_at = plan.wd_incr_steps, plan.wd_coefficient_at
        if wd_coefficient_at is None:
            wd = _wds_by_bounds(plan, step, groups)
        elif step <= incr_steps:
            curve = plan.wd_curve
            wd = wd_coefficient_at(step, incr_steps) if curve is None else curve(float(step) / float(incr_steps))
            if wd - wd != 0.0:
                _finite(wd, plan.wd_style, step)
    return lr, wd


def write(plan: Plan, groups: list[dict[str, Any]], values: Values) -> None:
    """Write ``lr`` and ``weight_decay`` of every group, empty ones too; tensors are filled in place.

    Equal to `lr_at`, and to `wd_at` times the group's ``wd_mult``. The loops over the groups are written out, because
    a call for each group would cost more than its arithmetic.
    """
    lr_c, wd_c = values
    if lr_c.__class__ is list:
        _write_values(groups, "lr", lr_c)
    else:
        max_lr, min_lr = plan.max_lr, plan.min_lr
        for group in groups:
            low = group.get("min_lr", min_lr)
            if low is None:
                low = min_lr
            high = group.get("max_lr", max_lr)
            if high is None:
                high = max_lr
            lr = low + lr_c * (high - low)
            if type(group.get("lr")) is float:
                group["lr"] = lr
            else:
                _write_value(group, "lr", lr)
    if wd_c.__class__ is list:
        _write_values(groups, "weight_decay", wd_c)
        return
    start_wd = plan.start_wd
    if start_wd is not None:
        end_wd = plan.end_wd
        for group in groups:
            wd: Any = group.get("end_wd", end_wd)
            if wd is None:
                wd = end_wd
            if wd_c is not None:
                first = group.get("start_wd", start_wd)
                if first is None:
                    first = start_wd
                wd = first + wd_c * (wd - first)
            wd_mult = group.get("wd_mult", 1.0)
            if wd_mult is not None:
                wd = wd * wd_mult
            if type(group.get("weight_decay")) is float:
                group["weight_decay"] = wd
            else:
                _write_value(group, "weight_decay", wd)


def _warmup_lrs(plan: Plan, step: float, groups: list[dict[str, Any]]) -> list[float]:
    init_lr, max_lr, done, total = _known(plan.init_lr), plan.max_lr, float(step), float(plan.lr_warmup_steps)
    peaks = [max_lr if (peak := group.get("max_lr")) is None else peak for group in groups]
    if not plan.lr_warmup_style.is_megatrons:
        share = plan.lr_warmup_style.share(step, plan.lr_warmup_steps)
        return [init_lr + (peak - init_lr) * share for peak in peaks]
    return [init_lr + ((peak - init_lr) * done / total) for peak in peaks]


def _lrs_by_bounds(plan: Plan, step: float, groups: list[dict[str, Any]]) -> list[float]:
    """Evaluate the style once for each pair of bounds: it is pure."""
    known: dict[Any, float] = {}
    lrs = []
    for group in groups:
        bounds = (group.get("max_lr"), group.get("min_lr"))
        if bounds not in known:
            known[bounds] = lr_at(plan, step, group)
        lrs.append(known[bounds])
    return lrs


def _wds_by_bounds(plan: Plan, step: float, groups: list[dict[str, Any]]) -> list[float]:
    known: dict[Any, float] = {}
    wds = []
    for group in groups:
        bounds = (group.get("start_wd"), group.get("end_wd"), group.get("max_lr"), group.get("min_lr"))
        if bounds not in known:
            known[bounds] = wd_at(plan, step, group) or 0.0
        wds.append(known[bounds] * _bound(group, "wd_mult", 1.0))
    return wds


def _write_values(groups: list[dict[str, Any]], key: str, values: list[float]) -> None:
    for group, value in zip(groups, values):  # noqa: B905
        if type(group.get(key)) is float:
            group[key] = value
        else:
            _write_value(group, key, value)


def _write_value(group: dict[str, Any], key: str, value: float) -> None:
    fill_in_place = getattr(group.get(key), "fill_", None)
    if fill_in_place is None:
        group[key] = value
    else:
        fill_in_place(value)


def _known(init_lr: float | Literal["current"]) -> float:
    if isinstance(init_lr, str):
        raise StateError(
            "init_lr is `current`, the learning rate that the checkpoint has where this schedule starts, and no "
            "checkpoint is loaded yet; load one, or give init_lr a number"
        )
    return init_lr


def _bound(group: Group, key: str, default: float) -> float:
    value = group.get(key)
    return default if value is None else value


def _finite(value: float, style: Style, step: float) -> float:
    if not isfinite(value):
        raise PluginError(f"style {style!r} gives {value} at step {step}; no param group was changed")
    return value
