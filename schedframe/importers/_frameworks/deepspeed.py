"""DeepSpeed: the ``scheduler`` of its JSON.

deepspeedai/DeepSpeed:deepspeed/runtime/lr_schedules.py at v0.19.8. Its schedulers begin at index -1, so that they are
one iteration behind: the learning rate of the first update is also that of the second.
"""

from typing import Any

from schedframe._errors import did_you_mean
from schedframe.importers._draft import Draft
from schedframe.importers._frameworks.words import constant_weight_decay, in_iters, iters, whole_run
from schedframe.importers._importer import Importer
from schedframe.importers._source import Source

_PATH = "scheduler.params"
_KEYS = {
    "WarmupLR": ("warmup_min_lr", "warmup_max_lr", "warmup_num_steps", "warmup_type", "last_batch_iteration"),
    "WarmupDecayLR": (
        "total_num_steps",
        "warmup_min_lr",
        "warmup_max_lr",
        "warmup_num_steps",
        "warmup_type",
        "last_batch_iteration",
    ),
}
_NOT_WRITTEN = {
    "WarmupCosineLR": "has a warmup one iteration behind its cosine; write it by hand as `phases`",
    "OneCycle": "changes the learning rate, momentum and their decay in cycles, which are not imported",
    "LRRangeTest": "is a range test, which is not imported",
}
_AUTO = "auto"


def recognises(source: Source) -> bool:
    """Return whether `source` is a config of DeepSpeed with a scheduler."""
    return source.has("scheduler.type") and (source.has(_PATH) or source.has("optimizer.type"))


def convert(draft: Draft) -> None:
    """Put what the JSON declares into `draft`.

    Raises:
        ConfigError: a value is wrong, ``auto``, or the scheduler cannot be written.
    """
    name = draft.text("scheduler.type", "")
    if name in _NOT_WRITTEN:
        raise draft.error("scheduler.type", _NOT_WRITTEN[name])
    if name not in _KEYS:
        raise draft.error("scheduler.type", f"is no scheduler of DeepSpeed{did_you_mean(name, _KEYS)}")
    for key, value in draft.table(_PATH, _KEYS[name]).items():
        if value == _AUTO:
            raise draft.error(f"{_PATH}.{key}", f"is filled by the trainer; give it with --set {_PATH}.{key}=VALUE")
    if draft.text(f"{_PATH}.warmup_type", "log") != "linear":
        where = f"{_PATH}.warmup_type" if draft.source.has(f"{_PATH}.warmup_type") else _PATH
        raise draft.error(where, "rises with the logarithm (log, DeepSpeed's default), which has no word yet")
    if draft.number(f"{_PATH}.last_batch_iteration", -1) != -1:
        raise draft.error(f"{_PATH}.last_batch_iteration", "is of a run that goes on, which is not imported")
    _write(draft, name)


def _write(draft: Draft, name: str) -> None:
    peak = _peak(draft, name)
    draft.put("max_lr", peak, f"{_PATH}.warmup_max_lr", "optimizer.params.lr")
    least = draft.number(f"{_PATH}.warmup_min_lr", 0.0)
    warmup = max(2, draft.count(f"{_PATH}.warmup_num_steps", 1000))
    phases: list[dict[str, Any]] = [
        {"style": "constant", "length": iters(1), "from": least, "jump": True},
        {"style": "linear", "length": iters(warmup), "to": "100%"},
    ]
    if name == "WarmupLR":
        run = whole_run(draft, why="has a scheduler without an end")
        if run <= warmup + 1:
            raise draft.error(f"{_PATH}.warmup_num_steps", f"is not below the {run} iterations of the run")
        phases.append({"style": "constant"})
    else:
        run = draft.count(f"{_PATH}.total_num_steps")
        if run is None:
            run = draft.ask("train_iters", f"has no {_PATH}.total_num_steps")
        if run <= warmup:
            raise draft.error(f"{_PATH}.total_num_steps", f"is not above the {warmup} iterations of the warmup")
        in_iters(draft, run, f"{_PATH}.total_num_steps")
        draft.assume("the run has total_num_steps iterations")
        draft.put("lr_decay_steps", iters(run + 1), f"{_PATH}.total_num_steps")
        phases.append({"style": "linear", "to": least})
    draft.put("lr_decay_style", {"style": "phases", "phases": phases}, f"{_PATH}.warmup_num_steps", "scheduler.type")
    draft.assume("the curve is one iteration later, because DeepSpeed's schedulers begin at index -1")
    if draft.source.get("optimizer.params.weight_decay") == _AUTO:
        raise draft.error("optimizer.params.weight_decay", "is filled by the trainer; give it with --set")
    if draft.source.has("optimizer.params"):
        constant_weight_decay(draft, "optimizer.params.weight_decay", 0.0)


def _peak(draft: Draft, name: str) -> Any:
    """Return the max LR; of ``WarmupLR`` the optimizer's where the scheduler has none."""
    peak = draft.number(f"{_PATH}.warmup_max_lr")
    if peak is not None:
        return peak
    if name == "WarmupDecayLR":
        return draft.number(f"{_PATH}.warmup_max_lr", 0.001)
    if draft.source.get("optimizer.params.lr") == _AUTO:
        raise draft.error("optimizer.params.lr", "is filled by the trainer; give it with --set")
    rate = draft.number("optimizer.params.lr")
    return draft.ask("max_lr", "has no learning rate") if rate is None else rate


IMPORTER = Importer("deepspeed", "DeepSpeed 0.19.8", recognises, convert)
"""The importer of DeepSpeed."""
