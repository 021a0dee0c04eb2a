"""``schedframe recipes``: published schedules, with their sources, as files."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from schedframe._cli.arguments import TableOrJson, importing
from schedframe._cli.completion import recipe_name
from schedframe._cli.console import print_parts, table
from schedframe._cli.exit_codes import CANNOT_BE_USED
from schedframe._cli.output import print_json
from schedframe._cli.schedule_page import show_charts
from schedframe._files.write import write_new
from schedframe._pictures.series import Named, picture_of
from schedframe._recipes.installed import find_recipe, recipe_files
from schedframe._tools import recipes as library
from schedframe._tools.recipes import Recipe
from schedframe._units.notation import rate
from schedframe._units.units import RUN_KEYS

_KEYS = {unit: key for key, unit in RUN_KEYS.items()}


@importing
def recipes(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]",
            help="Show this recipe, or list the recipes that match all of these words.",
            autocompletion=recipe_name,
            show_default=False,
        ),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the recipe into this file: .yaml, .toml, .json.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,
    scale: Annotated[
        str | None,
        typer.Option(metavar="UNIT=LENGTH", help="For a run of this length: tokens=2T, samples=500M, iters=100K."),
    ] = None,
    format: TableOrJson = "table",
) -> None:
    """List published schedules, or write one as a file.

    The comment at the top of each recipe names the sources of its numbers and what they leave open. `check`,
    `preview`, `plot`, `diff` and the key `extends` accept recipe:NAME in place of a file.

    With --scale, lengths in percent follow the run. Other lengths are scaled by the same factor as the run, except
    for the warmup and the ramp-up of the batch size, which do not change. A comment in the file records each change.

    Examples:
      schedframe recipes
      schedframe recipes olmo cosine
      schedframe recipes deepseek-v3
      schedframe recipes llama-2-7b --write run.yaml
      schedframe recipes smollm3-3b --scale tokens=2T
      schedframe preview recipe:kimi-k2
    """
    given = words or []
    names = {file.name for file in recipe_files()}
    is_one = len(given) == 1 and (given[0] in names or write is not None or scale is not None)
    if not is_one:
        _refuse_without_a_name(write, scale)
        _list(given, as_json=format == "json")
        return
    shown = library.recipe(given[0])
    if scale is not None:
        shown = library.scaled(shown, *_length(scale))
    if write is not None:
        write_new(write, library.written(shown, write), overwrite=force)
    if format == "json":
        print_json({**_as_data(shown), "text": shown.text, "file": None if write is None else str(write)})
    elif write is not None:
        typer.echo(f"wrote {write}")
        for line in shown.text.splitlines():
            if line.startswith(("# scaled: ", "# not scaled: ")):
                typer.echo(f"  {line[2:]}")
    else:
        _show(shown)


def _refuse_without_a_name(write: Path | None, scale: str | None) -> None:
    for option, value in {"--write": write, "--scale": scale}.items():
        if value is not None:
            raise typer.BadParameter("requires the name of one recipe", param_hint=f"'{option}'")


def _length(text: str) -> tuple[str, str]:
    """Return the key of the run's length, and the length, of ``tokens=2T``."""
    unit, equals, length = text.partition("=")
    key = _KEYS.get(unit.strip())
    if key is None or not equals or not length.strip():
        raise typer.BadParameter(f"{text!r} is not a length: write tokens=2T, samples=500M or iters=100K")
    return key, length.strip()


def _list(words: list[str], *, as_json: bool) -> None:
    all_recipes, errors = library.recipes()
    found = [recipe for recipe in all_recipes if all(recipe.has(word) for word in words)]
    if not found and len(words) == 1:
        find_recipe(words[0])  # the error names close ones
    if as_json:
        print_json({"recipes": [_as_data(recipe) for recipe in found]})
    elif found:
        _print(found)
    else:
        typer.echo(f"no recipe has all of the words {', '.join(words)}")
    for error in errors:
        typer.echo(str(error), err=True)
    if errors:
        raise typer.Exit(CANNOT_BE_USED)


def _print(found: list[Recipe]) -> None:
    grid = table("name", "year", "style", "length", "max LR")
    for recipe in found:
        schedule = recipe.schedule
        grid.add_row(
            Text(recipe.name, style="bold"),
            str(recipe.year),
            recipe.style,
            recipe.length,
            rate(schedule.max_lr),
        )
    print_parts(grid)


def _show(recipe: Recipe) -> None:
    schedule = recipe.schedule
    print_parts(
        Text(f"{recipe.name}: {recipe.title}, {recipe.year}", style="bold"),
        f"from {recipe.provider}",
        "",
        Text(recipe.text.rstrip()),
        "",
    )
    show_charts(picture_of([Named(recipe.name, schedule)]))


def _as_data(recipe: Recipe) -> dict[str, Any]:
    facts = recipe._asdict()
    del facts["text"], facts["data"], facts["schedule"]
    schedule = recipe.schedule
    derived = {"style": recipe.style, "length": recipe.length, "max_lr": schedule.max_lr}
    return {**facts, **derived, "schedule": dict(recipe.data)}
