"""The table of every installed style; only built-in ones are imported for it."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from rich.text import Text

from schedframe._cli.console import console, print_parts, table
from schedframe._cli.style_page import identity, prose
from schedframe._plugins.registry import Listed, Registry

_NARROW = 150


def show(registries: Iterable[Registry[Any]]) -> None:
    """Print what `registries` know; what cannot be used is red and says why."""
    grid = table("name, aliases", "kind", "from", "description")
    for data in as_data(registries):
        red = "red" if data["fault"] else ""
        name = Text(data["name"], style=red or "bold")
        for alias in data["aliases"]:
            name.append(f", {alias}", style=red or "not bold")
        text = f"unusable: {data['fault']}" if data["fault"] else data["description"]
        grid.add_row(name, data["kind"], _from(data), Text(text, style=red))
    for column in grid.columns[1:3]:
        column.no_wrap = True
    if console().width < _NARROW:
        grid.columns[0].max_width = 20
    print_parts(grid)


def as_data(registries: Iterable[Registry[Any]]) -> list[dict[str, Any]]:
    """Return the rows as plain data."""
    return [
        {
            **identity(registry, row.source),
            "description": _description(registry, row),
            "fault": row.fault or None,
        }
        for registry in registries
        for row in registry.listing()
    ]


def _from(data: dict[str, Any]) -> str:
    """The distribution or the file, with what tells one state of it from others."""
    if data["distribution"]:
        return f"{data['distribution']} {data['version']}"
    module = data["target"].rpartition(":")[0]
    return f"{module} {data['sha256'][:12]}…" if data["sha256"] else module


def _description(registry: Registry[Any], row: Listed) -> str:
    """The first line of a style that is loaded, built in or registered; else the summary of its distribution."""
    if row.fault or registry.builtins.get(row.source.name) != row.source.target:
        return row.summary
    module, _, name = row.source.target.partition(":")
    return prose(getattr(import_module(module), name)).partition("\n")[0]
