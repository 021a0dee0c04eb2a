"""The operations that continue a schedule: a cooldown that starts now, a later end, a new warmup."""

from collections.abc import Callable, Iterator, Mapping
from math import isclose
from typing import Any, Literal

from schedframe._errors import ConfigError, Problem
from schedframe._plan.evaluate import values_by_role
from schedframe._plan.plan import CURRENT, Plan, fingerprint
from schedframe._plan.rule import DEFAULT
from schedframe._schedule.schedule import Schedule
from schedframe._schedule.written import plain
from schedframe._tools.continuation import changes as keys
from schedframe._tools.continuation.branch_point import BranchPoint, Position
from schedframe._tools.continuation.continuation import Continuation
from schedframe._tools.continuation.cooldown import max_lr_of_branch, style_of_branch, style_of_role
from schedframe._tools.continuation.weight_decay import weight_decay
from schedframe._units.numbers import whole


def branch(
    schedule: Schedule,
    at: Position,
    *,
    wsd_decay_steps: float | str,
    lr_wsd_decay_style: str | Mapping[str, Any] | None = None,
    min_lr: float | str | None = None,
    stable_until: float | str | None = None,
    end_wd: float | str | None = None,
) -> Continuation:
    """Start a cooldown from a stable phase.

    Examples:
        >>> stable = Schedule(max_lr=1.0, lr_decay_steps="1M", lr_decay_style="constant")
        >>> cooldown = branch(stable, 1000, wsd_decay_steps=200, lr_wsd_decay_style="minus_sqrt")
        >>> [cooldown.schedule.lr_at(step) for step in (1000, 1050, 1200)]
        [1.0, 0.5, 0.0]

    Args:
        schedule: the parent.
        at: the step, or the checkpoint's scheduler state, from which to continue.
        wsd_decay_steps: length of the cooldown, in steps.
        lr_wsd_decay_style: its curve; by default that of the parent's own cooldown, which is its last phase, or the
            one of ``WSD``; else Megatron's, ``exponential``.
        min_lr: where it ends; by default where the parent's own cooldown ends, else the parent's ``min_lr``. A
            percentage is of the parent's ``max_lr``.
        stable_until: the scheduler's count up to which the learning rate stays; by default it falls at once.
        end_wd: where weight decay goes, linearly, until the end of the cooldown; ``current`` holds it. It must
            be given where the parent's weight decay still changes. Of a style that follows the learning rate, it is
            the base that goes there.

    Raises:
        ConfigError: `at` does not lie in a stable phase, or the new schedule cannot be used.
        StateError: the checkpoint is not of this schedule.
    """
    parent = BranchPoint(schedule, at)
    parent.refuse_unless_stable()
    length = parent.length("wsd_decay_steps", wsd_decay_steps, parent.step)
    stable = 0 if stable_until is None else parent.position("stable_until", stable_until) - parent.step
    if stable < 0:
        raise parent.refusal("stable_until", f"lies before step {parent.step}, where the branch starts", stable_until)
    lowest = parent.plan.min_lr if min_lr is None else parent.rate("min_lr", min_lr)
    curve = None if lr_wsd_decay_style is None else plain(lr_wsd_decay_style)
    style = style_of_branch(parent, stable, length, curve, to_min_lr=min_lr is not None)
    end = whole(stable + length)
    changes = {
        "start_step": parent.step,
        "max_lr": max_lr_of_branch(parent, style, lowest),
        "min_lr": lowest,
        "init_lr": 0.0,
        "lr_warmup_steps": 0,
        **keys.end(parent, end, parent.step),
        **keys.style(parent, style),
        **weight_decay(parent, end_wd),
    }

    def wanted(role: Plan) -> dict[str, Any]:
        warmup = 0 if parent.own_step >= role.lr_warmup_steps else role.lr_warmup_steps
        lr_style = style_of_role(parent, role, stable, length)
        return {**keys.timed(role), "lr_warmup_steps": warmup, "lr_decay_steps": end, "lr_style": lr_style}

    made = _continuation(parent, "branch", changes, wanted)
    remedy = f"Write the file by hand, with start_step: {parent.step}"
    _refuse_jump(parent, "lr_decay_style", "learning rate", (parent.lr, made.lr_after), remedy)
    _refuse_jump(parent, "wd_incr_style", "weight decay", (parent.wd, made.wd_after), remedy)
    last = made.schedule.lr_at(parent.step + end)
    if last >= parent.lr:
        fault = f"is where the cooldown ends, and the learning rate at step {parent.step} is {parent.lr}"
        raise parent.refusal("min_lr", fault, last)
    return made


