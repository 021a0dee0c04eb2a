"""``schedframe conform``: whether installed styles keep what every style promises."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import ValidationError

from schedframe import testing
from schedframe._cli.arguments import importing
from schedframe._cli.exit_codes import Findings
from schedframe._cli.words import style_with_options
from schedframe._errors import ConfigError, Problem, SchedframeError
from schedframe._files.config.document import parse_text
from schedframe._problems import problems_of
from schedframe.styles import LRStyle, Style
from schedframe.styles._byname import by_lr_style, by_wd_style
from schedframe.styles._installed import source_of


@importing
def conform(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Styles: a name, or a table with options as in YAML.")
    ],
    kind: Annotated[
        Literal["lr", "wd"] | None, typer.Option(help="Only as learning-rate, or only as weight-decay style.")
    ] = None,
    format: Annotated[Literal["text", "json"], typer.Option(help="What to print.")] = "text",
) -> None:
    """Run the conformance kit, schedframe.testing, on installed styles.

    A style is evaluated on a run whose warm-up ends at step 100 and whose decay ends at step 1100. The exit
    code is 0 when every check passes, 1 when one finds something, 2 when a style cannot be used.

    Examples:
      schedframe conform cosine
      schedframe conform cosine --kind wd
      schedframe conform '{style: WSD, wsd_decay_steps: 200}'
      schedframe conform linear --format json
      schedframe conform square --import ./my_styles.py
    """
    results = [_examined(style) for name in names for style in _styles(name, kind)]
    if format == "json":
        typer.echo(json.dumps({"styles": results}, indent=2))
    else:
        for result in results:
            _print(result)
    if any(check["finding"] for result in results for check in result["checks"]):
        raise Findings


def _styles(text: str, kind: str | None) -> list[Style]:
    """The styles that `text` says: one, or one of each kind where both have its name."""
    said = parse_text(Path("style.yaml"), f"style: {text}\n").data["style"]
    name = said.get("style") if isinstance(said, dict) else said
    asked = [by_name for by_name in (by_lr_style, by_wd_style) if kind in (None, by_name.registry.kind.lower())]
    found = []
    for by_name in [by_name for by_name in asked if name in by_name.registry] or asked[:1]:
        try:
            found.append(by_name.resolve(said))
        except ValidationError as error:
            raise ConfigError(text, problems_of(error, by_name.model_of(str(name)))) from None
        except SchedframeError:
            raise
        except ValueError as error:
            raise ConfigError(text, [Problem("", str(error))]) from None
    return found


def _examined(style: Style) -> dict[str, Any]:
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
