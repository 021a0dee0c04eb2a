"""The shape of the learning rate."""

from collections.abc import Iterator
from itertools import pairwise

from schedframe.lint._context import GroupCurves, RuleContext
from schedframe.lint._rule import Found, rule

_ROUNDING = 1e-9


def _undeclared(group: GroupCurves) -> Iterator[tuple[float, float, float]]:
    """Yield step, value before and value after of each jump that the style does not declare."""
    plan = group.plan
    declared = [*plan.jumps(), *plan.stairs()]
    near = 10 * group.tiny
    for gap in group.gaps:
        is_declared = any(abs(gap.step - step) <= near for step in declared)
        if not is_declared and not (gap.after > gap.before and plan.lr_style.may_rise()):
            yield gap


def _is_at_warmup_end(group: GroupCurves, step: float) -> bool:
    return abs(step - group.plan.ends()[0]) <= 10 * group.tiny


@rule(
    "SF301",
    "jump",
    "warning",
    bad="train_samples: 1M\nmax_lr: 3e-4\nmin_lr: 1e-6\nlr_warmup_steps: 1000\nlr_decay_steps: 800K\n"
    "lr_decay_style: inverse-square-root\n",
    good="train_samples: 1M\nmax_lr: 3e-4\nmin_lr: 1e-6\nlr_warmup_steps: 1000\nlr_decay_style: inverse-square-root\n",
)
def find_jumps(context: RuleContext) -> Iterator[Found]:
    """The learning rate jumps by more than 1 % of the peak where no milestone, restart or ``jump: true`` declares it.

    A style that jumps by design returns the steps from its method ``jumps_at``.
    """
    for group in context.groups:
        for step, before, after in _undeclared(group):
            if not _is_at_warmup_end(group, step) or not group.plan.lr_warmup_steps:
                is_end = abs(step - group.plan.ends()[1]) <= 10 * group.tiny
                fix = "let the decay end with the run" if is_end else ""
                key = group.key("lr_decay_steps" if is_end else "lr_decay_style")
                yield Found(key, f"lets the learning rate jump from {before:.3g} to {after:.3g}", fix, step, group.role)


@rule("SF302", "rise-in-the-decay", "warning")
def find_rises(context: RuleContext) -> Iterator[Found]:
    """The learning rate rises after the warmup, and the style does not declare that it does.

    A style that rises by design returns true from its method ``may_rise``; phases rise to a target that is written.
    """
    for group in context.groups:
        plan = group.plan
        if plan.lr_style.may_rise():
            continue
        jumps = [gap.step for gap in group.gaps]
        points = [point for point in zip(*group.lr_curve, strict=True) if point[0] >= plan.ends()[0]]
        for (first, before), (last, after) in pairwise(points):
            is_jump = any(first - group.tiny <= step <= last for step in jumps)
            if after > before + 1e-3 * plan.max_lr and not is_jump:
                message = f"lets the learning rate rise from {before:.3g} at step {first:g} to {after:.3g}"
                yield Found(group.key("lr_decay_style"), message, "", last, group.role)
                break


@rule("SF303", "below-min-lr", "error")
def find_values_below_min_lr(context: RuleContext) -> Iterator[Found]:
    """The learning rate falls below min_lr after the warmup."""
    for group in context.groups:
        plan = group.plan
        points = list(zip(*group.lr_curve, strict=True))
        behind = [point for point in points if point[0] > plan.ends()[0]] or points[-1:]
        step, lowest = min(behind, key=lambda point: point[1])
        if lowest < plan.min_lr * (1 - _ROUNDING) and step > plan.ends()[0]:
            message = f"lets the learning rate fall to {lowest:.3g}, below min_lr, {plan.min_lr:.3g}"
            yield Found(group.key("lr_decay_style"), message, "", step, group.role)


@rule(
    "SF304",
    "jump-after-warmup",
    "warning",
    bad="train_samples: 1M\nmax_lr: 3e-4\nlr_warmup_steps: 1%\n"
    "lr_decay_style: {style: multi-step, milestones: [0.005, 0.9], multipliers: [0.3, 0.1]}\n",
    good="train_samples: 1M\nmax_lr: 3e-4\nlr_warmup_steps: 1%\n"
    "lr_decay_style: {style: multi-step, milestones: [0.8, 0.9], multipliers: [0.3, 0.1]}\n",
)
def find_jumps_after_warmup(context: RuleContext) -> Iterator[Found]:
    """The learning rate does not start at max LR directly after the warmup."""
    for group in context.groups:
        for step, before, after in _undeclared(group):
            if _is_at_warmup_end(group, step) and group.plan.lr_warmup_steps:
                message = f"begins at {after:.3g} where the warmup has reached {before:.3g}"
                yield Found(group.key("lr_decay_style"), message, "", step, group.role)


@rule(
    "SF305",
    "first-update-at-zero",
    "note",
    bad="train_samples: 1M\nmax_lr: 3e-4\nlr_warmup_steps: 10K\n",
    good="train_samples: 1M\nmax_lr: 3e-4\nlr_warmup_steps: 10K\ninit_lr: 1e-6\n",
)
def find_first_updates_at_zero(context: RuleContext) -> Iterator[Found]:
    """The first update has a learning rate of 0, and changes nothing.

    Megatron's warmup begins this way. A warmup with ``init_lr``, or with ``lr_warmup_style: torchtitan``, does not.
    """
    if _begins_at_zero(context) and not context.plan.interval:
        yield Found("lr_warmup_steps", "begins at a learning rate of 0, so the first update changes nothing", "", 0)


