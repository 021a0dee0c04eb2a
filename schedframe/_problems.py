"""From pydantic's errors to sentences: what is wrong with which key, and what to do."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from schedframe._errors import Problem, did_you_mean


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Return `error`'s problems; `model` is the class that was validated, for the names of its keys."""
    return [
        Problem(
            path=".".join(str(part) for part in details["loc"]),
            message=_sentence(details, model),
            value="" if details["type"] == "missing" else _written(details["input"]),
            error=_cause(details),
        )
        for details in error.errors(include_url=False)
    ]


def explained(error: ValidationError, model: type[BaseModel]) -> ValidationError:
    """Return `error` with each message already a sentence about `model`'s keys, ready to be nested in another."""
    lines = []
    for details in error.errors(include_url=False):
        context = {"message": _sentence(details, model), "error": _cause(details)}
        kind = PydanticCustomError("missing" if details["type"] == "missing" else "explained", "{message}", context)
        lines.append(InitErrorDetails(type=kind, loc=details["loc"], input=details["input"]))
    return ValidationError.from_exception_data(error.title, lines)


def _cause(details: ErrorDetails) -> Exception | None:
    cause = details.get("ctx", {}).get("error")
    return cause if isinstance(cause, Exception) else None


def _sentence(details: ErrorDetails, model: type[BaseModel]) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if "message" in context:
        return str(context["message"])
    if kind == "missing":
        return f"is missing{_described(model, details)}"
    if kind == "extra_forbidden":
        return _unknown_key(str(details["loc"][-1]), model)
    if kind in ("value_error", "assertion_error"):
        return str(context.get("error", details["msg"]))
    return details["msg"].removeprefix("Input ")


def _described(model: type[BaseModel], details: ErrorDetails) -> str:
    field = model.model_fields.get(str(details["loc"][-1]))
    return f": {field.description}" if field is not None and field.description else ""


def _unknown_key(key: str, model: type[BaseModel]) -> str:
    keys = list(model.model_fields)
    style = model.model_fields.get("style")
    if style is not None:
        known = [name for name in keys if name != "style"]
        listed = ", ".join(known) if known else "none"
        return f"is no option of {style.default!r}{did_you_mean(key, known) or '.'} Its options: {listed}"
    return f"is no key of a schedule{did_you_mean(key, keys) or '.'} The keys: {', '.join(keys)}"


def _written(value: Any) -> str:
    """`value` short enough for one line of an error."""
    text = "{" + ", ".join(map(str, value)) + "}" if isinstance(value, Mapping) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
