"""Checks the arguments of the scheduler's constructor, and reports everything that is wrong at once."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from math import isfinite
from numbers import Integral, Real
from typing import Any

from pydantic import ValidationError

from schedframe._errors import ConfigError, Problem, SchedframeError
from schedframe._plan.conditions import broken_conditions
from schedframe._plan.plan import CURRENT
from schedframe._problems import problems_of
from schedframe._units.lengths import Scale
from schedframe._units.numbers import LARGEST
from schedframe.styles._base import LRStyle, WDStyle
from schedframe.styles._byname import ByName, by_lr_style, by_wd_style

_WIDEST = 1000
"""Bits of an integer that is surely a float."""


def check(
    where: str, numbers: Mapping[str, Any], lr_decay_style: Any, wd_incr_style: Any, problems: Iterable[Problem]
) -> tuple[LRStyle, WDStyle, list[str]]:
    """Return both styles, and what Megatron runs although it is a mistake; or refuse with every problem at once.

    Raises:
        ConfigError: there are `problems` already, a number is not one, a style cannot be resolved, or Megatron would
            refuse the combination.
    """
    problems = [*problems, *_number_problems(numbers)]
    wrong = {problem.path for problem in problems}
    sound: dict[str, Any] = {key: value for key, value in numbers.items() if key not in wrong}
    for key, by_name, style in (
        ("lr_decay_style", by_lr_style, lr_decay_style),
        ("wd_incr_style", by_wd_style, wd_incr_style),
    ):
        try:
            sound[key] = resolve_style(key, by_name, style, sound.get("lr_decay_steps"))
        except ConfigError as error:
            problems += error.problems
    refused, mistakes = broken_conditions(sound)
    if problems or refused:
        raise ConfigError(where, [*problems, *refused])
    return sound["lr_decay_style"], sound["wd_incr_style"], mistakes


def resolve_style(key: str, by_name: ByName, style: Any, lr_decay_steps: float | None) -> Any:
    """Return the style that `style` specifies.

    Raises:
        ConfigError: about `key`, whatever is wrong with `style`.
    """
    try:
        return by_name.resolve(style, Scale(decay_steps=lr_decay_steps))
    except ValidationError as error:
        cls = by_name.model_of(style if isinstance(style, str) else style["style"])
        problems = [replace(problem, path=f"{key}.{problem.path}") for problem in problems_of(error, cls)]
    except (SchedframeError, ValueError) as error:
        cause = error if isinstance(error, SchedframeError) else None
        problems = [Problem(key, str(error), repr(style), error=cause)]
    raise ConfigError("OptimizerParamScheduler", problems)


def problems_with(key: str, parse: Callable[[Any], Any], value: Any) -> list[Problem]:
    """Return why `parse` refuses the argument `key`; nothing where it is ``None``."""
    try:
        if value is not None:
            parse(value)
    except ValueError as error:
        return [Problem(key, str(error), repr(value))]
    return []


def _number_problems(numbers: Mapping[str, Any]) -> list[Problem]:
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
        elif isinstance(value, Integral) and int(value).bit_length() > _WIDEST:
            problems.append(Problem(key, "is too large", f"an integer of {int(value).bit_length()} bits"))
        elif not isfinite(value):
            problems.append(Problem(key, "must be finite", repr(value)))
        elif abs(float(value)) > LARGEST:
            problems.append(Problem(key, "is too large", repr(value)))
    return problems
