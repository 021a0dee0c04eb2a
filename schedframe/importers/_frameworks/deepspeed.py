"""DeepSpeed: the ``scheduler`` of its JSON.

deepspeedai/DeepSpeed:deepspeed/runtime/lr_schedules.py at v0.19.8. ``WarmupLR`` and ``WarmupDecayLR`` begin at index
-1, which is ``first_update: -1``. Of ``WarmupCosineLR`` the warmup is one iteration behind, and the cosine is not;
``OneCycle`` and ``LRRangeTest`` are not behind.
"""

from typing import Any

from schedframe._errors import did_you_mean
from schedframe.importers._draft import Draft
from schedframe.importers._frameworks.words import (
    constant_weight_decay,
    in_iters,
    iters,
    percent,
    phased,
    whole_run,
)
from schedframe.importers._importer import Importer
from schedframe.importers._source import Source

_PATH = "scheduler.params"
_WARMUP = ("warmup_min_lr", "warmup_max_lr", "warmup_num_steps", "warmup_type")
_CYCLE = ("cycle_min_lr", "cycle_max_lr", "decay_lr_rate", "cycle_first_step_size", "cycle_second_step_size")
_STAIRS = ("cycle_first_stair_count", "cycle_second_stair_count")
_MOMENTUM = ("cycle_momentum", "cycle_min_mom", "cycle_max_mom", "decay_mom_rate")
_KEYS = {
    "WarmupLR": _WARMUP,
    "WarmupDecayLR": ("total_num_steps", *_WARMUP),
    "WarmupCosineLR": ("total_num_steps", "warmup_min_ratio", "warmup_num_steps", "cos_min_ratio", "warmup_type"),
    "OneCycle": (*_CYCLE, *_STAIRS, "decay_step_size", *_MOMENTUM),
    "LRRangeTest": (
        "lr_range_test_min_lr",
        "lr_range_test_step_size",
        "lr_range_test_step_rate",
        "lr_range_test_staircase",
    ),
}
_LAST = "last_batch_iteration"
_AUTO = "auto"
_NO_END = "has a scheduler without an end"


def recognises(source: Source) -> bool:
    """Return whether `source` is a config of DeepSpeed with a scheduler."""
    return source.has("scheduler.type") and (source.has(_PATH) or source.has("optimizer.type"))


def convert(draft: Draft) -> None:
    """Put what the JSON declares into `draft`.

    Raises:
        ConfigError: a value is wrong, ``auto``, or the scheduler cannot be written.
    """
    name = draft.text("scheduler.type", "")
    if name not in _KEYS:
        raise draft.error("scheduler.type", f"is no scheduler of DeepSpeed{did_you_mean(name, _KEYS)}")
    for key, value in draft.table(_PATH, (*_KEYS[name], _LAST)).items():
        if value == _AUTO:
            raise draft.error(f"{_PATH}.{key}", f"is filled by the trainer; give it with --set {_PATH}.{key}=VALUE")
    if draft.number(f"{_PATH}.{_LAST}") not in (None, -1):
        raise draft.error(f"{_PATH}.{_LAST}", "is of a run that goes on, which is not imported")
    if name == "OneCycle":
        _one_cycle(draft)
    elif name == "LRRangeTest":
        _range_test(draft)
    elif name == "WarmupCosineLR":
        _cosine(draft)
    else:
        _warmup(draft, name)
    if draft.source.get("optimizer.params.weight_decay") == _AUTO:
        raise draft.error("optimizer.params.weight_decay", "is filled by the trainer; give it with --set")
    if draft.source.has("optimizer.params"):
        constant_weight_decay(draft, "optimizer.params.weight_decay", 0.0)


def _warmup(draft: Draft, name: str) -> None:
    """Set ``WarmupLR``, or ``WarmupDecayLR`` with its straight line to the end."""
    peak = draft.number(f"{_PATH}.warmup_max_lr", 0.001 if name == "WarmupDecayLR" else None)
    peak = _rate(draft) if peak is None else peak
    is_own = name == "WarmupDecayLR" or draft.source.has(f"{_PATH}.warmup_max_lr")
    draft.put("max_lr", peak, f"{_PATH}.warmup_max_lr" if is_own else "optimizer.params.lr")
    least = draft.number(f"{_PATH}.warmup_min_lr", 0.0)
    warmup, shape = _rise(draft)
    if name == "WarmupLR":
        run = whole_run(draft, why=_NO_END)
        if run <= warmup:
            raise draft.error(f"{_PATH}.warmup_num_steps", f"is not below the {run} iterations of the run")
    else:
        _total(draft, warmup)
        draft.put("min_lr", least, f"{_PATH}.warmup_min_lr")
    draft.put("init_lr", least, f"{_PATH}.warmup_min_lr")
    draft.put("lr_warmup_steps", iters(warmup), f"{_PATH}.warmup_num_steps")
    draft.put("lr_warmup_style", "deepspeed" if shape == "log" else shape, f"{_PATH}.warmup_type")
    draft.put("lr_decay_style", "constant" if name == "WarmupLR" else "linear", "scheduler.type")
    draft.put("first_update", -1)
    draft.assume("this scheduler of DeepSpeed begins at index -1, which is first_update: -1")


