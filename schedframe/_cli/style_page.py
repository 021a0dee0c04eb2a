"""One style: what it is, where it comes from, its docstring and its options."""

import inspect
from typing import Any

from pydantic_core import to_jsonable_python
from rich.text import Text

from schedframe._cli.console import console, print_parts, table
from schedframe._cli.docstring import fitted
from schedframe._cli.options import Option, options_of, tier
from schedframe._cli.words import option_value
from schedframe._plugins.registry import Registry
from schedframe._plugins.source import Source
from schedframe.styles import Style
from schedframe.styles._installed import source_of

_WIDEST = 110


def show(registry: Registry[Any], style: type[Style]) -> None:
    """Print the page of `style`."""
    source = source_of(style)
    facts = {"kind": registry.kind, "tier": tier(style), "from": str(source)}
    aliases = _aliases(registry, source.name)
    if aliases:
        facts["aliases"] = ", ".join(aliases)
    width = max(map(len, facts))
    lines = [f"{fact:{width}}  {value}" for fact, value in facts.items()]
    docstring = fitted(prose(style), min(console().width, _WIDEST))
    print_parts(Text(source.name, style="bold"), *lines, "", docstring, "", _options(style))


def as_data(registry: Registry[Any], style: type[Style]) -> dict[str, Any]:
    """Return what the page says as plain data."""
    return {
        **identity(registry, source_of(style)),
        "tier": tier(style),
        "options": [
            {
                "name": option.name,
                "type": option.type,
                "needed": option.needed,
                "default": to_jsonable_python(option.default),
                "description": option.description,
            }
            for option in options_of(style)
        ],
        "docstring": prose(style),
    }


def identity(registry: Registry[Any], source: Source) -> dict[str, Any]:
    """Return as plain data what tells one style from all others."""
    return {
        "name": source.name,
        "kind": registry.kind,
        "distribution": source.distribution,
        "version": source.version,
        "target": source.target,
        "path": source.path,
        "sha256": source.sha256,
        "aliases": _aliases(registry, source.name),
    }


def prose(style: type[Style]) -> str:
    """Return the docstring of `style` as it is shown; empty where it has none."""
    return inspect.cleandoc(style.__doc__ or "").replace("``", "`")


def _aliases(registry: Registry[Any], name: str) -> list[str]:
    return [alias for alias, canonical in registry.aliases.items() if canonical == name]


def _options(style: type[Style]) -> Any:
    options = options_of(style)
    if not options:
        return "It has no options."
    grid = table("option", "type", "default", "description")
    for option in options:
        grid.add_row(option.name, option.type, _default(option), option.description)
    grid.columns[0].no_wrap = True
    return grid


def _default(option: Option) -> str:
    return "(needed)" if option.needed else option_value(option.default)
