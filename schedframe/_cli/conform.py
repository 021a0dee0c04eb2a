"""``schedframe conform``: whether installed styles keep what every style promises."""

import json
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from schedframe._cli.exit_codes import FOUND
from schedframe._cli.styles import Kind
from schedframe._errors import ConfigError, Problem, SchedframeError

if TYPE_CHECKING:
    from schedframe.styles import Style

EPILOG = """\b
Examples:
  schedframe conform cosine
  schedframe conform cosine --kind wd
  schedframe conform '{style: WSD, wsd_decay_steps: 200}'
  schedframe conform linear --format json
  schedframe conform square --import ./my_styles.py
"""


class Format(str, Enum):
    """What ``schedframe conform`` prints."""

    text = "text"
    json = "json"


def conform(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Styles: a name, or a table with options as in YAML.")
    ],
    kind: Annotated[Kind | None, typer.Option(help="Only as learning-rate, or only as weight-decay style.")] = None,
    format: Annotated[Format, typer.Option(help="What to print.")] = Format.text,
) -> None:
    """Run the conformance kit, schedframe.testing, on installed styles.

    A style is evaluated on a run whose warm-up ends at step 100 and whose decay ends at step 1100. The exit
    code is 0 when every check passes, 1 when one finds something, 2 when a style cannot be used.
    """
    results = [_examined(style) for name in names for style in _styles(name, kind)]
    if format is Format.json:
        typer.echo(json.dumps({"styles": results}, indent=2))
    else:
        for result in results:
            _print(result)
    if any(check["finding"] for result in results for check in result["checks"]):
        raise typer.Exit(FOUND)


def _styles(text: str, kind: Kind | None) -> "list[Style]":
    """The styles that `text` says: one, or one of each kind where both have its name."""
    from pydantic import ValidationError

    from schedframe._files.config.document import from_text
    from schedframe._problems import problems_of
    from schedframe.styles._byname import by_lr_style, by_wd_style

    said = from_text(Path("style.yaml"), f"style: {text}\n").data["style"]
    name = said.get("style") if isinstance(said, dict) else said
    both = {Kind.lr: by_lr_style, Kind.wd: by_wd_style}
    asked = {kind: both[kind]} if kind else both
    known = {key: by_name for key, by_name in asked.items() if name in by_name.registry} or dict(
        list(asked.items())[:1]
    )
    found = []
    for by_name in known.values():
        try:
            found.append(by_name.resolve(said))
        except ValidationError as error:
            raise ConfigError(text, problems_of(error, by_name.model_of(str(name)))) from None
        except SchedframeError:
            raise
        except ValueError as error:
            raise ConfigError(text, [Problem("", str(error))]) from None
    return found


def _examined(style: "Style") -> dict[str, Any]:
    from schedframe import testing
    from schedframe._cli.words import style_with_options
    from schedframe.styles import LRStyle
    from schedframe.styles._installed import source_of

    checks = []
    for check in testing.CHECKS:
        finding = ""
        try:
            check(style)
        except AssertionError as error:
            finding = str(error) or "fails without a word"
        except Exception as error:
            finding = f"{type(error).__name__}: {error}"
        checks.append({"name": check.__name__, "finding": finding})
    return {
        "style": style_with_options(style),
        "kind": "LR" if isinstance(style, LRStyle) else "WD",
        "source": str(source_of(style)),
        "checks": checks,
    }


def _print(result: dict[str, Any]) -> None:
    typer.echo(f"{result['style']} ({result['kind']}) from {result['source']}")
    for check in result["checks"]:
        if check["finding"]:
            typer.echo(f"  {check['name']}: {check['finding']}")
    found = sum(1 for check in result["checks"] if check["finding"])
    typer.echo(f"  {len(result['checks']) - found} of {len(result['checks'])} checks pass")
