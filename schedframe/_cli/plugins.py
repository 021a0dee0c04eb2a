"""``schedframe plugins``: what adds to schedframe, distributions and files, and whether what they add works."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer

from schedframe._cli.arguments import TableOrJson, importing
from schedframe._cli.console import print_parts, table
from schedframe._cli.exit_codes import Findings
from schedframe._cli.output import print_json
from schedframe._errors import SchedframeError
from schedframe._plugins.claims import Claim, claims
from schedframe._plugins.distributions import misspelt, seen_twice, unreadable
from schedframe._plugins.hooks import HOOK_GROUP, load_plugin
from schedframe._recipes.installed import GROUP as RECIPES
from schedframe._recipes.installed import names_of
from schedframe.importers._installed import GROUP as IMPORTERS
from schedframe.importers._installed import importers
from schedframe.styles._installed import lr_styles, wd_styles

_LAWS = "schedframe.loss_laws"


class _Row(NamedTuple):
    """One thing that a distribution or a file adds.

    Attributes:
        distribution: the distribution's name; of a file that registers styles its path.
        version: its version; of a file the beginning of its digest.
        adds: ``LR rex``, ``WD x``, ``law x``, ``hooks``.
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
    format: TableOrJson = "table",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """List the installed plugins, and import each.

    Styles that --import registers are listed too. Everything that a plugin adds is imported, unless the plugin is
    blocked. The state is ok, broken, incompatible (with this version), clashing (with another plugin), blocked, or
    stale (hidden by another copy on the path). The exit code is 1 if anything is neither ok nor blocked.

    Examples:
      schedframe plugins
      schedframe plugins --json
      schedframe plugins --import ./my_styles.py
    """
    rows = sorted(_rows(), key=lambda row: (row.distribution, row.adds))
    if as_json or format == "json":
        print_json({"plugins": [row._asdict() for row in rows]})
    else:
        _print(rows)
    if any(row.state not in ("ok", "blocked") for row in rows):
        raise Findings


def _rows() -> Iterator[_Row]:
    for registry in (lr_styles, wd_styles):
        others = claims(registry.group)
        for claim in others:
            name = claim.entry_point.name
            clash = registry.clash(name, others)
            yield _row(claim, f"{registry.kind} {name}", clash and f"{name} {clash}", registry.__getitem__, name)
        for listed in registry.listing():
            source, fault = listed.source, listed.fault
            if source.distribution is None:
                state, cause = ("clashing", f"{source.name} {fault}") if fault else ("ok", "")
                yield _Row(source.path or source.module, source.digest, f"{registry.kind} {source.name}", state, cause)
    for claim in claims(_LAWS):
        yield _row(claim, f"law {claim.entry_point.name}", "", _load_law, claim.entry_point.name)
    for claim in claims(RECIPES):
        yield _row(claim, f"recipes {claim.entry_point.name}", "", names_of, claim)
    for claim in claims(IMPORTERS):
        yield _row(claim, f"importer {claim.entry_point.name}", "", importers.__getitem__, claim.entry_point.name)
    for claim in claims(HOOK_GROUP):
        yield _row(claim, "hooks", "", load_plugin, claim)
    for lost in misspelt():
        kinds = {registry.group: f"{registry.kind} {lost.entry_point.name}" for registry in (lr_styles, wd_styles)}
        kinds |= {
            _LAWS: f"law {lost.entry_point.name}",
            IMPORTERS: f"importer {lost.entry_point.name}",
            RECIPES: f"recipes {lost.entry_point.name}",
        }
        adds = kinds.get(lost.group, "hooks")
        yield _Row(lost.distribution.name, lost.distribution.version, adds, "broken", lost.fault)
    for name, fault in dict.fromkeys(unreadable()):
        yield _Row(name, "", "", "broken", fault)
    for sentence in seen_twice():
        yield _Row(sentence.partition(" ")[0], "", "", "stale", sentence)


def _row(claim: Claim, adds: str, clash: str, load: Callable[[Any], object], loaded: Any) -> _Row:
    """Return the row of `claim`, whose code is imported by ``load(loaded)``."""
    distribution = claim.distribution
    state, cause = "ok", ""
    if claim.blocked:
        state, cause = "blocked", claim.blocked
    elif clash:
        state, cause = "clashing", clash
    elif distribution.incompatibility:
        state, cause = "incompatible", distribution.incompatibility
    else:
        try:
            load(loaded)
        except SchedframeError as error:
            state, cause = "broken", str(error)
    return _Row(distribution.name, distribution.version, adds, state, cause)


def _load_law(name: str) -> object:
    return import_module("schedframe.foresight").loss_laws[name]  # numpy is needed only where a law is installed


def _print(rows: list[_Row]) -> None:
    if not rows:
        typer.echo("no plugins are installed; `schedframe new` creates one")
        return
    grid = table("distribution", "version", "adds", "state")
    for row in rows:
        grid.add_row(*row[:4])
    print_parts(grid)
    for row in rows:
        if row.cause:
            typer.echo(f"\n{row.distribution}, {row.adds or row.state}: {row.cause}")
