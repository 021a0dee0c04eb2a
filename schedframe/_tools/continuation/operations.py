"""The operations that continue a schedule: a cooldown that starts now, a later end, a new warmup."""

from collections.abc import Iterator, Mapping
from math import inf, isclose, nextafter
from typing import Any, Literal

from schedframe._errors import ConfigError, Problem
from schedframe._plan.evaluate import values_by_role
from schedframe._plan.plan import CURRENT, fingerprint
from schedframe._plan.rule import DEFAULT
from schedframe._schedule.schedule import Schedule
from schedframe._tools.continuation.continuation import Continuation, spelled
from schedframe._tools.continuation.seam import Position, Seam
from schedframe._tools.keys import plain
from schedframe._units.lengths import Scale
from schedframe._units.numbers import parse_number, whole
from schedframe._units.units import RUN_KEYS
from schedframe.styles._flat_wsd import FLAT_WSD, table_of
from schedframe.styles.lr import Exponential

_DEFAULTS = {"init_lr": 0.0, "lr_warmup_steps": 0, "resume": "strict", "wd_incr_style": "constant"}


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
        at: the step, or the checkpoint's scheduler state, from which to go on.
        wsd_decay_steps: length of the cooldown, in steps.
        lr_wsd_decay_style: its curve; by default that of the parent's cooldown, else Megatron's, ``exponential``.
        min_lr: where it ends; by default the parent's ``min_lr``. A percentage is of the parent's ``max_lr``.
        stable_until: the scheduler's count up to which the learning rate stays; by default it falls at once.
        end_wd: where weight decay goes, linearly, until the end of the cooldown; ``current`` holds it. It must
            be given where the parent's weight decay is still moving.

    Raises:
        ConfigError: `at` does not lie in a stable phase, or the new schedule cannot be used.
        StateError: the checkpoint is not of this schedule.
    """
    parent = Seam(schedule, at)
    parent.refuse_unless_stable()
    length = parent.length("wsd_decay_steps", wsd_decay_steps, parent.step)
    stable = 0 if stable_until is None else parent.position("stable_until", stable_until) - parent.step
    if stable < 0:
        raise parent.refusal("stable_until", f"lies before step {parent.step}, where the branch starts", stable_until)
    curve = parent.plan.lr_style.cooldown_curve() or Exponential()
    lowest = parent.plan.min_lr if min_lr is None else parent.rate("min_lr", min_lr)
    return _continuation(
        parent,
        "branch",
        {
            "start_step": parent.step,
            "max_lr": _max_lr(parent.lr, lowest),
            "min_lr": lowest,
            "init_lr": 0.0,
            "lr_warmup_steps": 0,
            **_end(parent, whole(stable + length), parent.step),
            **_style(parent, table_of(length, plain(curve if lr_wsd_decay_style is None else lr_wsd_decay_style))),
            **_weight_decay(parent, end_wd),
        },
    )


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
        at: the step, or the checkpoint's scheduler state, from which to go on.
        lr_decay_steps: the new end, in steps from the schedule's own start.
        reshape: go on although the learning rate at `at` jumps to another curve.

    Raises:
        ConfigError: the style would have to be reshaped, or the new schedule cannot be used.
        StateError: the checkpoint is not of this schedule.
    """
    parent = Seam(schedule, at)
    end = parent.length("lr_decay_steps", lr_decay_steps, parent.plan.start_step)
    if end <= parent.own_step:
        raise parent.refusal("lr_decay_steps", f"must be after step {parent.own_step}, where it goes on", end)
    run_steps = max(end, schedule.train_steps or 0)
    changes = {**_without_percentages(parent), **_end(parent, end, parent.plan.start_step, run_steps)}
    if "wd_incr_steps" not in parent.keys and not parent.plan.wd_style.is_constant:
        changes["wd_incr_steps"] = parent.plan.wd_incr_steps
    if schedule.init_lr == CURRENT:
        changes["init_lr"] = parent.plan.init_lr
    extended = _continuation(parent, "extend", changes)
    moved = parent.first_difference(extended.schedule)
    if moved is not None and not reshape:
        raise parent.refusal(
            "lr_decay_steps",
            f"{parent.plan.lr_style.style} cannot get another end without being another curve before step "
            f"{parent.step}: from step {moved} on it would have been different. The learning rate at step "
            f"{parent.step} is {parent.lr} and would become {extended.lr_after}, the weight decay {parent.wd} and "
            f"{extended.wd_after}. If that is meant, say reshape (--reshape)",
            lr_decay_steps,
        )
    return extended


