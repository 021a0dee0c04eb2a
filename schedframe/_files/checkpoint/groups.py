"""Finds the param groups of an optimizer's state, for the bounds that each group keeps of its own."""

from collections.abc import Callable, Mapping
from typing import Any

from schedframe._files.checkpoint.broken import Broken
from schedframe._files.checkpoint.find import top_keys, walk
from schedframe._files.checkpoint.plain import is_plain, resolve

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
_LEFT_OUT = object()
"""Stands for a value that is not a plain number, boolean or ``None``: a tensor, for example."""

_UNKNOWN = "what bounds the param groups have of their own, which decide their LR, is not known"

Groups = list[dict[str, Any]]


def find_groups(tree: Any, shards: Callable[[], Mapping[str, Any]]) -> tuple[tuple[dict[str, Any], ...] | None, str]:
    """Return the `KEYS` of every param group in `tree`, or else in what `shards` reads, and a note on them.

    The groups are ``None`` where they are not known, and the note gives the reason. It also names keys that are left
    out.
    """
    try:
        optimizer = resolve(tree.get("optimizer")) if type(tree) is dict else None
        groups = _in_optimizer(optimizer) or _in_shards(shards()) or _in_optimizer(tree)
    except Broken as error:
        return None, f"{error.path or 'the checkpoint'} {error}; {_UNKNOWN}"
    if not groups:
        return None, f"none found: nothing under {top_keys(tree) or 'its top'} holds param_groups; {_UNKNOWN}"
    keys = ", ".join(key for key in KEYS if any(group.get(key) is _LEFT_OUT for group in groups))
    kept = ({key: value for key, value in group.items() if value is not _LEFT_OUT} for group in groups)
    return tuple(kept), f"{keys} of some param groups is not a plain value, and left out" if keys else ""


def _in_optimizer(optimizer: Any) -> Groups:
    """Return the param groups in the state of an optimizer, of Megatron's or torch's.

    A leaf is ``{'param_groups': […]}``, at the top, in ``optimizer``, in ``optimizer_state_dict`` or, of several, in a
    list or dict, as in Lightning's ``optimizer_states``. One that holds no group is as good as none.
    """
    found: Groups = []
    for leaf in walk(optimizer, lambda value: "param_groups" in value, _DEEPEST):
        groups = resolve(leaf.value["param_groups"])
        if type(groups) is not list or not all(type(group) is dict for group in groups):
            raise Broken("keeps param_groups in a form that schedframe does not read")
        if len(found) + len(groups) > _MOST_GROUPS:
            raise Broken("holds more param groups than schedframe reads")
        for group in groups:
            values = ((key, resolve(group[key])) for key in KEYS if key in group)
            found.append(
                {key: value if is_plain(value) and type(value) is not str else _LEFT_OUT for key, value in values}
            )
    return found


def _in_shards(shards: Mapping[str, Any]) -> Groups:
    """Return the param groups that Megatron's distributed optimizer keeps apart; those that ranks share count once."""
    distinct: dict[str, Groups] = {}
    for name in sorted(shards):
        if name.endswith((_OPTIMIZER, _PARAM_GROUPS)):
            shard = resolve(shards[name])
            if name.endswith(_PARAM_GROUPS):
                shard = [{"param_groups": groups} for groups in shard] if type(shard) is list else None
            groups = _in_optimizer(shard)
            distinct.setdefault(repr(groups), groups)
    return [group for groups in distinct.values() for group in groups]
