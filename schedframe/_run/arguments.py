"""Checks the arguments of the scheduler's constructor, and reports everything that is wrong at once."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from schedframe._errors import ConfigError, Problem, SchedframeError, written
from schedframe._plan.conditions import CONDITIONS_OF_MEGATRON, broken_conditions
from schedframe._plan.plan import CURRENT, WARMUP, DecayFrom
from schedframe._plan.rule import GroupRule
from schedframe._problems import problems_of
from schedframe._units.lengths import Scale
from schedframe._units.numbers import plain, plain_size
from schedframe._units.units import parse_clock
from schedframe.styles._base import LRStyle, WDStyle
from schedframe.styles._byname import ByName, by_lr_style, by_wd_style
from schedframe.styles._warmup import parse_warmup


def check(
    where: str, numbers: Mapping[str, Any], lr_decay_style: Any, wd_incr_style: Any, problems: Iterable[Problem]
) -> tuple[dict[str, Any], LRStyle, WDStyle, list[str]]:
    """Return plain numbers, both styles, and what Megatron runs although it is a mistake; or refuse all at once.

    Raises:
        ConfigError: there are `problems` already, a number is not one, a style cannot be resolved, or Megatron would
            refuse the combination.
    """
    problems = list(problems)
    plain_numbers: dict[str, Any] = {}
    for key, value in numbers.items():
        try:
            plain_numbers[key] = _parse_argument(key, value, numbers)
        except ValueError as error:
            problems.append(Problem(key, str(error), written(value)))
    wrong = {problem.path for problem in problems}
    sound = {key: value for key, value in plain_numbers.items() if key not in wrong}
    for key, by_name, style in (
        ("lr_decay_style", by_lr_style, lr_decay_style),
        ("wd_incr_style", by_wd_style, wd_incr_style),
    ):
        try:
            sound[key] = resolve_style(key, by_name, style, sound.get("lr_decay_steps"))
        except ConfigError as error:
            problems += error.problems
    refused, mistakes = broken_conditions(sound, CONDITIONS_OF_MEGATRON)
    if problems or refused:
        raise ConfigError(where, [*problems, *refused])
    return plain_numbers, sound["lr_decay_style"], sound["wd_incr_style"], mistakes


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


def parse_field(where: str, name: str, value: Any) -> Any:
    """Return `value`, which is assigned to the scheduler's attribute `name`, as a field of its plan.

    Raises:
        ConfigError: it is not one: a number is not finite or is negative, or a style is not a style.
    """
    try:
        return _FIELDS.get(name, plain_size)(value)
    except ValueError as error:
        raise ConfigError(where, [Problem(name, str(error), written(value))]) from None


def _parse_argument(key: str, value: Any, numbers: Mapping[str, Any]) -> Any:
    if value is None and key in ("start_wd", "end_wd") and numbers["start_wd"] is numbers["end_wd"]:
        return None
    if isinstance(value, str) and key == "init_lr" and value == CURRENT:
        if numbers["start_step"] == 0:
            raise ValueError("needs start_step, the step of the checkpoint")
        return value
    return plain(value)


def _parse_init_lr(value: Any) -> Any:
    return CURRENT if isinstance(value, str) and value == CURRENT else plain_size(value)


def _parse_wd(value: Any) -> float | None:
    return None if value is None else plain_size(value)


def _parse_decay_steps(value: Any) -> float:
    if steps := plain_size(value):
        return steps
    raise ValueError("must be above 0")


def parse_decay_from(value: Any) -> DecayFrom:
    """Return `value` as a place where the decay begins.

    Raises:
        ValueError: it is neither ``"warmup"`` nor 0.
    """
    if isinstance(value, str) and value == WARMUP:
        return WARMUP
    if isinstance(value, int | float) and not isinstance(value, bool) and value == 0:
        return 0
    raise ValueError(f"must be `{WARMUP}`, the end of the warmup, or 0, the start of the run")


def _instance_of(cls: type, hint: str) -> Callable[[Any], Any]:
    def parse(value: Any) -> Any:
        if isinstance(value, cls):
            return value
        raise ValueError(f"must be a {cls.__name__}; {hint}")

    return parse


def _parse_rules(value: Any) -> tuple[GroupRule, ...]:
    if isinstance(value, list | tuple) and all(isinstance(rule, GroupRule) for rule in value):
        return tuple(value)
    raise ValueError("must be the rules of a Schedule, such as another scheduler's attribute `groups`")


_FIELDS: dict[str, Callable[[Any], Any]] = {
    "clock": parse_clock,
    "init_lr": _parse_init_lr,
    "lr_warmup_style": parse_warmup,
    "lr_decay_steps": _parse_decay_steps,
    "lr_style": _instance_of(LRStyle, "a name or a table is assigned to lr_decay_style"),
    "start_wd": _parse_wd,
    "end_wd": _parse_wd,
    "wd_style": _instance_of(WDStyle, "a name or a table is assigned to wd_incr_style"),
    "groups": _parse_rules,
    "first_update": plain,
    "decay_from": parse_decay_from,
}
"""The fields of a plan that are more, or less, than a number of at least 0."""
