"""The schedule against the length of the run."""

from collections.abc import Iterator, Mapping

from schedframe._units.lengths import OPEN, compact
from schedframe.lint._context import GroupCurves, RuleContext
from schedframe.lint._rule import Found, Severity, rule

_NOTHING = 1e-3
"""A learning rate below so much of the peak trains nothing."""

_NEAR = 1e-6
"""A curve that is flat at its end reaches the last value so much of the run before."""

_END = 0.01
"""A part of the run that is more than its last steps."""

_LONG_TAIL = 0.15
"""Curves such as (1 - p)**3 are below a thousandth of the peak for a tenth of the run, by their formula."""


def _is_part(group: GroupCurves) -> bool:
    """Return whether the run is less than half of the decay: a trial of the code, or a part of a longer run."""
    return group.end < group.plan.lr_decay_steps / 2


def _is_over_early(group: GroupCurves) -> bool:
    """Return whether the schedule ends before half of the run, so that the learning rate stands still after it."""
    decay, at_end = group.plan.lr_decay_steps, group.lr_curve.values[-1]
    return decay < group.end / 2 and group.plateau <= decay + _NEAR * group.end and at_end < group.plan.max_lr


@rule(
    "SF201",
    "lr-near-zero",
    "warning",
    bad="clock: iters\ntrain_iters: 220\nmax_lr: 3e-4\nlr_warmup_steps: 22\nlr_decay_steps: 198\n"
    "lr_decay_style: cosine\n",
    good="clock: iters\ntrain_iters: 220\nmax_lr: 3e-4\nlr_warmup_steps: 22\nlr_decay_style: cosine\n",
)
def find_untrained_ends(context: RuleContext) -> Iterator[Found]:
    """The learning rate is zero, or below a thousandth of the peak, for more than 1 % of the run at its end.

    Almost nothing is learned there. Often lr_decay_steps was computed as the length of the run without the warmup; it
    is measured from the start of the run, so it should be the length of the run.
    """
    for group in context.groups:
        last, peak = group.lr_curve.values[-1], group.plan.max_lr
        if peak == 0 or last >= _NOTHING * peak or _is_over_early(group):
            continue
        begin, least = (group.plateau, _END) if last == 0 else (group.step_below(_NOTHING * peak), _LONG_TAIL)
        if last > 0 and group.end - group.plateau > _END * group.end:
            begin, least = group.plateau, _END
        share, highest = (group.end - begin) / group.end, last if begin == group.plateau else _NOTHING * peak
        if share > least:
            message = f"leaves the last {100 * share:.3g} % of the run at a learning rate of at most {highest:.3g}"
            yield Found(_blamed(group), message, "let the decay end with the run, or give min_lr", begin, group.role)


def _blamed(group: GroupCurves) -> str:
    """Return the key that decides where the decay ends."""
    return group.key("lr_decay_steps") if group.plan.lr_decay_steps < group.end else group.key("lr_decay_style")


@rule(
    "SF202",
    "min-lr-before-the-end",
    "note",
    bad="train_samples: 300M\nmax_lr: 6e-5\nmin_lr: 10%\nlr_decay_steps: 260M\nlr_decay_style: cosine\n",
    good="train_samples: 300M\nmax_lr: 6e-5\nmin_lr: 10%\nlr_decay_style: cosine\n",
)
def find_early_min_lr(context: RuleContext) -> Iterator[Found]:
    """The decay ends before the run does, and min_lr holds for more than 1 % of the run.

    GPT-3 was trained this way on purpose: a cosine to 10 % over 260 billion of 300 billion tokens.
    """
    for group in context.groups:
        decay, last = group.plan.lr_decay_steps, group.lr_curve.values[-1]
        if group.plateau < decay - _NEAR * group.end or not _NOTHING * group.plan.max_lr <= last < group.plan.max_lr:
            continue
        share = (group.end - group.plateau) / group.end
        if share > _END and not _is_over_early(group):
            message = f"ends {100 * share:.3g} % of the run before the run does; the learning rate stays at {last:.3g}"
            yield Found(group.key("lr_decay_steps"), message, "", decay, group.role)


@rule(
    "SF203",
    "over-before-half",
    "warning",
    bad="train_iters: 100000\nglobal_batch_size: 1024\nmax_lr: 3e-4\nmin_lr: 3e-5\nlr_decay_steps: 100000 samples\n"
    "lr_decay_style: cosine\n",
    good="train_iters: 100000\nglobal_batch_size: 1024\nmax_lr: 3e-4\nmin_lr: 3e-5\nlr_decay_steps: 100000 iters\n"
    "lr_decay_style: cosine\n",
)
def find_schedules_over_early(context: RuleContext) -> Iterator[Found]:
    """The schedule is over before half of the run; the learning rate stays at its end value from there on."""
    for group in context.groups:
        if _is_over_early(group):
            decay, last = group.plan.lr_decay_steps, group.lr_curve.values[-1]
            message = (
                f"ends the decay after {100 * decay / group.end:.2g} % of the run; the learning rate is {last:.3g} "
                f"from there on"
            )
            yield Found(group.key("lr_decay_steps"), message, "let the decay end with the run", decay, group.role)


