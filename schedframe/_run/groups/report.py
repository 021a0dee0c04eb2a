"""The current values of a scheduler by role, for a logger."""

import re
from collections.abc import Iterable

from schedframe._plan.evaluate import lr_and_wd_at
from schedframe._plan.plan import Plan
from schedframe._plan.rule import DEFAULT, JOINT, GroupRule, merge, rules_named
from schedframe._units.lengths import OPEN, Scale
from schedframe._units.units import Units

Report = dict[str, dict[str, float | str | None]]


def report_of_roles(plan: Plan, step: float, roles: Iterable[str]) -> Report:
    """Return learning rate, weight decay, phase and progress at the plan's own `step`, by role; also of `roles`."""
    names = dict.fromkeys([DEFAULT, *(rule.role for rule in plan.groups), *roles])
    return {role: _row(plan, rules_named(plan.groups, role), step) for role in names}


def metrics_of_roles(plan: Plan, num_steps: float, roles: Iterable[str], units: Units, prefix: str) -> dict[str, float]:
    """Return the same as flat finite numbers at the scheduler's count `num_steps`, and where that lies on the run.

    Names have letters, digits, ``_``, ``-``, ``.`` and ``/`` alone, as every tracker takes them.
    """
    scale = Scale(units if units.clock == plan.clock else Units(plan.clock))
    metrics: dict[str, float] = {f"{prefix}step": num_steps}
    metrics |= {f"{prefix}{unit}": scale.in_unit(num_steps, unit) for unit in scale.units.known()}
    step = num_steps - plan.start_step
    for role, row in report_of_roles(plan, step, roles).items():
        index = phase_index_at(plan.under(rules_named(plan.groups, role)), step)
        name = _unused(f"{prefix}{_UNSAFE.sub('_', role.replace(JOINT, '.'))}", metrics)
        values = {f"{name}/{key}": value for key, value in {**row, "phase": index}.items()}
        metrics |= {key: value for key, value in values.items() if isinstance(value, int | float)}
    return metrics


_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")


def _unused(name: str, metrics: Iterable[str]) -> str:
    used = {metric.rpartition("/")[0] for metric in metrics}
    while name in used:
        name += "_"
    return name


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
    """Return ``warmup``, ``done``, or else the phase that the style has at the plan's own `step`."""
    step = plan.read_at(step)
    if plan.lr_warmup_steps > 0 and step <= plan.warmup_end:
        return "warmup"
    if step > plan.lr_decay_steps:
        return "done"
    return plan.lr_style.phase(step, plan.decay_begin, plan.lr_decay_steps)


def phase_index_at(plan: Plan, step: float) -> int:
    """Return the number of the phase at the plan's own `step`: 0 in the warmup, 1 in the first phase after it."""
    if plan.lr_warmup_steps > 0 and plan.read_at(step) <= plan.warmup_end:
        return 0
    jumps, (warmup_end, decay_end) = plan.jumps(), plan.ends()
    inside = [mark for mark in {*plan.landmarks().values()} if warmup_end < mark < decay_end]
    begun = sum(mark < step or mark == step in jumps for mark in inside)
    return 1 + begun + (step > decay_end)


def progress_at(plan: Plan, step: float) -> float | None:
    """Return how much of the decay lies behind the plan's own `step`, 0 to 1; ``None`` where its end is open."""
    if plan.lr_decay_steps == OPEN:
        return None
    done, span = plan.read_at(step) - plan.decay_begin, plan.lr_decay_steps - plan.decay_begin
    return min(max(done / span, 0.0), 1.0) if span > 0 else float(done > 0)
