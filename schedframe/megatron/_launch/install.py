"""Puts schedframe's scheduler, flags and checks into Megatron-LM, whose files stay as they are."""

import importlib
import inspect
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any

from schedframe._errors import ConfigError, Problem, UnknownMegatronError
from schedframe._plan.words import written
from schedframe._plugins import hooks as _hooks
from schedframe._plugins.source import Source
from schedframe._process import is_first_rank
from schedframe._run import scheduler as _scheduler
from schedframe._schedule import build as _build
from schedframe._schedule.schedule import Schedule
from schedframe._version import __version__
from schedframe.megatron._config_overrides import config_overrides
from schedframe.megatron._from_args import arguments
from schedframe.megatron._launch import file_and_flags as _declared
from schedframe.megatron._launch import fill as _filled
from schedframe.megatron._launch import flags as _flags
from schedframe.megatron._launch.pairing import pair_on_load
from schedframe.megatron._scheduler import (
    OptimizerParamScheduler,
    OptimizerParamScheduler015,
    refuse_other_clocks,
)
from schedframe.styles._base import Style
from schedframe.styles._flat_wsd import is_bare
from schedframe.styles._installed import sources_within

_LOOKED_FOR = {
    "megatron.core.optimizer.optimizer": ("param_group_identifier_keys",),
    "megatron.core.optimizer_param_scheduler": ("OptimizerParamScheduler",),
    "megatron.training": ("get_args",),
    "megatron.training.arguments": ("add_megatron_arguments", "parse_args", "validate_args"),
    "megatron.training.yaml_arguments": ("load_yaml", "validate_yaml"),
    "megatron.training.training": (
        "OptimizerParamScheduler",
        "get_optimizer_param_scheduler",
        "setup_model_and_optimizer",
    ),
}
_VALIDATORS = {
    "validate_args": ("megatron.training.arguments", "megatron.training.initialize"),
    "validate_yaml": ("megatron.training.yaml_arguments", "megatron.training.initialize"),
}


def install() -> None:
    """Let the Megatron-LM of this process run schedframe's schedules; call it before Megatron parses its arguments.

    ``--lr-decay-style``, ``--lr-wsd-decay-style`` and ``--weight-decay-incr-style`` then take every installed style,
    ``--schedule FILE`` a file. It is what ``python -m schedframe.megatron`` does before it runs a script; calling it
    again changes nothing.

    Raises:
        UnknownMegatronError: Megatron-LM cannot be imported, or lacks what is replaced in it.
    """
    megatron = _look()
    parsing = megatron["megatron.training.arguments"]
    if not hasattr(parsing.add_megatron_arguments, "schedframe"):
        _Launch(megatron).put_in_place()


def _look() -> dict[str, Any]:
    """Import Megatron-LM's modules, and see that all is there."""
    found, missing = {}, []
    for name, attributes in _LOOKED_FOR.items():
        try:
            found[name] = importlib.import_module(name)
        except ImportError as error:
            raise UnknownMegatronError(
                f"Megatron-LM cannot be imported: {name}: {error}; run this with the script of a Megatron-LM checkout, "
                f"or install megatron-core 0.17 or later, whose wheel has megatron.training"
            ) from error
        missing += [f"{name}.{attribute}" for attribute in attributes if not hasattr(found[name], attribute)]
    if missing:
        raise UnknownMegatronError(
            f"Megatron-LM {_version()} has no {', '.join(missing)}, which schedframe {__version__} looks for: it knows "
            f"Megatron-LM 0.14 to 0.19. A newer schedframe may know this one"
        )
    return found


def _version() -> str:
    return str(getattr(importlib.import_module("megatron.core"), "__version__", "of unknown version"))


