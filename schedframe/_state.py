"""The checkpoint state: Megatron's ten keys, and one JSON string with everything else that determines the curve."""

import hashlib
import json
import warnings
from collections.abc import Mapping
from math import isfinite
from numbers import Real
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from schedframe._byname import ByName, by_lr_style, by_wd_style
from schedframe._errors import SchedframeError, SchedframeWarning, StateError
from schedframe._registry import source_of
from schedframe._rules import broken_rules
from schedframe._style import Style

if TYPE_CHECKING:
    from schedframe._scheduler import OptimizerParamScheduler

FORMAT = 1
DETAILS = "schedframe"

TEN_KEYS = (
    "max_lr",
    "lr_warmup_steps",
    "num_steps",
    "lr_decay_style",
    "lr_decay_steps",
    "min_lr",
    "start_wd",
    "end_wd",
    "wd_incr_style",
    "wd_incr_steps",
)
"""Megatron's keys, in its order (``megatron/core/optimizer_param_scheduler.py`` at core_v0.16.1)."""

_LEGACY = {
    "max_lr": ("start_lr",),
    "lr_warmup_steps": ("warmup_iter", "warmup_steps"),
    "lr_decay_steps": ("end_iter", "decay_steps"),
    "lr_decay_style": ("decay_style",),
    "num_steps": ("num_iters",),
}
"""Older spellings, which Megatron prefers to the new ones where a state has both."""

_WEIGHT_DECAY = ("start_wd", "end_wd", "wd_incr_steps", "wd_incr_style")
_NAMES = ("lr_decay_style", "wd_incr_style")


def dump(scheduler: "OptimizerParamScheduler") -> dict[str, Any]:
    """Return the state of `scheduler`: plain values, equal on every rank."""
    ten = {key: getattr(scheduler, key) for key in TEN_KEYS}
    details = {
        "format": FORMAT,
        "init_lr": scheduler.init_lr,
        "lr_style": scheduler.lr_style.model_dump(mode="json"),
        "wd_style": scheduler.wd_style.model_dump(mode="json"),
        "sources": {"lr_style": _source(scheduler.lr_style), "wd_style": _source(scheduler.wd_style)},
        "fingerprint": fingerprint(scheduler),
        "digest": _digest(ten),
    }
    return {**ten, DETAILS: json.dumps(details, sort_keys=True)}


def fingerprint(run: Any) -> str:
    """Return a digest of everything that determines the curves of `run`, and of nothing else.

    Equal in every process; numbers count by their exact value, an ``int`` as the float it equals.
    """
    lr = run.lr_style.model_dump(mode="json")
    wd = run.wd_style.model_dump(mode="json")
    fields = {"max_lr": run.max_lr, "lr_warmup_steps": run.lr_warmup_steps, "lr_style": lr}
    if run.lr_warmup_steps > 0:
        fields["init_lr"] = run.init_lr
    if lr["style"] != "constant":
        fields.update(min_lr=run.min_lr, lr_decay_steps=run.lr_decay_steps)
    if run.start_wd is not None:
        fields.update(start_wd=run.start_wd, end_wd=run.end_wd, wd_style=wd)
        if wd["style"] != "constant":
            fields["wd_incr_steps"] = run.wd_incr_steps
    return _digest(fields)


