"""How a config wants to be resumed: its policy, and the schedule that it continues."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from schedframe._errors import did_you_mean
from schedframe._plan.plan import NAMES, Parent
from schedframe._plan.rule import key_of
from schedframe._problems import broken_condition
from schedframe._units.lengths import parse_length
from schedframe.styles._flat_wsd import FLAT_WSD

Policy = Literal["strict", "checkpoint", "override"]
"""``strict`` refuses every difference; ``checkpoint`` uses its schedule, ``override`` this run's."""

POLICIES = get_args(Policy)
_LISTED = f"{', '.join(POLICIES[:-1])} or {POLICIES[-1]}"
KEYS = tuple(key_of(name) for name in NAMES if name != "clock")
"""Keys that can be taken from this run; different clocks are never reconciled."""


@dataclass(frozen=True)
class Resume:
    """How a schedule is resumed.

    Attributes:
        policy: which schedule is used.
        override: keys that are taken from this run whatever the policy.
    """

    policy: Policy = "strict"
    override: tuple[str, ...] = ()


def policy_of(use_checkpoint: object, override: object) -> Policy:
    """Return the policy that Megatron's two flags select."""
    if override:
        return "override"
    return "checkpoint" if use_checkpoint else "strict"


def parse_resume(value: Any) -> Resume:
    """Return what `value` specifies: a policy's name, or a table.

    Raises:
        ValueError: it is neither, or an option is not valid.
    """
    if isinstance(value, Resume):
        return value
    table = {"policy": value} if isinstance(value, str) else value
    if not isinstance(table, Mapping):
        raise ValueError(f"must be a policy, {_LISTED}, or a table with `policy` and `override`")
    for option in table:
        if option not in ("policy", "override"):
            raise ValueError(f"has no option {option!r}; its options are policy and override")
    policy: Any = table.get("policy", "strict")
    if policy not in POLICIES:
        fault = f"is not a policy{did_you_mean(str(policy), POLICIES) or ';'} it is {_LISTED}"
        raise ValueError(fault) if table is not value else broken_condition(fault, "policy", policy)
    return Resume(policy, parse_override(table.get("override", ()), policy))


def parse_override(keys: Any, policy: str) -> tuple[str, ...]:
    """Return the `keys` that are taken from this run whatever the `policy`.

    Raises:
        ValueError: they are not keys of the curves, or the policy takes every key from this run anyway.
    """
    fault = ""
    if not isinstance(keys, list | tuple) or not all(isinstance(key, str) for key in keys):
        fault = "must be a list of keys, such as [max_lr, min_lr]"
    elif unknown := [key for key in keys if key not in KEYS]:
        other = unknown[0]
        near = did_you_mean(other, KEYS) or ";"
        fault = f"{other} is not a key of the curves{near} they are {', '.join(KEYS)}"
        if other in FLAT_WSD:
            fault = f"{other} is an option of the style; name lr_decay_style as a whole"
    elif keys and policy == "override":
        fault = "has no effect: with the policy override this run takes precedence in every key"
    if fault:
        raise broken_condition(fault, "override", keys)
    return tuple(keys)


def parse_parent(value: Any) -> Parent:
    """Return the parent that a table with `fingerprint` and `step` specifies.

    Raises:
        ValueError: it is not such a table.
    """
    if isinstance(value, Parent):
        return value
    if not isinstance(value, Mapping) or set(value) != {"fingerprint", "step"}:
        raise ValueError("must be a table with fingerprint and step, as schedframe branch, extend and rewarm write it")
    if not isinstance(value["fingerprint"], str):
        raise broken_condition("must be a text; put it in quotes", "fingerprint", value["fingerprint"])
    try:
        return Parent(value["fingerprint"], parse_length(value["step"]))
    except ValueError as error:
        raise broken_condition(str(error), "step", value["step"]) from None
