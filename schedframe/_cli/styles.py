"""``schedframe styles``: what is installed, and what one style is."""

from typing import Annotated, Any

import typer
from rich.text import Text

from schedframe._cli import style_page
from schedframe._cli.arguments import Kind, TableOrJson, importing
from schedframe._cli.chart import small_line
from schedframe._cli.completion import any_style
from schedframe._cli.console import console, print_parts, table
from schedframe._cli.exit_codes import CANNOT_BE_USED
from schedframe._cli.output import print_json
from schedframe._errors import SchedframeError
from schedframe._plugins.registry import Listed, Registry
from schedframe._tools.views.style_curve import style_curve
from schedframe.styles import Style
from schedframe.styles._installed import lr_styles, wd_styles

_NARROW = 150
_COLUMNS_OF_A_CURVE = 16


@importing
def styles(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Show this style alone.", autocompletion=any_style)
    ] = None,
    kind: Kind = None,
    format: TableOrJson = "table",
) -> None:
    """List the installed styles, or show one.

    With NAME, show that style: its formula, its options, its curve, where it comes from. Listing imports no plugin;
    it shows the curves of styles that are built in or imported. A style that cannot be used is listed with the
    reason.

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
        _show_list(_rows(registries), _curves(registries))


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
    style = _loaded(registry, row)
    return row.summary if style is None else style_page.prose(style).partition("\n")[0]


def _loaded(registry: Registry[Any], row: Listed) -> type[Style] | None:
    """Return the class of a style that is built in or registered, which imports no plugin."""
    is_builtin = registry.builtins.get(row.source.name) == row.source.target
    is_of_a_plugin = bool(row.source.distribution) and not is_builtin
    return None if row.fault or is_of_a_plugin else registry[row.source.name]


def _curves(registries: list[Registry[Any]]) -> list[str]:
    """Return the small line of each row; empty where the style is not imported, or its defaults make no schedule."""
    ascii = console().options.ascii_only
    lines = []
    for registry in registries:
        for row in registry.listing():
            style = _loaded(registry, row)
            curve = style_curve(row.source.name, style) if style else None
            lines.append(small_line(curve.heights(_COLUMNS_OF_A_CURVE), ascii=ascii) if curve else "")
    return lines


def _show_list(rows: list[dict[str, Any]], curves: list[str]) -> None:
    """Print the rows; a style that cannot be used is red, with the reason. Curves are below names if it is narrow."""
    narrow = console().width < _NARROW
    grid = table("name, aliases", *(() if narrow else ("curve",)), "kind", "from", "description")
    for row, curve in zip(rows, curves, strict=True):
        red = "red" if row["fault"] else ""
        name = Text(row["name"], style=red or "bold")
        for alias in row["aliases"]:
            name.append(f", {alias}", style=red or "not bold")
        text = f"unusable: {row['fault']}" if row["fault"] else row["description"]
        if narrow and curve:
            name.append(f"\n{curve}", style="not bold")
        grid.add_row(name, *(() if narrow else (curve,)), row["kind"], _origin(row), Text(text, style=red))
    for column in grid.columns[1:-1]:
        column.no_wrap = True
    if narrow:
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
