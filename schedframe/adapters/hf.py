"""A schedule in the ``Trainer`` of Hugging Face transformers, and in those that derive from it, such as TRL's.

- `use` puts a schedule into a trainer that exists; `ScheduleTrainerMixin` does the same for a class of trainers.
- `register` makes ``lr_scheduler_type: schedframe`` known, for trainers that are configured by a file.
- `log_metrics` adds the scheduler's values to what the trainer logs.

One step is one update of the optimizer: the ``Trainer`` calls ``lr_scheduler.step()`` after each, also after the one of
a partial last window of gradient accumulation, and not after one that mixed precision skipped
(huggingface/transformers:src/transformers/trainer.py at v5.24.0).
"""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, ClassVar

from transformers import SchedulerType, TrainerCallback
from transformers.optimization import TYPE_TO_SCHEDULER_FUNCTION

from schedframe._errors import SchedframeError, SchedframeWarning
from schedframe._run.groups.roles import TAG
from schedframe._schedule.schedule import Schedule
from schedframe.adapters._undecayed import mark_undecayed
from schedframe.adapters._updates import ScheduleLike, Updates, as_schedule
from schedframe.adapters.torch import ScheduledLR

NAME = "schedframe"
"""The ``lr_scheduler_type`` that `register` makes known."""


