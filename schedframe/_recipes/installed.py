"""Where the files of recipes are: those of schedframe, and what distributions add in the group ``schedframe.recipes``.

The entry point of a distribution names a folder in one of its packages, ``acme_runs.recipes``. The folder is looked up
on the path; nothing is imported.
"""

import sys
from pathlib import Path
from typing import NamedTuple

from schedframe._errors import ConfigError, PluginError, Problem, did_you_mean
from schedframe._plugins.claims import Claim, claims
from schedframe._plugins.distributions import OURSELVES
from schedframe._version import __version__

GROUP = "schedframe.recipes"
"""The entry-point group in which distributions declare a folder with recipes."""

PREFIX = "recipe:"
"""What stands before the name of a recipe where a file can be given."""

SUFFIX = ".schedule.yaml"
"""How the name of a recipe's file ends; what stands before it is the name of the recipe."""

_PUBLISHED = Path(__file__).parent / "published"


class RecipeFile(NamedTuple):
    """The file of one recipe.

    Attributes:
        name: of the recipe.
        path: of its file.
        provider: the distribution that has it, with its version.
    """

    name: str
    path: Path
    provider: str


def recipe_files() -> list[RecipeFile]:
    """Return the files of all recipes that may be used, by name; a name that two distributions have occurs twice.

    Raises:
        PluginError: ``SCHEDFRAME_ALLOW`` or ``SCHEDFRAME_BLOCK`` names a distribution that is not installed.
    """
    found = _files_in(_PUBLISHED, f"{OURSELVES} {__version__}")
    for claim in claims(GROUP):
        folder = None if claim.blocked or claim.distribution.incompatibility else _folder(claim)
        if folder is not None:
            found += _files_in(folder, f"{claim.distribution.name} {claim.distribution.version}")
    return sorted(found, key=lambda file: file.name)


def find_recipe(name: str) -> RecipeFile:
    """Return the file of the recipe `name`.

    Raises:
        ConfigError: no installed distribution has this recipe, or more than one has it.
        PluginError: as of `recipe_files`.
    """
    files = recipe_files()
    same = [file for file in files if file.name == name]
    if len(same) == 1:
        return same[0]
    if same:
        providers = ", ".join(file.provider for file in same)
        fault = f"is provided more than once: {providers}; uninstall all but one, or block it with SCHEDFRAME_BLOCK"
    else:
        near = did_you_mean(name, [file.name for file in files])
        fault = f"is not an installed recipe{near or ';'} `schedframe recipes` lists the installed ones"
    raise ConfigError(f"{PREFIX}{name}", [Problem("", fault)])


def recipe_name(path: Path) -> str | None:
    """Return the name of the recipe that `path`, as ``recipe:NAME``, stands for; ``None`` where it is a file's."""
    text = str(path)
    return text.removeprefix(PREFIX) if text.startswith(PREFIX) else None


def names_of(claim: Claim) -> list[str]:
    """Return the names of the recipes in the folder that an entry point of a distribution names.

    Raises:
        PluginError: there is no such folder, or it has no recipe.
    """
    folder = _folder(claim)
    names = [] if folder is None else [file.name for file in _files_in(folder, "")]
    if not names:
        where = f"the folder {claim.entry_point.value!r}" if folder is None else str(folder)
        fault = "is not on the path" if folder is None else f"has no file *{SUFFIX}"
        raise PluginError(f"the recipes {claim.entry_point.name!r} from {claim} cannot be used: {where} {fault}")
    return names


def _files_in(folder: Path, provider: str) -> list[RecipeFile]:
    files = folder.glob(f"*{SUFFIX}")
    return sorted(RecipeFile(file.name.removesuffix(SUFFIX), file, provider) for file in files)


def _folder(claim: Claim) -> Path | None:
    """Return the folder that an entry point names: beside the distribution's metadata, or where it is edited."""
    point = claim.entry_point
    parts = point.value.split(".")
    if point.dist is None or not all(part.isidentifier() for part in parts):
        return None
    places = (str(point.dist.locate_file("")), *sys.path)
    return next((folder for place in places if (folder := Path(place, *parts)).is_dir()), None)
