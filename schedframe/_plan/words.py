"""Writes the values of a plan for messages and logs."""

from typing import Any

from pydantic import BaseModel

from schedframe._plan.rule import GroupRule, key_of
from schedframe._units.lengths import OPEN
from schedframe.styles._base import Style
from schedframe.styles._warmup import options_of


def written(value: Any) -> str:
    """Write a number, a style with its options, a rule, or a list of phases or rules, exactly."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, GroupRule):
        sets = ", ".join(f"{key_of(name)}={written(setting)}" for name, setting in value.sets().items())
        return f"{value.role}({value.match}: {sets})"
    if not isinstance(value, BaseModel):
        return "open" if value == OPEN else str(value)
    if isinstance(value, Style):
        name, fields = value.style, options_of(value)
    else:
        name, fields = "phase", {key: getattr(value, key) for key in type(value).model_fields}
    options = ", ".join(f"{key.rstrip('_')}={written(option)}" for key, option in fields.items() if option is not None)
    return f"{name}({options})" if options else name
