"""A schedule as plain data: the keys that declare it, as they were given or all of them."""

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

from pydantic import BaseModel

from schedframe._plan.plan import Parent
from schedframe._plan.rule import GroupRule, key_of
from schedframe._run.policy import Resume
from schedframe._schedule.fields import updates_of
from schedframe._schedule.groups import FIELDS
from schedframe._schedule.keys import Keys
from schedframe._units.lengths import OPEN
from schedframe._units.units import RUN_KEYS
from schedframe.styles._base import Style
from schedframe.styles._flat_wsd import FLAT_WSD, is_bare
from schedframe.styles._installed import lr_styles, wd_styles
from schedframe.styles._warmup import options_of

_HORIZONS = ("lr_decay_steps", "wd_incr_steps")
_STYLES = ("lr_decay_style", "wd_incr_style", "lr_warmup_style")
_SERIALIZED = ("groups", "ignore")
"""Keys whose values have another form than a config gives them."""


def plain(value: Any) -> Any:
    """Return `value` as a config declares it: a style without options is its name."""
    if isinstance(value, Style):
        options = {name: plain(option) for name, option in options_of(value).items() if option is not None}
        return {"style": value.style, **options} if options else value.style
    if isinstance(value, Resume | Parent):
        return {key: plain(inner) for key, inner in asdict(value).items()}
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        return value
    return int(value) if isinstance(value, Integral) else float(value)


def given_keys(keys: Keys, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `keys` were declared with, `given`, as plain data.

    Of keys that were derived from others, and not given, it is their values, lengths in steps, where those are not at
    their default.
    """
    if given:
        return {key: plain(value) for key, value in given.items()}
    fields = Keys.model_fields
    return {key: _value(keys, key) for key in fields if getattr(keys, key) != fields[key].default}


def resolved_keys(keys: Keys, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return every key as plain data: as it was given, or its default. Keys without a value are left out."""
    written = {key: value for key, value in given_keys(keys, given).items() if value is not None}
    table: dict[str, Any] = {}
    for key in Keys.model_fields:
        value = getattr(keys, key)
        if key == "groups":
            tables = written.get(key, ())
            table[key] = [_with_derived(rule_table, rule) for rule_table, rule in zip(tables, value, strict=True)]
        elif key == "lr_decay_style" and is_bare(written.get(key)):
            options = {name: option for name, option in plain(value).items() if name in FLAT_WSD}
            table.update(
                {key: written[key], **options, **{name: written[name] for name in FLAT_WSD if name in written}}
            )
        elif key in _STYLES:
            table[key] = _with_defaults(written.get(key), value)
        elif key in written:
            table[key] = written[key]
        elif value is not None and key not in RUN_KEYS:
            table[key] = _value(keys, key)
    return table


def _value(keys: Keys, key: str) -> Any:
    """Return the value of `key` as a config declares it, with lengths in steps."""
    value = getattr(keys, key)
    if key == "first_update":
        return updates_of(value)
    if key in _HORIZONS and value == OPEN:
        return "open"
    return plain(keys.model_dump(include={key})[key] if key in _SERIALIZED else value)


def _with_defaults(written: Any, style: Style) -> Any:
    """Return the table of `style` as it was `written`, with the options that were left out."""
    aliases = {**lr_styles.aliases, **wd_styles.aliases}
    name = written.get("style", style.style) if isinstance(written, Mapping) else None
    if name is None or aliases.get(name, name) != style.style:
        return plain(style)
    defaults = {name: plain(option) for name, option in options_of(style).items() if option is not None}
    return {"style": style.style, **defaults, **written}


def _with_derived(written: Mapping[str, Any], rule: GroupRule) -> dict[str, Any]:
    """Return the table of `rule` as it was `written`, with what follows from the other keys."""
    decided = {name for key in written for name in FIELDS.get(key, ())}
    return {**written, **{key_of(name): plain(value) for name, value in rule.values if name not in decided}}
