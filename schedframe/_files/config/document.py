"""Reads a config file, and those that it extends, as data only; knows where each key stands."""

import os
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from schedframe._errors import ConfigError, Problem, did_you_mean
from schedframe._files.config import json, toml, yaml
from schedframe._files.config.parsed import Broken, Parsed
from schedframe._files.write import is_same_file
from schedframe._reading import read_regular
from schedframe._recipes.installed import find_recipe, recipe_name

FORMATS = {".yaml": yaml, ".yml": yaml, ".toml": toml, ".json": json}
"""The formats, by the suffix of a file; a recipe is YAML."""

EXTENDS = "extends"
"""The key that names the file whose keys a file inherits."""

MOST_FILES = 8
"""The longest chain of files, the first one counted."""

LARGEST_FILE = 1 << 20
_WHOLE = Problem("", "")


@dataclass(frozen=True)
class Document:
    """A config file, with the keys of those that it extends.

    Attributes:
        path: the file.
        data: its keys and values, and those that it inherits.
        local_keys: the keys that stand in the file itself.
        extends: the files that it extends, the nearest first.
        problems: what is wrong with a file itself and still lets the rest be read: keys that stand
            twice, tags that name types.
        unreadable: dotted paths whose value is one of those problems.
        ends_cleanly: the file ends with a newline; one that does not may have been cut.
    """

    path: Path
    data: dict[str, Any]
    local_keys: frozenset[str]
    extends: tuple[Path, ...]
    problems: tuple[Problem, ...]
    unreadable: frozenset[str]
    ends_cleanly: bool
    _places: dict[str, tuple[str, int]]

    def located(self, problem: Problem, *others: str) -> Problem:
        """Return `problem` with the file and the line where its key stands, or the nearest key above it.

        Args:
            problem: one that has a line already is returned unchanged.
            others: dotted paths of other keys, where the problem's own is not in the file.
        """
        if problem.line is not None:
            return problem
        for path in (problem.path, *others):
            while path:
                if path in self._places:
                    file, line = self._places[path]
                    return replace(problem, file=file, line=line)
                path = path.rpartition(".")[0]
        return problem


def read(path: str | Path) -> Document:
    """Read the YAML 1.2, TOML or JSON file at `path`, by its suffix, and the files that it extends.

    The keys of a file replace those of the file that it extends, whole, at the top level; a key whose value is null
    is removed. ``recipe:NAME`` stands for the file of the installed recipe of that name, here and in ``extends``.

    Raises:
        ConfigError: a file is missing, unreadable, of another suffix, broken, or holds no table; or the files extend
            each other in a circle, or are too many.
    """
    return _read(Path(path), ())


def read_text(path: Path, text: str, may_extend: Container[Path]) -> Document:
    """Read `text` as that of the config file at `path`, which need not exist, and the files that it extends.

    Args:
        path: the file; what `text` extends is relative to its folder.
        text: YAML 1.2, TOML or JSON, by the suffix of `path`.
        may_extend: the files that `text` may extend, as `extended` returns them; no other one is looked at.

    Raises:
        ConfigError: as of `read`; or `text` extends a file that it may not.
    """
    check_suffix(path)
    document = parse_text(path, text)
    target = extended(document)
    if target is not None and target not in may_extend:
        fault = "is not read: the file did not extend it when it was opened; save the text, and open the file again"
        raise _refusal(path, fault, document.located(Problem(EXTENDS, "", repr(document.data[EXTENDS]))))
    return _with_extended(document, ())


def made_of(path: Path, data: dict[str, Any], lines: Mapping[str, int]) -> Document:
    """Return the document of keys that were made from the text at `path`, which is not a config itself.

    Args:
        path: the file.
        data: keys and values of a config.
        lines: the lines of the file from which they were made, by dotted path.
    """
    places = {key: ("", line) for key, line in lines.items()}
    return Document(path, data, frozenset(data), (), (), frozenset(), True, places)


def extended(document: Document) -> Path | None:
    """Return the file that `document`, as `parse_text` returns it, extends; ``None`` where it names none."""
    name = document.data.get(EXTENDS)
    return _target(document.path, name) if isinstance(name, str) else None


def _target(path: Path, name: str) -> Path:
    """Return the file that the one at `path` extends by `name`."""
    return Path(name) if recipe_name(Path(name)) is not None else path.parent / name


def name_from(folder: Path, path: Path) -> str:
    """Return how a config file in `folder` names the one at `path` after ``extends``."""
    if recipe_name(path) is not None:
        return str(path)
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive
        return str(path.resolve())


def check_suffix(path: Path) -> None:
    """Raise `ConfigError` if the suffix of `path` is not that of a format; a recipe is not a file of the user's."""
    if (name := recipe_name(path)) is not None:
        raise _refusal(path, f"is a recipe; `schedframe recipes {name} --write FILE` writes it as a file of your own")
    if path.suffix.lower() not in FORMATS:
        raise _refusal(path, f"has an unknown suffix {path.suffix!r}; use one of {', '.join(FORMATS)}")


