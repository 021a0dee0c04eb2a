"""Writes a state: Megatron's ten keys, and one JSON string with everything else that determines the curves."""

import json
from dataclasses import asdict
from typing import Any

from schedframe._plan.plan import STYLES, WARMUP, Plan, digest, fingerprint_of, plain_values, sources_of
from schedframe._plan.rule import key_of
from schedframe._plugins.source import Source
from schedframe.styles._flat_wsd import flat_of

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

LATER = {"first_update": 0, "decay_from": WARMUP, "interval": 0}
"""Fields of a plan that early versions did not have, with their values there; a state has others alone."""

_LR_STYLES = ("constant", "linear", "cosine", "inverse-square-root", "WSD")
_WSD_STYLES = ("linear", "cosine", "exponential", "minus_sqrt")
_WD_STYLES = ("constant", "linear", "cosine")
"""The styles that Megatron's class knows (``megatron/core/optimizer_param_scheduler.py`` at core_v0.16.1)."""


def write_state(plan: Plan, num_steps: float) -> dict[str, Any]:
    """Return the state of a scheduler that runs `plan` at `num_steps`: plain values, equal on every rank."""
    values = plain_values(plan)
    names = {key_of(name): values[name]["style"] for name in STYLES}
    by_key = {**values, **names, "num_steps": num_steps}
    ten_keys = {key: by_key[key] for key in TEN_KEYS}
    details = {
        "format": FORMAT,
        **{name: value for name, value in values.items() if name not in TEN_KEYS and value != LATER.get(name)},
        "sources": {at: _plain(source) for at, source in sources_of(plan).items()},
        "fingerprint": fingerprint_of(values),
        "digest": digest(ten_keys),
    }
    return {**ten_keys, DETAILS: json.dumps(details, sort_keys=True)}


def _plain(source: Source) -> dict[str, str | None]:
    """Return `source` without its path, which differs between ranks."""
    return {key: value for key, value in asdict(source).items() if key != "path"}


def unknown_to_megatron(plan: Plan) -> str:
    """Return what Megatron's class lacks of `plan`, so that it cannot resume from its state; empty if nothing."""
    wsd = flat_of(plan.lr_style)
    if plan.lr_style.style not in _LR_STYLES:
        return f"lr_decay_style {plan.lr_style.style}"
    if wsd is not None and wsd.lr_wsd_decay_style.style not in _WSD_STYLES:
        return f"lr_wsd_decay_style {wsd.lr_wsd_decay_style.style}"
    if plan.start_wd is None:
        return "weight decay that is not scheduled"
    if plan.wd_style.style not in _WD_STYLES:
        return f"wd_incr_style {plan.wd_style.style}"
    if (plan.end_wd or 0.0) < plan.start_wd:
        return "weight decay that falls"
    if plan.lr_warmup_steps > 0 and not plan.lr_warmup_style.is_megatrons:
        return f"lr_warmup_style {plan.lr_warmup_style.style}"
    if plan.first_update and not plan.start_step:
        return "first_update"
    if plan.lr_warmup_steps > 0 and plan.decay_from != WARMUP:
        return f"decay_from {plan.decay_from}"
    if plan.interval:
        return "interval"
    for rule in plan.groups:
        for name, value in rule.values:
            if name not in ("max_lr", "min_lr", "start_wd", "end_wd") and value != getattr(plan, name):
                return f"{key_of(name)} of the rule {rule.role}"
    if plan.clock != "samples":
        return f"clock {plan.clock}"
    return f"start_step {plan.start_step}" if plan.start_step else ""