class _Launch:
    """What is put into Megatron-LM, and the schedule that its arguments declared."""

    def __init__(self, megatron: Mapping[str, Any]) -> None:
        """Take Megatron-LM's modules by name."""
        self._megatron = megatron
        self._training = megatron["megatron.training.training"]
        self._schedule: Schedule | None = None
        self._own: dict[str, Any] = dict.fromkeys(_flags.OWN)

    def put_in_place(self) -> None:
        """Replace what is looked up in Megatron's modules at each call."""
        parsing, yaml = (self._megatron[f"megatron.training.{name}"] for name in ("arguments", "yaml_arguments"))
        parsing.add_megatron_arguments = _around(parsing.add_megatron_arguments, self._add_arguments)
        parsing.add_megatron_arguments.schedframe = True
        yaml.load_yaml = _around(yaml.load_yaml, self._load_yaml)
        for name, places in _VALIDATORS.items():
            for module in map(importlib.import_module, places):
                if hasattr(module, name):
                    setattr(module, name, _around(getattr(module, name), self._validate))
        self._training.OptimizerParamScheduler = self._build
        around = {
            "get_megatron_optimizer_config": self._optimizer_config,
            "setup_model_and_optimizer": self._set_up,
        }
        for name, replacement in around.items():
            if hasattr(self._training, name):
                setattr(self._training, name, _around(getattr(self._training, name), replacement))

    def _add_arguments(self, add: Callable[..., ArgumentParser], parser: ArgumentParser) -> ArgumentParser:
        return _flags.extend(add(parser), self._parsed)

    def _parsed(self, args: Namespace, said: Mapping[str, Any]) -> None:
        """See the command line's arguments; with ``--yaml-cfg`` Megatron goes on with those of its YAML."""
        self._own = {name: getattr(args, name) for name in _flags.OWN}
        if getattr(args, "yaml_cfg", None) is None:
            self._declare(args, said, "on the command line")

    def _load_yaml(self, load: Callable[[str], Any], path: str) -> Any:
        args = load(path)
        for name, value in self._own.items():
            if getattr(args, name, None) is None:
                setattr(args, name, value)
        self._declare(args, _flags.said_in(args), f"in {path}")
        return args

    def _declare(self, args: Any, said: Mapping[str, Any], place: str) -> None:
        self._schedule = None
        if args.schedule is not None:
            schedule = _declared.declared(args.schedule, said, place, getattr(args, "weight_decay", None))
            refuse_other_clocks(schedule)
            _filled.fill(args, schedule, said)
            self._schedule = schedule

    def _validate(self, validate: Callable[..., Any], args: Any, *others: Any, **options: Any) -> Any:
        """Refuse, before anything is built, what could not run."""
        validated = validate(args, *others, **options)
        schedule = self._schedule
        if schedule is not None:
            _filled.refuse_other_batches(args, schedule)
            if schedule.groups and not hasattr(self._training, "get_megatron_optimizer_config"):
                config_overrides(schedule)
        elif args.lr is None or getattr(args, "skip_train", False) or not (args.train_iters or args.train_samples):
            return validated
        else:
            schedule = self._by_flags(args, **arguments(args))
        complaints = [Problem("", complaint) for complaint in _hooks.complaints(schedule)]
        if complaints:
            raise schedule.origin.error(complaints)
        return validated

    def _by_flags(
        self,
        args: Any,
        *,
        lr_decay_style: str,
        lr_wsd_decay_style: str | None,
        wsd_decay_steps: float | None,
        wd_incr_style: str,
        use_checkpoint_opt_param_scheduler: bool,
        override_opt_param_scheduler: bool,
        **numbers: Any,
    ) -> Schedule:
        """Return the schedule that Megatron's arguments for the constructor declare, with the styles' options.

        Raises:
            ConfigError: they declare none.
        """
        lr, tail, wd = (_declared.table_of(self._own[name], name) for name in _flags.OPTIONS.values())
        if is_bare(lr_decay_style):
            lr = {
                "wsd_decay_steps": wsd_decay_steps,
                "lr_wsd_decay_style": _declared.styled(lr_wsd_decay_style, tail),
                **lr,
            }
            lr = {name: value for name, value in lr.items() if value is not None}
        elif tail:
            fault = f"is only for --lr-decay-style WSD, and that is {lr_decay_style!r}"
            raise ConfigError("the flags", [Problem("--lr-wsd-decay-style-options", fault)])
        return Schedule(
            **numbers,
            lr_decay_style=_declared.styled(lr_decay_style, lr),
            wd_incr_style=_declared.styled(wd_incr_style, wd),
            **_batches(args),
        )

    def _args(self) -> Any:
        return self._megatron["megatron.training"].get_args()

    def _build(self, optimizer: Any, **fifteen: Any) -> _scheduler.OptimizerParamScheduler:
        """Stand where Megatron's class does: return the scheduler."""
        schedule = self._schedule or self._by_flags(self._args(), **fifteen)
        scheduler = _build.build(
            schedule,
            optimizer,
            use_checkpoint=fifteen["use_checkpoint_opt_param_scheduler"],
            override=fifteen["override_opt_param_scheduler"],
            scheduler=self._scheduler(),
        )
        pair_on_load(optimizer)
        return scheduler

    def _scheduler(self) -> type[_scheduler.OptimizerParamScheduler]:
        """Our class with the rules of this Megatron Core; one weight decay for all groups is the older ones'."""
        theirs = self._megatron["megatron.core.optimizer_param_scheduler"].OptimizerParamScheduler
        by_group = "param_group" in inspect.signature(theirs.get_wd).parameters
        return OptimizerParamScheduler if by_group else OptimizerParamScheduler015

    def _optimizer_config(self, configured: Callable[..., Any], *given: Any, **options: Any) -> Any:
        """Add the overrides by which Megatron makes param groups for the rules of the schedule."""
        config, overrides = configured(*given, **options)
        if self._schedule is not None and self._schedule.groups:
            overrides = {**(overrides or {}), **config_overrides(self._schedule)}
        return config, overrides

    def _set_up(self, set_up: Callable[..., Any], *given: Any, **options: Any) -> Any:
        """Say what runs once the checkpoint is loaded, and refuse ranks that run something else."""
        model, optimizer, scheduler = set_up(*given, **options)
        if scheduler is not None:
            scheduler.restore_bounds()
            if not self._args().no_verify_ranks:
                scheduler.verify_ranks()
            if is_first_rank():
                print(_announcement(scheduler), flush=True)
        return model, optimizer, scheduler


