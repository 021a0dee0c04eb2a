"""Writes steps, styles and schedules in short form."""

from math import inf
from types import NoneType
from typing import Any

from schedframe._plan.plan import Plan
from schedframe._plan.rule import GroupRule
from schedframe._units.lengths import compact
from schedframe._units.notation import rate, si
from schedframe._units.numbers import whole
from schedframe.styles import Style
from schedframe.styles._base import LATER
from schedframe.styles._phase import Phase
from schedframe.styles._warmup import OWN, fields_of, options_of
from schedframe.styles.combined import Floored

_LARGE = 1e5
_LONG = 100_000
"""From here on a number is a length."""


def short(step: float) -> str:
    """Write a number of steps: ``500M``, ``1.5K``, ``500_000_001``; a large one that is not whole is rounded."""
    text = compact(step)
    if isinstance(text, str):
        return text
    return si(step) if step >= _LARGE and step != round(step) else f"{whole(text):_}"


def option_value(value: Any) -> str:
    """Write the value of a style's option."""
    if isinstance(value, Style):
        return style_with_options(value)
    if isinstance(value, Phase):
        length = "" if value.length is None else f" {short(value.length)}"
        ways = {"from": value.from_, "to": value.to}
        return f"{option_value(value.style)}{length}" + "".join(f" {w} {t}" for w, t in ways.items() if t is not None)
    if isinstance(value, list | tuple):
        return f"[{', '.join(option_value(item) for item in value)}]"
    if isinstance(value, float):
        return short(value) if _LARGE <= value < inf else f"{value:g}"
    return short(value) if type(value) is int else str(value)


def style_with_options(style: Style) -> str:
    """Write a style: ``WSD(wsd_decay_steps=50M, lr_wsd_decay_style=minus_sqrt)``, ``cosine(floor=cut)``.

    An option that chooses between words, has no value, or is one of every warmup is left out at its default.
    """
    if isinstance(style, Floored):
        return _with_options(style.of, f"floor={style.floor}")
    return _with_options(style)


def _with_options(style: Style, *others: str) -> str:
    fields = fields_of(style)
    options = (
        f"{name}={option_value(value)}"
        for name, value in options_of(style).items()
        if value != fields[name].default or not (isinstance(value, str | NoneType) or name in (*LATER, *OWN))
    )
    listed = ", ".join([*options, *others])
    return f"{style.style}({listed})" if listed else style.style


def value_of_key(value: Any) -> str:
    """Write the value of a key: a number exactly, a rule for param groups by its role."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(value_of_key, value))}]"
    if isinstance(value, GroupRule):
        return value.role
    if isinstance(value, float | int):
        return str(value) if value < _LONG else short(value)
    return option_value(value)


def summary(plan: Plan, train_steps: float | None = None) -> str:
    """Return one line that describes `plan`, of a run of `train_steps`."""
    parts = [style_with_options(plan.lr_style), f"max LR {_bound(plan.max_lr)}", f"min LR {_bound(plan.min_lr)}"]
    if plan.lr_warmup_steps:
        start = f" from {_bound(plan.init_lr)}" if plan.init_lr else ""
        shape = plan.lr_warmup_style
        by = "" if shape.is_megatrons else f" by {style_with_options(shape)}"
        parts.append(f"warmup {short(plan.lr_warmup_steps)}{start}{by}")
    else:
        parts.append("no warmup")
    below = " from step 0" if plan.decay_begin < plan.lr_warmup_steps else ""
    parts.append(f"decay {short(plan.lr_decay_steps)}{below}")
    if train_steps is not None and train_steps != plan.lr_decay_steps:
        parts.append(f"run {short(train_steps)}")
    if plan.shift:
        parts.append(f"read {short(abs(plan.shift))} {'ahead' if plan.shift > 0 else 'behind'}")
    if plan.interval:
        parts.append(f"held for {short(plan.interval)}")
    if plan.start_step:
        parts.append(f"from step {short(plan.start_step)}")
    parts.append(_weight_decay(plan))
    if plan.groups:
        parts.append(f"rules for {' and '.join(rule.role for rule in plan.groups)}")
    return ", ".join(parts)


def _bound(value: float | str) -> str:
    return value if isinstance(value, str) else rate(value, 6)


def _weight_decay(plan: Plan) -> str:
    start_wd, end_wd = plan.start_wd, plan.end_wd
    if start_wd is None or end_wd is None:
        return "weight decay not scheduled"
    if plan.wd_style.is_constant:
        return f"weight decay {_bound(end_wd)}"
    style, steps = style_with_options(plan.wd_style), short(plan.wd_incr_steps)
    span = f"{_bound(start_wd)}" if start_wd == end_wd else f"{_bound(start_wd)} to {_bound(end_wd)}"
    return f"weight decay {span} by {style} over {steps}"
