"""What a config says about being resumed: its policy, and the schedule that it continues."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pydantic_core import PydanticCustomError

from schedframe._errors import did_you_mean
from schedframe._plan.plan import NAMES, Parent
from schedframe._plan.rule import key_of
from schedframe._problems import broken_condition
from schedframe._units.lengths import parse_length

Policy = Literal["strict", "checkpoint", "override"]
"""``strict`` refuses every difference; with ``checkpoint`` its schedule counts, with ``override`` this run's."""

POLICIES = get_args(Policy)
KEYS = tuple(key_of(name) for name in NAMES if name != "clock")
"""Keys of which may be said that this run counts; two clocks are never reconciled."""


@dataclass(frozen=True)
class Resume:
    """What a schedule says about being resumed.

    Attributes:
        policy: what counts.
        override: keys in which this run counts all the same.
    """

    policy: Policy = "strict"
    override: tuple[str, ...] = ()


def policy_of(use_checkpoint: object, override: object) -> Policy:
    """Return the policy that Megatron's two flags mean."""
    if override:
        return "override"
    return "checkpoint" if use_checkpoint else "strict"


def parse_resume(value: Any) -> Resume:
    """Return what `value` says: a policy's name, or a table.

    Raises:
        ValueError: in words.
    """
    if isinstance(value, Resume):
        return value
    table = {"policy": value} if isinstance(value, str) else value
    if not isinstance(table, Mapping):
        raise ValueError(f"must be a policy, {_listed(POLICIES)}, or a table with `policy` and `override`")
    for option in table:
        if option not in ("policy", "override"):
            raise ValueError(f"has no option {option!r}; its options are policy and override")
    policy: Any = table.get("policy", "strict")
    if policy not in POLICIES:
        fault = f"is no policy{did_you_mean(str(policy), POLICIES) or ';'} it is {_listed(POLICIES)}"
        raise ValueError(fault) if table is not value else broken_condition(fault, "policy", policy)
    return Resume(policy, parse_override(table.get("override", ()), policy))


def parse_override(keys: Any, policy: str) -> tuple[str, ...]:
    """Return the `keys` in which this run counts whatever the `policy`.

    Raises:
        ValueError: in words.
    """
    if not isinstance(keys, list | tuple) or not all(isinstance(key, str) for key in keys):
        raise _about_override("must be a list of keys, such as [max_lr, min_lr]", keys)
    for key in keys:
        if key in ("wsd_decay_steps", "lr_wsd_decay_style"):
            raise _about_override(f"{key} is an option of the style; name lr_decay_style as a whole", keys)
        if key not in KEYS:
            raise _about_override(
                f"{key} is no key of the curves{did_you_mean(key, KEYS) or ';'} they are {', '.join(KEYS)}", keys
            )
    if keys and policy == "override":
        raise _about_override("says nothing new: with the policy override this run counts in every key", keys)
    return tuple(keys)


def _about_override(message: str, keys: object) -> PydanticCustomError:
    return broken_condition(message, "override", keys)


def parse_parent(value: Any) -> Parent:
    """Return the parent that a table with `fingerprint` and `step` says.

    Raises:
        ValueError: in words.
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


def _listed(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
