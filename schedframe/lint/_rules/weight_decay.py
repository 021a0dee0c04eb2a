"""Weight decay."""

from collections.abc import Iterator

from schedframe.lint._context import RuleContext
from schedframe.lint._rule import Found, rule

_BASE = "train_samples: 1M\nmax_lr: 3e-4\n"


@rule("SF501", "frozen-in-graph", "warning")
def find_frozen_weight_decay(context: RuleContext) -> Iterator[Found]:
    """A param group has its learning rate as a tensor and its weight decay as a float, and the latter changes.

    Under a CUDA graph the optimizer reads the tensor anew at each replay, and keeps the float of the capture: the
    weight decay does not change. The rule reads the optimizer's groups, so it is applied when the scheduler is built.
    """
    if not any(len(set(group.wd_curve.values)) > 1 for group in context.groups):
        return
    for index, group in enumerate(context.param_groups):
        if (
            hasattr(group.get("lr"), "fill_")
            and isinstance(group.get("weight_decay"), float)
            and group.get("capturable")
        ):
            message = f"changes, and is a float in param_groups[{index}] beside a learning rate that is a tensor"
            yield Found(
                "end_wd", message, "keep weight decay constant, or do not capture the optimizer in a CUDA graph"
            )
            return


@rule(
    "SF502",
    "coupling-ends-at-zero",
    "note",
    bad=f"{_BASE}start_wd: 0.1\nwd_incr_style: adamc\nlr_decay_style: cosine\n",
    good=f"{_BASE}min_lr: 10%\nstart_wd: 0.1\nwd_incr_style: adamc\nlr_decay_style: cosine\n",
)
def find_couplings_that_end_at_zero(context: RuleContext) -> Iterator[Found]:
    """The weight decay ends at 0 although end_wd is above 0: it follows a learning rate that does."""
    for group in context.groups:
        values, plan = group.wd_curve.values, group.plan
        if values and plan.end_wd and values[-1] <= 1e-6 * plan.end_wd:
            fix = "give min_lr if it is to stay above 0"
            yield Found(group.key("wd_incr_style"), "lets weight decay end at 0", fix, group.end, group.role)


@rule(
    "SF503",
    "weight-decay-above-one",
    "warning",
    bad=f"{_BASE}start_wd: 10\n",
    good=f"{_BASE}start_wd: 0.1\n",
)
def find_large_weight_decay(context: RuleContext) -> Iterator[Found]:
    """The weight decay is above 1.

    Published runs with AdamW use 0.01 to 0.3. A percentage is often given where a factor is expected.
    """
    for group in context.groups:
        highest, step = max(zip(group.wd_curve.values, group.wd_curve.steps, strict=True), default=(0.0, 0.0))
        if highest > 1:
            yield Found(group.key("start_wd"), f"lets weight decay be {highest:.3g}", "", step, group.role)


@rule(
    "SF504",
    "weight-decay-never-changes",
    "warning",
    bad=f"{_BASE}start_wd: 0.1\nend_wd: 0.1\nwd_incr_style: cosine\n",
    good=f"{_BASE}start_wd: 0.01\nend_wd: 0.1\nwd_incr_style: cosine\n",
)
def find_idle_weight_decay_styles(context: RuleContext) -> Iterator[Found]:
    """The style of the weight decay varies it between start_wd and end_wd, and these are equal."""
    for group in context.groups:
        plan = group.plan
        if plan.wd_style.is_constant or plan.start_wd != plan.end_wd or len(set(group.wd_curve.values)) != 1:
            continue
        message = f"never changes the weight decay: start_wd and end_wd are both {plan.end_wd:g}"
        yield Found(
            group.key("wd_incr_style"), message, "give start_wd and end_wd, or leave the style out", None, group.role
        )
