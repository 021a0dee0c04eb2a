"""What goes on from a schedule: a cooldown that starts now, a later end, a new warm-up."""

from collections.abc import Mapping
from math import inf, nextafter
from typing import Any, Literal

from schedframe._plan.plan import CURRENT
from schedframe._schedule.schedule import Schedule
from schedframe._tools.continuation.continuation import Continuation
from schedframe._tools.continuation.seam import Position, Seam
from schedframe._tools.keys import plain
from schedframe._units.numbers import whole
from schedframe.styles._flat_wsd import table_of
from schedframe.styles.lr import Exponential


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
        lr_wsd_decay_style: its curve; by default that of the parent's tail, else Megatron's, ``exponential``.
        min_lr: where it ends; by default the parent's floor. A percentage is of the parent's ``max_lr``.
        stable_until: the scheduler's count up to which the learning rate stays; by default it falls at once.
        end_wd: where weight decay goes, linearly, until the end of the cooldown; ``current`` holds it. It must
            be said where the parent's weight decay is still moving.

    Raises:
        ConfigError: `at` lies in no stable phase, or the new schedule cannot be used.
        StateError: the checkpoint is not of this schedule.
    """
    parent = Seam(schedule, at)
    parent.refuse_unless_stable()
    length = parent.length("wsd_decay_steps", wsd_decay_steps)
    stable = 0 if stable_until is None else parent.position("stable_until", stable_until) - parent.step
    if stable < 0:
        raise parent.refusal("stable_until", f"lies before step {parent.step}, where the branch starts", stable_until)
    curve = parent.plan.lr_style.cooldown_curve() or Exponential()
    floor = parent.plan.min_lr if min_lr is None else parent.rate("min_lr", min_lr)
    return parent.continuation(
        "branch",
        {
            "start_step": parent.step,
            "max_lr": _peak(parent.lr, floor),
            "min_lr": floor,
            "init_lr": 0.0,
            "lr_warmup_steps": 0,
            **parent.end(whole(stable + length), parent.step),
            **parent.style(table_of(length, plain(curve if lr_wsd_decay_style is None else lr_wsd_decay_style))),
            **parent.weight_decay(end_wd),
        },
    )


def extend(schedule: Schedule, at: Position, *, lr_decay_steps: float | str, reshape: bool = False) -> Continuation:
    """Give a schedule a later end, without changing what is behind it.

    The stable phase of ``WSD`` grows; its tail, the warm-up and weight decay stay as they are. A style that
    cannot grow without being another one before `at`, as ``cosine`` and ``linear``, is refused.

    Examples:
        >>> short = Schedule(max_lr=1.0, lr_decay_steps=100, lr_decay_style={"style": "WSD", "wsd_decay_steps": 20})
        >>> extend(short, 70, lr_decay_steps=200).schedule.landmarks()
        {'start': 0.0, 'anneal start': 180, 'decay end': 200}

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
    end = parent.end_of("lr_decay_steps", lr_decay_steps)
    if end <= parent.own_step:
        raise parent.refusal("lr_decay_steps", f"must be after step {parent.own_step}, where it goes on", end)
    run_steps = max(end, schedule.train_steps or 0)
    changes = {**parent.without_percentages(), **parent.end(end, parent.plan.start_step, run_steps)}
    if "wd_incr_steps" not in parent.keys and not parent.plan.wd_style.is_constant:
        changes["wd_incr_steps"] = parent.plan.wd_incr_steps
    if schedule.init_lr == CURRENT:
        changes["init_lr"] = parent.plan.init_lr
    extended = parent.continuation("extend", changes)
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
        max_lr: the new peak; by default the parent's.
        init_lr: where the new warm-up begins; by default at the learning rate that the parent has there.
        min_lr: the new floor; by default the parent's. A percentage is of the new peak.
        lr_decay_style: the style after the warm-up, a name or a table; by default the parent's.
        end_wd: where weight decay goes, linearly, until the new end; ``current`` holds it. It must be said
            where the parent's weight decay is still moving.

    Raises:
        ConfigError: the new schedule cannot be used.
        StateError: the checkpoint is not of this schedule.
    """
    parent = Seam(schedule, at)
    style = parent.plan.lr_style if lr_decay_style is None else lr_decay_style
    return parent.continuation(
        "rewarm",
        {
            "start_step": parent.step,
            "max_lr": parent.plan.max_lr if max_lr is None else parent.rate("max_lr", max_lr),
            "min_lr": parent.plan.min_lr if min_lr is None else min_lr,
            "init_lr": parent.lr if init_lr == CURRENT else init_lr,
            "lr_warmup_steps": lr_warmup_steps,
            **parent.end(parent.length("lr_decay_steps", lr_decay_steps), parent.step),
            **parent.style(plain(style)),
            **parent.weight_decay(end_wd),
        },
    )


def _peak(lr: float, floor: float) -> float:
    """Return the peak from which the engine's sum ``floor + (peak - floor)`` is `lr` exactly."""
    near = (lr, nextafter(lr, inf), nextafter(lr, -inf))
    return next((peak for peak in near if floor + 1.0 * (peak - floor) == lr), lr)