def rewarm(
    schedule: Schedule,
    at: Position,
    *,
    lr_warmup_steps: float | str,
    lr_decay_steps: float | str,
    max_lr: float | str | None = None,
    init_lr: float | str | Literal["current"] = CURRENT,
    min_lr: float | str | None = None,
    lr_decay_style: str | Mapping[str, Any] | None = None,
    end_wd: float | str | None = None,
) -> Continuation:
    """Start a new warm-up, as in continual pre-training, and a decay after it.

    Re-warming and re-decaying are studied in arXiv 2308.04014 and arXiv 2403.08763.

    Examples:
        >>> first = Schedule(max_lr=1.0, min_lr=0.25, lr_decay_steps=1000, lr_decay_style="cosine")
        >>> second = rewarm(first, 1000, lr_warmup_steps=100, lr_decay_steps=500, max_lr=0.75)
        >>> [second.schedule.lr_at(step) for step in (1000, 1050, 1100, 1500)]
        [0.25, 0.5, 0.75, 0.25]

    Args:
        schedule: the parent.
        at: the step, or the checkpoint's scheduler state, from which to go on.
        lr_warmup_steps: length of the new warm-up, in steps, or a percentage of the new `lr_decay_steps`.
        lr_decay_steps: where the new decay ends, in steps from `at`.
        max_lr: the new maximum; by default the parent's.
        init_lr: where the new warm-up begins; by default at the learning rate that the parent has there.
        min_lr: the new minimum; by default the parent's. A percentage is of the new ``max_lr``.
        lr_decay_style: the style after the warm-up, a name or a table; by default the parent's.
        end_wd: where weight decay goes, linearly, until the new end; ``current`` holds it. It must be given
            where the parent's weight decay is still moving.

    Raises:
        ConfigError: the new schedule cannot be used.
        StateError: the checkpoint is not of this schedule.
    """
    parent = Seam(schedule, at)
    style = parent.plan.lr_style if lr_decay_style is None else lr_decay_style
    return _continuation(
        parent,
        "rewarm",
        {
            "start_step": parent.step,
            "max_lr": parent.plan.max_lr if max_lr is None else parent.rate("max_lr", max_lr),
            "min_lr": parent.plan.min_lr if min_lr is None else min_lr,
            "init_lr": parent.lr if init_lr == CURRENT else init_lr,
            "lr_warmup_steps": lr_warmup_steps,
            **_end(parent, parent.length("lr_decay_steps", lr_decay_steps, parent.step), parent.step),
            **_style(parent, plain(style)),
            **_weight_decay(parent, end_wd),
        },
    )


def _continuation(parent: Seam, operation: str, changes: Mapping[str, Any]) -> Continuation:
    changes = {
        **changes,
        "resume": "strict",
        "parent": {"fingerprint": fingerprint(parent.plan), "step": parent.step},
    }
    changes = {key: spelled(key, value) for key, value in changes.items() if not _has(parent, key, value, changes)}
    keys = {key: value for key, value in {**parent.keys, **changes}.items() if value is not None}
    document = parent.schedule.origin.document
    where = f"the {operation} of {'the schedule' if document is None else document.path.name}"
    try:
        schedule = Schedule(**keys)
    except ConfigError as error:
        raise ConfigError(where, error.problems) from None
    problems = list(_jumps(parent, operation, schedule))
    if problems:
        raise ConfigError(where, problems)
    return Continuation(operation, parent.schedule, schedule, parent.step, parent.lr, parent.wd, changes)


def _jumps(parent: Seam, operation: str, schedule: Schedule) -> Iterator[Problem]:
    """Yield a problem for each rule for param groups that would go on elsewhere than where it was.

    Where the whole schedule jumps, as `extend` with ``reshape``, so may its rules.
    """
    before, after = (values_by_role(plan, parent.step) for plan in (parent.plan, schedule.plan))
    if not _is_near(before[DEFAULT], after[DEFAULT]):
        return
    for index, rule in enumerate(parent.plan.groups):
        (lr, wd), (next_lr, next_wd) = before[rule.role], after[rule.role]
        if not _is_near((lr, wd), (next_lr, next_wd)):
            fault = (
                f"has learning rate {lr} and weight decay {wd} at step {parent.step}, and would go on with {next_lr} "
                f"and {next_wd}, because {operation} leaves rules as they are; write the file by hand, with "
                f"start_step: {parent.step}, or let the rule set lr_mult instead"
            )
            yield Problem(f"groups.{index}", fault, rule.role)


