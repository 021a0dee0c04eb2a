"""nanotron: its YAML.

huggingface/nanotron:src/nanotron/helpers.py (``lr_scheduler_builder``) and src/nanotron/config/config.py at 2411b02.
"""

from schedframe.importers._draft import Draft
from schedframe.importers._frameworks.words import constant_weight_decay, iters, whole_run
from schedframe.importers._importer import Importer
from schedframe.importers._source import Source

_PATH = "optimizer.learning_rate_scheduler"
_KEYS = (
    "learning_rate",
    "lr_warmup_steps",
    "lr_warmup_style",
    "lr_decay_style",
    "lr_decay_steps",
    "lr_decay_starting_step",
    "min_decay_lr",
)
_CURVES = {"linear": "linear", "cosine": "cosine", "1-sqrt": "minus_sqrt"}


def recognises(source: Source) -> bool:
    """Return whether `source` has nanotron's tables."""
    return source.has(_PATH, "tokens")


def convert(draft: Draft) -> None:
    """Put what the YAML declares into `draft`.

    Raises:
        ConfigError: a value is wrong, or the schedule cannot be written.
    """
    draft.table(_PATH, _KEYS)
    rate = draft.number(f"{_PATH}.learning_rate")
    draft.put("max_lr", draft.ask("max_lr", "has no learning_rate") if rate is None else rate, f"{_PATH}.learning_rate")
    run = whole_run(draft, "tokens.train_steps", why="has no tokens.train_steps")
    warmup = draft.count(f"{_PATH}.lr_warmup_steps", 0)
    shape = draft.text(f"{_PATH}.lr_warmup_style", "linear")
    if shape not in ("linear", "constant"):
        raise draft.error(f"{_PATH}.lr_warmup_style", "is not one of linear, constant")
    start = draft.count(f"{_PATH}.lr_decay_starting_step")
    length = draft.count(f"{_PATH}.lr_decay_steps")
    if start is not None and length is None:
        fault = f"is given without lr_decay_steps, whose default depends on the version; give it with --set {_PATH}."
        raise draft.error(f"{_PATH}.lr_decay_starting_step", f"{fault}lr_decay_steps=VALUE")
    start = warmup if start is None else start
    length = run - warmup if length is None else length
    if start < warmup:
        raise draft.error(f"{_PATH}.lr_decay_starting_step", f"lies within the warmup of {warmup} iterations")
    if length == 0 or start + length <= warmup:
        raise draft.error(f"{_PATH}.lr_decay_steps", "leaves no decay; nanotron goes to min_decay_lr at once")
    if shape == "linear":
        draft.put("lr_warmup_steps", iters(max(1, warmup)), f"{_PATH}.lr_warmup_steps")
    if shape == "linear" and not warmup:
        draft.assume("a linear warmup of 0 makes the first update at a learning rate of 0, as in nanotron")
    if shape == "linear" and not warmup and not start:
        draft.put("decay_from", 0)
    _decay(draft, start, length, warmup if shape == "linear" else 0)
    constant_weight_decay(draft, "optimizer.weight_decay", 0.01)


def _decay(draft: Draft, start: int, length: int, warmup: int) -> None:
    path = f"{_PATH}.lr_decay_style"
    name = draft.text(path, "linear")
    if name not in _CURVES:
        raise draft.error(path, f"is not one of {', '.join(_CURVES)}")
    least = draft.number(f"{_PATH}.min_decay_lr")
    if least is None:
        least = draft.source.get(f"{_PATH}.learning_rate")
        draft.assume("min_decay_lr is not given, and is the learning rate by default in nanotron")
    draft.put("min_lr", least, f"{_PATH}.min_decay_lr")
    draft.put("lr_decay_steps", iters(start + length), f"{_PATH}.lr_decay_starting_step", f"{_PATH}.lr_decay_steps")
    style = {"style": "WSD", "wsd_decay_steps": iters(length), "lr_wsd_decay_style": _CURVES[name]}
    draft.put("lr_decay_style", _CURVES[name] if start == warmup else style, path)


IMPORTER = Importer("nanotron", "nanotron 2411b02", recognises, convert)
"""The importer of nanotron."""
