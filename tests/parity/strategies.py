"""Random runs that Megatron's class accepts."""

import random
from typing import Any

from hypothesis import strategies as st

LR_STYLES = ("constant", "linear", "cosine", "inverse-square-root", "WSD")
TAILS = ("linear", "cosine", "exponential", "minus_sqrt")
WD_STYLES = ("constant", "linear", "cosine")


class Optimizer:
    """What a scheduler sees of an optimizer."""

    def __init__(self, groups: list[dict[str, Any]]) -> None:
        self.param_groups = [dict(group) for group in groups]


def arguments(draw: random.Random) -> dict[str, Any]:
    """Return constructor arguments, all but the optimizer."""
    decay = draw.randint(2, 5000)
    warmup = draw.choice([0, draw.randint(0, decay - 1), draw.random() * (decay - 1), 0.01 * decay])
    peak = draw.choice([10 ** draw.uniform(-6, 1), draw.randint(1, 9)])
    wd_style = draw.choice(WD_STYLES)
    start_wd = draw.choice([0.0, draw.random()])
    return {
        "init_lr": draw.choice([0.0, peak * draw.random(), peak]),
        "max_lr": peak,
        "min_lr": draw.choice([0, 0.0, peak * draw.random() * 0.99]),
        "lr_warmup_steps": warmup,
        "lr_decay_steps": decay,
        "lr_decay_style": draw.choice(LR_STYLES),
        "start_wd": start_wd,
        "end_wd": start_wd if wd_style == "constant" else start_wd + draw.random(),
        "wd_incr_steps": draw.choice([decay, draw.randint(1, 8000)]),
        "wd_incr_style": wd_style,
        "wsd_decay_steps": draw.choice([draw.randint(1, decay), draw.randint(1, decay + 50)]),
        "lr_wsd_decay_style": draw.choice(TAILS),
    }


def groups(draw: random.Random, run: dict[str, Any]) -> list[dict[str, Any]]:
    """Return param groups, some with bounds of their own."""
    result: list[dict[str, Any]] = []
    for index in range(draw.randint(1, 5)):
        group: dict[str, Any] = {"params": [] if draw.random() < 0.3 else [index]}
        if draw.random() < 0.4:
            group["max_lr"] = run["max_lr"] * draw.random() * 2
        if draw.random() < 0.4:
            group["min_lr"] = run["max_lr"] * draw.random() * 0.1
        if draw.random() < 0.5:
            group["wd_mult"] = draw.choice([0.0, 1.0, draw.random()])
        if draw.random() < 0.4:
            group["start_wd"] = draw.random() * 0.1
            group["end_wd"] = group["start_wd"] if run["wd_incr_style"] == "constant" else draw.random() + 0.1
        if draw.random() < 0.3:
            group["default_config"] = draw.random() < 0.5
        result.append(group)
    return result


def boundaries(run: dict[str, Any]) -> list[int]:
    """Return the steps before, at and after every boundary of `run`."""
    marks = (0, run["lr_warmup_steps"], run["lr_decay_steps"], run["wd_incr_steps"])
    marks += (run["lr_decay_steps"] - run["wsd_decay_steps"], run["lr_decay_steps"] * 3)
    return sorted({max(0, int(mark) + offset) for mark in marks for offset in (-1, 0, 1, 2)})


seeds = st.integers(min_value=0, max_value=2**48)