def extend(schedule: Schedule, at: Position, *, lr_decay_steps: float | str, reshape: bool = False) -> Continuation:
    """Give a schedule a later end, without changing it up to `at`.

    The stable phase of ``WSD`` grows; its cooldown, the warmup and weight decay stay as they are. A style that
    would be another curve before `at`, as ``cosine`` and ``linear``, is refused.

    Examples:
        >>> short = Schedule(max_lr=1.0, lr_decay_steps=100, lr_decay_style={"style": "WSD", "wsd_decay_steps": 20})
        >>> extend(short, 70, lr_decay_steps=200).schedule.landmarks()
        {'start': 0.0, 'cooldown start': 180, 'decay end': 200}

    Args:
        schedule: the parent.
        at: the step, or the checkpoint's scheduler state, from which to continue.
        lr_decay_steps: the new end, in steps from the schedule's own start.
        reshape: continue although the learning rate at `at` jumps to another curve.

    Raises:
        ConfigError: the style would have to be reshaped, or the new schedule cannot be used.
        StateError: the checkpoint is not of this schedule.
    """
    parent = BranchPoint(schedule, at)
    end = parent.length("lr_decay_steps", lr_decay_steps, parent.plan.start_step)
    if end <= parent.own_step:
        raise parent.refusal(
            "lr_decay_steps", f"must be after step {parent.own_step}, from which the run continues", end
        )
    run_steps = max(end, schedule.train_steps or 0)
    changes = {
        **keys.timed_keys(parent),
        "init_lr": parent.plan.init_lr,
        **keys.end(parent, end, parent.plan.start_step, run_steps),
    }
    extended = _continuation(parent, "extend", changes, keys.timed, every=True, may_jump=reshape)
    moved = parent.first_difference(extended.schedule)
    if moved is not None and not reshape:
        raise parent.refusal(
            "lr_decay_steps",
            f"{parent.plan.lr_style.style} cannot end at another step without a different curve before step "
            f"{parent.step}: from step {moved} on it would have been different. The learning rate at step "
            f"{parent.step} is {parent.lr} and would become {extended.lr_after}, the weight decay {parent.wd} and "
            f"{extended.wd_after}. If that is intended, pass reshape (--reshape)",
            lr_decay_steps,
        )
    return extended


def rewarm(
    schedule: Schedule,
    at: Position,
    *,
    lr_warmup_steps: float | str,
    lr_decay_steps: float | str,
    max_lr: float | str | Literal["current"] | None = None,
    init_lr: float | str | Literal["current"] = CURRENT,
    min_lr: float | str | None = None,
    lr_decay_style: str | Mapping[str, Any] | None = None,
    end_wd: float | str | None = None,
    allow_jump: bool = False,
) -> Continuation:
    """Start a new warmup, as in continual pre-training, and a decay after it.

    Re-warming and re-decaying are studied in arXiv 2308.04014 and arXiv 2403.08763.

    Examples:
        >>> first = Schedule(max_lr=1.0, min_lr=0.25, lr_decay_steps=1000, lr_decay_style="cosine")
        >>> second = rewarm(first, 1000, lr_warmup_steps=100, lr_decay_steps=500, max_lr=0.75)
        >>> [second.schedule.lr_at(step) for step in (1000, 1050, 1100, 1500)]
        [0.25, 0.5, 0.75, 0.25]

    Args:
        schedule: the parent.
        at: the step, or the checkpoint's scheduler state, from which to continue.
        lr_warmup_steps: length of the new warmup, in steps, or a percentage of the new `lr_decay_steps`.
        lr_decay_steps: where the new decay ends, in steps from `at`.
        max_lr: the new maximum; by default the parent's. ``current`` is the learning rate that the parent has there.
        init_lr: where the new warmup begins; by default at the learning rate that the parent has there.
        min_lr: the new minimum; by default the parent's. A percentage is of the new ``max_lr``.
        lr_decay_style: the style after the warmup, a name or a table; by default the parent's.
        end_wd: where weight decay goes, linearly, until the new end; ``current`` holds it. It must be given
            where the parent's weight decay still changes. Of a style that follows the learning rate, it is the
            base that goes there.
        allow_jump: continue although the learning rate at `at` jumps.

    Raises:
        ConfigError: the learning rate would jump, or the new schedule cannot be used.
        StateError: the checkpoint is not of this schedule.
    """
    parent = BranchPoint(schedule, at)
    style = parent.plan.lr_style if lr_decay_style is None else lr_decay_style
    if max_lr == CURRENT and not parent.lr:
        raise parent.refusal("max_lr", f"is the learning rate at step {parent.step}, which is 0; give a number", max_lr)
    peak = parent.lr if max_lr == CURRENT else parent.plan.max_lr if max_lr is None else parent.rate("max_lr", max_lr)
    changes = {
        "start_step": parent.step,
        "max_lr": peak,
        "min_lr": parent.plan.min_lr if min_lr is None else min_lr,
        "init_lr": parent.lr if init_lr == CURRENT else init_lr,
        "lr_warmup_steps": lr_warmup_steps,
        **keys.warmup_style(parent),
        **keys.end(parent, parent.length("lr_decay_steps", lr_decay_steps, parent.step), parent.step),
        **keys.style(parent, plain(style)),
        **weight_decay(parent, end_wd),
    }
    made = _continuation(parent, "rewarm", changes, keys.timed, may_jump=allow_jump)
    if not allow_jump:
        warms_up = made.schedule.lr_warmup_steps > 0
        key, begins = ("init_lr", float(made.schedule.init_lr)) if warms_up else ("max_lr", made.lr_after)
        option = f"--{key.replace('_', '-')} current"
        remedy = f"Begin there with {option}, or, if the jump is intended, pass allow_jump (--allow-jump)"
        _refuse_jump(parent, key, "learning rate", (parent.lr, begins), remedy)
    return made