@rule(
    "SF204",
    "run-ends-before-decay",
    "warning",
    bad="train_iters: 100000\nclock: iters\nmax_lr: 3e-4\nlr_decay_steps: 200000 iters\nlr_decay_style: cosine\n",
    good="train_iters: 100000\nclock: iters\nmax_lr: 3e-4\nlr_decay_style: cosine\n",
)
def find_runs_that_end_early(context: RuleContext) -> Iterator[Found]:
    """The run ends before the decay does, so the learning rate does not reach its end.

    It is a note where the learning rate is still at its peak, as in a stable phase from which cooldowns branch, and
    where the run is less than half of the decay: a trial of the code, or a part of a longer run.
    """
    run = context.run_steps
    if run is None:
        return
    for group in context.groups:
        plan = group.plan
        if plan.lr_decay_steps in (OPEN, run) or plan.lr_decay_steps < run or run <= plan.lr_warmup_steps:
            continue
        last = group.lr_curve.values[-1]
        if plan.lr_decay_steps - run <= _TOLERATED * run or last == plan.min_lr or plan.lr_style.style == "constant":
            continue
        is_meant = _is_part(group) or last == plan.max_lr
        message = f"ends after the run, at whose end the learning rate is {last:.3g} and min_lr is {plan.min_lr:.3g}"
        fix = "let the decay end with the run"
        yield Found(group.key("lr_decay_steps"), message, fix, run, group.role, "note" if is_meant else None)


_TOLERATED = 1e-6
"""The length of a run in whole iterations is a little shorter than the same number of tokens."""


@rule(
    "SF205",
    "min-lr-not-reached",
    "note",
    bad="train_samples: 1M\nmax_lr: 3e-4\nmin_lr: 1e-6\nlr_warmup_steps: 100K\nlr_decay_style: inverse-square-root\n",
    good="train_samples: 1M\nmax_lr: 3e-4\nmin_lr: 1e-4\nlr_warmup_steps: 100K\nlr_decay_style: inverse-square-root\n",
)
def find_unreached_min_lr(context: RuleContext) -> Iterator[Found]:
    """A min_lr is given and the learning rate never reaches it within the run."""
    for group in context.groups:
        least = min((lr for step, lr in zip(*group.lr_curve, strict=True) if step >= group.plan.ends()[0]), default=0)
        is_given = context.given.get("min_lr") is not None
        if is_given and 0 < group.plan.min_lr < group.plan.max_lr and least > 1.01 * group.plan.min_lr:
            yield Found(
                group.key("min_lr"),
                f"is never reached: the learning rate stays above {least:.3g}",
                "",
                None,
                group.role,
            )


@rule(
    "SF206",
    "all-warmup",
    "warning",
    bad="clock: iters\ntrain_iters: 1500\nmax_lr: 3e-4\nlr_warmup_steps: 2000\nlr_decay_steps: 2500\n",
    good="clock: iters\ntrain_iters: 100000\nmax_lr: 3e-4\nlr_warmup_steps: 2000\n",
)
def find_runs_of_warmup(context: RuleContext) -> Iterator[Found]:
    """The whole run is warmup, so max LR is not reached before the end.

    It is a note where the run is less than half of the decay: a trial of the code, or a part of a longer run. Where the
    decay ends within the warmup, min_lr holds after the warmup.
    """
    for group in context.groups:
        run = group.plan.lr_decay_steps if context.run_steps is None else context.run_steps
        if group.plan.lr_warmup_steps >= run:
            steps, last = compact(group.plan.lr_warmup_steps), group.lr_curve.values[-1]
            message = (
                f"is the whole run: the warmup has {steps} steps, and the run ends at a learning rate of {last:.3g}"
            )
            severity: Severity | None = "note" if _is_part(group) else None
            yield Found(group.key("lr_warmup_steps"), message, "", run, group.role, severity)


@rule(
    "SF207",
    "first-update-overridden",
    "warning",
    bad="clock: iters\ntrain_iters: 1000\nmax_lr: 3e-4\nfirst_update: 1\nresume: {override: [first_update]}\n",
    good="clock: iters\ntrain_iters: 1000\nmax_lr: 3e-4\nfirst_update: 1\n",
)
def find_overridden_first_updates(context: RuleContext) -> Iterator[Found]:
    """A resumed run reads its curves with this file's first_update, whatever the checkpoint was trained with.

    With the policies ``strict`` and ``checkpoint``, a checkpoint of another first_update is refused, or goes on as it
    began. Here the curves move by one update at every resume from such a checkpoint.
    """
    resume = context.given.get("resume")
    table = resume if isinstance(resume, Mapping) else {"policy": resume}
    is_listed = "first_update" in (table.get("override") or ())
    if is_listed or (table.get("policy") == "override" and context.plan.first_update):
        message = "overrides that of a checkpoint, so that the curves move where it was trained with another one"
        yield Found("first_update", message, "leave first_update out of what resume overrides")
