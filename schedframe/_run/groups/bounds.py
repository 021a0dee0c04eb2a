"""Param groups and their own bounds: what contradicts a schedule, and what a load must put back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import Any, NamedTuple

from schedframe._plan.conditions import lr_fault
from schedframe._plan.plan import CURRENT, Plan
from schedframe._plan.rule import FACTORS, WRITTEN
from schedframe._run.groups.roles import is_tag
from schedframe.styles._base import LRShape

Group = dict[str, Any]

Members = Sequence[tuple[int, Group]]
"""Param groups, each with its index in the optimizer."""

_BOUNDS = ("max_lr", "min_lr", "start_wd", "end_wd")
_CONFIG_FIELD = {"max_lr": "lr", "min_lr": "min_lr"}


class Followed(NamedTuple):
    """What a param group follows.

    Attributes:
        plan: the plan of the group.
        given: what the rules for the group set, by name.
    """

    plan: Plan
    given: Mapping[str, Any]


def with_followed_bounds(base: Plan, followed: Followed, group: Group) -> Group:
    """Return `group` with the bounds of what it follows, where it holds those of `base`.

    A group whose learning rate changes loses ``default_config``, because Megatron logs the rate of that group.

    Args:
        base: the plan without rules; Megatron's groups hold its bounds from OptimizerConfig.
        followed: what the group follows.
        group: it is not changed.
    """
    held = {key: group[key] for key in _BOUNDS if group.get(key) is not None}
    bounds = {key: getattr(followed.plan, key) for key, own in held.items() if own == getattr(base, key)}
    also = _factors_in(followed)
    if group.get("default_config") and any(held[key] != bounds[key] for key in bounds if key in _CONFIG_FIELD):
        also["default_config"] = False
    return {**group, **bounds, **also}


def contradictions(plan: Plan, groups: Members, *, marked: bool) -> Iterator[tuple[str, str]]:
    """Yield (key, sentence) for each way in which `groups` would make `plan` something else than it says.

    Args:
        plan: what the groups follow.
        groups: those that do, each with its index.
        marked: some group of the optimizer says whether its bounds are those of OptimizerConfig.
    """
    ours = [
        (index, group)
        for index, group in groups
        if (group.get("default_config") if marked else not group.get("is_decoupled_lr"))
    ]
    for key, field in _CONFIG_FIELD.items():
        said = getattr(plan, key)
        for own, where in _by_value(ours, key):
            if own != said:
                yield (
                    key,
                    f"the optimizer's {where} have {key} = {own}, from OptimizerConfig.{field} or from where the "
                    f"groups were made, and a group's own bounds win. Make both the same, "
                    f"OptimizerConfig({field}=schedule.{key}); a group that means it says default_config=False",
                )
    for index, group in groups:
        max_lr, min_lr = _own(group, "max_lr", plan.max_lr), _own(group, "min_lr", plan.min_lr)
        if min_lr > max_lr:
            yield (
                "min_lr",
                f"param_groups[{index}] has a floor of {min_lr} above its peak of {max_lr}; "
                f"give the group a min_lr of its own",
            )
        if plan.init_lr != CURRENT and plan.init_lr > max_lr and plan.lr_warmup_steps > 0:
            yield "init_lr", f"the warm-up of param_groups[{index}] would fall, from {plan.init_lr} to {max_lr}"
    yield from unrunnable(plan, groups)
    yield from _overwritten(plan, groups)


def _overwritten(plan: Plan, groups: Members) -> Iterator[tuple[str, str]]:
    """Yield for each value that differs among groups, was set by hand, and would be lost."""
    plain = [(index, group) for index, group in groups if group.get("max_lr") is None]
    ways = {"lr": "its own max_lr and min_lr, and default_config=False", "weight_decay": "wd_mult, 0.0 for none"}
    found = {"lr": _by_value(plain, "lr")}
    if plan.start_wd is not None:
        plain = [
            (index, group)
            for index, group in groups
            if all(group.get(key) is None for key in ("wd_mult", "start_wd", "end_wd"))
        ]
        found["weight_decay"] = _by_value(plain, "weight_decay")
    for key, values in found.items():
        if len(values) > 1:
            listed = ", ".join(f"{own} in {where}" for own, where in values)
            yield (
                "max_lr" if key == "lr" else "start_wd",
                f"the optimizer's groups have different {key} ({listed}), which the schedule would overwrite; "
                f"say what a group shall have by giving it {ways[key]}, or by a rule under `groups`",
            )


def unrunnable(plan: Plan, groups: Members) -> Iterator[tuple[str, str]]:
    """Yield (key, sentence) for each group whose own bounds the style has no value between.

    Only a style that is no shape is asked for each group; a shape is interpolated between any bounds.
    """
    tried: set[tuple[float, ...]] = {(plan.max_lr, plan.min_lr)}
    for index, group in groups:
        bounds = (_own(group, "max_lr", plan.max_lr), _own(group, "min_lr", plan.min_lr))
        if bounds in tried or isinstance(plan.lr_style, LRShape):
            continue
        tried.add(bounds)
        fault = lr_fault(plan.lr_style, plan.lr_decay_steps, plan.lr_warmup_steps, *bounds)
        if fault:
            yield "lr_decay_style", f"with the bounds of param_groups[{index}], {bounds[0]} and {bounds[1]}: {fault}"


def other_multipliers(followed: Followed, groups: Members) -> Iterator[tuple[str, str]]:
    """Yield (key, sentence) for each group that has a multiplier which is neither 1 nor that of its rules."""
    for key in FACTORS:
        for index, group in groups if key in followed.given else ():
            if group.get(key) not in (None, 1.0, followed.given[key]):
                yield (
                    key,
                    f"param_groups[{index}] has {key} = {group[key]} from where the groups were made, and the rule "
                    f"says {followed.given[key]}; let the rule match other groups only, or say the same",
                )


def ignored_multipliers(groups: Members) -> Iterator[str]:
    """Yield for each group whose ``lr_mult`` Megatron Core ignores from 0.16 on."""
    for index, group in groups:
        if group.get("lr_mult", 1.0) not in (1.0, None):
            yield (
                f"param_groups[{index}] has lr_mult = {group['lr_mult']}, which is ignored, as in Megatron Core "
                f"0.16 and later; give the group its own max_lr and min_lr"
            )


def unshare(groups: Iterable[Group]) -> None:
    """Give each group a tensor of its own where torch put one ``lr`` or ``weight_decay`` tensor into several.

    They are filled in place, so that one shared by two groups would hold the second one's value in both.
    """
    seen: set[int] = set()
    for group in groups:
        for key in ("lr", "weight_decay"):
            if hasattr(group.get(key), "fill_"):
                if id(group[key]) in seen:
                    group[key] = group[key].clone()
                seen.add(id(group[key]))


class _Kept(Enum):
    """How a group had a bound at construction, when it was no number of its own."""

    ABSENT = auto()
    NONE = auto()
    FOLLOWS = auto()


class OriginalBounds:
    """Which groups had bounds of their own when the scheduler was made, by index.

    An optimizer's load replaces group dicts with the checkpoint's, so that after it they are no source.
    """

    def __init__(self, followed: Iterable[Followed], groups: Sequence[Group], *, with_roles: bool) -> None:
        """Remember what `groups` hold now, against the bounds of what each follows, and their roles."""
        self._kept = [
            {key: _kept(group, key, getattr(own.plan, key)) for key in _BOUNDS}
            for own, group in zip(followed, groups, strict=True)
        ]
        self._tags = [_tags(group) for group in groups] if with_roles else None

    def held(self, groups: Iterable[Group]) -> list[Group]:
        """Return what `groups` hold now of all that `restore` writes, for `put_back`."""
        return [{key: group[key] for key in self._written(group) if key in group} for group in groups]

    def put_back(self, held: Iterable[Group], groups: Iterable[Group]) -> None:
        """Let `groups` hold what they `held`."""
        for own, group in zip(held, groups, strict=True):
            for key in self._written(group):
                group.pop(key, None)
            group.update(own)

    def _written(self, group: Group) -> Iterable[str]:
        return _BOUNDS if self._tags is None else (*_BOUNDS, *WRITTEN, *_tags(group))

    def restore(self, followed: Iterable[Followed], groups: Sequence[Group]) -> None:
        """Give followers the bounds of what they follow, and the others what they had.

        Groups added later stay as they are.
        """
        for kept, own, group in zip(self._kept, followed, groups, strict=False):
            for key, value in kept.items():
                if value is _Kept.ABSENT:
                    group.pop(key, None)
                elif value is _Kept.NONE:
                    group[key] = None
                elif value is _Kept.FOLLOWS:
                    group[key] = getattr(own.plan, key)
                else:
                    group[key] = value
            group.update(_factors_in(own))
        for tags, group in zip(self._tags or (), groups, strict=False):
            for key in _tags(group):
                del group[key]
            group.update(tags)


def _factors_in(followed: Followed) -> Group:
    return {key: followed.given[key] for key in WRITTEN if key in followed.given}


def _tags(group: Group) -> Group:
    return {key: value for key, value in group.items() if is_tag(key)}


def _kept(group: Group, key: str, said: float | None) -> float | _Kept:
    if key not in group:
        return _Kept.ABSENT
    own: float | None = group[key]
    if own is None:
        return _Kept.NONE
    return _Kept.FOLLOWS if own == said else own


def _own(group: Group, key: str, default: float) -> float:
    own = group.get(key)
    return default if own is None else float(own)


def _by_value(groups: Sequence[tuple[int, Group]], key: str) -> list[tuple[float, str]]:
    """Return each value of `key` among `groups`, with the groups that hold it, written out."""
    holders: dict[float, list[int]] = {}
    for index, group in groups:
        if group.get(key) is not None:
            holders.setdefault(float(group[key]), []).append(index)
    return [(value, _indices(where)) for value, where in holders.items()]


def _indices(where: list[int]) -> str:
    listed = ", ".join(map(str, where[:4])) + (f" and {len(where) - 4} more" if len(where) > 4 else "")
    return f"param_groups[{listed}]"
