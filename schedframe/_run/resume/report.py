"""Writes what a load does, or why it is refused, with the values of both schedules."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schedframe._errors import StateError
from schedframe._plan.evaluate import finite_values
from schedframe._plan.plan import NAMES, Parent, Plan, fingerprint
from schedframe._plan.rule import DEFAULT, key_of
from schedframe._run.policy import Policy

_CLOSE = 1e-9


@dataclass(frozen=True)
class Load:
    """What a load does.

    Attributes:
        policy: the policy of the load.
        position: the scheduler's count to go to.
        plan: the plan that is used from there on.
        declared: this run's plan.
        saved: the checkpoint's plan; ``None`` where that cannot be resolved here, and need not be.
        handed_over: whether the checkpoint was written by the declared parent schedule.
        rows: what differs between the checkpoint and this run.
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
    """A key that differs between the checkpoint and this run, with both values."""

    key: str
    saved: str
    declared: str


def report(load: Load, came_from: float) -> str:
    """Return what a load did: position, policy, differences, learning rate and weight decay before and after."""
    policy = f"policy {load.policy}"
    source = f"continued from the parent schedule ({policy})" if load.handed_over else policy
    lines = [f"resumed at step {load.position}, was at {came_from}; {source}"]
    lines += [f"  {what}: {was} in the checkpoint, {now} now" for what, was, now in _values(load)]
    if not load.rows:
        return "\n".join([*lines, "  the schedule is the checkpoint's"])
    header = ("", "checkpoint", "this run", "used")
    rows = [(row.key, row.saved, row.declared, _winner(row, load)) for row in load.rows]
    return "\n".join([*lines, *_table([header, *rows])])


def refusal(load: Load, parent: Parent | None) -> str:
    """Return why the policy strict refuses the load, with all differences and what to do."""
    position = load.position
    rows = [(row.key, row.saved, row.declared) for row in load.rows]
    values = [(f"{what} at step {position}", was, now) for what, was, now in _values(load)]
    lines = [
        "the checkpoint's schedule is not this run's, and the policy is strict:",
        *_table([("", "checkpoint", "this run"), *rows, *values]),
    ]
    if parent is not None and load.saved is not None:
        lines.append(
            f"This schedule continues {parent.fingerprint} from step {parent.step}; "
            f"the checkpoint is of {fingerprint(load.saved)} at step {position}."
        )
    lines += _cause(load)
    keys = ", ".join(dict.fromkeys(row.key.split(".")[0] for row in load.rows))
    lines.append(
        "Make the two the same, or choose which one is used: the checkpoint's (resume: checkpoint, or "
        "use_checkpoint_opt_param_scheduler), this run's (resume: override, or override_opt_param_scheduler), or "
        f"this run's in these keys alone (resume: {{policy: strict, override: [{keys}]}}). For a cooldown, a longer "
        "run or a new warmup, schedframe branch, extend and rewarm write the file that continues the old one"
    )
    return "\n".join(lines)


def _cause(load: Load) -> Iterator[str]:
    """Yield what moves all lengths at once, where two or more differ by one factor; `wd_incr_steps` follows others."""
    factors = [factor for row in load.rows if (factor := _factor(row)) is not None]
    if len(factors) > 1 and max(factors) - min(factors) < _CLOSE * max(factors):
        yield (
            f"Each length that differs is {factors[0]:g} times the checkpoint's: the batch size changed, which moves "
            f"every length given in iterations, or the length of the run, which moves every percentage."
        )


def _factor(row: Row) -> float | None:
    """Return how many times the checkpoint's length this run's is; ``None`` where `row` is not about a length."""
    option = row.key.rpartition(".")[2]
    if not option.endswith("_steps") or option == "wd_incr_steps":
        return None
    try:
        return float(row.declared) / float(row.saved)
    except (ValueError, ZeroDivisionError):
        return None


def _values(load: Load) -> Iterator[tuple[str, str, str]]:
    """Yield learning rate and weight decay at the position before and after; of the rules' roles, what differs."""
    sides = [{} if plan is None else plan.roles() for plan in (load.saved, load.plan)]
    for role in {DEFAULT: None, **sides[1]}:
        before, after = (_shown(side.get(role), load.position) for side in sides)
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
    return str(lr), "not scheduled" if wd is None else str(wd)


def _winner(row: Row, load: Load) -> str:
    name = next(name for name in NAMES if key_of(name) == row.key.split(".")[0])
    return "this run" if getattr(load.plan, name) == getattr(load.declared, name) else "checkpoint"


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Lines of `rows` in aligned columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]  # noqa: B905
