"""ms-swift: its YAML, or the ``args.json`` of a run.

Its defaults are those of swift/trainers/arguments.py of ms-swift 4.6.0; ``learning_rate`` depends on the tuner. Up to
version 3 the default of ``warmup_ratio`` is another, so that a warmup must be given.
"""

from schedframe.importers._draft import Draft
from schedframe.importers._frameworks import hf
from schedframe.importers._frameworks.words import constant_weight_decay
from schedframe.importers._importer import Importer
from schedframe.importers._source import Source

_OWN = ("tuner_type", "train_type", "sft_type")
_OTHER_RATES = ("vit_lr", "aligner_lr", "lorap_lr_ratio", "optimizer")


def recognises(source: Source) -> bool:
    """Return whether `source` has ms-swift's keys."""
    has_arguments = source.has("learning_rate") or any(map(source.has, hf.SIGNS))
    return has_arguments and any(map(source.has, _OWN))


def convert(draft: Draft) -> None:
    """Put what the arguments declare into `draft`.

    Raises:
        ConfigError: a value is wrong, or param groups have other learning rates, or the schedule cannot be written.
    """
    for name in _OTHER_RATES:
        if draft.source.has(name):
            raise draft.error(name, "may give some parameters another learning rate, which is not imported")
    rate = draft.number("learning_rate")
    if rate is None:
        rate = draft.ask("max_lr", "has no learning_rate, whose default depends on the tuner")
    if not (draft.source.has("warmup_steps") or draft.source.has("warmup_ratio")):
        fault = (
            "is needed, because its default depends on the version of ms-swift; give it with --set warmup_ratio=VALUE"
        )
        raise draft.error("warmup_ratio", fault)
    hf.convert_with(draft, rate, "lr_scheduler_type", draft.text("lr_scheduler_type", "cosine"))
    constant_weight_decay(draft, "weight_decay", 0.1)


IMPORTER = Importer("ms-swift", "ms-swift 4.6 with transformers", recognises, convert)
"""The importer of ms-swift."""
