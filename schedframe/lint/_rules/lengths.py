"""Lengths that are probably not what is meant."""

from collections.abc import Iterator
from typing import Any

from schedframe._units.lengths import OPEN, Measure, parse_measure
from schedframe._units.units import RUN_KEYS
from schedframe.lint._context import RuleContext
from schedframe.lint._rule import Found, rule

_FEW_ITERS = 20
"""A warmup or cooldown of fewer iterations, written without a unit, may be a mistake about the unit."""

_WHOLE = 1e-6

_ENDS = ("lr_decay_steps", "wd_incr_steps")


def _measure(value: Any) -> Measure | None:
    try:
        return parse_measure(value)
    except ValueError:
        return None


@rule(
    "SF101",
    "length-below-one-step",
    "error",
    bad="clock: iters\ntrain_iters: 100\nmax_lr: 3e-4\nlr_warmup_steps: 0.1\n",
    good="clock: iters\ntrain_iters: 100\nmax_lr: 3e-4\nlr_warmup_steps: 10%\n",
)
def find_lengths_below_one_step(context: RuleContext) -> Iterator[Found]:
    """A length is above 0 and below one step or one iteration.

    A fraction of the schedule is written as a percentage: a tenth is ``10%``, and ``0.1`` is a tenth of a step. Other
    libraries take fractions and counts under one name, so a ratio often ends up where a count is expected.
    """
    for path, value in context.lengths():
        measure = _measure(value)
        if measure is not None and 0 < measure.amount < 1 and measure.unit in ("", "iters", "samples"):
            share = f"{float(measure.amount * 100):.4g}%"
            unit = {"": "step", "iters": "iteration", "samples": "sample"}[measure.unit]
            is_end = path.rpartition(".")[2] == "lr_decay_steps"
            fix = (
                f"for that part of the run write {share} of run"
                if is_end
                else f"for that share of lr_decay_steps write {share}"
            )
            yield Found(path, f"is less than one {unit}", fix)


@rule(
    "SF102",
    "bare-number-of-samples",
    "warning",
    bad="train_iters: 100000\nglobal_batch_size: 1024\nmax_lr: 3e-4\nlr_warmup_steps: 2000\n",
    good="train_iters: 100000\nglobal_batch_size: 1024\nmax_lr: 3e-4\nlr_warmup_steps: 2000 iters\n",
)
def find_bare_numbers(context: RuleContext) -> Iterator[Found]:
    """A length without a unit is a number of samples or tokens, but was probably meant as iterations.

    Megatron's scheduler counts samples, so a bare number is samples unless ``clock: iters`` is set. Elsewhere a step is
    an iteration. The rule reports a number in a run that is given in iterations or tokens, where it is less than 20
    iterations as it is counted, or ends the schedule in the first tenth of the run, and would fit the run as
    iterations. With a unit, ``2000 iters`` or ``2000 samples``, the rule reports nothing.
    """
    scale, clock = context.scale, context.plan.clock
    run_keys = [key for key in RUN_KEYS if context.given.get(key) is not None]
    run_iters = None if context.run_steps is None else context.length_in(context.run_steps, "iters")
    if clock == "iters" or run_iters is None or run_keys == ["train_samples"]:
        return
    for path, value in context.lengths():
        measure = _measure(value)
        if measure is None or measure.unit or not measure.amount:
            continue
        iters = scale.in_unit(float(measure.amount), "iters")
        if path in _ENDS:
            is_suspect = iters < run_iters / 10 and run_iters / 2 <= measure.amount <= 2 * run_iters
        else:
            is_suspect = iters < _FEW_ITERS and max(1, 2 * iters) <= measure.amount <= run_iters
        if is_suspect:
            share = 100 * iters / run_iters
            yield Found(
                path,
                f"has no unit and is {float(measure.amount):g} {clock} here, {iters:.3g} iterations, "
                f"{share:.2g} % of the run",
                f"write `{value} iters` if that is meant, else `{value} {clock}`",
            )


@rule(
    "SF103",
    "not-whole-iterations",
    "note",
    bad="train_samples: 100000\nglobal_batch_size: 64\nrampup_batch_size: [16, 16, 10000]\n"
    "max_lr: 3e-4\nlr_warmup_steps: 5001\n",
    good="train_samples: 100000\nglobal_batch_size: 64\nrampup_batch_size: [16, 16, 10000]\n"
    "max_lr: 3e-4\nlr_warmup_steps: 160 iters\n",
)
def find_lengths_between_iterations(context: RuleContext) -> Iterator[Found]:
    """Under a ramp-up of the batch size, a length ends within an iteration.

    The scheduler moves by whole iterations, so it passes the end without a step exactly there. The
    difference is at most one iteration.
    """
    sizes = context.scale.units.batch_sizes
    if sizes is None or len(sizes.stretches) < 2 or context.plan.clock == "iters":
        return
    for name in ("lr_warmup_steps", "lr_decay_steps"):
        if context.given.get(name) is not None and (steps := getattr(context.plan, name)) != OPEN:
            iters = context.scale.in_unit(steps, "iters")
            if abs(iters - round(iters)) > _WHOLE:
                yield Found(name, f"ends within an iteration, {iters:.6g}", f"write `{round(iters)} iters`", steps)
