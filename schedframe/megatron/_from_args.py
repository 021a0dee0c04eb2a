"""From Megatron-LM's argument namespace to the scheduler."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from schedframe._errors import ConfigError, Problem
from schedframe._process import log_once
from schedframe._schedule.findings import errors_in
from schedframe._units.lengths import Measure, Scale
from schedframe.lint._context import RuleContext
from schedframe.megatron._scheduler import OptimizerParamScheduler
from schedframe.megatron._versions import takes_ramps


def from_args(optimizer: Any, args: Any) -> OptimizerParamScheduler:
    """Return the scheduler that Megatron-LM builds from `args`.

    It does what ``get_optimizer_param_scheduler`` does
    (NVIDIA/Megatron-LM:megatron/training/training.py, the same from core_v0.12.3 to core_v0.19.0), side
    effects included, which the training loop needs: ``args.lr_decay_iters`` or ``args.lr_decay_samples``
    is set where it is ``None``, and ``args.train_iters`` where training is by samples.

    Args:
        optimizer: Megatron's optimizer.
        args: Megatron's namespace, after its validation. Iterations are multiplied by
            ``args.global_batch_size``; the scheduler counts samples.

    Raises:
        ConfigError: neither ``train_iters`` nor ``train_samples`` is given, or the arguments do not fit
            together, or lint rules find an error; warnings are logged.
    """
    fill_in(args)
    given = arguments(args)
    scheduler = OptimizerParamScheduler(optimizer, **given)
    problems = errors_in(_context(args, scheduler, given))
    if problems:
        raise ConfigError("the arguments", problems)
    return scheduler


def _context(args: Any, scheduler: OptimizerParamScheduler, given: Mapping[str, Any]) -> RuleContext:
    """Return the run of `args` as lint rules see it: its steps are samples."""
    lengths = {name: f"{value} samples" for name, value in given.items() if name.endswith("_steps") and value}
    if args.lr_warmup_fraction is not None:
        lengths["lr_warmup_steps"] = f"{100 * args.lr_warmup_fraction}%"
    run = Scale(run_length=Measure(Fraction(given["wd_incr_steps"]), "samples"))
    return RuleContext(scheduler.plan, run, {**given, **lengths}, scheduler.optimizer.param_groups)


def fill_in(args: Any) -> None:
    """Set what Megatron's loop needs of `args` beside the scheduler.

    Raises:
        ConfigError: neither ``train_iters`` nor ``train_samples`` is given.
    """
    if args.train_iters:
        if args.lr_decay_iters is None:
            args.lr_decay_iters = args.train_iters
    elif args.train_samples:
        args.train_iters = _iterations(args)
        if args.lr_decay_samples is None:
            args.lr_decay_samples = args.train_samples
    else:
        raise ConfigError("the arguments", [Problem("", "give --train-iters or --train-samples")])


def arguments(args: Any) -> dict[str, Any]:
    """Return the arguments of the scheduler's constructor that `args` gives, by name."""
    unit, size = ("samples", 1) if args.train_samples else ("iters", args.global_batch_size)
    run, decay, warmup, cooldown = (
        getattr(args, f"{name}_{unit}") for name in ("train", "lr_decay", "lr_warmup", "lr_wsd_decay")
    )
    lr_decay_steps = (run if decay is None else decay) * size
    share = args.lr_warmup_fraction
    return {
        "init_lr": args.lr_warmup_init,
        "max_lr": args.lr,
        "min_lr": args.min_lr,
        "lr_warmup_steps": warmup * size if share is None else share * lr_decay_steps,
        "lr_decay_steps": lr_decay_steps,
        "lr_decay_style": args.lr_decay_style,
        "start_wd": args.start_weight_decay,
        "end_wd": args.end_weight_decay,
        "wd_incr_steps": run * size,
        "wd_incr_style": args.weight_decay_incr_style,
        "use_checkpoint_opt_param_scheduler": args.use_checkpoint_opt_param_scheduler,
        "override_opt_param_scheduler": args.override_opt_param_scheduler,
        "wsd_decay_steps": None if cooldown is None else cooldown * size,
        "lr_wsd_decay_style": args.lr_wsd_decay_style,
    }


def _iterations(args: Any) -> int:
    """Return how many iterations ``args.train_samples`` are.

    As ``update_train_iters`` of NVIDIA/Megatron-LM:megatron/training/training.py: through the batch-size
    ramp-up at core_v0.16.1, through the step schedule of batch sizes at core_v0.19.0.
    """
    ramp: Any = getattr(args, "rampup_batch_size", None)
    by_steps = getattr(args, "step_batch_size_schedule", None) is not None
    by_ramp = ramp is not None and not by_steps and takes_ramps()
    consumed, iterations = 0, 0
    if by_ramp or by_steps:
        from megatron.core import num_microbatches_calculator as calculator

        ramp_end = min(int(ramp[2]), args.train_samples) if by_ramp else args.train_samples - 1
        while consumed <= ramp_end:
            calculator.update_num_microbatches(consumed, consistency_check=False)
            consumed += calculator.get_current_global_batch_size()
            iterations += 1
        calculator.update_num_microbatches(0, consistency_check=False)
    if args.train_samples > consumed:
        iterations += (args.train_samples - consumed) // args.global_batch_size
    log_once("setting training iterations to %s", iterations)
    return iterations
