"""LitGPT: the YAML of its scripts ``pretrain`` and ``finetune``.

Lightning-AI/litgpt:litgpt/pretrain.py, litgpt/finetune/full.py and litgpt/args.py at 2685705. Pretraining sets the
learning rate for every micro-batch, so that an update has that of its last one.
"""

from typing import Any

from schedframe.importers._draft import Draft
from schedframe.importers._frameworks.words import constant_weight_decay, in_iters, iters, warm_up, whole_run
from schedframe.importers._importer import Importer
from schedframe.importers._source import Source

_RATE = "optimizer.init_args.lr"


def recognises(source: Source) -> bool:
    """Return whether `source` is a config of LitGPT's scripts."""
    return source.has("train.micro_batch_size") and source.has("train.lr_warmup_steps") and source.has("out_dir")


def convert(draft: Draft) -> None:
    """Put what the YAML declares into `draft`.

    Raises:
        ConfigError: a value is wrong or missing, or the schedule cannot be written.
    """
    if draft.source.get("train.lr_warmup_fraction"):
        fault = "is a part of an epoch, whose length is known to the data loader only; give lr_warmup_steps with --set"
        raise draft.error("train.lr_warmup_fraction", fault)
    draft.put("max_lr", draft.number(_RATE, 0.001), _RATE)
    if draft.source.has("checkpoint_dir"):
        _finetuning(draft)
    else:
        _pretraining(draft)
    constant_weight_decay(draft, "optimizer.init_args.weight_decay", 0.01)


def _finetuning(draft: Draft) -> None:
    """Set a warmup and a cosine to 0, both in updates."""
    why = "has no train.max_steps, and the length of an epoch is known to the data loader only"
    whole_run(draft, "train.max_steps", why=why)
    if draft.source.has("train.max_steps"):
        draft.assume("train.max_steps updates are reached within the epochs of the run")
    warmup = draft.count("train.lr_warmup_steps", 100)
    if not warmup:
        raise draft.error("train.lr_warmup_steps", "is 0, with which LitGPT's finetuning fails")
    draft.put("lr_warmup_steps", iters(warmup), "train.lr_warmup_steps")
    draft.put("lr_decay_style", "cosine")
    draft.assume("train.min_lr has no effect on finetuning in LitGPT, and the cosine ends at 0")


def _pretraining(draft: Draft) -> None:
    """Set a warmup and a cosine over the tokens, read at the last micro-batch of each update."""
    processes = _count(draft, "devices") * _count(draft, "num_nodes", 1)
    micro = _count(draft, "train.micro_batch_size", 4)
    of_process = _count(draft, "train.global_batch_size", 512) // processes
    accumulated = of_process // micro
    if not accumulated:
        fault = f"is less than the micro-batches of {micro} samples of {processes} processes"
        raise draft.error("train.global_batch_size", fault)
    tokens = draft.count("train.max_tokens")
    if tokens is None:
        raise draft.error("train.max_tokens", "is not given; give it with --set train.max_tokens=VALUE")
    length = draft.count("train.max_seq_length")
    if length is None:
        length = draft.ask("seq_length", "has no train.max_seq_length, whose default is the model's")
    batches = (tokens // processes) // (micro * length)
    run = batches // accumulated
    if run < 1:
        raise draft.error("train.max_tokens", "is less than one update")
    in_iters(draft, run, "train.max_tokens", "train.global_batch_size", "train.max_seq_length", "devices")
    draft.put("min_lr", draft.number("train.min_lr", 4e-5), "train.min_lr")
    warmup = draft.count("train.lr_warmup_steps", 2000)
    if accumulated == 1:
        warm_up(draft, warmup, run, "train.lr_warmup_steps")
    else:
        _between_updates(draft, warmup, run, accumulated)
    end = batches / accumulated - _ahead(accumulated)
    draft.put("lr_decay_steps", iters(int(end) if end == int(end) else end), "train.max_tokens")
    draft.put("lr_decay_style", "cosine")


def _between_updates(draft: Draft, warmup: int, run: int, accumulated: int) -> None:
    """Set the warmup where an update has the learning rate of its last of several micro-batches."""
    if not warmup:
        fault = f"is 0, and a decay that is ahead by a part of an update ({accumulated} micro-batches) needs a warmup"
        raise draft.error("train.lr_warmup_steps", fault)
    warm_up(draft, warmup, run, "train.lr_warmup_steps")
    ahead = _ahead(accumulated)
    draft.put("lr_warmup_steps", iters(warmup - ahead), "train.lr_warmup_steps")
    draft.put("lr_warmup_style", {"style": "linear", "shift": iters(ahead), "stretched": True})
    draft.assume(f"an update has {accumulated} micro-batches, and the learning rate of the last one")


def _ahead(accumulated: int) -> float:
    """Return by how many updates the last micro-batch of an update lies after its first."""
    return (accumulated - 1) / accumulated


def _count(draft: Draft, path: str, default: int | None = None) -> int:
    """Return the whole number above 0 at `path`."""
    value: Any = draft.source.get(path)
    if value == "auto" or (value is None and default is None):
        raise draft.error(path, f"must be given as a number; give it with --set {path}=VALUE")
    count = draft.count(path, default)
    if count < 1:
        raise draft.error(path, "must be at least 1")
    return int(count)


IMPORTER = Importer("litgpt", "LitGPT 0.5.13", recognises, convert)
"""The importer of LitGPT."""
