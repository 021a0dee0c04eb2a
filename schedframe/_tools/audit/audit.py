"""What runs logged against what a schedule specifies."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from schedframe._errors import LogError
from schedframe._files.logs.formats import READABLE
from schedframe._files.logs.record import Progress, Shown
from schedframe._plan.rule import DEFAULT
from schedframe._schedule.schedule import Schedule
from schedframe._tools.audit.causes import Cause, cause_of
from schedframe._tools.audit.comparison import Comparison, Difference, compare
from schedframe._tools.audit.expected import curve_of, plan_of
from schedframe._tools.audit.points import Logged, Read, Restart, read_all

_COARSE = 3
"""A log with fewer significant digits is noted."""


@dataclass(frozen=True)
class Verdict:
    """What an audit found about one number.

    Attributes:
        quantity: ``lr`` or ``wd``.
        compared: how many iterations were compared.
        different: at how many of them the logged value is not the schedule's.
        shown: ``next`` where the log has at an iteration the value of the next update, ``own`` where it has that of
            the update itself.
        digits: how many significant digits the log has; 0 where it is not rounded.
        repeated: how many values were replaced by later ones of the same iteration.
        first: the first difference; ``None`` where there is none.
        worst: the largest difference.
        cause: the likely one.
    """

    quantity: str
    compared: int
    different: int
    shown: Shown
    digits: int
    repeated: int
    first: Difference | None
    worst: Difference | None
    cause: Cause | None


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        schedule: the schedule.
        role: of the param groups whose values were expected.
        logs: what was read.
        restarts: where a log goes back to an earlier iteration, or another log begins.
        verdicts: one for each number that is logged and scheduled.
        notes: what is worth knowing about the logs.
        comparisons: the values themselves, in the order of `verdicts`.
    """

    schedule: Schedule
    role: str
    logs: list[Read]
    restarts: list[Restart]
    verdicts: list[Verdict]
    notes: list[str]
    comparisons: list[Comparison]

    @property
    def differs(self) -> bool:
        """Whether a logged value is not the schedule's."""
        return any(verdict.different for verdict in self.verdicts)


def audit(
    schedule: Schedule,
    paths: Iterable[str | Path],
    *,
    role: str = DEFAULT,
    progress: Progress = lambda size: None,
) -> Audit:
    """Compare what a run logged with what `schedule` specifies.

    Megatron-LM logs at iteration n the learning rate that the next update, n + 1, gets: ``train_step`` steps the
    scheduler behind the optimizer, and ``train`` reads the learning rate behind that, of the first param group with
    ``default_config`` (NVIDIA/Megatron-LM:megatron/training/training.py and megatron/core/optimizer_param_scheduler.py
    at core_v0.19.2). transformers' Trainer logs the one that update n had. Where a format does not show who wrote it,
    both are tried, and the one with fewer differences is used.

    A difference is what the digits of the log and 32-bit floats do not explain. The last value of an iteration counts.

    Args:
        schedule: the schedule.
        paths: logs of one run, in the order in which it wrote them: what Megatron-LM prints, TensorBoard's event files,
            JSON Lines, CSV, ``trainer_state.json``.
        role: of the param groups whose values are logged.
        progress: is called with the number of bytes that were read since the last call.

    Raises:
        LogError: a log cannot be read, has no values, or has iterations that cannot be converted.
        ValueError: there is no such role.
        PluginError: a style fails at a step of the log.
        StateError: `init_lr` is ``current``, and the log has values of the warmup.
    """
    plan_of(schedule, role)
    files = [Path(path) for path in paths]
    logged = read_all(files, progress)
    names = ", ".join(map(str, files))
    if not any(points.values for points in logged.points.values()):
        raise LogError(f"{names}: no iteration with a learning rate or a weight decay was found; {READABLE}")
    comparisons = []
    for quantity, points in logged.points.items():
        curve = curve_of(schedule, quantity, role)
        if points.values and curve is not None:
            comparisons.append(compare(schedule, role, quantity, points, curve))
    verdicts = [_verdict(comparison, logged.restarts) for comparison in comparisons]
    if not any(verdict.compared for verdict in verdicts):
        raise LogError(f"{names}: nothing that is logged is scheduled, or all of it lies before start_step")
    notes = [*_notes(logged), *(note for one in comparisons for note in _notes_of(one))]
    return Audit(schedule, role, logged.logs, logged.restarts, verdicts, notes, comparisons)


def _verdict(comparison: Comparison, restarts: list[Restart]) -> Verdict:
    points = comparison.points
    first = worst = cause = None
    if comparison.bad:
        first = comparison.difference(comparison.bad[0])
        largest = max(comparison.bad, key=lambda index: abs(points.values[index] - comparison.expected[index]))
        worst, cause = comparison.difference(largest), cause_of(comparison, restarts)
    return Verdict(
        comparison.quantity,
        comparison.compared,
        len(comparison.bad),
        comparison.shown,
        points.significant,
        points.repeated,
        first,
        worst,
        cause,
    )


def _notes(logged: Logged) -> list[str]:
    unreadable = [log for log in logged.logs if log.unreadable]
    return [f"{log.path}: {log.unreadable} values were not compared, because they are not finite" for log in unreadable]


def _notes_of(comparison: Comparison) -> list[str]:
    digits, before = comparison.points.significant, len(comparison.expected) - comparison.compared
    notes = []
    if 0 < digits < _COARSE:
        seen = "digit" if digits == 1 else "digits"
        notes.append(f"{comparison.quantity} is logged with {digits} {seen}: smaller differences are not detected")
    if before:
        notes.append(f"{before} iterations lie before start_step and were not compared")
    return notes


def as_data(found: Audit) -> dict[str, Any]:
    """Return `found` as plain data for JSON."""
    return {
        "differs": found.differs,
        "role": found.role,
        "logs": [{**log._asdict(), "path": str(log.path)} for log in found.logs],
        "restarts": [{**restart._asdict(), "path": str(restart.path)} for restart in found.restarts],
        "verdicts": [asdict(verdict) for verdict in found.verdicts],
        "notes": found.notes,
    }
