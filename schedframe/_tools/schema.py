"""The JSON Schema (2020-12) of a config, with the styles that are installed.

Models mark where a style stands; here each mark becomes a reference to one definition of all styles of its kind.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, get_args

from schedframe._errors import SchedframeError
from schedframe._files.config.document import EXTENDS
from schedframe._plugins.registry import Registry
from schedframe._schedule.groups import FIELDS
from schedframe._schedule.schedule import Schedule
from schedframe._units.numbers import JSON_NUMBER
from schedframe._units.units import RUN_KEYS
from schedframe.styles._base import LRCurve, LRStyle, Style
from schedframe.styles._byname import MARK, by_lr_curve, by_lr_style, by_wd_style
from schedframe.styles._flat_wsd import FLAT_WSD, is_bare
from schedframe.styles._installed import lr_styles, wd_styles
from schedframe.styles._phase import PHASES_MARK, Phase
from schedframe.styles.combined import Floor

_KINDS = {by_lr_style.mark: "LRStyle", by_lr_curve.mark: "LRCurve", by_wd_style.mark: "WDStyle"}
_WSD = "WSD"
_NULL = {"type": "null"}
_STYLE = "lr_decay_style"
_EXTENDS = {
    "type": "string",
    "description": "A config file, relative to this one, whose keys this file inherits; null removes an inherited key.",
}
_FLOOR = "How the curve meets min_lr: it ends there (reach), is cut there (cut), or tends to it (tend)."
_LENGTHS_OF_A_RUN = (*RUN_KEYS, "lr_decay_steps")


def schema(*, builtin: bool = False) -> tuple[dict[str, Any], list[str]]:
    """Return the schema, and why styles are missing from it that are installed and cannot be used.

    Args:
        builtin: only built-in styles, so that it is the same everywhere.
    """
    faults: list[str] = []
    lr, wd = (dict(_classes(registry, builtin, faults)) for registry in (lr_styles, wd_styles))
    curves = {name: cls for name, cls in lr.items() if issubclass(cls, LRCurve)}
    definitions: dict[str, Any] = {"Phase": _of_model(Phase)}
    for kind, styles, aliases in (
        ("LRStyle", lr, lr_styles.aliases),
        ("LRCurve", curves, lr_styles.aliases),
        ("WDStyle", {**curves, **wd}, wd_styles.aliases),
    ):
        known = [alias for alias, name in aliases.items() if name in styles]
        definitions[kind] = _one_of(styles, known, wd if kind == "WDStyle" else ())
    for prefix, styles in (("LR", lr), ("WD", wd)):
        for name, cls in styles.items():
            definitions[f"{prefix} {name}"] = _of_style(cls, name, prefix)
    whole = _of_model(Schedule)
    keys = whole["properties"]
    for key in FLAT_WSD:
        keys[key]["$ref"] = f"#/$defs/LR%20{_WSD}/properties/{key}"
    with_value = {key: {"not": _NULL} for key in keys if not _admits_null(keys[key])}
    rule = keys["groups"]["items"]["properties"]
    for key in FIELDS:
        rule[key] = {"$ref": f"#/properties/{key}", **with_value.get(key, {})} if key in keys else JSON_NUMBER
    whole["properties"] = {EXTENDS: _EXTENDS, **{key: _or_null(keys[key]) for key in keys}}
    whole |= {
        "if": {"required": [EXTENDS]},
        "else": {
            **_max_lr_unless_it_follows(whole.pop("required"), [name for name, cls in lr.items() if _has_peak(cls)]),
            "anyOf": [{"required": [key]} for key in _LENGTHS_OF_A_RUN],
            "properties": with_value,
            "if": {"properties": {_STYLE: {"enum": _spelled(_WSD, lr_styles)}}, "required": [_STYLE]},
            "then": {"required": ["wsd_decay_steps"]},
            "else": {"properties": dict.fromkeys(FLAT_WSD, False)},
        },
    }
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "schedframe config"}
    return {**head, **{key: value for key, value in whole.items() if key != "title"}, "$defs": definitions}, faults


def _has_peak(style: type[Style]) -> bool:
    return issubclass(style, LRStyle) and style.peak is not LRStyle.peak


def _max_lr_unless_it_follows(required: list[str], styles: list[str]) -> dict[str, Any]:
    """Return the part of a schema that needs the keys `required`; `styles` have a max LR of their own."""
    if not styles:
        return {"required": required}
    named = {"type": "object", "properties": {"style": {"enum": styles}}, "required": ["style"]}
    follows = {"properties": {_STYLE: named}, "required": [_STYLE]}
    others = [key for key in required if key != "max_lr"]
    return {"required": others, "allOf": [{"if": follows, "else": {"required": ["max_lr"]}}]}


def _admits_null(part: Mapping[str, Any]) -> bool:
    return _NULL in part.get("anyOf", ()) or "null" in part.get("type", ())


def _or_null(part: dict[str, Any]) -> dict[str, Any]:
    """Return `part`, so that it admits null too; descriptions stay at its top, where editors look for them."""
    if _admits_null(part):
        return part
    if isinstance(part.get("type"), list):
        return {**part, "type": [*part["type"], "null"]}
    notes: dict[str, Any] = {key: part[key] for key in ("default", "description", "examples") if key in part}
    return {"anyOf": [{key: value for key, value in part.items() if key not in notes}, _NULL], **notes}


def _classes(registry: Registry[Any], builtin: bool, faults: list[str]) -> Iterator[tuple[str, type[Style]]]:
    for row in registry.listing():
        name = row.source.name
        if row.fault or (builtin and name not in registry.builtins):
            continue
        try:
            yield name, registry[name]
        except SchedframeError as error:
            faults.append(str(error))


def _one_of(styles: Mapping[str, type[Style]], aliases: Iterable[str], wd: Container[str]) -> dict[str, Any]:
    """Return the schema of a style: its name, where its options are not needed or stand beside it, or its table.

    Args:
        styles: those that may stand there, by name.
        aliases: other spellings of their names.
        wd: which of them are weight-decay styles.
    """
    bare = [name for name, cls in styles.items() if is_bare(name) or not _needs_options(cls)]
    cases = []
    for name in styles:
        prefix, registry = ("WD", wd_styles) if name in wd else ("LR", lr_styles)
        chosen = {"properties": {"style": {"enum": _spelled(name, registry)}}, "required": ["style"]}
        cases.append({"if": chosen, "then": {"$ref": f"#/$defs/{prefix} {name}".replace(" ", "%20")}})
    table = {
        "type": "object",
        "title": "a style with options",
        "properties": {"style": {"enum": [*styles, *aliases]}},
        "required": ["style"],
        "allOf": cases,
    }
    return {"anyOf": [{"enum": [*bare, *aliases]}, table]}


def _spelled(name: str, registry: Registry[Any]) -> list[str]:
    return [name, *(alias for alias, canonical in registry.aliases.items() if canonical == name)]


def _needs_options(cls: type[Style]) -> bool:
    return any(field.is_required() for field in cls.model_fields.values())


def _of_style(cls: type[Style], name: str, prefix: str) -> dict[str, Any]:
    schema = _of_model(cls)
    schema["title"] = name
    schema["properties"]["style"] = {"enum": _spelled(name, lr_styles if prefix == "LR" else wd_styles)}
    if prefix == "LR":
        schema["properties"].setdefault("floor", {"enum": list(get_args(Floor)), "description": _FLOOR})
    schema["required"] = ["style", *(key for key in schema.get("required", ()) if key != "style")]
    return schema


def _of_model(model: Any) -> dict[str, Any]:
    schema = model.model_json_schema()
    inner = schema.pop("$defs", {})
    assert not inner, f"{model.__name__} has inner definitions: {', '.join(inner)}"
    resolved = _resolved(schema)
    for key, field in model.model_fields.items():
        part = resolved["properties"][field.alias or key]
        if isinstance(field.default, (bool, int, float, str)):
            part["default"] = field.default
        elif field.default is None:  # null means that there is none, which pydantic writes or not, by its version
            part.pop("default", None)
    return {**resolved, "description": (model.__doc__ or "").strip().partition("\n")[0]}


def _resolved(part: Any) -> Any:
    """Return `part` with every mark as a reference, and without titles that repeat a key."""
    if isinstance(part, list):
        return [_resolved(item) for item in part]
    if not isinstance(part, dict):
        return part
    if MARK in part:
        kept = {key: value for key, value in part.items() if key in ("description", "default")}
        return {"$ref": f"#/$defs/{_KINDS[part[MARK]]}", **_plain(kept)}
    if PHASES_MARK in part:
        kept = {"description": part["description"]} if "description" in part else {}
        return {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Phase"}, **kept}
    schema = {key: _resolved(value) for key, value in part.items()}
    if schema.get("anyOf", ())[1:] == [_NULL] and isinstance(schema["anyOf"][0].get("type"), list):
        (value, _) = schema.pop("anyOf")
        schema = {**value, **schema, "type": [*value["type"], "null"]}
    for inner in schema.get("properties", {}).values():
        inner.pop("title", None)
    return schema


def _plain(kept: dict[str, Any]) -> dict[str, Any]:
    """Return `kept`, with a default that is a style without options by its name alone."""
    default = kept.get("default")
    return {**kept, "default": default["style"]} if isinstance(default, dict) and default.keys() == {"style"} else kept
