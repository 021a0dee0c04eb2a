"""``schedframe styles``: what is installed, and what one style is."""

from importlib import import_module
from typing import Annotated, Any

import typer
from rich.text import Text

from schedframe._cli import style_page
from schedframe._cli.arguments import Kind, TableOrJson, importing
from schedframe._cli.console import console, print_parts, table
from schedframe._cli.exit_codes import CANNOT_BE_USED
from schedframe._cli.output import print_json
from schedframe._errors import SchedframeError
from schedframe._plugins.registry import Listed, Registry
from schedframe.styles import Style
from schedframe.styles._installed import lr_styles, wd_styles

_NARROW = 150


@importing
def styles(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Show this style alone.")] = None,
    kind: Kind = None,
    format: TableOrJson = "table",
) -> None:
    """List the installed styles, or show one.

    With NAME, show that style: its formula, its options, where it comes from. The list imports no
    plugin; a style that cannot be used is in it with the reason.

    Examples:
      schedframe styles
      schedframe styles WSD
      schedframe styles cosine --kind wd
      schedframe styles --format json
      schedframe styles square --import ./my_styles.py
    """
    registries = [registry for registry in (lr_styles, wd_styles) if kind in (None, registry.kind.lower())]
    if name is not None:
        _show_pages(name, registries, as_json=format == "json")
    elif format == "json":
        _print_json(_rows(registries))
    else:
        _show_list(_rows(registries))


def _show_pages(name: str, registries: list[Registry[Any]], *, as_json: bool) -> None:
    """Show the style `name` of each kind; where one kind has it, it is not an error that the other does not."""
    pages: list[tuple[Registry[Any], type[Style]]] = []
    errors: list[SchedframeError] = []
    for registry in [registry for registry in registries if _lists(registry, name)] or registries:
        try:
            pages.append((registry, registry[name]))
        except SchedframeError as error:
            errors.append(error)
    if as_json:
        _print_json([style_page.as_data(registry, style) for registry, style in pages])
    else:
        for index, (registry, style) in enumerate(pages):
            typer.echo("\n" if index else "", nl=False)
            style_page.show(registry, style)
    for problem in errors:
        typer.echo(str(problem), err=True)
    if errors:
        raise typer.Exit(CANNOT_BE_USED)


def _lists(registry: Registry[Any], name: str) -> bool:
    return name in registry.aliases or any(row.source.name == name for row in registry.listing())


def _rows(registries: list[Registry[Any]]) -> list[dict[str, Any]]:
    return [
        {
            **style_page.identity(registry, row.source),
            "description": _description(registry, row),
            "fault": row.fault or None,
        }
        for registry in registries
        for row in registry.listing()
    ]


def _description(registry: Registry[Any], row: Listed) -> str:
    """Return the first line of a style that is built in or registered, else the summary of its distribution."""
    if row.fault or registry.builtins.get(row.source.name) != row.source.target:
        return row.summary
    module, _, name = row.source.target.partition(":")
    return style_page.prose(getattr(import_module(module), name)).partition("\n")[0]


def _show_list(rows: list[dict[str, Any]]) -> None:
    """Print the rows; a style that cannot be used is red, with the reason."""
    grid = table("name, aliases", "kind", "from", "description")
    for row in rows:
        red = "red" if row["fault"] else ""
        name = Text(row["name"], style=red or "bold")
        for alias in row["aliases"]:
            name.append(f", {alias}", style=red or "not bold")
        text = f"unusable: {row['fault']}" if row["fault"] else row["description"]
        grid.add_row(name, row["kind"], _origin(row), Text(text, style=red))
    for column in grid.columns[1:3]:
        column.no_wrap = True
    if console().width < _NARROW:
        grid.columns[0].max_width = 20
    print_parts(grid)


def _origin(row: dict[str, Any]) -> str:
    """Return the distribution and its version, or the module and the start of its file's digest."""
    if row["distribution"]:
        return f"{row['distribution']} {row['version']}"
    module = str(row["target"]).rpartition(":")[0]
    return f"{module} {row['sha256'][:12]}…" if row["sha256"] else module


def _print_json(styles: list[dict[str, Any]]) -> None:
    print_json({"styles": styles})
