"""Puts schedframe's scheduler, flags and checks into Megatron-LM, whose files stay as they are."""

import importlib
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any

from schedframe._errors import ConfigError, Problem
from schedframe._plan.words import written
from schedframe._plugins.source import Source
from schedframe._process import is_first_rank
from schedframe._run.scheduler import OptimizerParamScheduler
from schedframe._schedule.build import build
from schedframe._schedule.findings import errors_of
from schedframe._schedule.schedule import Schedule
from schedframe._version import __version__
from schedframe.megatron import _versions
from schedframe.megatron._config_overrides import config_overrides
from schedframe.megatron._from_args import arguments
from schedframe.megatron._launch import flags as _flags
from schedframe.megatron._launch.file_and_flags import combine, styled, table_of
from schedframe.megatron._launch.fill import fill, refuse_other_batches
from schedframe.megatron._launch.pairing import pair_on_load
from schedframe.megatron._scheduler import refuse_other_clocks
from schedframe.styles._base import Style
from schedframe.styles._flat_wsd import is_bare
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


_POLICIES = ("use_checkpoint_opt_param_scheduler", "override_opt_param_scheduler")


class _Launch:
    """What is put into Megatron-LM, and the schedule that its arguments declared."""

    def __init__(self, megatron: Mapping[str, Any]) -> None:
        """Take Megatron-LM's modules by name."""
        self._megatron = megatron
        self._training = megatron[_versions.TRAINING]
        self._schedule: Schedule | None = None
        self._added: dict[str, Any] = dict.fromkeys(_flags.ADDED)

    def put_in_place(self) -> None:
        """Replace what is looked up in Megatron's modules at each call."""
        parsing = self._megatron[_versions.ARGUMENTS]
        _wrap(parsing, "add_megatron_arguments", self._add_arguments)
        parsing.add_megatron_arguments.schedframe = True
        _wrap(self._megatron[_versions.YAML_ARGUMENTS], "load_yaml", self._load_yaml)
        for name, places in _versions.VALIDATORS.items():
            for module in map(importlib.import_module, places):
                _wrap(module, name, self._validate)
        _wrap(self._training, _versions.OVERRIDES, self._optimizer_config)
        _wrap(self._training, "setup_model_and_optimizer", self._set_up)
        self._training.OptimizerParamScheduler = self._build

    def _add_arguments(self, add: Callable[..., ArgumentParser], parser: ArgumentParser) -> ArgumentParser:
        return _flags.extend(add(parser), self._parsed)

    def _parsed(self, args: Namespace, given: Mapping[str, Any]) -> None:
        """Keep the command line's arguments; with ``--yaml-cfg`` Megatron goes on with those of its YAML."""
        self._added = {name: getattr(args, name) for name in _flags.ADDED}
        if getattr(args, "yaml_cfg", None) is None:
            self._declare(args, given, "on the command line")

    def _load_yaml(self, load: Callable[[str], Any], path: str) -> Any:
        args = load(path)
        for name, value in self._added.items():
            if getattr(args, name, None) is None:
                setattr(args, name, value)
        self._declare(args, _flags.given_in(args), f"in {path}")
        return args

    def _declare(self, args: Any, given: Mapping[str, Any], place: str) -> None:
        self._schedule = None
        if args.schedule is not None:
            schedule = combine(args.schedule, given, place, getattr(args, "weight_decay", None))
            refuse_other_clocks(schedule)
            fill(args, schedule, given)
            self._schedule = schedule

    def _validate(self, validate: Callable[..., Any], args: Any, *others: Any, **options: Any) -> Any:
        """Refuse, before anything is built, what could not run."""
        validated = validate(args, *others, **options)
        schedule = self._schedule
        if schedule is not None:
            refuse_other_batches(args, schedule)
            if schedule.groups and not hasattr(self._training, _versions.OVERRIDES):
                config_overrides(schedule)
        elif args.lr is None or getattr(args, "skip_train", False) or not (args.train_iters or args.train_samples):
            return validated
        else:
            schedule = self._by_flags(args, arguments(args))
        problems = errors_of(schedule, schedule.origin)
        if problems:
            raise schedule.origin.error(problems)
        return validated

    def _by_flags(self, args: Any, constructor: Mapping[str, Any]) -> Schedule:
        """Return the schedule that Megatron's arguments for the constructor declare, with the styles' options.

        Raises:
            ConfigError: they do not declare one.
        """
        keys = {name: value for name, value in constructor.items() if name not in _POLICIES}
        lr, cooldown, wd = (table_of(self._added[name], name) for name in _flags.OPTIONS.values())
        steps, curve = keys.pop("wsd_decay_steps"), keys.pop("lr_wsd_decay_style")
        if is_bare(keys["lr_decay_style"]):
            flat = {"wsd_decay_steps": steps, "lr_wsd_decay_style": styled(curve, cooldown), **lr}
            lr = {name: value for name, value in flat.items() if value is not None}
        elif cooldown:
            fault = f"is only for --lr-decay-style WSD, and that is {keys['lr_decay_style']!r}"
            raise ConfigError("the flags", [Problem("--lr-wsd-decay-style-options", fault)])
        for name, options in (("lr_decay_style", lr), ("wd_incr_style", wd)):
            keys[name] = styled(keys[name], options)
        return Schedule(**keys, **_batches(args))

    def _args(self) -> Any:
        return self._megatron["megatron.training"].get_args()

    def _build(self, optimizer: Any, **constructor: Any) -> OptimizerParamScheduler:
        """Return the scheduler; Megatron calls this in place of its own class."""
        use_checkpoint, override = (constructor[name] for name in _POLICIES)
        scheduler = build(
            self._schedule or self._by_flags(self._args(), constructor),
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
        if self._schedule is not None and self._schedule.groups:
            overrides = {**(overrides or {}), **config_overrides(self._schedule)}
        return config, overrides

    def _set_up(self, set_up: Callable[..., Any], *given: Any, **options: Any) -> Any:
        """Print what runs once the checkpoint is loaded, and refuse ranks that run something else."""
        model, optimizer, scheduler = set_up(*given, **options)
        if scheduler is not None:
            scheduler.restore_bounds()
            if not self._args().no_verify_ranks:
                scheduler.verify_ranks()
            if is_first_rank():
                print(_announcement(scheduler), flush=True)
        return model, optimizer, scheduler


def _wrap(module: Any, name: str, replacement: Callable[..., Any]) -> None:
    """Replace the function `name` of `module`, if it has one, by `replacement`, which is given the original first."""
    if hasattr(module, name):
        original = getattr(module, name)
        setattr(module, name, wraps(original)(partial(replacement, original)))


def _batches(args: Any) -> dict[str, Any]:
    """Return the keys that convert iterations and tokens in a style's options."""
    keys = {key: _flags.Place(key).value(getattr(args, key, None)) for key in (*_flags.BATCHES, "data_parallel_size")}
    if keys["step_batch_size_schedule"] is not None:
        keys["global_batch_size"] = None  # the first of the step schedule, which contains it
    return {key: value for key, value in keys.items() if value is not None}


def _announcement(scheduler: OptimizerParamScheduler) -> str:
    wd = scheduler.wd_style
    also = "" if wd.is_constant else f", weight decay {_with_source(wd)}"
    rules = f", rules for {' and '.join(rule.role for rule in scheduler.groups)}" if scheduler.groups else ""
    return f"schedframe {__version__}: {_with_source(scheduler.lr_style)}{also}{rules}"


def _with_source(style: Style) -> str:
    """Return `style` with its source, and with the sources of the styles that it holds, if those are others."""
    first, *held = sources_within("", style).values()
    others = [f", {source.name} from {_short(source)}" for source in held if source.distribution != first.distribution]
    return f"{written(style)} from {_short(first)}{''.join(dict.fromkeys(others))}"


def _short(source: Source) -> str:
    return f"{source.distribution} {source.version}" if source.distribution else str(source)
