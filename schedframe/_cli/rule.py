"""``schedframe rule``: the rules that `check` uses, and what each of them finds."""

from textwrap import indent
from typing import Annotated, Any

import typer

from schedframe._cli import completion
from schedframe._cli.arguments import TextOrJson, importing
from schedframe._cli.console import print_parts, table
from schedframe._cli.output import print_json
from schedframe.lint._engine import all_rules, rules_named
from schedframe.lint._rule import Rule


@importing
def rule(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[RULE]",
            help="A code, the beginning of one, or a name; by default all.",
            autocompletion=completion.rule,
        ),
    ] = None,
    format: TextOrJson = "text",
) -> None:
    """List the rules of check, or explain one.

    Examples:
      schedframe rule
      schedframe rule SF101
      schedframe rule lr-near-zero
      schedframe rule SF2 --format json
    """
    rules = all_rules()
    codes = rules_named([name], [rule for rule, _ in rules.values()]) if name else rules.keys()
    chosen = [rules[code] for code in sorted(codes)]
    if format == "json":
        print_json({"rules": [_as_data(*each) for each in chosen]})
    elif len(chosen) == 1:
        _explain(*chosen[0])
    else:
        grid = table("code", "severity", "name", "what it finds")
        for rule, _ in chosen:
            grid.add_row(rule.code, rule.severity, rule.name, rule.summary)
        print_parts(grid)


def _explain(rule: Rule, plugin: str) -> None:
    typer.echo(f"{rule.code} {rule.name} ({rule.severity}{f', of {plugin}' if plugin else ''})\n\n{rule.explanation}")
    for title, example in (("Config with a finding:", rule.bad), ("Config without:", rule.good)):
        if example:
            typer.echo(f"\n{title}\n\n{indent(example.rstrip(), '    ')}")


def _as_data(rule: Rule, plugin: str) -> dict[str, Any]:
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity,
        "explanation": rule.explanation,
        "bad": rule.bad,
        "good": rule.good,
        "plugin": plugin,
    }
