"""LLaMA-Factory: its YAML, or the flags of ``llamafactory-cli train``.

It has the keys of ``TrainingArguments`` beside its own. Its defaults of ``warmup_stable_decay`` are those of
``create_custom_scheduler`` in hiyouga/LLaMA-Factory:src/llamafactory/train/trainer_utils.py at v0.9.3.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from schedframe.importers._draft import Draft
from schedframe.importers._frameworks import hf
from schedframe.importers._frameworks.hf_arguments import belongs, read_arguments
from schedframe.importers._frameworks.words import constant_weight_decay
from schedframe.importers._importer import Importer
from schedframe.importers._source import Source

_STABLE = "warmup_stable_decay"


def recognises(source: Source) -> bool:
    """Return whether `source` has LLaMA-Factory's keys."""
    return belongs(source, "llama-factory")


def convert(draft: Draft) -> None:
    """Put what the arguments declare into `draft`.

    Raises:
        ConfigError: a value is wrong, or param groups have other learning rates, or the schedule cannot be written.
    """
    read_arguments(draft, "llama-factory")
    rate = draft.number("learning_rate", 5e-5)
    name = draft.text("lr_scheduler_type", "linear")
    if name == _STABLE and draft.source.has("max_steps"):
        _divide(draft)
    hf.convert_with(draft, rate, "lr_scheduler_type", name)
    constant_weight_decay(draft, "weight_decay", 0.0)


def _divide(draft: Draft) -> None:
    """Give ``warmup_stable_decay`` its lengths where they are not given: a third stays, two thirds decay."""
    run = draft.count("max_steps")
    warmup, _ = hf.warmup_of(draft, run)
    stable = (run - warmup) // 3
    lengths = {"num_stable_steps": stable, "num_decay_steps": run - warmup - stable}
    given = draft.source.get("lr_scheduler_kwargs") or {}
    if not isinstance(given, Mapping):
        raise draft.error("lr_scheduler_kwargs", "must be a table")
    for key, value in lengths.items():
        if given.get(key) is None:
            draft.assume(f"lr_scheduler_kwargs.{key} is not given, and is {value} by default in {draft.title}")
    options: dict[str, Any] = {**lengths, **{key: value for key, value in given.items() if value is not None}}
    draft.source = replace(draft.source, data={**draft.source.data, "lr_scheduler_kwargs": options})


IMPORTER = Importer("llama-factory", "LLaMA-Factory 0.9.3 with transformers", recognises, convert)
"""The importer of LLaMA-Factory."""
