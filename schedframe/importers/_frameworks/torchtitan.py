"""torchtitan: its TOML, or the same tables as JSON or YAML.

pytorch/torchtitan:torchtitan/components/optimizer/lr_scheduler.py at v0.3.0, whose scheduler has the formula of the
releases with TOML configs; they call ``min_lr_factor`` ``lr_min`` up to v0.1.
"""

from schedframe.importers._draft import Draft
from schedframe.importers._frameworks.words import constant_weight_decay, iters, percent, whole_run
from schedframe.importers._importer import Importer
from schedframe.importers._source import Source

_KEYS = ("warmup_steps", "total_steps", "decay_ratio", "decay_type", "min_lr_factor", "lr_min")
_CURVES = {"linear": "linear", "sqrt": "minus_sqrt", "cosine": "cosine"}


def recognises(source: Source) -> bool:
    """Return whether `source` has torchtitan's tables."""
    has_tables = source.has("training") and (source.has("lr_scheduler") or source.has("optimizer"))
    return has_tables and (source.has("training.steps") or source.has("job") or source.has("model.flavor"))


def convert(draft: Draft) -> None:
    """Put what the tables declare into `draft`.

    Raises:
        ConfigError: a value is wrong, or not known.
    """
    draft.table("lr_scheduler", _KEYS)
    if draft.source.has("training.warmup_steps"):
        raise draft.error("training.warmup_steps", "is of torchtitan before v0.1, whose schedule is another; rename it")
    draft.put("max_lr", draft.number("optimizer.lr", 8e-4), "optimizer.lr")
    run = whole_run(draft, "training.steps", why="has no training.steps")
    total = draft.count("lr_scheduler.total_steps") or run
    given = draft.count("lr_scheduler.warmup_steps", 200)
    warmup = min(given, total)
    ratio = draft.number("lr_scheduler.decay_ratio")
    if ratio is not None and not 0 <= ratio <= 1:
        raise draft.error("lr_scheduler.decay_ratio", "must lie between 0 and 1")
    decay = total - warmup if ratio is None else min(round(total * ratio), total - warmup)
    if warmup:
        draft.put("lr_warmup_steps", iters(warmup), "lr_scheduler.warmup_steps")
        draft.put("lr_warmup_style", "torchtitan")
    if warmup < given:
        draft.assume(f"the warmup of {given} steps is cut to {warmup}, as torchtitan does")
    _least(draft)
    _decay(draft, warmup, decay, total, run)
    constant_weight_decay(draft, "optimizer.weight_decay", 0.1)


def _least(draft: Draft) -> None:
    names = [name for name in ("min_lr_factor", "lr_min") if draft.source.has(f"lr_scheduler.{name}")]
    if len(names) > 1:
        raise draft.error("lr_scheduler.lr_min", "is given beside min_lr_factor; leave one out")
    path = f"lr_scheduler.{(names or ['min_lr_factor'])[0]}"
    draft.put("min_lr", percent(draft.number(path, 0.0)), path)


def _decay(draft: Draft, warmup: int, decay: int, total: int, run: int) -> None:
    path = "lr_scheduler.decay_type"
    name = draft.text(path, "linear")
    if name not in _CURVES:
        raise draft.error(path, f"is not one of {', '.join(_CURVES)}")
    if total < run:
        raise draft.error("lr_scheduler.total_steps", "ends before the run, and torchtitan's curve has no end there")
    if not decay:
        draft.put("lr_decay_style", "constant", "lr_scheduler.decay_ratio", "lr_scheduler.warmup_steps")
        if warmup >= run:
            draft.put("lr_decay_steps", iters(warmup + 1))
    elif decay == total - warmup:
        draft.put("lr_decay_style", _CURVES[name], path, "lr_scheduler.decay_ratio")
    else:
        style = {"style": "WSD", "wsd_decay_steps": iters(decay), "lr_wsd_decay_style": _CURVES[name]}
        draft.put("lr_decay_style", style, path, "lr_scheduler.decay_ratio")
    if total != run:
        draft.put("lr_decay_steps", iters(total), "lr_scheduler.total_steps")


IMPORTER = Importer("torchtitan", "torchtitan 0.3.0", recognises, convert)
"""The importer of torchtitan."""