def _cosine(draft: Draft) -> None:
    """Set ``WarmupCosineLR``, whose learning rates are shares of the optimizer's."""
    draft.put("max_lr", _rate(draft), "optimizer.params.lr")
    if draft.number(f"{_PATH}.warmup_min_ratio", 0.0) != 0:
        fault = "other than 0 is not imported: the first update has 0, and the second this share"
        raise draft.error(f"{_PATH}.warmup_min_ratio", fault)
    warmup, shape = _rise(draft)
    _total(draft, warmup)
    draft.put("min_lr", percent(draft.number(f"{_PATH}.cos_min_ratio", 0.0001)), f"{_PATH}.cos_min_ratio")
    draft.put("lr_warmup_steps", iters(warmup), f"{_PATH}.warmup_num_steps")
    draft.put("lr_warmup_style", {"style": shape, "delay": iters(1)}, f"{_PATH}.warmup_type")
    draft.put("lr_decay_style", "cosine", "scheduler.type")
    draft.assume("the warmup of this scheduler of DeepSpeed is one iteration behind, and its cosine is not")


def _one_cycle(draft: Draft) -> None:
    """Set the learning rate of ``OneCycle``: up, down, and slowly down after that."""
    for key in _STAIRS:
        if draft.number(f"{_PATH}.{key}"):
            raise draft.error(f"{_PATH}.{key}", "makes stairs, which are not imported")
    low, high = draft.number(f"{_PATH}.cycle_min_lr"), draft.number(f"{_PATH}.cycle_max_lr")
    if low is None or high is None:
        raise draft.error(_PATH, "needs cycle_min_lr and cycle_max_lr")
    first = draft.count(f"{_PATH}.cycle_first_step_size", 2000)
    second = draft.count(f"{_PATH}.cycle_second_step_size")
    second = first if second is None else second
    if not first or not second:
        raise draft.error(_PATH, "needs cycle_first_step_size and cycle_second_step_size above 0")
    draft.put("max_lr", high, f"{_PATH}.cycle_max_lr")
    run = whole_run(draft, why=_NO_END)
    parts: list[dict[str, Any]] = [
        {"style": "linear", "length": iters(first), "from": low, "to": "100%", "jump": True},
        {"style": "linear", "length": iters(second), "to": low},
    ]
    every, rate = draft.count(f"{_PATH}.decay_step_size", 0), draft.number(f"{_PATH}.decay_lr_rate", 0.0)
    if run > first + second:
        decay = {"style": "power-law", "exponent": -1.0, "timescale": iters(every / rate)} if every and rate else None
        parts.append({"style": decay or "constant"})
    else:
        draft.put("lr_decay_steps", iters(first + second), f"{_PATH}.cycle_first_step_size")
    draft.put("lr_decay_style", phased(*parts), *(f"{_PATH}.{key}" for key in (*_CYCLE, "decay_step_size")))
    if draft.flag(f"{_PATH}.cycle_momentum") is not False:
        draft.assume("only the learning rate is imported; DeepSpeed changes the first of the betas in cycles too")


def _range_test(draft: Draft) -> None:
    """Set ``LRRangeTest``, which rises for as long as the run is."""
    least = draft.number(f"{_PATH}.lr_range_test_min_lr", 1e-3)
    every = draft.count(f"{_PATH}.lr_range_test_step_size", 2000)
    rate = draft.number(f"{_PATH}.lr_range_test_step_rate", 1.0)
    if not every or rate <= 0:
        raise draft.error(_PATH, "needs lr_range_test_step_size and lr_range_test_step_rate above 0")
    run = whole_run(draft, why=_NO_END)
    draft.put("max_lr", least * (1 + rate * run / every), f"{_PATH}.lr_range_test_step_rate")
    draft.put("min_lr", least, f"{_PATH}.lr_range_test_min_lr")
    stairs = {"stairs": iters(every)} if draft.flag(f"{_PATH}.lr_range_test_staircase") else {}
    draft.put("lr_decay_style", {"style": "range-test", **stairs}, "scheduler.type", f"{_PATH}.lr_range_test_staircase")
    draft.assume("max_lr is what the rise reaches at the end of the run; LRRangeTest has no end")
    draft.assume("range-test is a style of the distribution schedframe-classic, which must be installed")


def _rise(draft: Draft) -> tuple[int, str]:
    """Return the iterations of the warmup, and its shape."""
    shape = draft.text(f"{_PATH}.warmup_type", "log")
    if shape not in ("log", "linear"):
        raise draft.error(f"{_PATH}.warmup_type", "must be log or linear")
    given = draft.count(f"{_PATH}.warmup_num_steps", 1000)
    if not given:
        raise draft.error(f"{_PATH}.warmup_num_steps", "must be above 0, which DeepSpeed needs too")
    if given == 1:
        draft.assume(f"a warmup of 1 iteration is made 2 by {draft.title}")
    return max(2, int(given)), shape


def _total(draft: Draft, warmup: int) -> None:
    """Let the run have ``total_num_steps``."""
    run = draft.count(f"{_PATH}.total_num_steps")
    if run is None:
        run = draft.ask("train_iters", f"has no {_PATH}.total_num_steps")
    if run <= warmup:
        raise draft.error(f"{_PATH}.total_num_steps", f"is not above the {warmup} iterations of the warmup")
    in_iters(draft, run, f"{_PATH}.total_num_steps")
    draft.assume("the run has total_num_steps iterations")


def _rate(draft: Draft) -> Any:
    """Return the optimizer's learning rate."""
    if draft.source.get("optimizer.params.lr") == _AUTO:
        raise draft.error("optimizer.params.lr", "is filled by the trainer; give it with --set")
    rate = draft.number("optimizer.params.lr")
    return draft.ask("max_lr", "has no learning rate") if rate is None else rate


IMPORTER = Importer("deepspeed", "DeepSpeed 0.19.8", recognises, convert)
"""The importer of DeepSpeed."""
