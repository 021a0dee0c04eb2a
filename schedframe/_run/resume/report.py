"""What a load does, and how it is told: one screen, with both values before and after."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schedframe._errors import StateError
from schedframe._plan.evaluate import finite_values
from schedframe._plan.plan import NAMES, Parent, Plan, fingerprint
from schedframe._plan.rule import DEFAULT, key_of
from schedframe._run.policy import Policy


@dataclass(frozen=True)
class Decision:
    """What a load does.

    Attributes:
        policy: what was asked for.
        position: the scheduler's count to go to.
        plan: what counts from there on.
        declared: what this run said.
        saved: what the checkpoint says; ``None`` where that cannot be evaluated here, and need not be.
        handed_over: the checkpoint is of the parent that this schedule declares.
        rows: what is not the same in the checkpoint and in this run.
    """

    policy: Policy
    position: float
    plan: Plan
    declared: Plan
    saved: Plan | None
    handed_over: bool
    rows: tuple["Row", ...]


@dataclass(frozen=True)
class Row:
    """A key that is not the same in the checkpoint and in this run, as both say it."""

    key: str
    saved: str
    declared: str


def report(decision: Decision, came_from: float) -> str:
    """Say on one screen what a load did: position, policy, what is not the same, both values before and after.

    Args:
        decision: what was decided.
        came_from: the scheduler's count before the load.
    """
    counts = f"policy {decision.policy}"
    if decision.handed_over:
        counts += ", from the declared parent to this schedule"
    lines = [f"resumed at step {decision.position}, was at {came_from}; {counts}"]
    for what, was, now in _values(decision):
        lines.append(f"  {what}: {was} in the checkpoint, {now} now")
    if not decision.rows:
        return "\n".join([*lines, "  the schedule is the checkpoint's"])
    header = ("", "checkpoint", "this run", "counts")
    rows = [(row.key, row.saved, row.declared, _winner(row, decision)) for row in decision.rows]
    return "\n".join([*lines, *_table([header, *rows])])


def refusal(decision: Decision, parent: Parent | None) -> str:
    """Say why the policy strict refuses what would have been decided, with all differences and what to do."""
    position = decision.position
    rows = [(row.key, row.saved, row.declared) for row in decision.rows]
    values = [(f"{what} at step {position}", was, now) for what, was, now in _values(decision)]
    lines = [
        "the checkpoint's schedule is not this run's, and the policy is strict:",
        *_table([("", "checkpoint", "this run"), *rows, *values]),
    ]
    if parent is not None and decision.saved is not None:
        lines.append(
            f"This schedule continues {parent.fingerprint} from step {parent.step}; "
            f"the checkpoint is of {fingerprint(decision.saved)} at step {position}."
        )
    keys = ", ".join(dict.fromkeys(row.key.split(".")[0] for row in decision.rows))
    lines.append(
        "Make the two the same, or say which counts: the checkpoint's (resume: checkpoint, or "
        "use_checkpoint_opt_param_scheduler), this run's (resume: override, or override_opt_param_scheduler), or "
        f"this run's in these keys alone (resume: {{policy: strict, override: [{keys}]}}). For a cooldown, a longer "
        "run or a new warm-up, schedframe branch, extend and rewarm write the file that continues the old one"
    )
    return "\n".join(lines)


def _values(decision: Decision) -> Iterator[tuple[str, str, str]]:
    """Yield learning rate and weight decay at the position, in the checkpoint's schedule and in what counts.

    Of the roles of rules, what is not the same.
    """
    sides = [{} if plan is None else plan.roles() for plan in (decision.saved, decision.plan)]
    for role in {DEFAULT: None, **sides[1]}:
        before, after = (_shown(side.get(role), decision.position) for side in sides)
        for what, was, now in zip(("learning rate", "weight decay"), before, after, strict=True):
            if role == DEFAULT:
                yield what, was, now
            elif was != now:
                yield f"{what} of {role}", was, now


def _shown(plan: Plan | None, position: float) -> tuple[str, str]:
    if plan is None:
        return "unknown", "unknown"
    if position < plan.start_step:
        return "none yet", "none yet"
    try:
        lr, wd = finite_values(plan, position)
    except StateError:
        return "unknown", "unknown"
    return str(lr), "left alone" if wd is None else str(wd)


def _winner(row: Row, decision: Decision) -> str:
    name = next(name for name in NAMES if key_of(name) == row.key.split(".")[0])
    return "this run" if getattr(decision.plan, name) == getattr(decision.declared, name) else "checkpoint"


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Lines of `rows` in aligned columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]  # noqa: B905
