"""Megatron-LM's flags that declare a schedule, those that schedframe adds, and which of them were given."""

import argparse
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from schedframe._errors import ConfigError, Problem, SchedframeError
from schedframe.megatron._versions import refuse_missing_flags
from schedframe.styles._byname import ByName, by_lr_curve, by_lr_style, by_wd_style

BATCHES = (
    "global_batch_size",
    "rampup_batch_size",
    "step_batch_size_schedule",
    "decrease_batch_size_if_needed",
    "micro_batch_size",
    "seq_length",
)
"""Megatron's arguments that determine how iterations and tokens are converted to samples; keys of the same name."""


class Place(NamedTuple):
    """Where an argument stands in a config.

    Attributes:
        key: the key that it sets.
        unit: the unit of its value, ``%`` for a fraction; empty for a value as it is.
        option: the option of the style in `key`; empty for the key as a whole.
    """

    key: str
    unit: str = ""
    option: str = ""

    def value(self, given: Any) -> Any:
        """Return the value of an argument, as a config has it."""
        if isinstance(given, list):
            return [int(size) for size in given]
        if self.unit == "%":
            return f"{Decimal(str(given)) * 100:f}%"
        return f"{given} {self.unit}" if self.unit else given


PLACES = {
    "lr": Place("max_lr"),
    "min_lr": Place("min_lr"),
    "lr_warmup_init": Place("init_lr"),
    "train_iters": Place("train_iters"),
    "train_samples": Place("train_samples"),
    **{argument: Place(argument) for argument in BATCHES},
    "weight_decay": Place("start_wd"),
    "start_weight_decay": Place("start_wd"),
    "end_weight_decay": Place("end_wd"),
    "lr_warmup_iters": Place("lr_warmup_steps", "iters"),
    "lr_warmup_samples": Place("lr_warmup_steps", "samples"),
    "lr_warmup_fraction": Place("lr_warmup_steps", "%"),
    "lr_decay_iters": Place("lr_decay_steps", "iters"),
    "lr_decay_samples": Place("lr_decay_steps", "samples"),
    "lr_decay_style": Place("lr_decay_style", option="style"),
    "lr_wsd_decay_iters": Place("lr_decay_style", "iters", "wsd_decay_steps"),
    "lr_wsd_decay_samples": Place("lr_decay_style", "samples", "wsd_decay_steps"),
    "lr_wsd_decay_style": Place("lr_decay_style", option="lr_wsd_decay_style"),
    "weight_decay_incr_style": Place("wd_incr_style", option="style"),
}
"""Megatron's arguments that set a key. Of two that set the same weight decay, the later one takes precedence."""

LENGTHS = {
    "train": ("train_iters", "train_samples"),
    "lr_decay": ("lr_decay_iters", "lr_decay_samples"),
    "lr_warmup": ("lr_warmup_iters", "lr_warmup_samples", "lr_warmup_fraction"),
    "lr_wsd_decay": ("lr_wsd_decay_iters", "lr_wsd_decay_samples"),
}
"""Megatron's lengths, each with the arguments that set it."""

_NO_WARMUP = ("lr_warmup_iters", "lr_warmup_samples")
"""The arguments whose default in Megatron is 0, for no warmup."""

STYLES = {"lr_decay_style": by_lr_style, "lr_wsd_decay_style": by_lr_curve, "weight_decay_incr_style": by_wd_style}
"""Megatron's arguments that name a style."""

_STYLE_HELP = {
    "lr_decay_style": "Learning-rate style, one of those installed",
    "lr_wsd_decay_style": "Curve of the cooldown of WSD, one of the installed learning-rate styles that are curves",
    "weight_decay_incr_style": "Weight-decay style, one of those installed, or the name of a learning-rate curve",
}

OPTIONS = {argument: f"{argument}_options" for argument in STYLES}
"""The argument with the options of a style, by the argument with its name."""

ADDED = ("schedule", *OPTIONS.values(), "no_verify_ranks")
"""The arguments that schedframe adds."""

