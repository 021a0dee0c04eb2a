"""Every error that schedframe raises on purpose.

::

    SchedframeError
    ├── ConfigError (ValueError)         a schedule, or an optimizer that contradicts it; all problems at once
    ├── UnknownStyleError (LookupError)  no installed style has this name
    ├── StyleConflictError               more than one distribution claims this name
    ├── StyleLoadError                   the style is installed, but cannot be imported or used
    ├── PluginError                      a plugin, what --import names, or a SCHEDFRAME_ variable is at fault
    ├── StateError (ValueError)          a checkpoint's state, a position or a group's bound cannot be used
    ├── LogError (ValueError)            a run's log cannot be read, or not be compared with a schedule
    ├── ForesightError (ValueError)      a loss cannot be predicted, with every reason
    ├── RankMismatchError                the ranks of a run do not run the same schedule from the same plugins
    └── UnknownMegatronError             Megatron-LM is not installed, or the launcher does not know its version

    SchedframeWarning (UserWarning)      the run continues, but something is probably a mistake
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

FAILURES = (Exception, SystemExit)
"""How code of a plugin may fail: it may also try to end the program, whose exit code is then meaningless."""


class SchedframeError(Exception):
    """Base of every error that schedframe raises on purpose."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a schedule.

    Attributes:
        path: dotted path of the key, ``lr_decay_style.beta``; empty for the schedule as a whole.
        message: what is wrong and what to do, as a sentence without its subject.
        value: the offending value as it was given, written out; empty where there is none to show.
        line: line in the file, from 1; ``None`` where the schedule is not from a file.
        error: the error behind it, for example an `UnknownStyleError`.
        file: the extended file in which the line stands; empty for the file that was read.
        note: what helps with several problems of one kind, such as the known keys; an error's text has it once.
    """

    path: str
    message: str
    value: str = ""
    line: int | None = None
    error: Exception | None = None
    file: str = ""
    note: str = ""

    def __str__(self) -> str:
        """The problem as one line of an error text."""
        subject = f"{self.path} = {self.value}" if self.path and self.value else self.path
        line = f"line {self.line}{f' of {self.file}' if self.file else ''}" if self.line else ""
        where = ", ".join(part for part in (line, subject) if part)
        return f"{where}: {self.message}" if where else self.message


class ConfigError(SchedframeError, ValueError):
    """A schedule cannot be used; every problem found is in the text.

    Attributes:
        problems: one `Problem` for each thing that is wrong, in the order of the file.
        errors: the errors behind the problems that have one, for example `UnknownStyleError`.
        where: the file, or what else the schedule came from.
    """

    def __init__(self, where: str, problems: Iterable[Problem]) -> None:
        """Keep `problems`, in the order of their lines."""
        self.where = where
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.file, problem.line or 0)))
        self.errors = tuple(problem.error for problem in self.problems if problem.error is not None)
        super().__init__(where, self.problems)

    def __str__(self) -> str:
        """All problems, one a line, and each of their notes once."""
        notes = [f"\n{note}" for note in dict.fromkeys(problem.note for problem in self.problems) if note]
        if len(self.problems) == 1:
            return "".join([f"{self.where}: {self.problems[0]}", *notes])
        listed = [f"\n  {problem}" for problem in self.problems]
        return "".join([f"{self.where} has {len(self.problems)} problems:", *listed, *notes])


class UnknownStyleError(SchedframeError, LookupError):
    """No installed style has the requested name."""


class StyleConflictError(SchedframeError):
    """More than one distribution provides the requested name."""


class StyleLoadError(SchedframeError):
    """The requested style cannot be imported, or is not a style."""


class PluginError(SchedframeError):
    """An installed plugin is at fault, or what ``--import`` or one of schedframe's variables names."""


class StateError(SchedframeError, ValueError):
    """A checkpoint's state, an increment, a position or a group's bound cannot be used; nothing is changed."""


class LogError(SchedframeError, ValueError):
    """A run's log cannot be read, or not be compared with a schedule."""


class ForesightError(SchedframeError, ValueError):
    """A loss cannot be predicted from these runs, or not for this schedule; every reason is in the text.

    Attributes:
        reasons: one for each thing that is in the way, with `name`, `subject` and `sentence`.
    """

    def __init__(self, reasons: Iterable[Any]) -> None:
        """Keep the `reasons`."""
        self.reasons = tuple(reasons)
        super().__init__(*self.reasons)

    def __str__(self) -> str:
        """All reasons, one a line."""
        return "\n".join(map(str, self.reasons))


class RankMismatchError(SchedframeError):
    """The ranks of a run do not run the same schedule from the same plugins; the text is the same on each."""


class UnknownMegatronError(SchedframeError):
    """Megatron-LM cannot be imported, or lacks what the launcher replaces in it."""


class SchedframeWarning(UserWarning):
    """A schedule or a run is valid, but is probably a mistake."""


def dotted(parts: Iterable[str]) -> str:
    """Join keys to a path; an empty key is written as two quotes."""
    return ".".join(part or "''" for part in parts)


_LONGEST_NAME = 200


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``"; did you mean 'cosine'?"`` for the nearest of `known`, or an empty string."""
    folded: dict[str, str] = {}
    for candidate in known:
        folded.setdefault(_folded(candidate), candidate)
    near = get_close_matches(_folded(name), folded, n=1) if len(name) <= _LONGEST_NAME else []
    return f"; did you mean {folded[near[0]]!r}?" if near else ""


def _folded(name: str) -> str:
    return name.lower().replace("_", "-")


def written(value: Any) -> str:
    """Return `value` short enough for one line of an error."""
    try:
        text = "{" + ", ".join(map(str, value)) + "}" if isinstance(value, Mapping) else repr(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 60 else f"{text[:57]}..."
