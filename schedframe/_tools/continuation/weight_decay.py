"""How weight decay continues after a branch point."""

from math import isclose
from typing import Any

from schedframe._plan.conditions import within
from schedframe._plan.plan import CURRENT
from schedframe._schedule.written import plain
from schedframe._tools.continuation.branch_point import BranchPoint
from schedframe._units.numbers import parse_number
from schedframe.styles._base import WDPoint, WDStyle
from schedframe.styles.wd import WDConstant, WDLinear


def weight_decay(parent: BranchPoint, end_wd: float | str | None) -> dict[str, Any]:
    """Return the keys with which weight decay continues from its value at the branch point.

    A style that only follows the learning rate stays as it is. What changes with the step goes to `end_wd` on a
    straight line, under the same coupling to the learning rate.

    Raises:
        ConfigError: the weight decay still changes, and `end_wd` is not given; or its style follows the learning rate
            and has no base that could be replaced.
    """
    plan, style = parent.plan, parent.plan.wd_style
    if parent.wd is None:
        return {}
    base, last = style.uncoupled, max(plan.wd_incr_steps, parent.own_step)
    marks = list(base.landmarks(plan.wd_incr_steps).values())
    behind = [_value(parent, base, step) for step in within(0, marks, parent.own_step)]
    ahead = [_value(parent, base, step) for step in (*within(parent.own_step, marks, last), 2 * last + 1)]
    now = ahead[0]
    if end_wd is None and any(value != now for value in ahead):
        raise parent.refusal(
            "wd_incr_style",
            f"weight decay still changes at step {parent.step}: it is {now} there and ends at {ahead[-1]}. Set its end "
            f"with end_wd (--end-wd): {ahead[-1]}, or `current` to hold it",
            style.style,
        )
    end = now if end_wd in (None, CURRENT) else parent.parsed("end_wd", end_wd, parse_number)
    if all(value == end for value in (*behind, *ahead)):
        return {"wd_incr_style": plain(style)}
    moved = _on_another_base(parent, WDConstant() if end == now else WDLinear(), now, end)
    return {"start_wd": now, "end_wd": end, "wd_incr_steps": None, "wd_incr_style": plain(moved)}


def _on_another_base(parent: BranchPoint, base: WDStyle, now: float, end: float) -> WDStyle:
    """Return the parent's style on `base`, or `base` alone where the style does not follow the learning rate there."""
    style, plan = parent.plan.wd_style, parent.plan
    if _value(parent, style.uncoupled, parent.own_step, 0.5) == _value(parent, style.uncoupled, parent.own_step):
        for candidate in (style.on(base), base):
            wd = candidate.wd(WDPoint(0, 1, now, end, parent.lr, plan.max_lr))
            if parent.wd is not None and isclose(wd, parent.wd, rel_tol=1e-12):
                return candidate
    raise parent.refusal(
        "wd_incr_style",
        f"follows the learning rate and has no base that could go from {now} to {end}; write the file by hand, with "
        f"start_step: {parent.step}",
        style.style,
    )


def _value(parent: BranchPoint, style: WDStyle, step: float, share: float = 1.0) -> float:
    """Return the weight decay of `style` at `step`, as the parent counts it, at a `share` of max LR."""
    plan = parent.plan
    step = plan.read_at(step)
    bounds = (plan.start_wd or 0.0, plan.end_wd or 0.0)
    return style.wd(WDPoint(step, plan.wd_incr_steps, *bounds, share * plan.max_lr, plan.max_lr, plan.lr_warmup_steps))
