"""Puts schedframe's scheduler, flags and checks into Megatron-LM, whose files stay as they are."""

import importlib
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any

from schedframe._plan.words import written
from schedframe._plugins.source import Source
from schedframe._process import is_first_rank
from schedframe._run.scheduler import OptimizerParamScheduler
from schedframe._schedule.build import build
from schedframe._version import __version__
from schedframe.megatron import _versions
from schedframe.megatron._config_overrides import config_overrides
from schedframe.megatron._from_args import arguments
from schedframe.megatron._launch.command_line import POLICIES, CommandLine, refuse_errors
from schedframe.megatron._launch.fill import refuse_other_batches, rounding, unreached
from schedframe.megatron._launch.pairing import pair_on_load
from schedframe.styles._base import Style
from schedframe.styles._installed import sources_within


def install() -> None:
    """Let the Megatron-LM of this process run schedframe's schedules; call it before Megatron parses its arguments.

    ``--lr-decay-style``, ``--lr-wsd-decay-style`` and ``--weight-decay-incr-style`` then take every installed style,
    ``--schedule FILE`` a file. It is what ``python -m schedframe.megatron`` does before it runs a script; calling it
    again changes nothing.

    Raises:
        UnknownMegatronError: Megatron-LM cannot be imported, or lacks what is replaced in it.
    """
    megatron = _versions.modules()
    if not hasattr(megatron[_versions.ARGUMENTS].add_megatron_arguments, "schedframe"):
        _Launch(megatron).put_in_place()


class _Launch:
    """What is put into Megatron-LM."""

    def __init__(self, megatron: Mapping[str, Any]) -> None:
        """Take Megatron-LM's modules by name."""
        self._megatron = megatron
        self._training = megatron[_versions.TRAINING]
        self._line = CommandLine()

    def put_in_place(self) -> None:
        """Replace what is looked up in Megatron's modules at each call."""
        parsing = self._megatron[_versions.ARGUMENTS]
        _wrap(parsing, "add_megatron_arguments", self._line.add_arguments)
        parsing.add_megatron_arguments.schedframe = True
        _wrap(self._megatron[_versions.YAML_ARGUMENTS], "load_yaml", self._line.load_yaml)
        for name, places in _versions.VALIDATORS.items():
            for module in map(importlib.import_module, places):
                _wrap(module, name, self._validate)
        _wrap(self._training, _versions.OVERRIDES, self._optimizer_config)
        _wrap(self._training, "setup_model_and_optimizer", self._set_up)
        self._training.OptimizerParamScheduler = self._build

    def _validate(self, validate: Callable[..., Any], args: Any, *others: Any, **options: Any) -> Any:
        """Refuse, before anything is built, what could not run."""
        validated = validate(args, *others, **options)
        schedule = self._line.schedule
        if schedule is not None:
            refuse_other_batches(args, schedule, takes_ramps=_versions.takes_ramps())
            _say(rounding(args, schedule))
            if schedule.groups and not hasattr(self._training, _versions.OVERRIDES):
                config_overrides(schedule)
        elif args.lr is None or getattr(args, "skip_train", False) or not (args.train_iters or args.train_samples):
            return validated
        else:
            schedule = self._line.by_flags(args, arguments(args))
        refuse_errors(schedule)
        return validated

    def _args(self) -> Any:
        return self._megatron["megatron.training"].get_args()

    def _build(self, optimizer: Any, **constructor: Any) -> OptimizerParamScheduler:
        """Return the scheduler; Megatron calls this in place of its own class."""
        use_checkpoint, override = (constructor[name] for name in POLICIES)
        scheduler = build(
            self._line.schedule or self._line.by_flags(self._args(), constructor),
            optimizer,
            use_checkpoint=use_checkpoint,
            override=override,
            scheduler=_versions.scheduler_class(self._megatron),
        )
        pair_on_load(optimizer)
        return scheduler

    def _optimizer_config(self, configured: Callable[..., Any], *given: Any, **options: Any) -> Any:
        """Add the overrides by which Megatron makes param groups for the rules of the schedule."""
        config, overrides = configured(*given, **options)
        if self._line.schedule is not None and self._line.schedule.groups:
            overrides = {**(overrides or {}), **config_overrides(self._line.schedule)}
        return config, overrides

    def _set_up(self, set_up: Callable[..., Any], *given: Any, **options: Any) -> Any:
        """Print what runs once the checkpoint is loaded, and refuse ranks that run something else."""
        model, optimizer, scheduler = set_up(*given, **options)
        if scheduler is not None:
            scheduler.restore_bounds()
            if not self._args().no_verify_ranks:
                scheduler.verify_ranks()
            _say(_announcement(scheduler))
            if self._line.schedule is not None:
                _say(unreached(self._args(), self._line.schedule))
        return model, optimizer, scheduler


def _wrap(module: Any, name: str, replacement: Callable[..., Any]) -> None:
    """Replace the function `name` of `module`, if it has one, by `replacement`, which is given the original first."""
    if hasattr(module, name):
        original = getattr(module, name)
        setattr(module, name, wraps(original)(partial(replacement, original)))


def _say(text: str) -> None:
    """Print `text`, unless it is empty, on the first rank."""
    if text and is_first_rank():
        print(f"schedframe {__version__}: {text}", flush=True)


def _announcement(scheduler: OptimizerParamScheduler) -> str:
    wd = scheduler.wd_style
    also = "" if wd.is_constant else f", weight decay {_with_source(wd)}"
    rules = f", rules for {' and '.join(rule.role for rule in scheduler.groups)}" if scheduler.groups else ""
    return f"{_with_source(scheduler.lr_style)}{also}{rules}"


def _with_source(style: Style) -> str:
    """Return `style` with its source, and with the sources of the styles that it holds, if those are others."""
    first, *held = sources_within("", style).values()
    others = [f", {source.name} from {_short(source)}" for source in held if source.distribution != first.distribution]
    return f"{written(style)} from {_short(first)}{''.join(dict.fromkeys(others))}"


def _short(source: Source) -> str:
    return f"{source.distribution} {source.version}" if source.distribution else str(source)