def _continuation(
    parent: BranchPoint,
    operation: str,
    changes: Mapping[str, Any],
    wanted: Callable[[Plan], Mapping[str, Any]],
    *,
    every: bool = False,
    may_jump: bool = False,
) -> Continuation:
    """Return the schedule with `changes`, and with rules as `wanted`; see `changes.rules`."""
    document = parent.schedule.origin.document
    where = f"the {operation} of {'the schedule' if document is None else document.path.name}"
    lineage = {"resume": "strict", "parent": {"fingerprint": fingerprint(parent.plan), "step": parent.step}}
    try:
        changes = keys.needed(parent, {**changes, **lineage})
        changes |= keys.rules(parent, changes, wanted, every=every)
        schedule = Schedule(**keys.merged(parent, changes))
    except ConfigError as error:
        raise ConfigError(where, error.problems) from None
    problems = [] if may_jump else list(_jumps(parent, operation, schedule))
    if problems:
        raise ConfigError(where, problems)
    return Continuation(operation, parent.schedule, schedule, parent.step, parent.lr, parent.wd, changes)


def _refuse_jump(
    parent: BranchPoint, key: str, quantity: str, values: tuple[float | None, float | None], remedy: str
) -> None:
    """Refuse to continue from other values than the parent's.

    Raises:
        ConfigError: with the `values` of the `quantity` before and after the branch point.
    """
    before, after = values
    if not _is_near(before, after):
        fault = f"the {quantity} at step {parent.step} is {before} and would become {after}. {remedy}"
        raise parent.refusal(key, fault, after)


def _jumps(parent: BranchPoint, operation: str, schedule: Schedule) -> Iterator[Problem]:
    """Yield a problem for each rule for param groups whose values would jump.

    Where the learning rate jumps without a rule, that is the problem; a weight decay that jumps may do so for all.
    """
    before, after = (values_by_role(plan, parent.step) for plan in (parent.plan, schedule.plan))
    is_steady = [_is_near(old, new) for old, new in zip(before[DEFAULT], after[DEFAULT], strict=True)]
    if not is_steady[0]:
        return
    for index, rule in enumerate(parent.plan.groups):
        (lr, wd), (next_lr, next_wd) = before[rule.role], after[rule.role]
        is_near = (_is_near(lr, next_lr), _is_near(wd, next_wd))
        if any(steady and not near for steady, near in zip(is_steady, is_near, strict=True)):
            fault = (
                f"has learning rate {lr} and weight decay {wd} at step {parent.step}, and would continue with "
                f"{next_lr} "
                f"and {next_wd}, because {operation} leaves rules as they are; write the file by hand, with "
                f"start_step: {parent.step}, or let the rule set lr_mult instead"
            )
            yield Problem(f"groups.{index}", fault, rule.role)


def _is_near(old: float | None, new: float | None) -> bool:
    """Return whether the two are the same but for rounding."""
    return old == new or (old is not None and new is not None and isclose(old, new, rel_tol=1e-12))
