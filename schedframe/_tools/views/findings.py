"""The findings of several files as data: JSON, GitHub's annotations, SARIF."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from schedframe._version import __version__
from schedframe.lint._rule import Finding, Rule

LOADING = Rule("SF000", "not-loadable", "error", lambda context: ())
"""What stands for a problem that keeps a file from being loaded."""


class Report(NamedTuple):
    """What is known of one file.

    Attributes:
        file: as it was named; ``<stdin>`` for standard input.
        schedule: in one line; empty where the file cannot be loaded.
        findings: the worst first within a line.
        notes: what is worth knowing about the file itself.
    """

    file: str
    schedule: str
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @property
    def is_loaded(self) -> bool:
        """Whether the file declares a schedule."""
        return bool(self.schedule)

    def count(self, severity: str) -> int:
        """Return the number of findings of `severity`."""
        return sum(finding.severity == severity for finding in self.findings)


def as_data(reports: Iterable[Report]) -> dict[str, Any]:
    """Return `reports` as plain data for JSON."""
    files = [
        {
            "file": report.file,
            "ok": report.is_loaded,
            "schedule": report.schedule or None,
            "findings": [asdict(finding) for finding in report.findings],
            "notes": list(report.notes),
        }
        for report in reports
    ]
    return {"files": files}


_GITHUB = {"error": "error", "warning": "warning", "note": "notice"}


def as_github(reports: Iterable[Report]) -> list[str]:
    """Return `reports` as the workflow commands of GitHub Actions, which annotate lines of a pull request.

    The syntax is that of docs.github.com/actions/reference/workflow-commands-for-github-actions.
    """
    lines = []
    for report in reports:
        for finding in report.findings:
            place = {
                "file": finding.file or report.file,
                "line": finding.line,
                "title": f"{finding.code} {finding.name}",
            }
            properties = ",".join(f"{key}={_escaped(str(value), ',:')}" for key, value in place.items() if value)
            lines.append(f"::{_GITHUB[finding.severity]} {properties}::{_escaped(finding.sentence)}")
    return lines


def _escaped(text: str, also: str = "") -> str:
    for character in "%\r\n" + also:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def as_sarif(reports: Sequence[Report], rules: Iterable[Rule]) -> dict[str, Any]:
    """Return `reports` in SARIF 2.1.0 (docs.oasis-open.org/sarif/sarif/v2.1.0), which code hosts read."""
    described = [
        {
            "id": rule.code,
            "name": rule.name,
            "shortDescription": {"text": rule.summary or "The file declares no schedule."},
            "defaultConfiguration": {"level": rule.severity},
        }
        for rule in (LOADING, *rules)
    ]
    results = [
        {
            "ruleId": finding.code,
            "level": finding.severity,
            "message": {"text": finding.sentence},
            "locations": [{"physicalLocation": _location(finding, report)}],
        }
        for report in reports
        for finding in report.findings
    ]
    driver = {"name": "schedframe", "version": __version__, "rules": described}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _location(finding: Finding, report: Report) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": Path(finding.file or report.file).as_posix()}}
    if finding.line:
        location["region"] = {"startLine": finding.line}
    return location
