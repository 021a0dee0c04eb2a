"""Recipes: published schedules with their sources, and the same schedules for runs of another length."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from schedframe._errors import ConfigError, Problem, SchedframeError
from schedframe._files.config.document import read, text_of
from schedframe._files.config.dump import dump
from schedframe._files.config.parsed import Broken
from schedframe._files.config.yaml import parse
from schedframe._recipes.installed import PREFIX, RecipeFile, find_recipe, recipe_files
from schedframe._schedule.schedule import Schedule, declare
from schedframe._units.lengths import compact, parse_measure
from schedframe._units.notation import position
from schedframe._units.units import RUN_KEYS
from schedframe.styles.combined import Floored

_COMMENT = "#"
_YAML = (".yaml", ".yml")
_TEXT, _NUMBER, _TEXTS = "a text", "a whole number", "a list of texts"
_HEADER = {"title": _TEXT, "year": _NUMBER, "sources": _TEXTS, "unsaid": _TEXTS}
"""The keys of a recipe's header, the comment at its top, which is YAML itself."""


class Recipe(NamedTuple):
    """A published schedule.

    Attributes:
        name: of the recipe.
        provider: the distribution that has it, with its version.
        title: the model, and the part of its training.
        year: in which it was published.
        sources: where its numbers are stated: papers with their sections, ``repository:path`` at a commit.
        unsaid: what the sources leave open, and what the file does there.
        text: of its file.
        data: the keys of its schedule.
        schedule: what it declares.
    """

    name: str
    provider: str
    title: str
    year: int
    sources: tuple[str, ...]
    unsaid: tuple[str, ...]
    text: str
    data: Mapping[str, Any]
    schedule: Schedule

    @property
    def length(self) -> str:
        """The length of the run, in the unit in which the file has it, as people read it: ``15.5T tokens``."""
        key = next(key for key in RUN_KEYS if key in self.data)
        amount, unit = parse_measure(self.data[key])
        return f"{position(float(amount))} {unit or RUN_KEYS[key]}"

    @property
    def style(self) -> str:
        """The name of the learning-rate style, as the file has it."""
        style = self.schedule.lr_style
        return style.of.style if isinstance(style, Floored) else style.style

    def has(self, word: str) -> bool:
        """Return whether `word` is part of its name, title, year, style or sources, in any case."""
        return word.lower() in "\n".join([self.name, self.title, str(self.year), self.style, *self.sources]).lower()


def recipes() -> tuple[list[Recipe], list[SchedframeError]]:
    """Return all recipes, by name, and the errors of those that cannot be used.

    Raises:
        PluginError: ``SCHEDFRAME_ALLOW`` or ``SCHEDFRAME_BLOCK`` names a distribution that is not installed.
    """
    found, errors = [], []
    for name in dict.fromkeys(file.name for file in recipe_files()):
        try:
            found.append(recipe(name))
        except SchedframeError as error:
            errors.append(error)
    return found, errors


def recipe(name: str) -> Recipe:
    """Return the recipe `name`.

    Raises:
        ConfigError: no installed distribution has it, several have it, or its file is not a recipe.
        PluginError: as of `recipes`.
        UnknownStyleError: its style is not installed.
    """
    return _read(find_recipe(name))


def _read(file: RecipeFile) -> Recipe:
    path = Path(f"{PREFIX}{file.name}")
    text = text_of(path)
    document = read(path)
    header = _header(path, text)
    if not any(key in document.data for key in RUN_KEYS):
        raise ConfigError(str(path), [Problem("", f"has no length of the run; give it one of {', '.join(RUN_KEYS)}")])
    title, year, sources, unsaid = (header[key] for key in _HEADER)
    return Recipe(
        *(file.name, file.provider, title, year, tuple(sources), tuple(unsaid)),
        *(text, document.data, declare(document)),
    )


def _header(path: Path, text: str) -> dict[str, Any]:
    """Return the header of a recipe's `text`: title, year, sources, unsaid."""
    lines = _comment_of(text)
    try:
        header = parse("\n".join(line[2:] for line in lines)).data if lines else None
    except Broken as error:
        raise ConfigError(str(path), [Problem("", f"has a comment at its top that {error}", line=error.line)]) from None
    if not isinstance(header, dict) or header.keys() != _HEADER.keys():
        fault = f"must begin with a comment that is YAML and has {', '.join(_HEADER)}"
        raise ConfigError(str(path), [Problem("", fault)])
    for key, what in _HEADER.items():
        if not _is(what, header[key]):
            fault = f"of the comment at its top must be {what}"
            raise ConfigError(str(path), [Problem(key, fault, repr(header[key]))])
    return header


