"""The schedule that a command line of Megatron-LM declares, by its flags and by the file that one of them names."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from typing import Any

from schedframe._errors import ConfigError, Problem
from schedframe._schedule.findings import errors_of
from schedframe._schedule.schedule import Schedule
from schedframe.megatron import _versions
from schedframe.megatron._launch import flags as _flags
from schedframe.megatron._launch.file_and_flags import combine, styled, table_of
from schedframe.megatron._launch.fill import fill
from schedframe.megatron._scheduler import refuse_other_clocks
from schedframe.styles._flat_wsd import is_bare

POLICIES = ("use_checkpoint_opt_param_scheduler", "override_opt_param_scheduler")
"""The constructor's arguments that are not part of a schedule."""


class CommandLine:
    """What a command line, or the YAML file that replaces it, declares.

    Attributes:
        schedule: the one of ``--schedule`` with the flags beside it; ``None`` where there is no file.
    """

    def __init__(self) -> None:
        """Know nothing until a command line is parsed."""
        self.schedule: Schedule | None = None
        self._added: dict[str, Any] = dict.fromkeys(_flags.ADDED)

    def add_arguments(self, add: Callable[..., ArgumentParser], parser: ArgumentParser) -> ArgumentParser:
        """Add Megatron's arguments by `add`, and schedframe's; each parse declares the schedule anew."""
        return _flags.extend(add(parser), self._parsed)

    def load_yaml(self, load: Callable[[str], Any], path: str) -> Any:
        """Return the arguments of Megatron's YAML at `path`, which declares the schedule."""
        args = load(path)
        for name, value in self._added.items():
            if getattr(args, name, None) is None:
                setattr(args, name, value)
        self._declare(args, _flags.given_in(args), f"in {path}")
        return args

    def by_flags(self, args: Any, constructor: Mapping[str, Any]) -> Schedule:
        """Return the schedule that Megatron's arguments for the constructor declare, with the styles' options.

        Args:
            args: Megatron's namespace, after its validation.
            constructor: the arguments of the scheduler's constructor, by name.

        Raises:
            ConfigError: they do not declare one.
        """
        keys = {name: _in_samples(name, value) for name, value in constructor.items() if name not in POLICIES}
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
        return Schedule(**keys, **_run(args), **_batches(args))

    def _parsed(self, args: Namespace, given: Mapping[str, Any]) -> None:
        """Keep the command line's arguments; with ``--yaml-cfg`` Megatron goes on with those of its YAML."""
        self._added = {name: getattr(args, name) for name in _flags.ADDED}
        if getattr(args, "yaml_cfg", None) is None:
            self._declare(args, given, "on the command line")

    def _declare(self, args: Any, given: Mapping[str, Any], place: str) -> None:
        self.schedule = None
        if not getattr(args, "skip_train", False):
            given = _flags.once(given)
        if args.schedule is not None:
            schedule = combine(args.schedule, given, place, getattr(args, "weight_decay", None))
            refuse_other_clocks(schedule)
            fill(args, schedule, given)
            self.schedule = schedule


def refuse_errors(schedule: Schedule) -> None:
    """Refuse a schedule in which lint rules, or policy checks of installed plugins, find errors; log their warnings.

    Raises:
        ConfigError: with all of the errors.
    """
    problems = errors_of(schedule, schedule.origin)
    if problems:
        raise schedule.origin.error(problems)


def _in_samples(name: str, value: Any) -> Any:
    """Return the value of a constructor's argument as a config has it: Megatron's steps are samples."""
    return f"{value} samples" if name.endswith("_steps") and value is not None else value


def _run(args: Any) -> dict[str, Any]:
    """Return the key of the run's length, in the unit in which Megatron is given it."""
    key = "train_samples" if args.train_samples else "train_iters"
    return {key: getattr(args, key)}


def _batches(args: Any) -> dict[str, Any]:
    """Return the keys that convert iterations and tokens."""
    keys = {key: _flags.Place(key).value(getattr(args, key, None)) for key in (*_flags.BATCHES, "data_parallel_size")}
    if keys["rampup_batch_size"] is not None and not _versions.takes_ramps():
        keys["rampup_batch_size"] = None
    if keys["step_batch_size_schedule"] is not None:
        keys["global_batch_size"] = None  # the first of the step schedule, which contains it
    return {key: value for key, value in keys.items() if value is not None}
