"""``schedframe conform``: whether installed styles keep what every style promises."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from schedframe import testing
from schedframe._cli.arguments import Kind, TextOrJson, importing
from schedframe._cli.completion import any_style
from schedframe._cli.exit_codes import Findings
from schedframe._cli.output import print_json
from schedframe._errors import FAILURES, ConfigError, Problem, SchedframeError
from schedframe._files.config.document import parse_text
from schedframe._plan.summary import style_with_options
from schedframe._problems import problems_of
from schedframe.styles import LRStyle, Style
from schedframe.styles._byname import by_lr_style, by_wd_style
from schedframe.styles._installed import source_of


@importing
def conform(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME...",
            help="Styles: a name, or a table with options as in YAML.",
            autocompletion=any_style,
        ),
    ],
    kind: Kind = None,
    format: TextOrJson = "text",
) -> None:
    """Run the conformance kit, schedframe.testing, on styles.

    A style is evaluated on a run whose warmup ends at step 100 and whose decay ends at step 1100. The exit code is 0
    if every check passes, 1 if one finds something, 2 if a style cannot be used.

    Examples:
      schedframe conform cosine
      schedframe conform cosine --kind wd
      schedframe conform '{style: WSD, wsd_decay_steps: 200}'
      schedframe conform linear --format json
      schedframe conform square --import ./my_styles.py
    """
    results = [_examine(style) for name in names for style in _styles(name, kind)]
    if format == "json":
        print_json({"styles": results})
    else:
        for result in results:
            _print(result)
    if any(check["finding"] for result in results for check in result["checks"]):
        raise Findings


def _styles(text: str, kind: str | None) -> list[Style]:
    """Return the styles that `text` declares: one, or one of each kind where both have its name."""
    declared = parse_text(Path("style.yaml"), f"style: {text}\n").data["style"]
    name = declared.get("style") if isinstance(declared, dict) else declared
    kinds = [by_name for by_name in (by_lr_style, by_wd_style) if kind in (None, by_name.registry.kind.lower())]
    styles = []
    for by_name in [by_name for by_name in kinds if name in by_name.registry] or kinds[:1]:
        try:
            styles.append(by_name.resolve(declared))
        except ValidationError as error:
            raise ConfigError(text, problems_of(error, by_name.model_of(str(name)))) from None
        except SchedframeError:
            raise
        except ValueError as error:
            raise ConfigError(text, [Problem("", str(error))]) from None
    return styles


def _examine(style: Style) -> dict[str, Any]:
    checks = [{"name": check.__name__, "finding": _finding(check, style)} for check in testing.CHECKS]
    kind = "LR" if isinstance(style, LRStyle) else "WD"
    return {"style": style_with_options(style), "kind": kind, "source": str(source_of(style)), "checks": checks}


def _finding(check: Callable[[Style], None], style: Style) -> str:
    try:
        check(style)
    except AssertionError as error:
        return str(error) or "fails without a message"
    except FAILURES as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _print(result: dict[str, Any]) -> None:
    typer.echo(f"{result['style']} ({result['kind']}) from {result['source']}")
    failed = [check for check in result["checks"] if check["finding"]]
    for check in failed:
        typer.echo(f"  {check['name']}: {check['finding']}")
    typer.echo(f"  {len(result['checks']) - len(failed)} of {len(result['checks'])} checks pass")
