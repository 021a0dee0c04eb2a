"""llm-foundry, and Composer's YAML of the same form.

mosaicml/composer:composer/optim/scheduler.py at v0.32.1. Composer steps the scheduler before it counts the batch, so
that the curve is one update behind: the learning rate of the first update is also that of the second.
"""

import re
from typing import Any

from schedframe._errors import did_you_mean
from schedframe.importers._draft import Draft
from schedframe.importers._frameworks.words import constant_weight_decay, in_iters, iters, percent
from schedframe.importers._importer import Importer
from schedframe.importers._source import Source

_KEYS = {
    "cosine_with_warmup": ("t_warmup", "t_max", "alpha_f"),
    "linear_decay_with_warmup": ("t_warmup", "t_max", "alpha_i", "alpha_f"),
    "constant_with_warmup": ("t_warmup", "t_max", "alpha"),
}
_TIME = re.compile(r"([0-9][0-9_]*|[0-9]*\.[0-9]+(?:e-?[0-9]+)?)(ba|ep|tok|sp|dur|sec|iter)")


def recognises(source: Source) -> bool:
    """Return whether `source` has the tables of llm-foundry."""
    return source.has("scheduler.name", "max_duration", "optimizer.lr")


def convert(draft: Draft) -> None:
    """Put what the YAML declares into `draft`.

    Raises:
        ConfigError: a value is wrong, in a unit that is not known in batches, or the schedule cannot be written.
    """
    name = draft.text("scheduler.name", "")
    if name not in _KEYS:
        raise draft.error("scheduler.name", f"is not imported{did_you_mean(name, _KEYS)}")
    draft.table("scheduler", ("name", "scale_warmup", *_KEYS[name]))
    if draft.number("scale_schedule_ratio", None) not in (None, 1):
        raise draft.error("scale_schedule_ratio", "scales some lengths and not others, and is not imported")
    for key in ("alpha_i", "alpha"):
        if draft.number(f"scheduler.{key}") not in (None, 1):
            raise draft.error(f"scheduler.{key}", "other than 1 is not imported")
    draft.put("max_lr", draft.number("optimizer.lr"), "optimizer.lr")
    run = _run(draft)
    warmup = _batches(draft, "scheduler.t_warmup", run, None)
    end = _batches(draft, "scheduler.t_max", run, "1dur")
    if end < run:
        raise draft.error("scheduler.t_max", f"ends before the {run} batches of the run, which Composer refuses")
    if warmup >= end:
        raise draft.error("scheduler.t_warmup", f"gives {warmup} batches, and the schedule has {end}")
    _phases(draft, name, warmup, end)
    constant_weight_decay(draft, "optimizer.weight_decay", 0.0)


def _run(draft: Draft) -> int:
    """Return the batches of the run."""
    amount, unit = _time(draft, "max_duration", None)
    if unit == "ba":
        in_iters(draft, int(amount), "max_duration")
        return int(amount)
    if unit != "ep":
        raise draft.error("max_duration", "must be in batches (ba) or epochs (ep) to be imported")
    run = int(draft.ask("train_iters", f"has a max_duration of {draft.source.get('max_duration')}"))
    in_iters(draft, run)
    return run


def _time(draft: Draft, path: str, default: str | None) -> tuple[float, str]:
    """Return the amount and the unit of one of Composer's times."""
    written = draft.source.get(path)
    found = _TIME.fullmatch(str(draft.text(path, default) if isinstance(written, str | None) else ""))
    if found is None:
        raise draft.error(path, "must be a time with its unit, such as 100ba or 0.05dur")
    return float(found[1]), found[2]


def _batches(draft: Draft, path: str, run: int, default: str | None) -> int:
    """Return a length of the schedule in batches; a share of the run is cut to whole ones."""
    amount, unit = _time(draft, path, default)
    if unit == "dur":
        return int(amount * run)
    if unit != "ba" or amount != int(amount):
        raise draft.error(path, "must be in whole batches (ba), or a share of the run (dur), to be imported")
    return int(amount)


def _phases(draft: Draft, name: str, warmup: int, end: int) -> None:
    style = {"cosine_with_warmup": "cosine", "linear_decay_with_warmup": "linear"}.get(name, "constant")
    first: dict[str, Any] = {"style": "constant", "length": iters(1)}
    phases = [first]
    if warmup:
        first |= {"from": 0.0, "jump": True}
        phases.append({"style": "linear", "length": iters(warmup), "to": "100%"})
    last: dict[str, Any] = {"style": style}
    if style != "constant":
        least = draft.number("scheduler.alpha_f", 0.0)
        if not 0 <= least <= 1:
            raise draft.error("scheduler.alpha_f", "must lie between 0 and 1")
        last["to"] = percent(least)
        draft.put("lr_decay_steps", iters(end + 1), "scheduler.t_max")
    draft.put(
        "lr_decay_style",
        {"style": "phases", "phases": [*phases, last]},
        "scheduler.name",
        "scheduler.t_warmup",
        "scheduler.alpha_f",
    )
    draft.assume("the curve is one update later, because Composer steps a scheduler before it counts the batch")


IMPORTER = Importer("llm-foundry", "llm-foundry 0.22 with Composer 0.32.1", recognises, convert)
"""The importer of llm-foundry."""
