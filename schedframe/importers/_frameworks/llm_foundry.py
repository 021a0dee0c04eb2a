"""llm-foundry, and Composer's YAML of the same form.

mosaicml/composer:composer/optim/scheduler.py at v0.32.1, and mosaicml/llm-foundry:llmfoundry/optim/scheduler.py at
8c8dd48, whose registry has four schedulers. Composer steps the scheduler before it counts the batch, which is
``first_update: -1``.
"""

import re
from typing import NamedTuple

from schedframe._errors import did_you_mean
from schedframe.importers._draft import Draft
from schedframe.importers._frameworks.words import constant_weight_decay, in_iters, percent, phased
from schedframe.importers._importer import Importer
from schedframe.importers._source import Source

_INVERSE = "inv_sqrt_with_warmup"
_KEYS = {
    "cosine_with_warmup": ("t_warmup", "t_max", "alpha_f", "scale_warmup"),
    "linear_decay_with_warmup": ("t_warmup", "t_max", "alpha_i", "alpha_f", "scale_warmup"),
    "constant_with_warmup": ("t_warmup", "t_max", "alpha", "scale_warmup"),
    _INVERSE: ("t_warmup", "t_scale", "t_cooldown", "t_max", "alpha_f_decay", "alpha_f_cooldown"),
}
_TIME = re.compile(r"([0-9][0-9_]*|[0-9]*\.[0-9]+(?:e-?[0-9]+)?)(ba|ep|tok|sp|dur|sec|iter)")
_UNITS = {"ba": "iters", "sp": "samples", "tok": "tokens"}


class _Run(NamedTuple):
    """The length of the run in its unit, which is that of all lengths, and of an epoch if it is known."""

    length: int
    unit: str
    epoch: float | None = None

    def written(self, length: int) -> str:
        """Return a length as a schedule has it."""
        return f"{length} {_UNITS[self.unit]}"


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
    draft.table("scheduler", ("name", *_KEYS[name]))
    if draft.number("scale_schedule_ratio", None) not in (None, 1):
        raise draft.error("scale_schedule_ratio", "scales some lengths and not others, and is not imported")
    rate = draft.number("optimizer.lr")
    if rate is None:
        raise draft.error("optimizer", "has no lr")
    draft.put("max_lr", rate, "optimizer.lr")
    run = _run(draft)
    warmup = _length(draft, "scheduler.t_warmup", run, None)
    end = _length(draft, "scheduler.t_max", run, "1dur")
    if warmup >= end:
        raise draft.error("scheduler.t_warmup", f"gives {run.written(warmup)}, and the schedule has {end}")
    if warmup:
        draft.put("lr_warmup_steps", run.written(warmup), "scheduler.t_warmup")
    if name == _INVERSE:
        _inverse(draft, run, warmup, end)
    else:
        _curve(draft, name, run, end, rate)
    draft.put("first_update", -1)
    draft.assume("Composer steps a scheduler before it counts the batch, which is first_update: -1")
    constant_weight_decay(draft, "optimizer.weight_decay", 0.0)


def _run(draft: Draft) -> _Run:
    """Return the run in batches, samples or tokens, of which each batch has as many."""
    amount, unit = _time(draft, "max_duration", None)
    if unit == "ba":
        in_iters(draft, int(amount), "max_duration")
        return _Run(int(amount), unit)
    if unit == "ep":
        run = int(draft.ask("train_iters", f"has a max_duration of {draft.source.get('max_duration')}"))
        in_iters(draft, run)
        return _Run(run, "ba", run / amount)
    if unit not in _UNITS:
        raise draft.error("max_duration", "must be in ba, ep, sp or tok to be imported")
    if unit == "tok":
        _packed(draft)
    batch = draft.count("global_train_batch_size")
    if not batch:
        raise draft.error("global_train_batch_size", f"is needed for lengths in {_UNITS[unit]}")
    draft.put("clock", _UNITS[unit])
    draft.put(f"train_{_UNITS[unit]}", int(amount), "max_duration")
    draft.put("global_batch_size", batch, "global_train_batch_size")
    return _Run(int(amount), unit)


def _packed(draft: Draft) -> None:
    """Set the tokens of a sample, which are the same for all where the data has no padding."""
    if draft.source.get("train_loader.name") != "text":
        raise draft.error("max_duration", "is in tokens, of which only a train_loader named text has a fixed number")
    paths = ("variables.max_seq_len", "max_seq_len")
    path = next(filter(draft.source.has, paths), None)
    sequence = draft.count(path) if path else draft.ask("seq_length", "has no max_seq_len")
    draft.put("seq_length", sequence, *paths)
    draft.assume("every sample has max_seq_len tokens; Composer does not count padding")