def _around(original: Callable[..., Any], replacement: Callable[..., Any]) -> Any:
    """Return `replacement` in the place of `original`, which it is given first."""
    return wraps(original)(partial(replacement, original))


def _batches(args: Any) -> dict[str, Any]:
    """What converts iterations and tokens in a style's options."""
    said = {key: getattr(args, key, None) for key in (*_flags.BATCHES, "data_parallel_size")}
    if said["rampup_batch_size"] is not None:
        said["rampup_batch_size"] = [int(size) for size in said["rampup_batch_size"]]
    if said["step_batch_size_schedule"] is not None:
        said["global_batch_size"] = None  # the one at the start, which the schedule says too
    return {key: value for key, value in said.items() if value is not None}


def _announcement(scheduler: _scheduler.OptimizerParamScheduler) -> str:
    wd = scheduler.wd_style
    also = "" if wd.is_constant else f", weight decay {_from(wd)}"
    rules = f", rules for {' and '.join(rule.role for rule in scheduler.groups)}" if scheduler.groups else ""
    return f"schedframe {__version__}: {_from(scheduler.lr_style)}{also}{rules}"


def _from(style: Style) -> str:
    """`style`, where it is from, and where the styles that it holds are from, if that is elsewhere."""
    own, *held = sources_within("", style).values()
    others = [f", {source.name} from {_where(source)}" for source in held if source.distribution != own.distribution]
    return f"{written(style)} from {_where(own)}{''.join(dict.fromkeys(others))}"


def _where(source: Source) -> str:
    return f"{source.distribution} {source.version}" if source.distribution else str(source)
