"""TRL: the YAML or JSON of its scripts, with the keys of ``TrainingArguments`` beside those of the data, or flags.

Its trainers create the scheduler of transformers. Their default learning rates differ, so that one must be given
(huggingface/trl:trl/trainer/sft_config.py and dpo_config.py at v1.16.0).
"""

from schedframe.importers._draft import Draft
from schedframe.importers._frameworks import hf
from schedframe.importers._frameworks.hf_arguments import belongs, read_arguments, refuse_others
from schedframe.importers._frameworks.words import constant_weight_decay
from schedframe.importers._importer import Importer
from schedframe.importers._source import Source


def recognises(source: Source) -> bool:
    """Return whether `source` has keys of TRL's scripts and of ``TrainingArguments``."""
    return belongs(source, "trl")


def convert(draft: Draft) -> None:
    """Put what the arguments declare into `draft`.

    Raises:
        ConfigError: a value is wrong, or the schedule follows a metric or cannot be written.
    """
    read_arguments(draft, "trl")
    refuse_others(draft)
    rate = draft.number("learning_rate")
    if rate is None:
        rate = draft.ask("max_lr", "has no learning_rate, whose default depends on the trainer")
    hf.convert_with(draft, rate, "lr_scheduler_type", draft.text("lr_scheduler_type", "linear"))
    constant_weight_decay(draft, "weight_decay", 0.0)


IMPORTER = Importer("trl", "TRL 1.16 with transformers 5.23", recognises, convert)
"""The importer of TRL."""
