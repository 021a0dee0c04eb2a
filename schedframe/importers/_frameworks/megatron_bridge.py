"""Megatron-Bridge: the YAML of its ``ConfigContainer``.

Its tables ``optimizer``, ``scheduler`` and ``train`` have the arguments of Megatron-LM, with the same meaning
(NVIDIA-NeMo/Megatron-Bridge:src/megatron/bridge/training/config.py and optim.py at v0.2.0).
"""

from dataclasses import replace
from typing import Any

from schedframe.importers._draft import Draft
from schedframe.importers._frameworks import megatron
from schedframe.importers._importer import Importer
from schedframe.importers._source import Source

_TABLES = {
    "optimizer": ("lr", "min_lr", "weight_decay", "decoupled_lr", "decoupled_min_lr"),
    "scheduler": (
        "lr_decay_style",
        "lr_wsd_decay_style",
        "weight_decay_incr_style",
        "start_weight_decay",
        "end_weight_decay",
        "lr_decay_iters",
        "lr_decay_samples",
        "lr_wsd_decay_iters",
        "lr_wsd_decay_samples",
        "lr_warmup_fraction",
        "lr_warmup_iters",
        "lr_warmup_samples",
        "lr_warmup_init",
        "override_opt_param_scheduler",
        "use_checkpoint_opt_param_scheduler",
    ),
    "train": ("train_iters", "train_samples", "global_batch_size", "rampup_batch_size"),
    "model": ("seq_length",),
}
_COMPUTED = ("lr_warmup_steps", "lr_decay_steps", "wd_incr_steps", "wsd_decay_steps", "no_weight_decay_cond_type")
"""What Megatron-Bridge computes from the others, and writes beside them."""


def recognises(source: Source) -> bool:
    """Return whether `source` has Megatron-Bridge's tables."""
    has_run = source.has("train.train_iters") or source.has("train.train_samples")
    return has_run and source.has("optimizer.lr", "scheduler")


def convert(draft: Draft) -> None:
    """Put what the tables declare into `draft`.

    Raises:
        ConfigError: as the importer of Megatron-LM.
    """
    draft.table("scheduler", ("_target_", *_TABLES["scheduler"], *_COMPUTED))
    if not draft.source.has("optimizer.min_lr"):
        raise draft.error("optimizer", "has no min_lr, which Megatron needs; give it with --set optimizer.min_lr=VALUE")
    data: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for table, names in _TABLES.items():
        for name in names:
            path = f"{table}.{name}"
            if draft.source.has(path):
                data[name] = draft.source.get(path)
                line = draft.source.line(path)
                lines |= {} if line is None else {name: line}
    _use_weight_decay_of_scheduler(draft, data, lines)
    draft.source = replace(draft.source, data=data, lines=lines)
    megatron.convert(draft)


def _use_weight_decay_of_scheduler(draft: Draft, data: dict[str, Any], lines: dict[str, int]) -> None:
    """Let a constant weight decay of the scheduler replace the optimizer's.

    NVIDIA-NeMo/Megatron-Bridge:src/megatron/bridge/training/optim.py at 067f987 passes it to the scheduler.
    """
    start, end = data.get("start_weight_decay"), data.get("end_weight_decay")
    if start is None or start != end or data.get("weight_decay_incr_style", "constant") != "constant":
        return
    if data.get("weight_decay") not in (None, start):
        draft.assume(f"weight decay is {start}, that of the scheduler, which replaces optimizer.weight_decay")
    data["weight_decay"] = start
    if "start_weight_decay" in lines:
        lines["weight_decay"] = lines["start_weight_decay"]


IMPORTER = Importer("megatron-bridge", "Megatron-Bridge 0.2", recognises, convert)
"""The importer of Megatron-Bridge."""
