"""What is wrong with one config, and probably wrong: what keeps it from loading, or what lint rules find."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from schedframe._errors import ConfigError, Problem, SchedframeError
from schedframe._files.config.document import Document
from schedframe._schedule.schedule import Schedule, declare
from schedframe._tools.views.findings import LOADING
from schedframe.lint._rule import SEVERITIES, Finding


class Examined(NamedTuple):
    """What is known of a config.

    Attributes:
        schedule: what it declares; ``None`` where it cannot be loaded.
        findings: in the order of their lines, the worst first within a line.
        notes: what is worth knowing about the file itself.
    """

    schedule: Schedule | None
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]


def examine(
    name: str, read: Callable[[], Document], *, select: Iterable[str] = (), ignore: Iterable[str] = ()
) -> Examined:
    """Return what is known of the config that `read` returns; an error of schedframe's is a finding too.

    Args:
        name: what findings without a file of their own are reported for.
        read: returns the document; it may raise `ConfigError`.
        select: only these rules, as `Schedule.findings` takes them.
        ignore: no rules with these.
    """
    document = None
    try:
        document = read()
        schedule = declare(document)
        findings = schedule.findings(select=select, ignore=ignore)
    except ConfigError as error:
        notes = dict.fromkeys(problem.note for problem in error.problems if problem.note)
        found = tuple(_unloadable(name, problem) for problem in error.problems)
        return Examined(None, found, (*notes, *_notes(document)))
    except SchedframeError as error:
        return Examined(None, (_unloadable(name, Problem("", str(error))),), _notes(document))
    findings.sort(key=lambda finding: (finding.line or 0, SEVERITIES.index(finding.severity)))
    return Examined(schedule, tuple(findings), _notes(document))


def _unloadable(name: str, problem: Problem) -> Finding:
    return Finding(
        LOADING.code,
        LOADING.name,
        LOADING.severity,
        problem.message,
        path=problem.path,
        value=problem.value,
        file=problem.file or name,
        line=problem.line,
    )


def _notes(document: Document | None) -> tuple[str, ...]:
    if document is None or document.ends_cleanly or document.path.suffix.lower() == ".json":
        return ()  # JSON that can be read is whole
    return ("does not end with a newline; it may be truncated",)
