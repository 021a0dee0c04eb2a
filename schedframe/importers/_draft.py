"""A schedule while it is taken from a source: its keys, where each comes from, and what was assumed."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, NamedTuple

from schedframe._errors import ConfigError, Problem, did_you_mean
from schedframe.importers._command import Command, Flags, read_command
from schedframe.importers._source import Source

OPTIONS = {
    "train_iters": "--train-iters",
    "train_samples": "--train-samples",
    "max_lr": "--max-lr",
    "global_batch_size": "--global-batch-size",
    "seq_length": "--seq-length",
}
"""The options that give what a source does not, by the key of a schedule."""


class Taken(NamedTuple):
    """Where a key comes from.

    Attributes:
        key: the key of the schedule.
        value: its value.
        paths: the keys of the source.
        lines: their lines; empty for a file without lines, such as ``training_args.bin``.
    """

    key: str
    value: Any
    paths: tuple[str, ...]
    lines: tuple[int, ...]


@dataclass(frozen=True)
class Imported:
    """A schedule that was taken from a source.

    Attributes:
        source: the file.
        title: the framework.
        importer: the importer's name.
        taken: the keys, each with where it comes from.
        assumed: sentences on what was assumed.
    """

    source: Source
    title: str
    importer: str
    taken: tuple[Taken, ...]
    assumed: tuple[str, ...]

    @property
    def keys(self) -> dict[str, Any]:
        """The keys of the schedule file."""
        return {taken.key: taken.value for taken in self.taken}


class Draft:
    """Reads the values of a source, typed, and collects the keys of a schedule.

    A method that reads returns ``None``, or the default, for a key that is missing or null; a default is noted among
    the assumptions. Every value of a wrong type is a `ConfigError` with its line.
    """

    def __init__(self, source: Source, title: str, answers: Mapping[str, Any]) -> None:
        """Begin without keys.

        Args:
            source: what is imported.
            title: the framework, for sentences.
            answers: what options give, by the key of a schedule; see `OPTIONS`.
        """
        self.source = source
        self.title = title
        self._answers = dict(answers)
        self._taken: dict[str, Taken] = {}
        self._assumed: dict[str, None] = {}

    def number(self, path: str, default: float | None = None) -> Any:
        """Return the finite number at `path`; a text such as ``1e-4``, as YAML 1.1 reads it, is one too."""
        value = self.source.get(path)
        if value is None:
            return self._default(path, default)
        if isinstance(value, str):
            value = _number(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise self.error(path, "must be a finite number")
        return value

    def count(self, path: str, default: int | None = None) -> Any:
        """Return the whole number at `path`, which is not negative; ``1e5`` is one too."""
        value = self.number(path, default)
        if value is None or value == default:
            return value
        if value < 0 or int(value) != value:
            raise self.error(path, "must be a whole number that is not negative")
        return int(value)

    def text(self, path: str, default: str | None = None) -> Any:
        """Return the text at `path`."""
        value = self.source.get(path)
        if value is None:
            return self._default(path, default)
        if not isinstance(value, str):
            raise self.error(path, "must be a string")
        return value

    def flag(self, path: str, default: bool | None = None) -> Any:
        """Return the boolean at `path`."""
        value = self.source.get(path)
        if value is None:
            return self._default(path, default)
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if not isinstance(value, bool):
            raise self.error(path, "must be true or false")
        return value

    def table(self, path: str, known: Collection[str]) -> Mapping[str, Any]:
        """Return the table at `path`, empty where there is none; a key that is not `known` is refused."""
        value = self.source.get(path)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self.error(path, "must be a table")
        for key, inner in value.items():
            if key not in known and inner is not None:
                raise self.error(f"{path}.{key}", f"is not known to this importer{did_you_mean(str(key), known)}")
        return value

    def error(self, path: str, message: str) -> ConfigError:
        """Return the error that the value at `path` makes, with file and line."""
        return self.source.error(path, message)

    def read_command(self, is_meant: Callable[[Command], bool], flags: Flags, program: str) -> None:
        """Let the arguments of a command take the place of the script, which is the source.

        Args:
            is_meant: returns whether a command is the one with the schedule.
            flags: those of the command that are read.
            program: whose flags these are, for sentences.

        Raises:
            ConfigError: none or several commands are meant, or a flag cannot be read.
        """
        self.source, notes = read_command(self.source, is_meant, flags, program)
        for note, line in notes.items():
            self.assume(f"{note} (line {line})")

    def put(self, key: str, value: Any, *paths: str) -> None:
        """Set `key` of the schedule to `value`, which comes from the source's values at `paths`."""
        present = tuple(path for path in paths if self.source.has(path))
        lines = tuple(dict.fromkeys(line for path in present if (line := self.source.line(path))))
        self._taken[key] = Taken(key, value, present, lines)

    def assume(self, sentence: str) -> None:
        """Record an assumption, as a sentence without its full stop."""
        self._assumed[sentence] = None

    def ask(self, key: str, why: str) -> Any:
        """Return what the option of `key` gives.

        Raises:
            ConfigError: the option is not given; the text has `why` it is needed.
        """
        if key not in self._answers:
            raise ConfigError(str(self.source.path), [Problem("", f"{why}; give it with {OPTIONS[key]}")])
        self.assume(f"{key} is given with {OPTIONS[key]}")
        return self._answers.pop(key)

    def finish(self, importer: str) -> Imported:
        """Return what was collected.

        Raises:
            ConfigError: an option gives what the source gives too, or what has no effect.
        """
        for key in self._answers:
            taken = self._taken.get(key)
            fault = "is not needed for this source; leave it out, or change a value of the source with --set"
            if taken is not None and taken.paths:
                where = f" on line {taken.lines[0]}" if taken.lines else ""
                fault = (
                    f"is given, and {self.source.path} has {taken.paths[0]}{where}; use --set {taken.paths[0]}=VALUE"
                )
            raise ConfigError(OPTIONS[key], [Problem("", fault)])
        return Imported(self.source, self.title, importer, tuple(self._taken.values()), tuple(self._assumed))

    def _default(self, path: str, default: Any) -> Any:
        if default is not None:
            self.assume(f"{path} is not given, and is {_written(default)} by default in {self.title}")
        return default


def _number(text: str) -> float | int | None:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return None


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
