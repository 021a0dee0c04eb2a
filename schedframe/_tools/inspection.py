"""What is known about a checkpoint's scheduler, alone and beside a schedule."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schedframe._errors import StateError
from schedframe._files import checkpoint as _checkpoint
from schedframe._files.checkpoint import Checkpoint
from schedframe._plan.evaluate import finite_values, values_by_role
from schedframe._plan.plan import Plan
from schedframe._plugins import hooks as _hooks
from schedframe._plugins.source import Source
from schedframe._run.policy import POLICIES
from schedframe._run.resume.decide import decide, plan_of
from schedframe._run.resume.read import Saved, read
from schedframe._run.resume.report import Load, Row
from schedframe._schedule.schedule import Schedule, load


@dataclass(frozen=True)
class Outcome:
    """What resuming by one policy does; `refusal` is the reason where it is refused."""

    policy: str
    decision: Load | None
    refusal: str


@dataclass(frozen=True)
class Inspection:
    """A checkpoint's scheduler.

    Attributes:
        checkpoint: what the file holds.
        saved: what its state contains.
        lr: the learning rate there, between the scheduler's own bounds; ``None`` where it is not known.
        wd: the weight decay there; ``None`` where it is not scheduled, or not known.
        plan: the checkpoint's schedule; ``None`` where it is not known.
        unknown: why something is not known; empty where everything is.
        file: the schedule's file; ``None`` where none was given.
        schedule: the schedule beside which the checkpoint is looked at.
        outcomes: what resuming with it does, for every policy.
        notes: what a load would warn about.
    """

    checkpoint: Checkpoint
    saved: Saved
    lr: float | None
    wd: float | None
    plan: Plan | None
    unknown: str
    file: Path | None
    schedule: Schedule | None
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...]

    @property
    def is_refused(self) -> bool:
        """Whether resuming with the schedule's own policy would be refused."""
        policy = None if self.schedule is None else self.schedule.resume.policy
        return any(outcome.policy == policy and outcome.decision is None for outcome in self.outcomes)

    @property
    def differences(self) -> tuple[Row, ...] | None:
        """The differences between the checkpoint and the file; ``None`` where they cannot be determined."""
        return next((outcome.decision.rows for outcome in self.outcomes if outcome.decision is not None), None)


def look_at(path: Path, file: Path | None) -> Inspection:
    """Return what is known about the checkpoint at `path`, beside the schedule in `file` if there is one.

    Raises:
        StateError: there is no scheduler's state that can be read.
        ConfigError: `file` does not declare a schedule.
    """
    checkpoint = _checkpoint.read(path)
    saved = read(_hooks.translate_state(checkpoint.state))
    schedule = load(file) if file is not None else None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        outcomes = tuple(_outcomes(saved, schedule)) if schedule is not None else ()
    notes = tuple(dict.fromkeys(str(warning.message) for warning in caught))
    plan, lr, wd, unknown = None, None, None, ""
    try:
        decisions = (outcome.decision for outcome in outcomes if outcome.decision is not None)
        plan = next((decision.saved for decision in decisions if decision.saved is not None), None) or plan_of(saved)
        lr, wd = finite_values(plan, saved.num_steps)
    except StateError as error:
        unknown = str(error)
    return Inspection(checkpoint, saved, lr, wd, plan, unknown, file, schedule, outcomes, notes)


def as_data(inspection: Inspection) -> dict[str, Any]:
    """Return everything as plain data, with exact values."""
    saved, checkpoint = inspection.saved, inspection.checkpoint
    data: dict[str, Any] = {
        "file": str(checkpoint.path),
        "format": checkpoint.format,
        "slot": checkpoint.slot,
        "iteration": checkpoint.iteration,
        "num_steps": saved.num_steps,
        "lr": inspection.lr,
        "wd": inspection.wd,
        **_roles(inspection),
        "unknown": inspection.unknown,
        "schedule": {
            **saved.numbers,
            "lr_warmup_style": saved.numbers["lr_warmup_style"].model_dump(),
            "lr_decay_style": saved.lr.table,
            "wd_incr_style": saved.wd.table if saved.wd else None,
            "groups": None if saved.groups is None else [dict(rule.table) for rule in saved.groups],
        },
        "written_by": "Megatron" if saved.by_megatron else "schedframe",
        "doubt": saved.doubt,
        "fingerprint": saved.fingerprint,
        "sources": {path: str(source) for path, source in sources(saved).items()},
        "groups": checkpoint.groups,
        "groups_note": checkpoint.groups_note,
    }
    if inspection.schedule is not None:
        rows = inspection.differences
        data["with"] = {
            "file": str(inspection.file),
            "resume": inspection.schedule.resume.policy,
            "differences": rows and [{"key": row.key, "checkpoint": row.saved, "file": row.declared} for row in rows],
            "policies": {outcome.policy: _outcome_as_data(outcome) for outcome in inspection.outcomes},
            "notes": list(inspection.notes),
        }
    return data


def _roles(inspection: Inspection) -> dict[str, Any]:
    if inspection.plan is None or not inspection.plan.groups:
        return {}
    values = values_by_role(inspection.plan, inspection.saved.num_steps)
    return {"roles": {role: {"lr": lr, "wd": wd} for role, (lr, wd) in values.items()}}


def sources(saved: Saved) -> dict[str, Source]:
    """Return where the styles of a state came from, by dotted path."""
    styles = [style for style in (saved.lr, saved.wd) if style is not None]
    styles += [style for rule in saved.groups or () for style in rule.styles.values()]
    return {path: source for style in styles for path, source in style.sources.items()}


def _outcomes(saved: Saved, schedule: Schedule) -> Iterator[Outcome]:
    for policy in POLICIES:
        override = schedule.resume.override if policy == schedule.resume.policy else ()
        try:
            decision = decide(saved, schedule.plan, policy=policy, override=override, parent=schedule.parent)
        except StateError as error:
            yield Outcome(policy, None, str(error))
        else:
            yield Outcome(policy, decision, "")


def _outcome_as_data(outcome: Outcome) -> dict[str, Any]:
    if outcome.decision is None:
        return {"refused": outcome.refusal}
    lr, wd = finite_values(outcome.decision.plan, outcome.decision.position)
    return {"lr": lr, "wd": wd, "from_parent": outcome.decision.handed_over}
