"""A rule of the linter, and what it finds."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from schedframe._plan.rule import DEFAULT

if TYPE_CHECKING:
    from schedframe.lint._context import RuleContext

Severity = Literal["error", "warning", "note"]
"""Severity: an error is certainly a mistake, a warning is probably one, a note is information."""

SEVERITIES = get_args(Severity)
"""The severities, the worst first."""


class Found(NamedTuple):
    """One thing that a rule has found.

    Attributes:
        path: dotted path of the key; empty for the schedule as a whole.
        message: what is wrong, as a sentence whose subject is the key.
        fix: what to write instead, as an imperative; empty where that depends on what is meant.
        step: where on the schedule, in steps from its own step 0; ``None`` for nowhere in particular.
        role: the role of the param groups whose curve it is.
        severity: of this one; by default the rule's.
        value: written out; by default the key's value as it was given.
    """

    path: str
    message: str
    fix: str = ""
    step: float | None = None
    role: str = DEFAULT
    severity: Severity | None = None
    value: str = ""


@dataclass(frozen=True)
class Finding:
    """A probable mistake in a schedule, with its place and its remedy.

    Attributes:
        code: the rule's code, ``SF101``.
        name: the rule's name, ``length-below-one-step``.
        severity: ``error``, ``warning`` or ``note``.
        message: what is wrong, as a sentence whose subject is the key.
        fix: what to write instead; empty where that depends on what is meant.
        path: dotted path of the key; empty for the schedule as a whole.
        value: the key's value, written out; empty where there is none.
        step: the scheduler's count, from the start of the run; ``None`` for nowhere in particular.
        units: the same position in every unit that is known, the clock's own first.
        role: the role of the param groups whose curve it is.
        source: the plugin whose rule it is; empty for schedframe's own.
        file: the file in which the key stands; empty where the schedule is not from a file.
        line: its line, from 1; ``None`` where the schedule is not from a file.
    """

    code: str
    name: str
    severity: Severity
    message: str
    fix: str = ""
    path: str = ""
    value: str = ""
    step: float | None = None
    units: Mapping[str, float] = field(default_factory=dict)
    role: str = DEFAULT
    source: str = ""
    file: str = ""
    line: int | None = None

    @property
    def sentence(self) -> str:
        """The message with the key, its value, the param groups and the position: one line."""
        subject = f"{self.path} = {self.value}: " if self.path and self.value else f"{self.path}: " if self.path else ""
        role = f" (param groups {self.role})" if self.role != DEFAULT else ""
        return f"{subject}{self.message}{role}{f'; {self.fix}' if self.fix else ''}"

    def __str__(self) -> str:
        """The finding as one line: where, code, severity, sentence."""
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: " if self.file else ""
        return f"{place}{self.code} {self.severity}: {self.sentence}"


Check = Callable[["RuleContext"], Iterable[Found]]


@dataclass(frozen=True)
class Rule:
    """A rule of the linter.

    Attributes:
        code: letters and digits, ``SF101``; those that begin with ``SF`` are schedframe's own.
        name: lower-case words with hyphens.
        severity: of its findings, unless one has its own.
        check: yields what it finds.
        bad: a config in YAML in which it finds something; empty where only a faulty style or an optimizer shows it.
        good: the same config, repaired.
    """

    code: str
    name: str
    severity: Severity
    check: Check
    bad: str = ""
    good: str = ""

    @property
    def explanation(self) -> str:
        """What the rule finds, and why that is a mistake: the docstring of its function."""
        return inspect.getdoc(self.check) or ""

    @property
    def summary(self) -> str:
        """The first sentence of the explanation."""
        return self.explanation.partition("\n")[0]


def rule(code: str, name: str, severity: Severity, *, bad: str = "", good: str = "") -> Callable[[Check], Rule]:
    """Return a decorator that makes a rule of a function; its docstring is the rule's explanation.

    Args:
        code: letters, then digits, such as ``ACME01``.
        name: lower-case words with hyphens.
        severity: of its findings, unless one has its own.
        bad: a config in YAML in which the rule finds something; empty where no config alone shows it.
        good: the same config, repaired.
    """
    return lambda check: Rule(code, name, severity, check, bad, good)
