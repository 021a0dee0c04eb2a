"""The style of a branch: the learning rate stays, then it cools down."""

from collections.abc import Mapping
from decimal import Context, Decimal
from math import inf, isclose, nextafter
from typing import Any

from schedframe._plan.evaluate import finite_values
from schedframe._plan.plan import Plan
from schedframe._schedule.written import plain
from schedframe._tools.continuation.branch_point import BranchPoint
from schedframe.styles._base import Cooldown, LRCurve
from schedframe.styles._byname import by_lr_style
from schedframe.styles._flat_wsd import table_of
from schedframe.styles.lr import Exponential

_DIGITS = Context(prec=20)


def own_cooldown(parent: BranchPoint, plan: Plan) -> Cooldown | None:
    """Return the cooldown that the style of `plan`, the parent's or a role's, has after the branch point."""
    return plan.lr_style.cooldown(plan.read_at(parent.own_step), plan.decay_begin, plan.lr_decay_steps)


def style_of_branch(
    parent: BranchPoint, stable: float, length: float, curve: str | Mapping[str, Any] | None, *, to_min_lr: bool
) -> Any:
    """Return the table of a style that stays for `stable` steps, then cools down over `length` steps.

    Curve and end are those of the parent's own cooldown by default. The style is ``WSD`` where that is possible, else
    ``phases``.

    Args:
        parent: the parent.
        stable: how long the learning rate stays, in steps.
        length: length of the cooldown, in steps.
        curve: of the cooldown, by name or as a table.
        to_min_lr: it ends at ``min_lr``, whatever the parent's.
    """
    plan = parent.plan
    own = own_cooldown(parent, plan) or Cooldown(Exponential())
    to = None if to_min_lr else own.to
    if to is None and _is_at_max_lr(parent, plan) and (curve is not None or isinstance(own.style, LRCurve)):
        return table_of(length, plain(own.style if curve is None else curve))
    cooldown = Cooldown(own.style, to, own.name)
    return _phases(stable, length, cooldown, plain(own.style if curve is None else curve), _begins(parent))


def style_of_role(parent: BranchPoint, role: Plan, stable: float, length: float) -> Any:
    """Return the style of a rule's own cooldown in a branch: as that of the branch, from where the role is."""
    own = own_cooldown(parent, role)
    if own is None:
        return role.lr_style
    begins = {} if _is_at_max_lr(parent, role) else {"from": _share(parent, role), "jump": True}
    if own.to is None and not begins and isinstance(own.style, LRCurve):
        return by_lr_style.resolve(table_of(length, own.style))
    return by_lr_style.resolve(_phases(stable, length, own, plain(own.style), begins))


def max_lr_of_branch(parent: BranchPoint, style: Mapping[str, Any], min_lr: float) -> float:
    """Return the ``max_lr`` with which the `style` of a branch starts at exactly the parent's learning rate."""
    lr, max_lr = parent.lr, parent.plan.max_lr
    if not _is_at_max_lr(parent, parent.plan):
        return max_lr
    if style["style"] != "WSD":
        return lr
    near = (max_lr, lr, nextafter(lr, inf), nextafter(lr, -inf))
    return next((near_lr for near_lr in near if min_lr + 1.0 * (near_lr - min_lr) == lr), lr)


def _phases(stable: float, length: float, own: Cooldown, curve: Any, begins: Mapping[str, Any]) -> dict[str, Any]:
    cooldown = {"style": curve, "length": length, "to": own.to, "name": own.name or "cooldown"}
    phases = [{"style": "constant", "length": stable, "name": "stable"}, cooldown] if stable else [cooldown]
    phases[0] = {**phases[0], **begins}
    return {"style": "phases", "phases": [_without_none(phase) for phase in phases]}


def _without_none(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if value is not None}


def _begins(parent: BranchPoint) -> dict[str, Any]:
    """Return where the first phase begins: a percentage of max LR if it holds for every role, else a number."""
    plan = parent.plan
    if _is_at_max_lr(parent, plan):
        return {}
    alike = [role for role in plan.roles().values() if role.lr_style == plan.lr_style and role.max_lr]
    shares = [_lr(parent, role) / role.max_lr for role in alike]
    is_share = all(isclose(share, shares[0], rel_tol=1e-12) for share in shares)
    return {"from": _share(parent, plan) if is_share else parent.lr, "jump": True}


def _is_at_max_lr(parent: BranchPoint, plan: Plan) -> bool:
    return isclose(_lr(parent, plan), plan.max_lr, rel_tol=1e-12)


def _share(parent: BranchPoint, plan: Plan) -> str:
    lr, max_lr = Decimal(repr(float(_lr(parent, plan)))), Decimal(repr(float(plan.max_lr)))
    return f"{_DIGITS.divide(100 * lr, max_lr).normalize():f}%"


def _lr(parent: BranchPoint, plan: Plan) -> float:
    return finite_values(plan, parent.step)[0]
