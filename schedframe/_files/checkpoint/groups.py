"""Finds the param groups of an optimizer's state, for the bounds that each group keeps of its own."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from schedframe._files.checkpoint.broken import Broken
from schedframe._files.checkpoint.plain import is_plain, resolved
from schedframe._files.checkpoint.walk import Walk

KEYS = (
    "lr",
    "weight_decay",
    "max_lr",
    "min_lr",
    "start_wd",
    "end_wd",
    "wd_mult",
    "lr_mult",
    "default_config",
    "is_decoupled_lr",
    "is_expert_parallel",
)
"""The keys of a param group that have to do with its learning rate and weight decay."""

_OPTIMIZER = ".optimizer/shard_0_1"
_PARAM_GROUPS = ".param_groups/shard_0_1"
_DEEPEST = 5
_MOST_GROUPS = 10_000


class Groups(NamedTuple):
    """Param groups.

    Attributes:
        values: for every group, those of its `KEYS` that it has with a plain value other than text.
        left_out: the keys that some group has with another value, a tensor for one.
    """

    values: list[dict[str, Any]]
    left_out: set[str]


def groups_in(optimizer: Any) -> Groups:
    """Return every param group in the state of an optimizer, of Megatron's or torch's; none where it holds none.

    A leaf is ``{'param_groups': […]}``, at the top, in ``optimizer``, in ``optimizer_state_dict`` or, of several, in a
    list or dict.

    Raises:
        Broken: there are more than an optimizer can have, or they cannot be read.
    """
    found: list[dict[str, Any]] = []
    for leaf in Walk(_is_leaf, _DEEPEST).places(optimizer):
        groups = resolved(leaf.value["param_groups"])
        if type(groups) is not list or not all(type(group) is dict for group in groups):
            raise Broken("keeps param_groups in a form that schedframe does not read")
        if len(found) + len(groups) > _MOST_GROUPS:
            raise Broken("holds more param groups than schedframe reads")
        found += [{key: resolved(group[key]) for key in KEYS if key in group} for group in groups]
    left_out = {key for group in found for key, value in group.items() if not _is_kept(value)}
    values = [{key: value for key, value in group.items() if _is_kept(value)} for group in found]
    return Groups(values, left_out)


def groups_in_shards(shards: Mapping[str, Any]) -> Groups:
    """Return the param groups that Megatron's distributed optimizer keeps apart from what all ranks share.

    Every rank of the model's has its own there; those that are equal count once.

    Args:
        shards: the values of a distributed checkpoint, by their names.

    Raises:
        Broken: they cannot be read.
    """
    distinct: dict[str, Groups] = {}
    for name in sorted(shards):
        if name.endswith(_OPTIMIZER):
            found = groups_in(resolved(shards[name]))
        elif name.endswith(_PARAM_GROUPS):
            shard = resolved(shards[name])
            found = groups_in([{"param_groups": groups} for groups in shard] if type(shard) is list else None)
        else:
            continue
        distinct.setdefault(repr(found.values), found)
    values = [group for found in distinct.values() for group in found.values]
    return Groups(values, set[str]().union(*(found.left_out for found in distinct.values())))


def _is_kept(value: Any) -> bool:
    return is_plain(value) and type(value) is not str


def _is_leaf(value: dict[Any, Any]) -> bool:
    return "param_groups" in value