class ScheduleTrainerMixin:
    """Lets a class of trainers run a schedule, as ``class MyTrainer(ScheduleTrainerMixin, SFTTrainer)``.

    It stands before the trainer's class, and the new class sets ``schedule = "run.yaml"``. Where the schedule has rules
    by parameter name, each param group that the trainer makes is divided by them, so that its
    ``get_decay_parameter_names`` goes on to decide what has weight decay.

    Attributes:
        schedule: a `Schedule`, or the path of its file.
        schedule_options: arguments of `ScheduledLR`: ``use_checkpoint_opt_param_scheduler``,
            ``override_opt_param_scheduler``, ``allow_jump``, ``process_group``.
    """

    schedule: ScheduleLike | None = None
    schedule_options: ClassVar[Mapping[str, Any]] = {}

    args: Any
    model: Any
    optimizer: Any
    lr_scheduler: Any

    def create_optimizer(self, *arguments: Any, **options: Any) -> Any:
        """Return the optimizer that the trainer makes, its param groups divided by the schedule's rules by name.

        An optimizer that the trainer was given is returned as it is; its groups must be made by
        `Schedule.param_groups` where there are such rules.

        Raises:
            ConfigError: a rule fits no parameter that is trained, or the schedule has weight decay, and
                ``TrainingArguments.weight_decay`` is 0, its default, so that all groups are made without.
        """
        is_given = self.optimizer is not None
        optimizer = super().create_optimizer(*arguments, **options)  # type: ignore[misc]
        if not is_given:
            schedule = as_schedule(self.schedule)
            mark_undecayed(schedule, optimizer.param_groups)
            if any(rule.match.is_by_parameter for rule in schedule.groups):
                model = next((model for model in (*arguments, *options.values()) if model is not None), self.model)
                optimizer.param_groups[:] = _divided(optimizer.param_groups, schedule.param_groups(model))
        return optimizer

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Return the scheduler of the schedule, which every ``train()`` makes anew.

        Args:
            num_training_steps: how many updates the trainer makes, in all epochs; the length of the schedule's run.
            optimizer: by default the trainer's own. DeepSpeed gives another one.

        Raises:
            ConfigError: see `ScheduledLR`.
            SchedframeError: the trainer has another scheduler already, or an optimizer that updates within the
                backward pass.
        """
        if self.lr_scheduler is None:
            schedule = as_schedule(self.schedule)
            _warn_of_unused(self.args, schedule, num_training_steps)
            optimizer = self.optimizer if optimizer is None else optimizer
            self.lr_scheduler = _scheduled(
                optimizer, schedule, num_training_steps=num_training_steps, **self.schedule_options
            )
            self._created_lr_scheduler = True  # without it, a second train() goes on with the one that is at its end
        elif not isinstance(_unwrapped(self.lr_scheduler), ScheduledLR):
            raise SchedframeError(
                f"the trainer has a {type(self.lr_scheduler).__name__} already, beside which the schedule would not be "
                f"used; give it optimizers=(optimizer, None), and DeepSpeed a config without a `scheduler` block"
            )
        return self.lr_scheduler


def use(trainer: Any, schedule: ScheduleLike, **options: Any) -> Any:
    """Let `trainer` run `schedule` in every ``train()`` from now on, and return it.

    The trainer becomes one of `ScheduleTrainerMixin` and its own class, so that whatever the class overrides stays.
    This also works with ``model_init``, ``optimizers=(optimizer, None)``, FSDP and DeepSpeed, which make their
    optimizers in ``train()``.

    Args:
        trainer: a ``transformers.Trainer``.
        schedule: a `Schedule`, or the path of its file.
        options: arguments of `ScheduledLR`: ``use_checkpoint_opt_param_scheduler``, ``override_opt_param_scheduler``,
            ``allow_jump``, ``process_group``.

    Raises:
        ConfigError: the file has problems.
        SchedframeError: the trainer was given a scheduler.
    """
    if trainer.lr_scheduler is not None:
        raise SchedframeError(
            f"the trainer was given a {type(trainer.lr_scheduler).__name__}, beside which the schedule would not be "
            f"used; give it optimizers=(optimizer, None)"
        )
    schedule = as_schedule(schedule)
    if not isinstance(trainer, ScheduleTrainerMixin):
        own = type(trainer)
        trainer.__class__ = type(own.__name__, (ScheduleTrainerMixin, own), {"__module__": own.__module__})
    trainer.schedule, trainer.schedule_options = schedule, options
    return trainer


def register() -> None:
    """Make ``lr_scheduler_type: schedframe`` known to transformers, in this process, for trainers set up by a file.

    The schedule is ``lr_scheduler_kwargs: {schedule: run.yaml}``, with the arguments of `ScheduledLR` beside it. This
    must be called before ``TrainingArguments`` are made. The trainer makes its param groups without the schedule then,
    so that rules by parameter name need `use`, and there is no warning about a ``learning_rate`` that is not used.

    transformers keeps these names in an enumeration, which it looks values up in
    (huggingface/transformers:src/transformers/optimization.py, ``get_scheduler``, at v5.24.0). The member that is added
    is pickled as a text, so that the ``training_args.bin`` of a checkpoint loads where nothing was registered.
    """
    if NAME in SchedulerType._value2member_map_:
        return
    member = str.__new__(SchedulerType, NAME)
    member._name_, member._value_ = NAME.upper(), NAME
    member.__reduce_ex__ = lambda protocol: (str, (NAME,))
    SchedulerType._member_map_[member._name_] = SchedulerType._value2member_map_[NAME] = member
    SchedulerType._member_names_.append(member._name_)
    TYPE_TO_SCHEDULER_FUNCTION[member] = _by_name


class MetricsCallback(TrainerCallback):  # type: ignore[misc]
    """Adds `ScheduledLR.metrics` to each line of the training's log, for the update that the line is about.

    It must stand before the callbacks that pass the line on to a tracker: `log_metrics` puts it there.
    """

    def __init__(self, prefix: str = "schedule/") -> None:
        """Write `prefix` before each name."""
        self._prefix = prefix
        self._metrics: dict[str, float] = {}

    def on_step_begin(self, args: Any, state: Any, control: Any, lr_scheduler: Any = None, **_: Any) -> None:
        """Take the values of the update that begins; the line is written after the scheduler's step."""
        scheduler = _unwrapped(lr_scheduler)
        self._metrics = scheduler.metrics(self._prefix) if isinstance(scheduler, ScheduledLR) else {}

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Add them where the trainer has its learning rate, which lines of evaluations and the last one lack."""
        if "learning_rate" in logs:
            logs.update(self._metrics)
            state.log_history[-1].update(self._metrics)


def log_metrics(trainer: Any, prefix: str = "schedule/") -> Any:
    """Add the scheduler's values to everything that `trainer` logs while it trains, and return the trainer.

    They stand in ``trainer_state.json``, on the screen, and in each tracker of ``report_to``, beside the trainer's own
    ``learning_rate``; like that one, those of a line with ``step`` n are of the n-th update, the one before the line.

    Args:
        trainer: a ``transformers.Trainer`` whose scheduler is a `ScheduledLR`, however it came there.
        prefix: before each name of `OptimizerParamScheduler.metrics`.
    """
    trainer.callback_handler.callbacks.insert(0, MetricsCallback(prefix))
    return trainer


def _by_name(
    optimizer: Any, num_warmup_steps: int = 0, num_training_steps: int | None = None, **options: Any
) -> ScheduledLR:
    if "schedule" not in options:
        raise SchedframeError(
            f"lr_scheduler_type: {NAME} needs lr_scheduler_kwargs: {{schedule: ...}}, the path of the schedule's file"
        )
    schedule = as_schedule(options.pop("schedule"))
    if num_warmup_steps and num_warmup_steps != _warmup_updates(schedule):
        _warn([f"warmup_steps is {num_warmup_steps} updates, and the schedule has {_warmup_updates(schedule):g}"])
    return _scheduled(optimizer, schedule, num_training_steps=num_training_steps, **options)


def _scheduled(optimizer: Any, schedule: Schedule, **options: Any) -> ScheduledLR:
    if hasattr(optimizer, "optimizer_dict"):
        raise SchedframeError(
            "the layer-wise optimizers of transformers update each parameter within the backward pass, where a "
            "schedule cannot set their learning rate; choose an `optim` whose name does not end in _layerwise"
        )
    return ScheduledLR(optimizer, schedule, **options)


def _unwrapped(scheduler: Any) -> Any:
    """Return the scheduler within accelerate's wrapper, which the trainer has under DeepSpeed."""
    return getattr(scheduler, "scheduler", scheduler)


