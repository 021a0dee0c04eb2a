"""Megatron-SWIFT: the flags of ``megatron sft``, ``megatron pt`` and ``megatron rlhf`` of ms-swift.

Its class of the scheduler is Megatron Core's, and its flags are Megatron-LM's with other defaults
(modelscope/ms-swift:swift/megatron/arguments/megatron_args.py and utils/megatron_lm_utils.py at 3602360a5).
"""

from dataclasses import replace

from schedframe.importers._command import find_commands
from schedframe.importers._draft import Draft
from schedframe.importers._frameworks.hf_arguments import is_megatron_swift
from schedframe.importers._frameworks.megatron import FLAGS, convert_arguments
from schedframe.importers._importer import Importer
from schedframe.importers._source import Source

_EPOCHS = ("num_train_epochs", "max_epochs")
_OTHER_RATES = ("vit_lr", "aligner_lr")
_DEFAULTS = {"lr_decay_style": "cosine", "weight_decay": 0.1, "global_batch_size": 16}


def recognises(source: Source) -> bool:
    """Return whether a script has a command of Megatron-SWIFT."""
    return bool(find_commands(source, is_megatron_swift))


def convert(draft: Draft) -> None:
    """Put what the flags declare into `draft`.

    Raises:
        ConfigError: as for Megatron-LM; or the run has epochs and iterations, or param groups have learning rates of
            their own.
    """
    flags = replace(FLAGS, known={*FLAGS.known, *_EPOCHS, *_OTHER_RATES})
    draft.read_command(is_megatron_swift, flags, draft.title)
    for name in _OTHER_RATES:
        if draft.source.has(name):
            raise draft.error(name, "gives some parameters another learning rate, which is not imported")
    for name in _EPOCHS:
        if draft.source.has(name) and draft.source.has("train_iters"):
            raise draft.error(name, "takes the place of --train_iters; leave one out")
    convert_arguments(draft, _DEFAULTS)


IMPORTER = Importer("megatron-swift", "Megatron-SWIFT of ms-swift 4.6", recognises, convert)
"""The importer of Megatron-SWIFT."""
