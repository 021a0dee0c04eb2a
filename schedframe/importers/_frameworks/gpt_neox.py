"""GPT-NeoX: its YAML, with keys in dashes or underscores.

EleutherAI/gpt-neox:megatron/learning_rates.py (``AnnealingLR``), megatron/training.py
(``get_learning_rate_scheduler``) and megatron/neox_arguments/neox_args.py at ea7aefd.
"""

from math import exp, floor
from typing import Any

from schedframe._errors import did_you_mean
from schedframe.importers._draft import Draft
from schedframe.importers._frameworks.words import constant_weight_decay, iters, percent, whole_run
from schedframe.importers._importer import Importer
from schedframe.importers._source import Source

_STYLES = ("constant", "linear", "cosine", "exponential")
_RATE = "optimizer.params.lr"
_HALF_LIFE = exp(-0.693)
"""What is left after the decay of ``exponential``."""


def recognises(source: Source) -> bool:
    """Return whether `source` has an optimizer and a schedule as GPT-NeoX names them."""
    has_schedule = any(source.has(_spelled(source, key)) for key in ("lr_decay_style", "lr_decay_iters", "warmup"))
    is_deepspeeds = source.has("scheduler.type")
    return has_schedule and source.has("optimizer.params") and not is_deepspeeds


def convert(draft: Draft) -> None:
    """Put what the YAML declares into `draft`.

    Raises:
        ConfigError: a value is wrong or missing, or the schedule cannot be written.
    """
    if str(draft.source.get("optimizer.type")).lower() == "onebitadam":
        raise draft.error("optimizer.type", "has DeepSpeed's scheduler, which is not imported from here")
    mup = _spelled(draft.source, "use_mup")
    if draft.flag(mup):
        raise draft.error(mup, "divides the learning rate of some parameters, which is not imported")
    rate = draft.number(_RATE, 0.001)
    draft.put("max_lr", rate, _RATE)
    least_at = _spelled(draft.source, "min_lr")
    least = draft.number(least_at, 0.0)
    draft.put("min_lr", least, least_at)
    run = whole_run(draft, _spelled(draft.source, "train_iters"), why="has no train_iters")
    end, where = _end(draft, run)
    share_at = _spelled(draft.source, "warmup")
    share = draft.number(share_at, 0.01)
    if not 0 <= share < 1:
        raise draft.error(share_at, "is the part of the decay that is the warmup, and must lie between 0 and 1")
    warmup = share * end
    if warmup:
        draft.put("lr_warmup_steps", iters(round(warmup) if warmup == round(warmup) else warmup), share_at)
        draft.put("lr_warmup_style", "gpt-neox")
    draft.put("lr_decay_steps", iters(end), where)
    draft.put("lr_decay_style", _style(draft, run, end, warmup), _spelled(draft.source, "lr_decay_style"))
    constant_weight_decay(draft, _spelled(draft.source, "weight_decay"), 0.1)


def _spelled(source: Source, key: str) -> str:
    """Return `key` as the source spells it, with dashes in place of any underscores."""
    return next((own for own in source.data if isinstance(own, str) and own.replace("-", "_") == key), key)


def _end(draft: Draft, run: int) -> tuple[int, str]:
    """Return the end of the decay in iterations, and the key that gives it."""
    path = _spelled(draft.source, "lr_decay_iters")
    end = draft.count(path)
    if end is None:
        path = _spelled(draft.source, "lr_decay_fraction")
        share = draft.number(path)
        end = run if share is None else floor(run * share)
    if end < 1:
        raise draft.error(path, "leaves no decay")
    return end, path


def _style(draft: Draft, run: int, end: int, warmup: float) -> Any:
    path = _spelled(draft.source, "lr_decay_style")
    name = draft.text(path, "linear")
    if name not in _STYLES:
        raise draft.error(path, f"is no style of GPT-NeoX{did_you_mean(name, _STYLES)}")
    if name == "cosine" and run > end:
        fault = f"rises again after the {end} iterations of its decay, and the run has {run}"
        raise draft.error(path, f"{fault}; give both the same length with --set")
    if name == "exponential":
        return {"style": "each", "factor": percent(_HALF_LIFE), "every": iters(end - warmup), "floor": "cut"}
    return {"style": "linear", "floor": "cut"} if name == "linear" else name


IMPORTER = Importer("gpt-neox", "GPT-NeoX ea7aefd", recognises, convert)
"""The importer of GPT-NeoX."""