def _begins_at_zero(context: RuleContext) -> bool:
    plan = context.plan
    begins = plan.start_step == 0 and context.init_lr_is_known and plan.lr_warmup_steps > 0
    return begins and context.groups[0].lr(0) == 0


@rule(
    "SF306",
    "unusual-warmup",
    "note",
    bad="train_samples: 1M\nmax_lr: 3e-4\nlr_warmup_steps: 30%\n",
    good="train_samples: 1M\nmax_lr: 3e-4\nlr_warmup_steps: 1%\n",
)
def find_unusual_warmups(context: RuleContext) -> Iterator[Found]:
    """The warmup is shorter than 0.1 % of the run, or longer than 20 % of it."""
    for group in context.groups:
        share = group.plan.lr_warmup_steps / group.end
        if 0 < share < 0.001 or 0.2 < share < 1:
            yield Found(group.key("lr_warmup_steps"), f"is {100 * share:.2g} % of the run", "", None, group.role)


@rule(
    "SF307",
    "breakpoint-within-warmup",
    "warning",
    bad="train_samples: 1M\nmax_lr: 3e-4\nlr_warmup_steps: 50%\n"
    "lr_decay_style: {style: multi-step, milestones: [0.3, 0.9], multipliers: [0.3, 0.1]}\n",
    good="train_samples: 1M\nmax_lr: 3e-4\nlr_warmup_steps: 1%\n"
    "lr_decay_style: {style: multi-step, milestones: [0.3, 0.9], multipliers: [0.3, 0.1]}\n",
)
def find_breakpoints_within_warmup(context: RuleContext) -> Iterator[Found]:
    """A milestone, or the start of a cooldown, lies within the warmup, where the style does not apply yet."""
    for group in context.groups:
        plan = group.plan
        for label, step in plan.landmarks().items():
            if step < plan.ends()[0] - group.tiny:
                message = f"has its {label} at step {step:g}, before the end of the warmup at {plan.lr_warmup_steps:g}"
                yield Found(group.key("lr_decay_style"), message, "shorten the warmup", step, group.role)


@rule(
    "SF308",
    "init-lr-without-warmup",
    "warning",
    bad="train_samples: 1M\nmax_lr: 3e-4\ninit_lr: 1e-5\n",
    good="train_samples: 1M\nmax_lr: 3e-4\ninit_lr: 1e-5\nlr_warmup_steps: 1%\n",
)
def find_init_lr_without_warmup(context: RuleContext) -> Iterator[Found]:
    """An init_lr is given and there is no warmup, so it is never used."""
    is_given = context.init_lr_is_known and context.plan.init_lr != 0
    if is_given and not context.plan.lr_warmup_steps:
        yield Found(
            "init_lr", "is never used, because there is no warmup", "give lr_warmup_steps, or leave init_lr out"
        )


@rule(
    "SF309",
    "needs-warmup",
    "warning",
    bad="train_samples: 1M\nmax_lr: 3e-4\nlr_decay_style: inverse-square-root\n",
    good="train_samples: 1M\nmax_lr: 3e-4\nlr_warmup_steps: 1%\nlr_decay_style: inverse-square-root\n",
)
def find_styles_without_warmup(context: RuleContext) -> Iterator[Found]:
    """There is no warmup, and the learning rate falls by more than half within the first hundredth of the decay.

    An inverse square root is scaled by the length of the warmup: without one, max LR lasts for a single step.
    """
    for group in context.groups:
        plan = group.plan
        if plan.lr_warmup_steps or plan.max_lr == 0 or plan.start_step:
            continue
        step = min(group.end, plan.lr_decay_steps) / 100
        lr = group.lr(step)
        if lr < plan.max_lr / 2 <= group.lr(0) and not plan.jumps():
            message = f"falls to {lr:.3g} within the first 1 % of the decay"
            yield Found(group.key("lr_decay_style"), message, "give lr_warmup_steps", step, group.role)


@rule(
    "SF310",
    "first-interval-at-zero",
    "warning",
    bad="train_samples: 1M\nmax_lr: 3e-4\nlr_warmup_steps: 10K\ninterval: 5K\n",
    good="train_samples: 1M\nmax_lr: 3e-4\nlr_warmup_steps: 10K\ninterval: 5K\ninit_lr: 1e-6\n",
)
def find_first_intervals_at_zero(context: RuleContext) -> Iterator[Found]:
    """The curves hold their values for an interval, and every update of the first one has a learning rate of 0.

    With an interval of an epoch, the first epoch changes nothing. A warmup with ``init_lr`` does not begin at 0.
    """
    if _begins_at_zero(context) and context.plan.interval:
        message = f"begins at a learning rate of 0, which is held for {context.plan.interval:g} steps"
        yield Found("lr_warmup_steps", f"{message}, whose updates change nothing", "give init_lr", 0)
