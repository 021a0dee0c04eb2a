"""What a command line of Megatron-LM declares, without running its script.

Megatron's parser is all that is used: its validation asks for the GPUs and ranks of the run.
"""

from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from schedframe._errors import ConfigError, Problem
from schedframe._schedule.schedule import Schedule
from schedframe.megatron import _versions
from schedframe.megatron._from_args import arguments
from schedframe.megatron._launch.command_line import CommandLine
from schedframe.megatron._launch.fill import refuse_other_batches, rounding
from schedframe.megatron._launch.flags import flag_of
from schedframe.megatron._launch.triton import stand_in_for_triton


class Declared(NamedTuple):
    """What a command line declares.

    Attributes:
        schedule: the run's.
        place: the file that declares it, or the flags.
        notes: sentences on what a run would do differently.
    """

    schedule: Schedule
    place: str
    notes: tuple[str, ...]


def declared_by(script: str, words: Sequence[str]) -> Declared:
    """Return what the command line of a script declares; the script is not run.

    Args:
        script: the script, for the usage that Megatron's parser prints.
        words: what comes after it: Megatron's arguments.

    Raises:
        ConfigError: they declare no schedule, or one that the launcher refuses.
        UnknownMegatronError: Megatron-LM cannot be imported, or lacks what the launcher looks for.
    """
    stand_in_for_triton()
    megatron, line = _versions.modules(), CommandLine()
    parser = ArgumentParser(prog=script, allow_abbrev=False)
    parser = line.add_arguments(megatron[_versions.ARGUMENTS].add_megatron_arguments, parser)
    args, rest = parser.parse_known_args(list(words))
    if getattr(args, "yaml_cfg", None) is not None:
        args = line.load_yaml(megatron[_versions.YAML_ARGUMENTS].load_yaml, args.yaml_cfg)
    _complete(args)
    schedule = line.schedule
    if schedule is None:
        schedule = line.by_flags(args, arguments(args))
    else:
        args.data_parallel_size = schedule.data_parallel_size  # known where the run starts, not here
        refuse_other_batches(args, schedule, takes_ramps=_versions.takes_ramps())
    notes = (_unknown(rest), rounding(args, schedule) if line.schedule is not None else "")
    place = "the flags" if line.schedule is None else str(schedule.origin)
    return Declared(schedule, place, tuple(filter(None, notes)))


def _complete(args: Any) -> None:
    """Set what Megatron's validation sets of the arguments that a schedule is made of.

    Raises:
        ConfigError: one that the schedule needs is missing, or contradicts another one.
    """
    problems = [Problem(flag, fault) for flag, fault in _faults(vars(args))]
    if problems:
        raise ConfigError("the flags", problems)
    if args.weight_decay_incr_style == "constant":
        args.start_weight_decay = args.end_weight_decay = args.weight_decay


def _faults(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the flags with which Megatron would not start, each with what is wrong."""
    if values.get("lr") is None:
        yield "--lr", "is missing; give it, or --schedule FILE"
    if not (values.get("train_iters") or values.get("train_samples")):
        yield "--train-iters", "is missing; give it, or --train-samples"
    if values.get("global_batch_size") is None and values.get("step_batch_size_schedule") is None:
        yield "--global-batch-size", "is missing; without it the batch depends on the number of ranks"
    style = values.get("weight_decay_incr_style")
    for name in ("start_weight_decay", "end_weight_decay"):
        is_given = values.get(name) is not None
        if style != "constant" and not is_given:
            yield flag_of(name), f"is missing; --weight-decay-incr-style {style} needs it"
        elif style == "constant" and is_given:
            yield flag_of(name), "is given, and --weight-decay-incr-style is constant"


def _unknown(rest: Sequence[str]) -> str:
    flags = [word.partition("=")[0] for word in rest if word.startswith("--")]
    if not flags:
        return ""
    return f"not among Megatron's flags: {', '.join(flags)}; the script may add them, the schedule does not use them"
