"""The current values of a scheduler by role, for a logger."""

from collections.abc import Iterable

from schedframe._plan.evaluate import lr_and_wd_at
from schedframe._plan.plan import Plan
from schedframe._plan.rule import DEFAULT, GroupRule, merge, rules_named
from schedframe._units.lengths import OPEN

Report = dict[str, dict[str, float | str | None]]


def report_of_roles(plan: Plan, step: float, roles: Iterable[str]) -> Report:
    """Return learning rate, weight decay, phase and progress at the plan's own `step`, by role; also of `roles`."""
    names = dict.fromkeys([DEFAULT, *(rule.role for rule in plan.groups), *roles])
    return {role: _row(plan, rules_named(plan.groups, role), step) for role in names}


def _row(base: Plan, rules: list[GroupRule], step: float) -> dict[str, float | str | None]:
    plan, wd_mult = base.under(rules), merge(rules).get("wd_mult", 1.0)
    lr, wd = lr_and_wd_at(plan, step, {})
    return {
        "lr": lr,
        "wd": None if wd is None else wd * wd_mult,
        "phase": phase_at(plan, step),
        "progress": progress_at(plan, step),
    }


def phase_at(plan: Plan, step: float) -> str:
    """Return ``warm-up``, ``done``, or else the phase that the style has at the plan's own `step`."""
    if plan.lr_warmup_steps > 0 and step <= plan.lr_warmup_steps:
        return "warm-up"
    if step > plan.lr_decay_steps:
        return "done"
    return plan.lr_style.phase(step, plan.lr_warmup_steps, plan.lr_decay_steps)


def progress_at(plan: Plan, step: float) -> float | None:
    """Return how much of the decay lies behind the plan's own `step`, 0 to 1; ``None`` where its end is open."""
    if plan.lr_decay_steps == OPEN:
        return None
    span = plan.lr_decay_steps - plan.lr_warmup_steps
    return min(max((step - plan.lr_warmup_steps) / span, 0.0), 1.0)
