"""The options of a style, as a person would say them."""

from collections.abc import Iterable
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from schedframe._units.lengths import Length, TailLength
from schedframe.styles import LRCurve, LRShape, Style, WDCurve, WDShape
from schedframe.styles._byname import ByName

_LENGTHS = [get_args(length)[1:] for length in (Length, TailLength)]
_BOUNDS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


@dataclass(frozen=True)
class Option:
    """One option of a style.

    Attributes:
        name: its key in a config.
        type: what it takes, in words: ``length``, ``float > 0``.
        needed: it has no default.
        default: its default; ``None`` also where it is needed.
        description: what it does.
    """

    name: str
    type: str
    needed: bool
    default: Any
    description: str


def options_of(style: type[Style]) -> list[Option]:
    """Return the options of `style`, in the order of the class."""
    return [
        Option(
            name=name,
            type=_type(field.annotation, field.metadata),
            needed=field.is_required(),
            default=None if field.is_required() else field.get_default(call_default_factory=True),
            description=field.description or "",
        )
        for name, field in style.model_fields.items()
        if name != "style"
    ]


def tier(style: type[Style]) -> str:
    """Say which of the three kinds of class `style` is: ``curve``, ``shape`` or ``style``."""
    if issubclass(style, LRCurve | WDCurve):
        return "curve"
    return "shape" if issubclass(style, LRShape | WDShape) else "style"


def _type(annotation: Any, metadata: Iterable[Any]) -> str:
    metadata = list(metadata)
    if any(all(part in metadata for part in length) for length in _LENGTHS):
        return "length"
    for part in metadata:
        if isinstance(part, ByName):
            return f"{part.registry.kind} {tier(part.base)}"
    return f"{_bare(annotation)} {' and '.join(_bounds(metadata))}".rstrip()


def _bare(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = [part for part in arguments[1:] if not isinstance(part, FieldInfo)]
        fields = [part for part in arguments[1:] if isinstance(part, FieldInfo)]
        return _type(arguments[0], inner + [part for field in fields for part in field.metadata])
    if origin in (Union, UnionType):
        return " or ".join("nothing" if part is NoneType else _type(part, ()) for part in arguments)
    if origin is Literal:
        return " or ".join(map(repr, arguments))
    if origin in (tuple, list):
        return f"list of {_type(arguments[0], ())}"
    return getattr(annotation, "__name__", str(annotation))


def _bounds(metadata: Iterable[Any]) -> list[str]:
    return [
        f"{sign} {getattr(part, name):g}" for part in metadata for name, sign in _BOUNDS.items() if hasattr(part, name)
    ]