def _divided(groups: list[dict[str, Any]], by_rule: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield each of `groups` once for each of the groups `by_rule` that has parameters of it."""
    for group in groups:
        own = {id(parameter) for parameter in group["params"]}
        for ruled in by_rule:
            if params := [parameter for parameter in ruled["params"] if id(parameter) in own]:
                yield {**group, "params": params, TAG: ruled[TAG]}


def _warmup_updates(schedule: Schedule) -> float:
    updates = Updates(schedule)
    return updates.update_at(schedule.start_step + schedule.plan.lr_warmup_steps) - updates.first


def _warn_of_unused(args: Any, schedule: Schedule, num_training_steps: int) -> None:
    """Warn of what `args` specify, other than by default and than `schedule`, which specifies it too."""
    default = {field.name: field.default for field in fields(args)}
    unused = []
    if args.learning_rate not in (default["learning_rate"], schedule.max_lr):
        unused.append(f"learning_rate is {args.learning_rate:g}, and the schedule has max_lr {schedule.max_lr:g}")
    if schedule.start_wd is not None and args.weight_decay not in (default["weight_decay"], schedule.start_wd):
        unused.append(f"weight_decay is {args.weight_decay:g}, and the schedule has start_wd {schedule.start_wd:g}")
    warmup = args.get_warmup_steps(num_training_steps)
    if warmup not in (default["warmup_steps"], _warmup_updates(schedule)):
        unused.append(f"warmup_steps is {warmup} updates, and the schedule has {_warmup_updates(schedule):g}")
    if args.lr_scheduler_type not in (default["lr_scheduler_type"], NAME) or args.lr_scheduler_kwargs:
        kind = SchedulerType(args.lr_scheduler_type).value
        unused.append(f"lr_scheduler_type is {kind}, and the schedule has lr_decay_style {schedule.lr_style.style}")
    if unused:
        _warn(unused)


def _warn(unused: list[str]) -> None:
    text = "; ".join(unused)
    warnings.warn(f"TrainingArguments are not used where the schedule decides: {text}", SchedframeWarning, stacklevel=4)