def _is(what: str, value: Any) -> bool:
    if what == _TEXTS:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return type(value) is (int if what == _NUMBER else str)


def _comment_of(text: str) -> list[str]:
    """Return the lines of the comment at the top of `text`."""
    lines = text.splitlines()
    end = next((number for number, line in enumerate(lines) if not line.startswith(_COMMENT)), len(lines))
    return lines[:end]


def written(recipe: Recipe, path: Path) -> str:
    """Return the text of a config file with the schedule of `recipe`, in the format that the suffix of `path` names.

    YAML is the text of the recipe itself; JSON has no comments.

    Raises:
        ConfigError: `path` has an unknown suffix.
    """
    if path.suffix.lower() in _YAML:
        return recipe.text
    return dump(recipe.data, path, comments=[line[2:] for line in _comment_of(recipe.text)])


def scaled(recipe: Recipe, key: str, length: str) -> Recipe:
    """Return `recipe` for a run of another length.

    Lengths in percent follow the run. The other ones are multiplied as the run is and rounded to whole units, except
    for the warmup and the ramp-up of the batch size, which stay as they are. The text has a comment with each change.

    Args:
        recipe: the recipe.
        key: ``train_tokens``, ``train_samples`` or ``train_iters``.
        length: of the new run, such as ``2T``.

    Raises:
        ConfigError: the length is not valid or cannot be converted, or the lengths that stay do not fit into it.
    """
    unit = RUN_KEYS[key]
    try:
        steps = recipe.schedule.step_at(f"{length} {unit}")
    except ValueError as error:
        raise ConfigError(f"{PREFIX}{recipe.name}", [Problem(key, str(error), length)]) from None
    run = recipe.schedule.train_steps
    if run is None or not steps:
        raise ConfigError(f"{PREFIX}{recipe.name}", [Problem(key, "must be a length above 0", length)])
    factor = Fraction(steps) / Fraction(run)
    changes: list[str] = []
    data: dict[str, Any] = {}
    published = ""
    for name, value in recipe.data.items():
        if name in RUN_KEYS:
            published = str(value) if parse_measure(value).unit else f"{value} {RUN_KEYS[name]}"
            data[key] = length
        else:
            data[name] = _multiplied(name, value, factor, name, changes)
    schedule = Schedule(**data)
    if schedule.lr_warmup_steps >= schedule.lr_decay_steps:
        fault = f"is not scaled, and does not end within the decay of a run of {length} {unit}; use a longer run"
        raise ConfigError(f"{PREFIX}{recipe.name}", [Problem(_WARMUP, fault, str(data[_WARMUP]))])
    comments = [
        *(line[2:] for line in _comment_of(recipe.text)),
        f"scaled: from {published} to {length} {unit}, by {float(factor):.6g}",
        *(f"scaled: {change}" for change in changes),
        *(f"not scaled: {name} {value}" for name, value in _kept(data)),
    ]
    text = dump(data, Path("scaled.yaml"), comments=comments)
    return recipe._replace(text=text, data=data, schedule=schedule)


_WARMUP = "lr_warmup_steps"
_MILESTONES = "milestones"
_LENGTHS = ("length", "every", "timescale")
_RAMPS = ("rampup_batch_size", "step_batch_size_schedule")


def _kept(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the lengths that do not follow the run."""
    for name in (_WARMUP, *_RAMPS):
        if name in data and not _is_share(data[name]):
            yield name, data[name]


def _is_share(value: object) -> bool:
    return isinstance(value, str) and "%" in value


def _multiplied(name: str, value: Any, factor: Fraction, path: str, changes: list[str]) -> Any:
    """Return the value of the key `name` with every length in it multiplied; note each in `changes`."""
    if isinstance(value, Mapping):
        return {key: _multiplied(key, inner, factor, f"{path}.{key}", changes) for key, inner in value.items()}
    if isinstance(value, list):
        return [_multiplied(name, item, factor, f"{path}.{index}", changes) for index, item in enumerate(value)]
    if not _is_length(name, value) or _is_share(value) or value in ("open", None):
        return value
    amount, unit = parse_measure(value)
    new = compact(max(1, round(amount * factor)))
    result = f"{new} {unit}" if unit else new
    changes.append(f"{path} from {value} to {result}")
    return result


def _is_length(name: str, value: Any) -> bool:
    """Return whether the option `name` is a length; a milestone without a unit is a part of the decay."""
    if name == _MILESTONES:
        return isinstance(value, str) and parse_measure(value).unit is not None
    return name in _LENGTHS or (name.endswith("_steps") and name != _WARMUP)