def choose(scheduler: "OptimizerParamScheduler", state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes to set on `scheduler` after `state`, by its two flags; nothing is changed yet.

    Raises:
        StateError: the state is broken, or differs although neither flag is set.
    """
    saved = _read(state)
    position = {"num_steps": saved.pop("num_steps")}
    if scheduler.override_opt_param_scheduler:
        return position
    details = _details(state, strict=not scheduler.use_checkpoint_opt_param_scheduler)
    saved_lr = _saved_table(saved["lr_decay_style"], details.get("lr_style"), scheduler.lr_style)
    saved_wd = _saved_table(saved.get("wd_incr_style"), details.get("wd_style"), scheduler.wd_style)
    if "init_lr" in details:
        saved["init_lr"] = details["init_lr"]
    if not scheduler.use_checkpoint_opt_param_scheduler:
        _refuse_differences(scheduler, saved, saved_lr, saved_wd)
        return position
    chosen = {key: value for key, value in saved.items() if key not in _NAMES}
    chosen["lr_style"] = _style(by_lr_style, saved_lr, scheduler.lr_style, details, "lr_style", scheduler)
    chosen["wd_style"] = _style(by_wd_style, saved_wd, scheduler.wd_style, details, "wd_style", scheduler)
    if not details and scheduler.lr_warmup_steps and position["num_steps"] <= scheduler.lr_warmup_steps:
        warnings.warn(
            f"the checkpoint does not say init_lr; this run's, {scheduler.init_lr}, is used",
            SchedframeWarning,
            stacklevel=3,
        )
    _check(chosen, scheduler)
    return {**chosen, **position}


def _read(state: Mapping[str, Any]) -> dict[str, Any]:
    """The ten keys of `state`, legacy spellings resolved, each of the right type."""
    if not isinstance(state, Mapping):
        raise StateError(f"a scheduler state is a dict, not a {type(state).__name__}")
    saved = {}
    for key in TEN_KEYS:
        spelled = next((old for old in _LEGACY.get(key, ()) if old in state), key)
        if spelled not in state:
            if key in _WEIGHT_DECAY and "start_wd" not in state:
                continue
            raise StateError(f"the scheduler state has no {key!r}; its keys are {', '.join(map(str, state)) or 'none'}")
        value = state[spelled]
        if key in _NAMES:
            if not isinstance(value, str):
                raise StateError(f"{spelled} = {value!r} in the scheduler state is no style's name")
        elif not (value is None and key in ("start_wd", "end_wd")):
            _number(spelled, value)
        saved[key] = value
    if saved["num_steps"] < 0:
        raise StateError(f"num_steps = {saved['num_steps']} in the scheduler state is negative")
    return saved


def _number(key: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, Real) or not isfinite(value):
        raise StateError(f"{key} = {value!r} in the scheduler state is no finite number")


def _details(state: Mapping[str, Any], strict: bool) -> dict[str, Any]:
    """What our key says beyond the ten; empty for a state of Megatron's, or where it does not fit the ten."""
    text = state.get(DETAILS)
    if text is None:
        return {}
    try:
        details = json.loads(text)
        version, digest = details["format"], details["digest"]
        _number("init_lr", details["init_lr"])
        tables = [details["lr_style"], details["wd_style"]]
    except (TypeError, ValueError, KeyError, RecursionError) as error:
        raise StateError(f"the key {DETAILS!r} of the scheduler state is broken: {error!r}") from None
    if not all(isinstance(table, dict) and isinstance(table.get("style"), str) for table in tables):
        raise StateError(f"the key {DETAILS!r} of the scheduler state is broken: a style is no table")
    if version != FORMAT:
        raise StateError(f"the scheduler state has format {version!r}, this version reads {FORMAT}; upgrade schedframe")
    if digest != _digest({key: state.get(key) for key in TEN_KEYS}):
        message = (
            f"the key {DETAILS!r} of the scheduler state does not belong to the ten keys beside it "
            f"({', '.join(TEN_KEYS)}): the state was edited, or loaded in part"
        )
        if strict:
            raise StateError(f"{message}; set one of the two checkpoint flags to go on")
        warnings.warn(f"{message}; the ten keys count", SchedframeWarning, stacklevel=4)
        return {}
    return dict(details)


def _saved_table(name: str | None, table: dict[str, Any] | None, own: Style) -> dict[str, Any] | None:
    """The checkpoint's style as a table; a state of Megatron's has only its name."""
    if table is not None:
        return table
    if name is None or name == own.style:
        return own.model_dump(mode="json")
    return {"style": name}


def _style(
    by_name: ByName,
    table: dict[str, Any] | None,
    own: Style,
    details: Mapping[str, Any],
    key: str,
    scheduler: "OptimizerParamScheduler",
) -> Style:
    if table is None or table == own.model_dump(mode="json"):
        return own
    if table == {"style": "WSD"}:
        if scheduler.wsd_decay_steps is None or scheduler.lr_wsd_decay_style is None:
            raise StateError(
                "the checkpoint's style is WSD, and Megatron does not save its tail; "
                "give this run wsd_decay_steps and lr_wsd_decay_style"
            )
        table = {
            "style": "WSD",
            "wsd_decay_steps": scheduler.wsd_decay_steps,
            "lr_wsd_decay_style": scheduler.lr_wsd_decay_style,
        }
    try:
        return by_name.resolve(table)
    except (SchedframeError, ValidationError, ValueError) as error:
        source = details.get("sources", {}).get(key)
        came_from = f", which came from {source['distribution']} {source['version']}" if source else ""
        raise StateError(f"the checkpoint's style {table['style']!r}{came_from} cannot be used: {error}") from error


def _refuse_differences(
    scheduler: "OptimizerParamScheduler",
    saved: Mapping[str, Any],
    saved_lr: dict[str, Any] | None,
    saved_wd: dict[str, Any] | None,
) -> None:
    rows = [(key, value, getattr(scheduler, key)) for key, value in saved.items() if key not in _NAMES]
    rows.append(("lr_decay_style", saved_lr, scheduler.lr_style.model_dump(mode="json")))
    rows.append(("wd_incr_style", saved_wd, scheduler.wd_style.model_dump(mode="json")))
    different = [row for row in rows if row[1] != row[2]]
    if different:
        listed = "\n".join(
            f"  {key}: {theirs} in the checkpoint, {ours} in this run" for key, theirs, ours in different
        )
        raise StateError(
            f"the checkpoint's schedule is not this run's, and neither flag says which counts:\n{listed}\n"
            f"Set use_checkpoint_opt_param_scheduler for the checkpoint's, "
            f"or override_opt_param_scheduler for this run's"
        )


def _check(chosen: Mapping[str, Any], scheduler: "OptimizerParamScheduler") -> None:
    keys = ("init_lr", "max_lr", "min_lr", "lr_warmup_steps", "lr_decay_steps", *_WEIGHT_DECAY[:3])
    values = {key: chosen.get(key, getattr(scheduler, key)) for key in keys}
    values.update(lr_decay_style=chosen["lr_style"], wd_incr_style=chosen["wd_style"])
    refused, _ = broken_rules(values)
    if refused:
        raise StateError("the checkpoint's schedule cannot run: " + "; ".join(map(str, refused)))


def _source(style: Style) -> dict[str, Any] | None:
    source = source_of(style)
    return {"distribution": source.distribution, "version": source.version, "target": source.target}


def _digest(fields: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(_exact(fields), sort_keys=True).encode()).hexdigest()[:16]


def _exact(value: Any) -> Any:
    """`value` with each number as the hexadecimal form of its float."""
    if isinstance(value, Mapping):
        return {key: _exact(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(inner) for inner in value]
    if isinstance(value, bool) or not isinstance(value, Real):
        return value
    return float(value).hex()
