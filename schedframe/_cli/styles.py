"""``schedframe styles``: what is installed, and what one style is."""

import json
from typing import Annotated, Any, Literal

import typer

from schedframe._cli import style_list, style_page
from schedframe._cli.arguments import importing
from schedframe._errors import SchedframeError
from schedframe._plugins.registry import Registry
from schedframe.styles import Style
from schedframe.styles._installed import lr_styles, wd_styles


@importing
def styles(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Show this style alone.")] = None,
    kind: Annotated[
        Literal["lr", "wd"] | None, typer.Option(help="Only learning-rate, or only weight-decay styles.")
    ] = None,
    format: Annotated[Literal["table", "json"], typer.Option(help="What to print.")] = "table",
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
        _show(name, registries, as_json=format == "json")
    elif format == "json":
        _print_json(style_list.as_data(registries))
    else:
        style_list.show(registries)


def _show(name: str, registries: list[Registry[Any]], *, as_json: bool) -> None:
    found, errors = _look_up(name, registries)
    if as_json:
        _print_json([style_page.as_data(registry, style) for registry, style in found])
    else:
        for index, (registry, style) in enumerate(found):
            typer.echo("\n" if index else "", nl=False)
            style_page.show(registry, style)
    for error in errors:
        typer.echo(str(error), err=True)
    if errors:
        raise typer.Exit(2)


def _look_up(
    name: str, registries: list[Registry[Any]]
) -> tuple[list[tuple[Registry[Any], type[Style]]], list[SchedframeError]]:
    """Import `name` of each kind; where one kind knows it, that the other does not is no error."""
    known_to = [registry for registry in registries if _is_listed(name, registry)]
    found, errors = [], []
    for registry in known_to or registries:
        try:
            found.append((registry, registry[name]))
        except SchedframeError as error:
            errors.append(error)
    return found, errors


def _is_listed(name: str, registry: Registry[Any]) -> bool:
    return name in registry.aliases or any(row.source.name == name for row in registry.listing())


def _print_json(styles: list[dict[str, object]]) -> None:
    typer.echo(json.dumps({"styles": styles}, indent=2))