def _time(draft: Draft, path: str, default: str | None) -> tuple[float, str]:
    """Return the amount and the unit of one of Composer's times."""
    written = draft.source.get(path)
    found = _TIME.fullmatch(str(draft.text(path, default) if isinstance(written, str | None) else ""))
    if found is None or (float(found[1]) <= 0 and path == "max_duration"):
        raise draft.error(path, "must be a time with its unit, such as 100ba or 0.05dur")
    return float(found[1]), found[2]


def _length(draft: Draft, path: str, run: _Run, default: str | None) -> int:
    """Return a length of the schedule in the unit of the run; a share of the run is cut to whole ones."""
    amount, unit = _time(draft, path, default)
    if unit == "dur":
        return int(amount * run.length)
    if unit == "ep" and run.epoch is not None and run.epoch == int(run.epoch):
        return int(amount * run.epoch)
    if unit != run.unit or amount != int(amount):
        fault = f"must be whole and in {run.unit}, as max_duration is, or a share of the run (dur), to be imported"
        raise draft.error(path, fault)
    return int(amount)


def _share(draft: Draft, path: str, default: float) -> float:
    share = draft.number(path, default)
    if not 0 <= share <= 1:
        raise draft.error(path, "must lie between 0 and 1")
    return float(share)


def _curve(draft: Draft, name: str, run: _Run, end: int, rate: float) -> None:
    """Set a curve from one share of the optimizer's learning rate to another."""
    if end < run.length:
        raise draft.error(
            "scheduler.t_max", f"ends before the {run.length} {run.unit} of the run, which Composer refuses"
        )
    first = {"linear_decay_with_warmup": "alpha_i", "constant_with_warmup": "alpha"}.get(name)
    high = draft.number(f"scheduler.{first}") if first else None
    if high not in (None, 1):
        draft.put("max_lr", rate * high, "optimizer.lr", f"scheduler.{first}")
    style = {"cosine_with_warmup": "cosine", "linear_decay_with_warmup": "linear"}.get(name, "constant")
    if style != "constant":
        least = _share(draft, "scheduler.alpha_f", 0.0)
        draft.put("min_lr", percent(least) if high in (None, 1) else rate * least, "scheduler.alpha_f")
        if end != run.length:
            draft.put("lr_decay_steps", run.written(end), "scheduler.t_max")
    draft.put("lr_decay_style", style, "scheduler.name")


def _inverse(draft: Draft, run: _Run, warmup: int, end: int) -> None:
    """Set ``inv_sqrt_with_warmup``: an inverse square root that tends to a share, and a straight line at the end."""
    for key in ("t_warmup", "t_scale", "t_cooldown"):
        if str(draft.source.get(f"scheduler.{key}")).endswith("dur"):
            raise draft.error(f"scheduler.{key}", "is a share of the run, which llm-foundry refuses")
    scale = _length(draft, "scheduler.t_scale", run, None)
    cooldown = _length(draft, "scheduler.t_cooldown", run, None)
    tends, least = _share(draft, "scheduler.alpha_f_decay", 0.0), _share(draft, "scheduler.alpha_f_cooldown", 0.0)
    if not scale:
        raise draft.error("scheduler.t_scale", "must be above 0")
    if tends < least:
        raise draft.error("scheduler.alpha_f_decay", "is below alpha_f_cooldown, which llm-foundry refuses")
    inverse = {"style": "power-law", "exponent": -0.5, "timescale": run.written(scale), "floor": "tend"}
    begin = max(warmup, end - cooldown)
    parts = []
    if begin > warmup:
        parts.append({"style": inverse, "length": run.written(begin - warmup), "to": percent(tends)})
    if cooldown:
        parts.append({"style": "linear", "length": run.written(cooldown), "to": percent(least)})
    elif end < run.length:
        parts.append({"style": "constant", "length": run.written(run.length - end)})
    draft.put("min_lr", percent(least), "scheduler.alpha_f_cooldown")
    last = begin + cooldown if cooldown else max(end, run.length)
    draft.put("lr_decay_steps", run.written(last), "scheduler.t_max", "scheduler.t_cooldown")
    draft.put("lr_decay_style", phased(*parts), "scheduler.name", "scheduler.t_scale", "scheduler.t_cooldown")


IMPORTER = Importer("llm-foundry", "llm-foundry 0.22 with Composer 0.32.1", recognises, convert)
"""The importer of llm-foundry."""
