"""The arguments of Hugging Face's Trainer and of those who build on it: whose they are, and how a command gives them.

The names are those of ``TrainingArguments``, to which TRL, LLaMA-Factory and ms-swift add their own. Their flags are
those of ``HfArgumentParser`` (huggingface/transformers:src/transformers/hf_argparser.py at v5.23.0): a boolean may
have a value, a table is written as JSON, and hyphens may take the place of underscores.
"""

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from schedframe._errors import did_you_mean
from schedframe.importers._command import Command, Flags, find_commands
from schedframe.importers._draft import Draft
from schedframe.importers._source import Source, scalar

_SIGNS = ("lr_scheduler_type", "per_device_train_batch_size", "num_train_epochs", "warmup_ratio", "lr_scheduler_kwargs")
"""Arguments of which ``TrainingArguments`` has one beside ``learning_rate``."""

_OF_SWIFT = ("tuner_type", "train_type", "sft_type")
_OF_TRL = ("dataset_name", "datasets", "dataset_mixture")
_OF_OTHERS = ("base_model", "finetuning_type", "stage")
_TABLES = ("optimizer", "trainer", "train")
"""Tables that the configs of other frameworks have."""

_PROGRAMS = {
    "llama-factory": re.compile(r"(^|[ /])(llamafactory-cli|lmf) train\b"),
    "ms-swift": re.compile(r"(^|[ /])swift (pt|sft|rlhf)\b|(^|[ /])swift/cli/(pt|sft|rlhf)\.py$"),
    "trl": re.compile(r"(^|[ /])trl \w+$|(^|[ /])trl/scripts/\w+\.py$"),
}
"""The programs whose commands need no argument of their own, by the names of their importers."""

_MEGATRON = re.compile(r"(^|[ /])megatron (pt|sft|rlhf)\b|(^|[ /])swift/cli/_megatron/(pt|sft|rlhf)\.py$")

_READ = {
    "learning_rate",
    "lr_scheduler_type",
    "lr_scheduler_kwargs",
    "warmup_ratio",
    "warmup_steps",
    "max_steps",
    "weight_decay",
    "deepspeed",
}
_OTHER_RATES = {
    "llama-factory": ("loraplus_lr_ratio", "use_badam", "galore_layerwise", "apollo_layerwise"),
    "ms-swift": ("vit_lr", "aligner_lr", "lorap_lr_ratio", "optimizer"),
}
"""Arguments that give some parameters another learning rate, by the names of importers."""

_SWITCHES = ("use_badam", "galore_layerwise", "apollo_layerwise")
_CONCERNING = re.compile(r"(^|_)lrs?(_|$)|learning_rate|^(num_)?warmup|^scheduler|^max_train_steps$")
"""The names of arguments that concern the schedule."""


def owner_of(keys: Collection[str]) -> str:
    """Return the name of the importer whose arguments `keys` are; empty where they are none of the Trainer's."""
    has = keys.__contains__
    if has("stage") and (has("finetuning_type") or has("model_name_or_path")):
        return "llama-factory"
    is_with_sign = any(map(has, _SIGNS))
    for name, own in {"ms-swift": _OF_SWIFT, "trl": _OF_TRL}.items():
        if any(map(has, own)):
            return name if (has("learning_rate") or is_with_sign) and not has("base_model") else ""
    is_of_others = any(map(has, (*_OF_OTHERS, *_TABLES)))
    return "hf" if has("learning_rate") and is_with_sign and not is_of_others else ""


def is_megatron_swift(command: Command) -> bool:
    """Return whether a command is ``megatron sft`` or a similar one of ms-swift, which has Megatron's flags."""
    return _MEGATRON.search(command.program) is not None


def belongs(source: Source, name: str) -> bool:
    """Return whether `source` has arguments of the importer `name`."""
    if source.script is not None:
        return bool(find_commands(source, lambda command: _owner_of(command) == name))
    return owner_of([key for key, value in source.data.items() if value is not None]) == name


def _owner_of(command: Command) -> str:
    """Return the name of the importer of a command; scripts of transformers have ``--dataset_name``, as TRL's have."""
    if is_megatron_swift(command):
        return ""
    named = next((name for name, program in _PROGRAMS.items() if program.search(command.program)), "")
    return named or owner_of(command.names.difference(_OF_TRL))


def read_arguments(draft: Draft, name: str) -> None:
    """Let the arguments of the importer `name` be the source of `draft`.

    Raises:
        ConfigError: they cannot be read, or give some parameters another learning rate.
    """
    if draft.source.script is not None:
        others = {other for rates in _OTHER_RATES.values() for other in rates}
        flags = Flags(
            {*_READ, *others, *_OF_SWIFT}, _fault_of_flag, optional=(*_SWITCHES, "deepspeed"), spare=("deepspeed",)
        )
        draft.read_command(lambda command: _owner_of(command) == name, flags, draft.title)
    for other in _OTHER_RATES.get(name, ()):
        if draft.source.get(other) not in (None, False, "False", "false"):
            raise draft.error(other, "may give some parameters another learning rate, which is not imported")
    options = draft.source.get("lr_scheduler_kwargs")
    if isinstance(options, str) and options.lstrip().startswith("{"):
        table: Any = scalar("lr_scheduler_kwargs", options)
        draft.source = replace(draft.source, data={**draft.source.data, "lr_scheduler_kwargs": table})
    _read_deepspeed(draft)


def refuse_others(draft: Draft) -> None:
    """Refuse arguments that concern the schedule and that neither the Trainer nor this importer has.

    Raises:
        ConfigError: there is one.
    """
    for key, value in draft.source.data.items():
        if value is not None and (fault := _fault(key)):
            raise draft.error(key, fault)


def _fault(name: str) -> str:
    """Return what is wrong with an argument: a script's own may give a projector another learning rate."""
    if name in _READ or not _CONCERNING.search(name):
        return ""
    return f"is not known to this importer, and may concern the schedule{did_you_mean(name, _READ)}"


def _fault_of_flag(name: str) -> str:
    """Return what is wrong with a flag: ``HfArgumentParser`` takes the beginning of a name for the whole of it."""
    whole = next((known for known in sorted(_READ) if name and known.startswith(name) and known != name), None)
    return _fault(name) or (f"is the beginning of --{whole}, and may be taken for it; write the whole" if whole else "")


def _read_deepspeed(draft: Draft) -> None:
    """Refuse a scheduler of DeepSpeed, which takes the place of the Trainer's (see integrations/deepspeed.py)."""
    if draft.source.is_unreadable("deepspeed"):
        draft.assume("the DeepSpeed config has no scheduler, which would take the place of this one")
        return
    given = draft.source.get("deepspeed")
    if draft.source.has("deepspeed.scheduler"):
        fault = "takes the place of lr_scheduler_type; import the DeepSpeed config by itself"
        raise draft.error("deepspeed.scheduler", fault)
    if isinstance(given, str) and given:
        draft.assume(f"the DeepSpeed config {given} has no scheduler, which would take the place of this one")
