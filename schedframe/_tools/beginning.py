"""The text of a schedule file to begin with: few keys, a comment for each."""

from collections.abc import Mapping
from typing import Any

from schedframe._errors import ConfigError, Problem
from schedframe._schedule.schedule import Schedule
from schedframe._tools.views.style_curve import NEEDED, style_curve
from schedframe._units.units import RUN_KEYS
from schedframe.styles._installed import lr_styles

_COMMENTS = {
    **dict.fromkeys(RUN_KEYS, "length of the run"),
    "seq_length": "tokens of a sample",
    "global_batch_size": "samples of an iteration",
    "max_lr": "the max LR, reached at the end of the warmup",
    "min_lr": "of max_lr; the LR at the end of the decay",
    "lr_warmup_steps": "of the decay; a length can have a unit, as in 2000 iters",
    "lr_decay_style": "`schedframe styles` lists the installed styles",
    "wsd_decay_steps": "length of the cooldown at the end",
    "start_wd": "weight decay, constant; end_wd and wd_incr_style change it over the run",
}
_OPTIONS = {"WSD": {"lr_wsd_decay_style": "minus_sqrt"}}
"""What is written although it has a default."""


def beginning(run: Mapping[str, Any], max_lr: str, style: Mapping[str, str]) -> str:
    """Return the text of a YAML file whose every key has a comment.

    Args:
        run: the keys that determine the length of the run and its batches.
        max_lr: the max LR, as it is written.
        style: the table of the decay style, from `table_of`.

    Raises:
        ConfigError: the keys do not declare a schedule.
    """
    name, *options = style.items()
    decay = style if options else name[1]
    keys = {
        **run,
        "max_lr": max_lr,
        "min_lr": "10%",
        "lr_warmup_steps": "1%",
        "lr_decay_style": decay,
        "start_wd": "0.1",
    }
    Schedule(**keys)
    without_warmup = {key: value for key, value in keys.items() if key != "lr_warmup_steps"}
    by_itself = Schedule(**without_warmup)
    if by_itself.lr_at(0) < by_itself.max_lr:  # the style has its own rise
        keys = without_warmup
    return "".join(f"{line}\n" for line in _lines(keys, ""))


def _lines(keys: Mapping[str, Any], indent: str) -> list[str]:
    """Write `keys` as YAML, their comments one below the other."""
    lines: list[str] = []
    for key, value in keys.items():
        inner = isinstance(value, Mapping)
        line = f"{indent}{key}:" if inner else f"{indent}{key}: {value}"
        comment = _COMMENTS.get(key)
        lines.append(f"{line:<28} # {comment}" if comment else line)
        lines += _lines(value, f"{indent}  ") if inner else []
    return lines


def table_of(style: str) -> dict[str, str]:
    """Return the table of a learning-rate style, with a length for every option that has no default.

    Raises:
        UnknownStyleError: no installed style has this name.
        ConfigError: the style needs options that are not lengths.
    """
    cls = lr_styles[style]
    curve = style_curve(style, cls)
    name = lr_styles.source(style).name
    if curve is None:
        fault = f"needs options without a default that are not lengths; `schedframe styles {name}` lists them"
        raise ConfigError("the schedule", [Problem("lr_decay_style", fault, name)])
    return {"style": name, **dict.fromkeys(curve.needed, NEEDED), **_OPTIONS.get(name, {})}
