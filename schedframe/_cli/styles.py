"""``schedframe styles``: what is installed, and what one style is."""

import json
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import typer

import schedframe
from schedframe._errors import SchedframeError

if TYPE_CHECKING:
    from schedframe._plugins.registry import Registry
    from schedframe.styles import Style

EPILOG = """\b
Examples:
  schedframe styles
  schedframe styles WSD
  schedframe styles cosine --kind wd
  schedframe styles --format json
  schedframe styles square --import ./my_styles.py
"""


class Kind(str, Enum):
    """What a style is for."""

    lr = "lr"
    wd = "wd"


class Format(str, Enum):
    """What ``schedframe styles`` prints."""

    table = "table"
    json = "json"


def styles(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Show this style alone.")] = None,
    kind: Annotated[Kind | None, typer.Option(help="Only learning-rate, or only weight-decay styles.")] = None,
    format: Annotated[Format, typer.Option(help="What to print.")] = Format.table,
) -> None:
    """List the installed styles, or show one.

    With NAME, show that style: its formula, its options, where it comes from. The list imports no
    plugin; a style that cannot be used is in it with the reason.
    """
    both = (schedframe.lr_styles, schedframe.wd_styles)
    registries = [registry for registry in both if kind is None or registry.kind.lower() == kind.value]
    if name is None:
        _list(registries, format)
    else:
        _show(name, registries, format)


def _list(registries: "list[Registry[Any]]", format: Format) -> None:
    from schedframe._cli import style_list as _style_list

    if format is Format.json:
        _print_json(_style_list.as_data(registries))
    else:
        _style_list.show(registries)


def _show(name: str, registries: "list[Registry[Any]]", format: Format) -> None:
    from schedframe._cli import style_page as _style_page

    found, errors = _look_up(name, registries)
    if format is Format.json:
        _print_json([_style_page.as_data(registry, style) for registry, style in found])
    else:
        for index, (registry, style) in enumerate(found):
            typer.echo("\n" if index else "", nl=False)
            _style_page.show(registry, style)
    for error in errors:
        typer.echo(str(error), err=True)
    if errors:
        raise typer.Exit(2)


def _look_up(
    name: str, registries: "list[Registry[Any]]"
) -> "tuple[list[tuple[Registry[Any], type[Style]]], list[SchedframeError]]":
    """Import `name` of each kind; where one kind knows it, that the other does not is no error."""
    known_to = [registry for registry in registries if _is_listed(name, registry)]
    found, errors = [], []
    for registry in known_to or registries:
        try:
            found.append((registry, registry[name]))
        except SchedframeError as error:
            errors.append(error)
    return found, errors


def _is_listed(name: str, registry: "Registry[Any]") -> bool:
    return name in registry.aliases or any(row.source.name == name for row in registry.listing())


def _print_json(styles: list[dict[str, object]]) -> None:
    typer.echo(json.dumps({"styles": styles}, indent=2))