_READ = {*PLACES, *OPTIONS.values(), "use_checkpoint_opt_param_scheduler", "override_opt_param_scheduler"}
_NOT_GIVEN = object()

Parsed = Callable[[argparse.Namespace, Mapping[str, Any]], None]


def flag_of(argument: str) -> str:
    """Return the flag of an argument."""
    return f"--{argument.replace('_', '-')}"


def once(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that are `given`, each length once: a warmup of 0 beside another one is left out.

    Raises:
        ConfigError: several arguments set one length.
    """
    kept, problems = dict(given), []
    for arguments in LENGTHS.values():
        setting = [argument for argument in arguments if argument in given]
        unset = [argument for argument in setting if argument in _NO_WARMUP and given[argument] == 0]
        for argument in unset[1:] if unset == setting else unset:
            del kept[argument]
        first, *others = [f"{flag_of(argument)} {kept[argument]}" for argument in setting if argument in kept] or [""]
        if others:
            problems.append(Problem(first, f"sets the same length as {' and '.join(others)}; leave all but one out"))
    if problems:
        raise ConfigError("the flags", problems)
    return kept


def extend(parser: argparse.ArgumentParser, parsed: Parsed) -> argparse.ArgumentParser:
    """Let Megatron-LM's `parser` take every installed style, and schedframe's own flags.

    Args:
        parser: holds all of Megatron's arguments.
        parsed: called after each parse with its namespace, and with the arguments that the command line gives.

    Raises:
        UnknownMegatronError: Megatron-LM lacks a flag that names a style.
    """
    refuse_missing_flags(map(flag_of, STYLES), parser._option_string_actions)
    group = parser.add_argument_group(title="schedframe")
    group.add_argument("--schedule", metavar="FILE", help="The schedule, a YAML, TOML or JSON file of schedframe.")
    for argument, by_name in STYLES.items():
        action = parser._option_string_actions[flag_of(argument)]
        action.choices, action.type, action.metavar = None, partial(_name, by_name), "STYLE"
        action.help = f"{_STYLE_HELP[argument]}: {', '.join(by_name.registry)}."
        group.add_argument(
            flag_of(OPTIONS[argument]),
            metavar="TABLE",
            help=f"Options of the style that {flag_of(argument)} names, as a YAML or JSON table: '{{beta: 0.5}}'.",
        )
    group.add_argument(
        "--no-verify-ranks",
        action="store_true",
        help="Do not compare the schedules of all ranks at the start.",
    )
    parser.parse_known_args = partial(_parse, parser, parser.parse_known_args, parsed)  # type: ignore[assignment,method-assign]
    return parser


def given_in(args: Any) -> dict[str, Any]:
    """Return the arguments that Megatron's YAML gives. It has all of them: those not meant are null, false or 0.

    Args:
        args: the YAML's namespace.
    """
    values = {name: getattr(args, name, None) for name in _READ}
    return {
        name: value
        for name, value in values.items()
        if not (value is None or value is False or (value == 0 and name.startswith("lr_warmup_")))
    }


def _parse(
    parser: argparse.ArgumentParser,
    parse: Callable[..., tuple[argparse.Namespace, list[str]]],
    parsed: Parsed,
    args: Any = None,
    namespace: argparse.Namespace | None = None,
) -> tuple[argparse.Namespace, list[str]]:
    """Parse, and distinguish the arguments that are given from defaults."""
    namespace = argparse.Namespace() if namespace is None else namespace
    defaults = {action.dest: action.default for action in parser._actions if action.dest in _READ}
    vars(namespace).update(dict.fromkeys(defaults, _NOT_GIVEN))
    namespace, rest = parse(args, namespace)
    given = {name: getattr(namespace, name) for name in defaults if getattr(namespace, name) is not _NOT_GIVEN}
    vars(namespace).update({**defaults, **given})
    parsed(namespace, given)
    return namespace, rest


def _name(by_name: ByName, name: str) -> str:
    try:
        by_name.model_of(name)
    except SchedframeError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return name
