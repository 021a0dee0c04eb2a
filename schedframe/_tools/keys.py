"""The keys of a config that declares a schedule: those that were given, and all of them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel

from schedframe._plan.plan import Parent
from schedframe._plan.rule import GroupRule, key_of
from schedframe._run.policy import Resume
from schedframe._schedule.groups import FIELDS
from schedframe._schedule.keys import Keys
from schedframe._schedule.schedule import Schedule
from schedframe._units.lengths import OPEN
from schedframe._units.units import RUN_KEYS
from schedframe.styles._base import Style
from schedframe.styles._flat_wsd import FLAT_WSD, is_bare
from schedframe.styles._installed import lr_styles, wd_styles

_HORIZONS = ("lr_decay_steps", "wd_incr_steps")
_STYLES = ("lr_decay_style", "wd_incr_style", "lr_warmup_style")


def plain(value: Any) -> Any:
    """Return `value` as a config declares it: a style without options is its name."""
    if isinstance(value, Style):
        table = {name: plain(getattr(value, name)) for name in type(value).model_fields}
        return table if len(table) > 1 else value.style
    if isinstance(value, Resume | Parent):
        return {key: plain(inner) for key, inner in asdict(value).items()}
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def given_keys(schedule: Schedule) -> dict[str, Any]:
    """Return the keys that `schedule` was declared with, as plain data.

    Of a schedule that was derived from another one, they are the keys that are not at their default.
    """
    given = schedule.origin.given
    if given:
        return {key: plain(value) for key, value in given.items()}
    fields = Keys.model_fields
    return {key: plain(getattr(schedule, key)) for key in fields if getattr(schedule, key) != fields[key].default}


def resolve(schedule: Schedule) -> dict[str, Any]:
    """Return every key of the config of `schedule` as plain data: those that were given, and each default.

    A config with these keys declares an equal schedule. Keys without a value are left out.
    """
    given = {key: value for key, value in given_keys(schedule).items() if value is not None}
    keys: dict[str, Any] = {}
    for key in Keys.model_fields:
        value = getattr(schedule, key)
        if key == "groups":
            tables = given.get(key, ())
            keys[key] = [_with_derived(table, rule) for table, rule in zip(tables, value, strict=True)]
        elif key == "lr_decay_style" and is_bare(given.get(key)):
            options = {name: option for name, option in plain(value).items() if name in FLAT_WSD}
            keys.update({key: given[key], **options, **{name: given[name] for name in FLAT_WSD if name in given}})
        elif key in _STYLES:
            keys[key] = _with_defaults(given.get(key), value)
        elif key in given:
            keys[key] = given[key]
        elif value is not None and key not in RUN_KEYS:
            keys[key] = "open" if key in _HORIZONS and value == OPEN else plain(value)
    return keys


def _with_defaults(given: Any, style: Style) -> Any:
    """Return the table of `style` as it was `given`, with the options that were left out."""
    aliases = {**lr_styles.aliases, **wd_styles.aliases}
    name = given.get("style", style.style) if isinstance(given, Mapping) else None
    if name is None or aliases.get(name, name) != style.style:
        return plain(style)
    return {**{name: plain(getattr(style, name)) for name in type(style).model_fields}, **given}


def _with_derived(given: Mapping[str, Any], rule: GroupRule) -> dict[str, Any]:
    """Return the table of `rule` as it was `given`, with what follows from the file's other keys."""
    decided = {name for key in given for name in FIELDS.get(key, ())}
    return {**given, **{key_of(name): plain(value) for name, value in rule.values if name not in decided}}
