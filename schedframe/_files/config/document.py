"""Reads a config file, and those that it extends, as data only; knows where each key stands."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from schedframe._errors import ConfigError, Problem, did_you_mean
from schedframe._files.config import json, toml, yaml
from schedframe._files.config.parsed import Broken, Parsed

FORMATS = {".yaml": yaml, ".yml": yaml, ".toml": toml, ".json": json}
"""The formats, by the suffix of a file."""

EXTENDS = "extends"
"""The key that names the file whose keys a file takes over."""

MOST_FILES = 8
"""The longest chain of files, the first one counted."""


@dataclass(frozen=True)
class Document:
    """A config file, with the keys of those that it extends.

    Attributes:
        path: the file.
        data: its keys and values, and those that it takes over.
        own: the keys that stand in the file itself.
        extends: the files that it extends, the nearest first.
        problems: what is wrong with a file itself and still lets the rest be read: keys that stand
            twice, tags that name types.
        unreadable: dotted paths whose value is one of those problems.
        ends_cleanly: the file ends with a newline; one that does not may have been cut.
    """

    path: Path
    data: dict[str, Any]
    own: frozenset[str]
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


@dataclass(frozen=True)
class _File:
    """One file of a chain."""

    path: Path
    text: str
    parsed: Parsed

    @property
    def data(self) -> dict[str, Any]:
        return dict(self.parsed.data)


def read(path: str | Path) -> Document:
    """Read the YAML 1.2, TOML or JSON file at `path`, by its suffix, and the files that it extends.

    The keys of a file replace those of the file that it extends, whole, at the top level; a key whose value is null
    is taken away.

    Raises:
        ConfigError: a file is missing, unreadable, of another suffix, broken, or holds no table; or the files extend
            each other in a circle, or are too many.
    """
    return _joined(_chain(Path(path)))


def from_text(path: Path, text: str) -> Document:
    """Return what `text` holds as the text of the file at `path`, which need not exist; it extends no file.

    Raises:
        ConfigError: the text is broken, or holds no table.
    """
    return _joined([_parsed(path, text)])


def _chain(path: Path) -> list[_File]:
    files = [_read(path)]
    while files[-1].parsed.data.get(EXTENDS) is not None:
        last = files[-1]
        found = last.path.parent / _name_in(last, path)
        seen = [file.path.resolve() for file in files]
        if found.resolve() in seen:
            circle = [*files[seen.index(found.resolve()) :], files[seen.index(found.resolve())]]
            raise _refusal_of(last, path, f"goes in a circle: {' extends '.join(str(file.path) for file in circle)}")
        if len(files) == MOST_FILES:
            raise _refusal_of(last, path, f"makes a chain of more than {MOST_FILES} files; join some of them")
        try:
            files.append(_read(found))
        except ConfigError as error:
            raise ConfigError(str(path), [_within(problem, last, found, path) for problem in error.problems]) from None
    return files


def _name_in(file: _File, first: Path) -> str:
    name = file.parsed.data[EXTENDS]
    if not isinstance(name, str) or not name.strip():
        raise _refusal_of(file, first, "must be the path of a config file, relative to this one")
    return name


def _within(problem: Problem, file: _File, found: Path, first: Path) -> Problem:
    """Return a problem of the file `found`, which `file` extends; one without a line is about `file`'s key."""
    if problem.line is not None:
        return replace(problem, file=problem.file or str(found))
    return _problem_of(file, first, f"{found} {problem.message}")


def _problem_of(file: _File, first: Path, message: str) -> Problem:
    name = "" if file.path == first else str(file.path)
    return Problem(EXTENDS, message, repr(file.parsed.data[EXTENDS]), file.parsed.lines.get(EXTENDS), file=name)


def _refusal_of(file: _File, first: Path, message: str) -> ConfigError:
    return ConfigError(str(first), [_problem_of(file, first, message)])


def _joined(files: list[_File]) -> Document:
    """Return the document of `files`, each of which extends the next."""
    data: dict[str, Any] = {}
    places: dict[str, tuple[str, int]] = {}
    problems: list[Problem] = []
    unreadable: set[str] = set()
    for file in reversed(files):
        name = "" if file is files[0] else str(file.path)
        own = {key: value for key, value in file.data.items() if key != EXTENDS}
        is_base = file is files[-1]
        problems = [*_problems_in(file, name), *([] if is_base else _not_there(own, data, file, name)), *problems]
        places = {path: place for path, place in places.items() if path.partition(".")[0] not in own}
        places.update({path: (name, line) for path, line in file.parsed.lines.items()})
        unreadable = {path for path in unreadable if path.partition(".")[0] not in own} | file.parsed.unreadable
        for key, value in own.items():
            if value is None and not is_base:
                data.pop(key, None)
            else:
                data[key] = value
    return Document(
        files[0].path,
        data,
        frozenset(files[0].data),
        tuple(file.path for file in files[1:]),
        tuple(problems),
        frozenset(unreadable),
        all(file.text.endswith("\n") for file in files),
        places,
    )


def _problems_in(file: _File, name: str) -> Iterator[Problem]:
    yield from (replace(problem, file=name) for problem in file.parsed.problems)


def _not_there(own: dict[str, Any], data: dict[str, Any], file: _File, name: str) -> Iterator[Problem]:
    """Yield for each key that is to be taken away and that no extended file has."""
    for key, value in own.items():
        if value is None and key not in data:
            message = f"takes a key away that the extended file does not have{did_you_mean(str(key), map(str, data))}"
            yield Problem(str(key), message, "null", file.parsed.lines.get(str(key)), file=name)


def _read(path: Path) -> _File:
    if path.suffix.lower() not in FORMATS:
        raise _refusal(path, f"has an unknown suffix {path.suffix!r}; use one of {', '.join(FORMATS)}")
    return _parsed(path, _text(path))


def _parsed(path: Path, text: str) -> _File:
    reader = FORMATS[path.suffix.lower()]
    try:
        parsed: Parsed = reader.parse(text) if text.strip() else Parsed()
    except Broken as error:
        raise _refusal(path, str(error), error.line) from None
    if not isinstance(parsed.data, dict):
        if parsed.problems:
            raise ConfigError(str(path), parsed.problems)
        if parsed.data is None:
            raise _refusal(path, "is empty; a schedule needs at least max_lr and lr_decay_steps or train_samples")
        what = type(parsed.data).__name__
        raise _refusal(path, f"must hold a table of keys and values at its top, and holds a {what}")
    return _File(path, text, parsed)


def _refusal(path: Path, message: str, line: int | None = None) -> ConfigError:
    return ConfigError(str(path), [Problem("", message, line=line)])


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise _refusal(path, f"does not exist{_near(path)}") from None
    except UnicodeDecodeError as error:
        raise _refusal(path, f"is no UTF-8 text: {error.reason} at byte {error.start}") from None
    except (OSError, ValueError) as error:
        raise _refusal(path, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _near(path: Path) -> str:
    try:
        siblings = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return ""
    near = get_close_matches(path.name, siblings, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
