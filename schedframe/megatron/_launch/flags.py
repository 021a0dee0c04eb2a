"""Megatron-LM's flags that name a style, those that schedframe adds, and which of them were said."""

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from schedframe._errors import SchedframeError, UnknownMegatronError
from schedframe.styles._byname import ByName, by_lr_curve, by_lr_style, by_wd_style

_NAMES_A_STYLE = {
    "--lr-decay-style": by_lr_style,
    "--lr-wsd-decay-style": by_lr_curve,
    "--weight-decay-incr-style": by_wd_style,
}

OPTIONS = {
    "lr_decay_style": "lr_decay_style_options",
    "lr_wsd_decay_style": "lr_wsd_decay_style_options",
    "weight_decay_incr_style": "weight_decay_incr_style_options",
}
"""The argument with the options of a style, by the argument with its name."""

OWN = ("schedule", *OPTIONS.values(), "no_verify_ranks")
"""The arguments that schedframe adds."""

SCHEDULERS = (
    *("lr", "min_lr", "lr_warmup_init"),
    *("lr_warmup_iters", "lr_warmup_samples", "lr_warmup_fraction"),
    *("lr_decay_iters", "lr_decay_samples", "lr_wsd_decay_iters", "lr_wsd_decay_samples"),
    *("weight_decay", "start_weight_decay", "end_weight_decay"),
    *("train_iters", "train_samples"),
    *OPTIONS,
    *OPTIONS.values(),
    *("use_checkpoint_opt_param_scheduler", "override_opt_param_scheduler"),
)
"""The arguments that say the schedule."""

BATCHES = (
    "global_batch_size",
    "rampup_batch_size",
    "step_batch_size_schedule",
    "decrease_batch_size_if_needed",
    "micro_batch_size",
    "seq_length",
)
"""The arguments that say how iterations and tokens are converted to samples."""

Parsed = Callable[[argparse.Namespace, Mapping[str, Any]], None]


def extend(parser: argparse.ArgumentParser, parsed: Parsed) -> argparse.ArgumentParser:
    """Let Megatron-LM's `parser` take every installed style, and schedframe's own flags.

    Args:
        parser: holds all of Megatron's arguments.
        parsed: called after each parse with its namespace, and with the arguments that the command line says.

    Raises:
        UnknownMegatronError: there are no such flags.
    """
    known = parser._option_string_actions
    missing = [flag for flag in _NAMES_A_STYLE if flag not in known]
    if missing:
        raise UnknownMegatronError(
            f"this Megatron-LM has no flag {' and no '.join(missing)}, which schedframe looks for; it knows the flags "
            f"of Megatron-LM 0.14 to 0.19"
        )
    for flag, by_name in _NAMES_A_STYLE.items():
        action = known[flag]
        action.choices, action.type, action.metavar = None, partial(_name, by_name), "STYLE"
    group = parser.add_argument_group(title="schedframe")
    group.add_argument("--schedule", metavar="FILE", help="The schedule, a YAML, TOML or JSON file of schedframe.")
    for style, options in OPTIONS.items():
        flag = f"--{style.replace('_', '-')}"
        group.add_argument(
            f"--{options.replace('_', '-')}",
            metavar="TABLE",
            help=f"Options of the style that {flag} names, as a YAML or JSON table: '{{beta: 0.5}}'.",
        )
    group.add_argument(
        "--no-verify-ranks",
        action="store_true",
        help="Do not compare the schedules of all ranks at the start.",
    )
    parser.parse_known_args = partial(_parse, parser, parser.parse_known_args, parsed)  # type: ignore[assignment,method-assign]
    return parser


def said_in(args: Any) -> dict[str, Any]:
    """Return the arguments that Megatron's YAML says; it has them all, and nothing or 0 for what is not meant.

    Args:
        args: the YAML's namespace.
    """
    said = {name: getattr(args, name, None) for name in (*SCHEDULERS, *BATCHES)}
    unsaid = [name for name in said if name.startswith("lr_warmup_") and said[name] == 0]
    return {name: value for name, value in said.items() if not (value is None or value is False or name in unsaid)}


_UNSAID = object()


def _parse(
    parser: argparse.ArgumentParser,
    parse: Callable[..., tuple[argparse.Namespace, list[str]]],
    parsed: Parsed,
    args: Any = None,
    namespace: argparse.Namespace | None = None,
) -> tuple[argparse.Namespace, list[str]]:
    """Parse, and tell what the command line says from what is a default."""
    namespace = argparse.Namespace() if namespace is None else namespace
    ours = {*SCHEDULERS, *BATCHES}
    defaults = {action.dest: action.default for action in parser._actions if action.dest in ours}
    for argument in defaults:
        setattr(namespace, argument, _UNSAID)
    namespace, rest = parse(args, namespace)
    said = {argument: getattr(namespace, argument) for argument in defaults}
    said = {argument: value for argument, value in said.items() if value is not _UNSAID}
    for argument in defaults.keys() - said.keys():
        setattr(namespace, argument, defaults[argument])
    parsed(namespace, said)
    return namespace, rest


def _name(by_name: ByName, name: str) -> str:
    try:
        by_name.model_of(name)
    except SchedframeError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return name
