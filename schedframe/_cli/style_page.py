"""One style: what it is, where it comes from, its docstring and its options."""

import inspect
from collections.abc import Iterable, Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python
from rich.text import Text

from schedframe._cli.console import console, print_parts, table
from schedframe._cli.docstring import fitted
from schedframe._cli.schedule_page import show_charts
from schedframe._pictures.series import Named, picture_of
from schedframe._plan.summary import option_value
from schedframe._plugins.registry import Registry
from schedframe._plugins.source import Source
from schedframe._tools.views.style_curve import FLOOR, NEEDED, WARMUP, StyleCurve, style_curve
from schedframe._units.lengths import CooldownLength, Length
from schedframe.styles import LRCurve, LRShape, Style, WDCurve, WDShape
from schedframe.styles._byname import ByName
from schedframe.styles._installed import source_of

_WIDEST = 110
_POINTS = 300
_LENGTHS = [get_args(length)[1:] for length in (Length, CooldownLength)]
_BOUNDS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


class _Option(NamedTuple):
    """One option of a style; `type` is what it takes, as ``length`` or ``float > 0``."""

    name: str
    type: str
    needed: bool
    default: Any
    description: str


def show(registry: Registry[Any], style: type[Style]) -> None:
    """Print the page of `style`."""
    source = source_of(style)
    facts = {"kind": registry.kind, "tier": _tier(style), "from": str(source)}
    aliases = _aliases(registry, source.name)
    if aliases:
        facts["aliases"] = ", ".join(aliases)
    width = max(map(len, facts))
    lines = [f"{fact:{width}}  {value}" for fact, value in facts.items()]
    docstring = fitted(prose(style), min(console().width, _WIDEST))
    print_parts(Text(source.name, style="bold"), *lines, "", docstring, "", _table_of_options(style))
    curve = style_curve(source.name, style)
    if curve is not None:
        _show_curve(source.name, curve)


def _show_curve(name: str, curve: StyleCurve) -> None:
    options = "".join(f", {option} {NEEDED}" for option in curve.needed)
    picture = picture_of([Named(name, curve.schedule)], what=["lr" if curve.is_lr else "wd"], points=_POINTS)
    print_parts(f"\nwith lr_warmup_steps {WARMUP}, min_lr {FLOOR} of max_lr{options}:\n")
    panels = [panel._replace(lines=[line._replace(phases=()) for line in panel.lines]) for panel in picture.panels]
    show_charts(picture._replace(panels=panels, marks=[]))


def as_data(registry: Registry[Any], style: type[Style]) -> dict[str, Any]:
    """Return the page of `style` as plain data."""
    options = [{**option._asdict(), "default": to_jsonable_python(option.default)} for option in _options(style)]
    page = {"tier": _tier(style), "options": options, "docstring": prose(style)}
    return {**identity(registry, source_of(style)), **page}


def identity(registry: Registry[Any], source: Source) -> dict[str, Any]:
    """Return as plain data what distinguishes one style from all others."""
    keys = ("distribution", "version", "target", "path", "sha256")
    known = {key: getattr(source, key) for key in keys}
    return {"name": source.name, "kind": registry.kind, **known, "aliases": _aliases(registry, source.name)}


def prose(style: type[Style]) -> str:
    """Return the docstring of `style` as it is shown; empty where it has none."""
    return inspect.cleandoc(style.__doc__ or "").replace("``", "`")


def _aliases(registry: Registry[Any], name: str) -> list[str]:
    return [alias for alias, canonical in registry.aliases.items() if canonical == name]


def _tier(style: type[Style]) -> str:
    if issubclass(style, LRCurve | WDCurve):
        return "curve"
    return "shape" if issubclass(style, LRShape | WDShape) else "style"


def _table_of_options(style: type[Style]) -> Any:
    options = list(_options(style))
    if not options:
        return "It has no options."
    grid = table("option", "type", "default", "description")
    for option in options:
        default = "(needed)" if option.needed else option_value(option.default)
        grid.add_row(option.name, option.type, default, option.description)
    grid.columns[0].no_wrap = True
    return grid


def _options(style: type[Style]) -> Iterator[_Option]:
    """Yield the options of `style`, in the order of the class."""
    for name, field in style.model_fields.items():
        if name != "style":
            needed, kind = field.is_required(), _type(field.annotation, field.metadata)
            default = None if needed else field.get_default(call_default_factory=True)
            yield _Option(name, kind, needed, default, field.description or "")


def _type(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    metadata = list(metadata)
    if any(all(part in metadata for part in length) for length in _LENGTHS):
        return "length"
    for part in metadata:
        if isinstance(part, ByName):
            return f"{part.registry.kind} {_tier(part.base)}"
    bounds = [(sign, getattr(part, name, None)) for part in metadata for name, sign in _BOUNDS.items()]
    return f"{_bare(annotation)} {' and '.join(f'{sign} {at:g}' for sign, at in bounds if at is not None)}".rstrip()


def _bare(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = [part for part in arguments[1:] if not isinstance(part, FieldInfo)]
        fields = [part for part in arguments[1:] if isinstance(part, FieldInfo)]
        return _type(arguments[0], inner + [part for field in fields for part in field.metadata])
    if origin in (Union, UnionType):
        return " or ".join("nothing" if part is NoneType else _type(part) for part in arguments)
    if origin is Literal:
        return " or ".join(map(repr, arguments))
    if origin in (tuple, list):
        return f"list of {_type(arguments[0])}"
    return getattr(annotation, "__name__", str(annotation))
