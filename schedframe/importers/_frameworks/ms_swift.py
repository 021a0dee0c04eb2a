"""ms-swift: its YAML, the ``args.json`` of a run, or the flags of ``swift sft`` and similar commands.

Its defaults are those of swift/trainers/arguments.py of ms-swift 4.6.0; ``learning_rate`` depends on the tuner. Up to
version 3, which has no ``tuner_type``, the default of ``warmup_ratio`` is another.
"""

from schedframe.importers._draft import Draft
from schedframe.importers._frameworks import hf
from schedframe.importers._frameworks.hf_arguments import belongs, read_arguments
from schedframe.importers._frameworks.words import constant_weight_decay
from schedframe.importers._importer import Importer
from schedframe.importers._source import Source


def recognises(source: Source) -> bool:
    """Return whether `source` has arguments of ms-swift."""
    return belongs(source, "ms-swift")


def convert(draft: Draft) -> None:
    """Put what the arguments declare into `draft`.

    Raises:
        ConfigError: a value is wrong, or param groups have other learning rates, or the schedule cannot be written.
    """
    read_arguments(draft, "ms-swift")
    rate = draft.number("learning_rate")
    if rate is None:
        rate = draft.ask("max_lr", "has no learning_rate, whose default depends on the tuner")
    if not any(map(draft.source.has, ("warmup_steps", "warmup_ratio", "tuner_type"))):
        fault = "is needed, because its default depends on the version of ms-swift"
        raise draft.error("warmup_ratio", f"{fault}; give it with --set warmup_ratio=VALUE")
    hf.convert_with(draft, rate, "lr_scheduler_type", draft.text("lr_scheduler_type", "cosine"))
    constant_weight_decay(draft, "weight_decay", 0.1)


IMPORTER = Importer("ms-swift", "ms-swift 4.6 with transformers", recognises, convert)
"""The importer of ms-swift."""
