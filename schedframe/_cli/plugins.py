"""``schedframe plugins``: what adds to schedframe, distributions and files, and whether what they add works."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

import typer

from schedframe._cli.arguments import importing
from schedframe._cli.console import print_parts, table
from schedframe._cli.exit_codes import Findings
from schedframe._errors import SchedframeError
from schedframe._plugins.claims import Claim, claims
from schedframe._plugins.distributions import seen_twice
from schedframe._plugins.hooks import HOOK_GROUP, load_plugin
from schedframe._plugins.registry import Registry
from schedframe.styles._installed import lr_styles, wd_styles


@dataclass(frozen=True)
class Row:
    """One thing that a distribution or a file adds.

    Attributes:
        distribution: the distribution's name; of a file that registers styles its path.
        version: its version; of a file the beginning of its digest.
        adds: ``LR rex``, ``WD x``, ``hooks``.
        state: ``ok``, ``broken``, ``incompatible``, ``clashing``, ``blocked`` or ``stale``.
        cause: why it is not ok; empty where it is.
    """

    distribution: str
    version: str
    adds: str
    state: str
    cause: str


@importing
def plugins(
    format: Annotated[Literal["table", "json"], typer.Option(help="What to print.")] = "table",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """List the installed plugins, and try each.

    Styles that --import brings are listed too. What a plugin adds is imported, unless it is blocked: it is ok,
    broken, incompatible with this version, clashing with another, blocked, or stale, hidden by another copy on
    the path. The exit code is 1 where something is neither ok nor blocked.

    Examples:
      schedframe plugins
      schedframe plugins --json
      schedframe plugins --import ./my_styles.py
    """
    rows = sorted(_rows(), key=lambda row: (row.distribution, row.adds))
    if as_json or format == "json":
        typer.echo(json.dumps({"plugins": [asdict(row) for row in rows]}, indent=2))
    else:
        _print(rows)
    if any(row.state not in ("ok", "blocked") for row in rows):
        raise Findings


def _rows() -> Iterator[Row]:
    for registry in (lr_styles, wd_styles):
        found = claims(registry.group)
        for claim in found:
            state, cause = _state_of_style(claim, registry, found)
            name = claim.entry_point.name
            yield Row(claim.distribution.name, claim.distribution.version, f"{registry.kind} {name}", state, cause)
        for listed in registry.listing():
            source = listed.source
            if source.distribution is None:
                state, cause = ("clashing", f"{source.name} {listed.fault}") if listed.fault else ("ok", "")
                yield Row(source.path or source.module, source.digest, f"{registry.kind} {source.name}", state, cause)
    for claim in claims(HOOK_GROUP):
        state, cause = _state_of_hooks(claim)
        yield Row(claim.distribution.name, claim.distribution.version, "hooks", state, cause)
    for sentence in seen_twice():
        yield Row(sentence.partition(" ")[0], "", "", "stale", sentence)


def _state_of_style(claim: Claim, registry: Registry[Any], found: list[Claim]) -> tuple[str, str]:
    if claim.blocked:
        return "blocked", claim.blocked
    clash = registry.clash(claim.entry_point.name, found)
    if clash:
        return "clashing", f"{claim.entry_point.name} {clash}"
    fault = claim.distribution.incompatibility
    if fault:
        return "incompatible", fault
    try:
        registry[claim.entry_point.name]
    except SchedframeError as error:
        return "broken", str(error)
    return "ok", ""


def _state_of_hooks(claim: Claim) -> tuple[str, str]:
    if claim.blocked:
        return "blocked", claim.blocked
    fault = claim.distribution.incompatibility
    if fault:
        return "incompatible", fault
    try:
        load_plugin(claim)
    except SchedframeError as error:
        return "broken", str(error)
    return "ok", ""


def _print(rows: list[Row]) -> None:
    if not rows:
        typer.echo("no plugins are installed; schedframe new begins one")
        return
    grid = table("distribution", "version", "adds", "state")
    for row in rows:
        grid.add_row(row.distribution, row.version, row.adds, row.state)
    print_parts(grid)
    for row in rows:
        if row.cause:
            typer.echo(f"\n{row.distribution}, {row.adds or row.state}: {row.cause}")
