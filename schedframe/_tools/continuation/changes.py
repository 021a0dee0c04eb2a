"""The config keys with which a schedule continues another one: what changes, and what has to be written to stay.

A length that is a percentage, or in another unit, may come to other steps in the new schedule. Keys are therefore
compared by their values there, whatever their spelling.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from schedframe._errors import ConfigError
from schedframe._plan.plan import Plan
from schedframe._plan.rule import key_of
from schedframe._schedule.groups import FIELDS
from schedframe._schedule.keys import Keys
from schedframe._schedule.written import plain
from schedframe._tools.continuation.branch_point import BranchPoint
from schedframe._units.lengths import Scale, compact
from schedframe._units.units import RUN_KEYS
from schedframe.styles._flat_wsd import FLAT_WSD

TIMED = ("lr_warmup_steps", "lr_warmup_style", "lr_decay_steps", "lr_style", "wd_incr_steps", "wd_style")
"""The fields of a plan that are lengths, or hold some."""

_LENGTHS = frozenset(
    (*RUN_KEYS, "length", "lr_decay_steps", "lr_warmup_steps", "start_step", "step", "wd_incr_steps", "wsd_decay_steps")
)


def end(parent: BranchPoint, steps: float, start: float, run_steps: float | None = None) -> dict[str, Any]:
    """Return the end of decay and run, in the keys that the parent's config uses.

    Args:
        parent: the parent.
        steps: where the decay ends, in steps from `start`.
        start: the scheduler's count at the new schedule's own step 0.
        run_steps: where the run ends, if the parent's config has both; by default as the decay.
    """
    has_decay = parent.keys.get("lr_decay_steps") is not None
    run = run_steps if has_decay and run_steps is not None else steps
    scale = Scale(parent.schedule.scale.units, start)
    runs = {key: scale.in_unit(run, unit) for key, unit in RUN_KEYS.items() if parent.keys.get(key) is not None}
    return {**runs, "lr_decay_steps": steps} if has_decay else runs


def style(parent: BranchPoint, table: Any) -> dict[str, Any]:
    """Return the keys of a style: Megatron's flat ones where the parent's config has those."""
    flat: dict[str, Any] = dict.fromkeys(key for key in FLAT_WSD if key in parent.keys)
    if flat and isinstance(table, Mapping) and table["style"] == "WSD":
        return {**flat, "lr_decay_style": "WSD", **{key: table[key] for key in FLAT_WSD if key in table}}
    return {**flat, "lr_decay_style": table}


def timed(plan: Plan) -> dict[str, Any]:
    """Return the fields of `plan` that are lengths or hold some, and are used."""
    is_unused = plan.start_wd is None or plan.wd_style.uncoupled.is_constant
    return {name: getattr(plan, name) for name in TIMED if not (is_unused and name == "wd_incr_steps")}


def timed_keys(parent: BranchPoint) -> dict[str, Any]:
    """Return the keys of `timed` for the parent, but for its end, as numbers."""
    values = timed(parent.plan)
    del values["lr_decay_steps"]
    return dict(_written(parent, values))


def warmup_style(parent: BranchPoint) -> dict[str, Any]:
    """Return the shape of a new warmup: the parent's, with a shift of as many iterations where it has whole ones."""
    warmup, scale = parent.plan.lr_warmup_style, parent.schedule.scale
    if not warmup.shift or "iters" not in scale.units.known():
        return {"lr_warmup_style": plain(warmup)}
    iters = scale.in_unit(warmup.shift, "iters")
    shift = f"{iters} iters" if iters == int(iters) else warmup.shift
    return {"lr_warmup_style": {**plain(warmup), "shift": shift}}


def needed(parent: BranchPoint, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of `changes` without which the parent's keys would declare another schedule, its rules aside.

    Raises:
        ConfigError: the keys with `changes` cannot be used.
    """
    whole, kept = _declared(parent, changes), dict(changes)
    for key in changes:
        fewer = {other: value for other, value in kept.items() if other != key}
        try:
            if _declared(parent, fewer) == whole:
                kept = fewer
        except ConfigError:
            continue
    short = {key: spelled(key, value) for key, value in kept.items()}
    return short if _declared(parent, short) == whole else kept


def _declared(parent: BranchPoint, changes: Mapping[str, Any]) -> Keys:
    return Keys(**{**merged(parent, changes), "groups": ()})


def merged(parent: BranchPoint, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parent's keys with `changes`, of which ``None`` takes a key away."""
    return {key: value for key, value in {**parent.keys, **changes}.items() if value is not None}


def rules(
    parent: BranchPoint, changes: Mapping[str, Any], wanted: Callable[[Plan], Mapping[str, Any]], *, every: bool = False
) -> dict[str, Any]:
    """Return ``groups`` where a rule of the parent has to be written otherwise under `changes`; else nothing.

    Args:
        parent: the parent.
        changes: the other keys that change.
        wanted: returns the fields of `TIMED` that a role is to have, from its plan in the parent.
        every: they hold for a role whether its rule sets them or not, but for the end.
    """
    tables = parent.keys.get("groups") or []
    keys = merged(parent, changes)
    written = [
        _rule(parent, keys, table, wanted(parent.plan.under([rule])), every)
        for table, rule in zip(tables, parent.plan.groups, strict=True)
    ]
    return {"groups": written} if written != tables else {}


def _rule(
    parent: BranchPoint, keys: Mapping[str, Any], table: Mapping[str, Any], wanted: Mapping[str, Any], every: bool
) -> dict[str, Any]:
    """Return the rule `table` with numbers for what would not be as `wanted`."""
    decided = {name for key in table for name in FIELDS.get(key, ())}
    names = [name for name in wanted if name in decided or (every and name != "lr_decay_steps")]
    if not names:
        return dict(table)
    role = _role(keys, table)
    other = {name: wanted[name] for name in names if role is None or getattr(role, name) != wanted[name]}
    return {**_without(table, other), **dict(_written(parent, other))}


def _role(keys: Mapping[str, Any], table: Mapping[str, Any]) -> Plan | None:
    """Return the plan of the groups under the rule `table`; ``None`` where it does not fit the other keys."""
    try:
        plan = Keys(**{**keys, "groups": [table]}).plan
    except ConfigError:
        return None
    return plan.under(plan.groups)


def _without(table: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if not ("lr_style" in names and key in FLAT_WSD)}


def _written(parent: BranchPoint, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        keys = style(parent, plain(value)) if name == "lr_style" else {key_of(name): plain(value)}
        yield from ((key, option) for key, option in keys.items() if option is not None)


def spelled(key: str, value: Any) -> Any:
    """Return `value` with its lengths as a person writes them."""
    if isinstance(value, Mapping):
        return {inner: spelled(inner, option) for inner, option in value.items()}
    if isinstance(value, list):
        return [spelled("", item) for item in value]
    return compact(value) if key in _LENGTHS and isinstance(value, int | float) and value >= 1_000_000 else value