def _is_near(before: tuple[float, float | None], after: tuple[float, float | None]) -> bool:
    """Return whether learning rate and weight decay are the same but for rounding."""
    return all(
        old == new or (old is not None and new is not None and isclose(old, new, rel_tol=1e-12))
        for old, new in zip(before, after, strict=True)
    )


def _has(parent: Seam, key: str, value: Any, changes: Mapping[str, Any]) -> bool:
    """Return whether the parent's config has `value` for `key` already, in its own spelling or by default."""
    if key not in parent.keys:
        return value is None or (key in _DEFAULTS and value == _DEFAULTS[key])
    if parent.keys[key] == value:
        return True
    schedule = parent.schedule
    is_same_max_lr = changes.get("max_lr", schedule.max_lr) == schedule.max_lr
    return is_same_max_lr and key in ("max_lr", "min_lr", "init_lr") and value == getattr(schedule, key)


def _end(parent: Seam, steps: float, start: float, run_steps: float | None = None) -> dict[str, Any]:
    """Return the end of decay and run, in the keys that the parent's config uses.

    Args:
        parent: the parent.
        steps: where the decay ends, in steps from `start`.
        start: the scheduler's count at the new schedule's own step 0.
        run_steps: where the run ends, if the parent's config has both; by default as the decay.
    """
    has_decay = parent.keys.get("lr_decay_steps") is not None
    run = run_steps if has_decay and run_steps is not None else steps
    scale = Scale(parent.schedule.scale.units, start)
    runs = {key: scale.in_unit(run, unit) for key, unit in RUN_KEYS.items() if parent.keys.get(key) is not None}
    return {**runs, "lr_decay_steps": steps} if has_decay else runs


def _style(parent: Seam, table: Any) -> dict[str, Any]:
    """Return the keys of a style: Megatron's flat ones where the parent's config has those."""
    flat: dict[str, Any] = dict.fromkeys(key for key in FLAT_WSD if key in parent.keys)
    if flat and isinstance(table, Mapping) and table["style"] == "WSD":
        return {**flat, "lr_decay_style": "WSD", **{key: table[key] for key in FLAT_WSD if key in table}}
    return {**flat, "lr_decay_style": table}


def _weight_decay(parent: Seam, end_wd: float | str | None) -> dict[str, Any]:
    """Return the keys with which weight decay goes on from its value at the seam."""
    plan, wd = parent.plan, parent.wd
    is_constant = plan.wd_style.is_constant
    if wd is None or (is_constant and end_wd in (None, CURRENT)):
        return {}
    has_arrived = parent.own_step >= plan.wd_incr_steps and wd == plan.end_wd
    if end_wd is None and not (is_constant or has_arrived):
        raise parent.refusal(
            "wd_incr_style",
            f"weight decay is still moving at step {parent.step}: it is {wd} there, on its way to {plan.end_wd}. Say "
            f"where it goes with end_wd (--end-wd): {plan.end_wd}, or `current` to hold it",
            plan.wd_style.style,
        )
    end = wd if end_wd in (None, CURRENT) else parent.parsed("end_wd", end_wd, parse_number)
    style = "constant" if end == wd else "linear"
    return {"start_wd": wd, "end_wd": end, "wd_incr_steps": None, "wd_incr_style": style}


def _without_percentages(parent: Seam) -> dict[str, Any]:
    """Return the numbers of the keys that are given in percent of ``lr_decay_steps``."""
    schedule = parent.schedule
    values = {
        "lr_warmup_steps": schedule.lr_warmup_steps,
        "wd_incr_steps": schedule.wd_incr_steps,
        **{key: getattr(schedule.lr_style, key) for key in FLAT_WSD if key in parent.keys},
        "lr_decay_style": schedule.lr_style,
        "wd_incr_style": schedule.wd_style,
    }
    return {key: plain(value) for key, value in values.items() if _has_percentage(parent.keys.get(key))}


def _has_percentage(value: Any) -> bool:
    if isinstance(value, Mapping | list):
        return any(map(_has_percentage, value.values() if isinstance(value, Mapping) else value))
    return isinstance(value, str) and value.strip().endswith("%")


def _max_lr(lr: float, min_lr: float) -> float:
    """Return the ``max_lr`` with which the engine's sum ``min_lr + (max_lr - min_lr)`` is `lr` exactly."""
    near = (lr, nextafter(lr, inf), nextafter(lr, -inf))
    return next((max_lr for max_lr in near if min_lr + 1.0 * (max_lr - min_lr) == lr), lr)
