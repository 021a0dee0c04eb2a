"""Checks what the scheduler's constructor was given, all of it before anything is refused."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from numbers import Real
from typing import Any

from pydantic import ValidationError

from schedframe._errors import ConfigError, Problem, SchedframeError
from schedframe._plan.conditions import broken_conditions
from schedframe._plan.plan import CURRENT
from schedframe._problems import problems_of
from schedframe._units.lengths import Scale
from schedframe.styles._base import LRStyle, WDStyle
from schedframe.styles._byname import ByName, by_lr_style, by_wd_style


@dataclass(frozen=True)
class Checked:
    """Arguments that can run.

    Attributes:
        lr_style: the learning-rate style.
        wd_style: the weight-decay style.
        mistakes: what Megatron runs although it is a mistake, as sentences.
    """

    lr_style: LRStyle
    wd_style: WDStyle
    mistakes: list[str]


def check(
    where: str,
    *,
    numbers: Mapping[str, Any],
    lr_decay_style: Any,
    wd_incr_style: Any,
    other_problems: Iterable[Problem],
) -> Checked:
    """Return the resolved styles, or refuse with every problem at once.

    Raises:
        ConfigError: a number is none, a style cannot be resolved, or Megatron would refuse the combination.
    """
    problems = [*other_problems, *_no_numbers(numbers)]
    wrong = {problem.path for problem in problems}
    sound: dict[str, Any] = {key: value for key, value in numbers.items() if key not in wrong}
    for key, by_name, style in (
        ("lr_decay_style", by_lr_style, lr_decay_style),
        ("wd_incr_style", by_wd_style, wd_incr_style),
    ):
        try:
            sound[key] = resolved(key, by_name, style, sound.get("lr_decay_steps"))
        except ConfigError as error:
            problems += error.problems
    refused, mistakes = broken_conditions(sound)
    if problems or refused:
        raise ConfigError(where, [*problems, *refused])
    return Checked(sound["lr_decay_style"], sound["wd_incr_style"], mistakes)


def resolved(key: str, by_name: ByName, style: Any, lr_decay_steps: float | None) -> Any:
    """Return the style that `style` says.

    Raises:
        ConfigError: about `key`, whatever is wrong with `style`.
    """
    try:
        return by_name.resolve(style, Scale(decay_steps=lr_decay_steps))
    except SchedframeError as error:
        problems = [Problem(key, str(error), repr(style), error=error)]
    except ValidationError as error:
        cls = by_name.model_of(style if isinstance(style, str) else style["style"])
        problems = [
            Problem(f"{key}.{found.path}", found.message, found.value, error=found.error)
            for found in problems_of(error, cls)
        ]
    except ValueError as error:
        problems = [Problem(key, str(error), repr(style))]
    raise ConfigError("OptimizerParamScheduler", problems)


def unreadable(key: str, parse: Callable[[Any], Any], value: Any) -> list[Problem]:
    """Return what `parse` says against the argument `key`; nothing where it is ``None``."""
    if value is None:
        return []
    try:
        parse(value)
    except ValueError as error:
        return [Problem(key, str(error), repr(value))]
    return []


def _no_numbers(numbers: Mapping[str, Any]) -> list[Problem]:
    problems = []
    for key, value in numbers.items():
        if value is None and key in ("start_wd", "end_wd") and numbers["start_wd"] is numbers["end_wd"]:
            continue
        if key == "init_lr" and value == CURRENT:
            if numbers["start_step"] == 0:
                problems.append(Problem(key, "needs start_step, the step of the checkpoint", repr(value)))
            continue
        if isinstance(value, bool) or not isinstance(value, Real):
            problems.append(Problem(key, f"must be a number, not a {type(value).__name__}", repr(value)))
        elif not isfinite(value):
            problems.append(Problem(key, "must be finite", repr(value)))
    return problems
