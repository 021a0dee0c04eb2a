"""Turns pydantic's errors into readable messages: which key is wrong, why, and what to do."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from textwrap import fill
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from schedframe._elsewhere import hint_for_key
from schedframe._errors import Problem, did_you_mean, dotted, written


def problems_of(error: ValidationError, model: type[BaseModel], keys: Iterable[str] = ()) -> list[Problem]:
    """Return `error`'s problems; `model` is the class that was validated, `keys` the keys that it takes."""
    keys = list(keys)
    problems = []
    for details in _details(error):
        path = [*map(str, details["loc"]), *_option(details)]
        inner = details.get("ctx", {}).get("problems")
        if inner is not None:
            problems += [replace(problem, path=dotted([*path, problem.path])) for problem in inner]
        else:
            message, note = _sentence(details, model, keys)
            problems.append(Problem(dotted(path), message, _value(details), error=_cause(details), note=note))
    return problems


def explained(error: ValidationError, model: type[BaseModel]) -> ValidationError:
    """Return `error` with each message already a sentence about `model`'s keys, ready to be nested in another."""
    return ValidationError.from_exception_data(error.title, lines_of(error, model))


def lines_of(
    error: ValidationError, model: type[BaseModel], within: tuple[str | int, ...] = ()
) -> list[InitErrorDetails]:
    """Return what is wrong in `error` as sentences about `model`'s keys, each at its place `within` a larger value."""
    lines = []
    for details in _details(error):
        message, note = _sentence(details, model, ())
        context = {"message": message, "note": note, "error": _cause(details)}
        if "option" in details.get("ctx", {}):
            context.update(option=details["ctx"]["option"], value=details["ctx"]["value"])
        kind = PydanticCustomError("missing" if details["type"] == "missing" else "explained", "{message}", context)
        lines.append(InitErrorDetails(type=kind, loc=(*within, *details["loc"]), input=details["input"]))
    return lines


def broken_condition(message: str, option: str, value: object) -> PydanticCustomError:
    """Return the error of a condition between keys; `option` is the style's option that is blamed, with its `value`."""
    return PydanticCustomError("condition", "{message}", {"message": message, "option": option, "value": repr(value)})


def _details(error: ValidationError) -> list[ErrorDetails]:
    """The errors, without a list's complaint about its length where its items are wrong already."""
    found = error.errors(include_url=False)
    inside = {details["loc"][:-1] for details in found if details["loc"]}
    return [details for details in found if not (details["type"] == "too_short" and details["loc"] in inside)]


def _option(details: ErrorDetails) -> list[str]:
    option = details.get("ctx", {}).get("option")
    return [option] if option else []


def _value(details: ErrorDetails) -> str:
    if details["type"] == "missing":
        return ""
    context = details.get("ctx", {})
    return str(context["value"]) if context.get("option") else written(details["input"])


def _cause(details: ErrorDetails) -> Exception | None:
    cause = details.get("ctx", {}).get("error")
    return cause if isinstance(cause, Exception) else None


_PLAIN_WORDS = {
    "float_type": "is not a number",
    "float_parsing": "is not a number",
    "int_type": "is not a whole number",
    "int_parsing": "is not a whole number",
    "int_from_float": "is not a whole number",
    "finite_number": "is not a finite number",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
}
"""Messages for pydantic's errors, with the terms of a config."""

_BOUNDS = {
    "greater_than": "must be above {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be below {lt:g}",
    "less_than_equal": "must be at most {le:g}",
}


def _sentence(details: ErrorDetails, model: type[BaseModel], keys: Sequence[str]) -> tuple[str, str]:
    """Return what is wrong, and a note that problems of its kind share."""
    context = details.get("ctx", {})
    if "message" in context:
        return str(context["message"]), str(context.get("note", ""))
    if details["type"] == "extra_forbidden":
        return _unknown_key(str(details["loc"][-1]), details["input"], model, keys)
    return _plain_sentence(details, model), ""


def _plain_sentence(details: ErrorDetails, model: type[BaseModel]) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind == "missing":
        return f"missing required key{_described(model, details)}"
    if kind == "too_short":
        return f"needs at least {context['min_length']} item{'s' if context['min_length'] > 1 else ''}"
    if kind in _BOUNDS:
        return _BOUNDS[kind].format(**context)
    if kind in ("value_error", "assertion_error"):
        return str(context.get("error", details["msg"]))
    return _PLAIN_WORDS.get(kind) or details["msg"].removeprefix("Input ")


def _described(model: type[BaseModel], details: ErrorDetails) -> str:
    field = model.model_fields.get(str(details["loc"][-1]))
    return f": {field.description}" if field is not None and field.description else ""


def _unknown_key(key: str, value: object, model: type[BaseModel], keys: Sequence[str]) -> tuple[str, str]:
    style = model.model_fields.get("style")
    if style is not None and not style.is_required():
        known = [name for name, field in model.model_fields.items() if name != "style" and not field.exclude]
        of = repr(style.default) if len(get_args(style.annotation)) == 1 else f"a {model.__name__.lower()}"
        return unknown_key(key, value, f"is not an option of {of}", known, f"The options of {of}")
    keys = keys or [field.alias or name for name, field in model.model_fields.items()]
    noun = model.model_config.get("title") or model.__name__.lower()
    return unknown_key(key, value, f"is not a key of a {noun}", keys, f"The keys of a {noun}")


def unknown_key(key: str, value: object, fault: str, known: Sequence[str], heading: str) -> tuple[str, str]:
    """Return what an unknown key with `value` may have meant, or else `fault`, and a note that lists the `known` keys.

    For a name of another code base the list is not needed.
    """
    if spelled := next((name for name in known if key.lstrip("-").replace("-", "_") == name), ""):
        return f"is spelled {spelled}", ""
    if hint := hint_for_key(key, value):
        return hint, ""
    listed = f"{heading}: {', '.join(known) if known else 'none'}"
    return fault + did_you_mean(key, known), fill(listed, 80, subsequent_indent="  ", break_on_hyphens=False)