def parse_text(path: Path, text: str) -> Document:
    """Return what `text` holds as the text of the file at `path`, which need not exist; no file is read.

    Raise `ConfigError` if the text is broken, or does not hold a table.
    """
    try:
        format = yaml if recipe_name(path) is not None else FORMATS[path.suffix.lower()]
        parsed: Parsed = format.parse(text) if text.strip() else Parsed()
    except Broken as error:
        raise _refusal(path, str(error), replace(_WHOLE, line=error.line)) from None
    if not isinstance(parsed.data, dict):
        if parsed.problems:
            raise ConfigError(str(path), parsed.problems)
        if parsed.data is None:
            raise _refusal(path, "is empty; a schedule needs at least max_lr and lr_decay_steps or train_samples")
        what = type(parsed.data).__name__
        raise _refusal(path, f"must contain a table of keys and values at the top level, not a {what}")
    return Document(
        path,
        parsed.data,
        frozenset(parsed.data),
        (),
        tuple(parsed.problems),
        frozenset(parsed.unreadable),
        text.endswith("\n"),
        {key: ("", line) for key, line in parsed.lines.items()},
    )


def _read(path: Path, above: tuple[Path, ...]) -> Document:
    """Read the file at `path`, which extends others and which the files `above` extend, each the next."""
    if recipe_name(path) is None:
        check_suffix(path)
    return _with_extended(parse_text(path, text_of(path)), above)


def _with_extended(document: Document, above: tuple[Path, ...]) -> Document:
    """Return `document` with the keys of the files that it extends; the files `above` extend it."""
    path, name = document.path, document.data.pop(EXTENDS, None)
    if name is None:
        return document
    chain = (*above, path)
    key = document.located(Problem(EXTENDS, "", repr(name)))
    if not isinstance(name, str) or not name.strip():
        raise _refusal(path, "must be the path of a config file, relative to this one", key)
    target = _target(path, name)
    for index, file in enumerate(chain):
        if is_same_file(file, target):
            raise _refusal(path, f"is circular: {' extends '.join(map(str, (*chain[index:], file)))}", key)
    if len(chain) == MOST_FILES:
        raise _refusal(path, f"makes a chain of more than {MOST_FILES} files; join some of them", key)
    try:
        return _extend(document, _read(target, chain))
    except ConfigError as error:
        problems = [
            replace(problem, file=problem.file or str(target))
            if problem.line is not None
            else replace(key, message=f"{target} {problem.message}")
            for problem in error.problems
        ]
        raise ConfigError(str(path), problems) from None


def _extend(document: Document, base: Document) -> Document:
    """Return `document` with the keys of `base`, the file that it extends."""

    def is_inherited(path: str) -> bool:
        return path.partition(".")[0] not in document.data

    name, known = str(base.path), [str(key) for key in base.data]
    removed = [key for key, value in document.data.items() if value is None]
    fault = "removes a key that the extended file does not have"
    unknown = [
        document.located(Problem(str(key), f"{fault}{did_you_mean(str(key), known)}", "null"))
        for key in removed
        if key not in base.data
    ]
    places = {path: (file or name, line) for path, (file, line) in base._places.items() if is_inherited(path)}
    return replace(
        document,
        data={key: value for key, value in {**base.data, **document.data}.items() if key not in removed},
        extends=(base.path, *base.extends),
        problems=(
            *document.problems,
            *unknown,
            *(replace(problem, file=problem.file or name) for problem in base.problems),
        ),
        unreadable=document.unreadable | set(filter(is_inherited, base.unreadable)),
        ends_cleanly=document.ends_cleanly and base.ends_cleanly,
        _places=places | document._places,
    )


def _refusal(path: Path, message: str, problem: Problem = _WHOLE) -> ConfigError:
    return ConfigError(str(path), [replace(problem, message=message)])


def text_of(path: Path) -> str:
    """Return the text of the config file at `path`.

    Raises:
        ConfigError: it does not exist, cannot be read, is too large, or is not UTF-8; or it is not an installed recipe.
    """
    name = recipe_name(path)
    file = path if name is None else find_recipe(name).path
    try:
        return read_regular(file, LARGEST_FILE).decode("utf-8-sig")
    except FileNotFoundError:
        raise _refusal(path, f"does not exist{_near(path)}") from None
    except UnicodeDecodeError as error:
        raise _refusal(path, f"is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except (OSError, ValueError) as error:
        raise _refusal(path, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _near(path: Path) -> str:
    try:
        near = get_close_matches(path.name, [entry.name for entry in path.parent.iterdir()], n=1)
    except OSError:
        return ""
    return f"; did you mean {near[0]!r}?" if near else ""
