"""Param groups and their own bounds: what contradicts a schedule, and what a load must restore."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from schedframe._errors import ConfigError, Problem, written
from schedframe._plan.conditions import lr_fault
from schedframe._plan.evaluate import BOUNDS
from schedframe._plan.plan import CURRENT, Plan
from schedframe._plan.rule import FACTORS, WRITTEN
from schedframe._run.groups.roles import is_tag
from schedframe._units.numbers import plain, plain_size
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
        settings: what the rules for the group set, by name.
    """

    plan: Plan
    settings: Mapping[str, Any]


def with_followed_bounds(base: Plan, followed: Followed, group: Group) -> Group:
    """Return a copy of `group` with the bounds of what it follows, where it holds those of `base`.

    A group whose learning rate changes loses ``default_config``, because Megatron logs the rate of that group.
    Megatron's groups hold the bounds of `base`, the plan without rules, from OptimizerConfig.
    """
    held = {key: group[key] for key in _BOUNDS if group.get(key) is not None}
    bounds = {key: getattr(followed.plan, key) for key, value in held.items() if value == getattr(base, key)}
    factors = _written_factors(followed)
    if group.get("default_config") and any(held[key] != bounds[key] for key in bounds if key in _CONFIG_FIELD):
        factors["default_config"] = False
    return {**group, **bounds, **factors}


def contradictions(base: Plan, followed: Followed, members: Members, *, marked: bool) -> Iterator[tuple[str, str]]:
    """Yield (key, sentence) for each way in which groups would run something else than what they follow.

    `marked` is whether some group of the optimizer specifies that its bounds are those of OptimizerConfig.
    """
    plan = followed.plan
    groups = [(index, with_followed_bounds(base, followed, group)) for index, group in members]
    configured = [
        (index, group)
        for index, group in groups
        if (group.get("default_config") if marked else not group.get("is_decoupled_lr"))
    ]
    for key, field in _CONFIG_FIELD.items():
        for value, holders in _by_value(configured, key):
            if value != getattr(plan, key):
                yield (
                    key,
                    f"the optimizer's {holders} have {key} = {value}, from OptimizerConfig.{field} or from where the "
                    f"groups were made, and a group's own bounds take precedence. Make both the same, "
                    f"OptimizerConfig({field}=schedule.{key}); a group that is to differ needs default_config=False",
                )
    for index, group in groups:
        max_lr, min_lr = _lr_bounds(plan, group)
        if min_lr > max_lr:
            yield (
                "min_lr",
                f"param_groups[{index}] has min_lr = {min_lr} above its max_lr = {max_lr}; "
                f"give the group a min_lr of its own",
            )
        if plan.init_lr != CURRENT and plan.init_lr > max_lr and plan.lr_warmup_steps > 0:
            yield "init_lr", f"the warmup of param_groups[{index}] would fall, from {plan.init_lr} to {max_lr}"
    yield from unrunnable(plan, groups)
    yield from _overwritten(plan, groups)


_REMEDIES = {
    "lr": ("max_lr", ("max_lr",), "its own max_lr and min_lr, and default_config=False"),
    "weight_decay": ("start_wd", ("wd_mult", "start_wd", "end_wd"), "wd_mult, 0.0 for none"),
}
"""What a schedule writes into groups: the key to blame, keys of a group that has its own, and what gives it one."""


def _overwritten(plan: Plan, groups: Members) -> Iterator[tuple[str, str]]:
    """Yield for each value that differs among groups, was set by hand, and would be lost."""
    for key, (blamed, bounds, remedy) in _REMEDIES.items():
        if getattr(plan, blamed) is None:
            continue
        values = _by_value([member for member in groups if all(member[1].get(own) is None for own in bounds)], key)
        if len(values) > 1:
            listed = ", ".join(f"{value} in {holders}" for value, holders in values)
            yield (
                blamed,
                f"the optimizer's groups have different {key} ({listed}), which the schedule would overwrite; "
                f"give each group {remedy}, or a rule under `groups`",
            )


def unrunnable(plan: Plan, groups: Members) -> Iterator[tuple[str, str]]:
    """Yield (key, sentence) for each group whose own bounds the style has no value between.

    A shape is interpolated between any bounds; other styles are evaluated for each pair of bounds.
    """
    tried: set[tuple[float, ...]] = {(plan.max_lr, plan.min_lr)}
    for index, group in () if isinstance(plan.lr_style, LRShape) else groups:
        bounds = _lr_bounds(plan, group)
        if bounds not in tried:
            tried.add(bounds)
            if fault := lr_fault(plan.lr_style, plan.lr_decay_steps, plan.decay_begin, *bounds):
                where = f"with the bounds of param_groups[{index}], {bounds[0]} and {bounds[1]}"
                yield "lr_decay_style", f"{where}: {fault}"


def other_multipliers(followed: Followed, groups: Members) -> Iterator[tuple[str, str]]:
    """Yield (key, sentence) for each group whose multiplier is neither 1 nor that of its rules."""
    for key in (key for key in FACTORS if key in followed.settings):
        for index, group in groups:
            if group.get(key) not in (None, 1.0, followed.settings[key]):
                yield (
                    key,
                    f"param_groups[{index}] has {key} = {group[key]} from where the groups were made, and the rule "
                    f"has {followed.settings[key]}; let the rule match other groups only, or make both the same",
                )


_FACTOR = re.compile(
    "((?P<lr>lr|learning_?rate)|wd|(weight_?)?decay)_?(mult?|multi|multiplier|scal(e|er|ing)|factor|ratio|coeff?)"
)


def ignored_factors(groups: Members, ignores_lr_mult: bool) -> Iterator[str]:
    """Yield for each key of a group that looks like a factor on its learning rate or weight decay, and is not read.

    ``lr_scale`` is timm's and MAE's, ``decay_mult`` mmcv's; Megatron Core ignores its own ``lr_mult`` from 0.16 on.
    """
    for index, group in groups:
        for key, value in group.items():
            match = _FACTOR.fullmatch(key) if isinstance(key, str) and key not in FACTORS else None
            if key == "lr_mult" and ignores_lr_mult and value not in (1.0, None):
                yield (
                    f"param_groups[{index}] has lr_mult = {value}, which is ignored, as in Megatron Core "
                    f"0.16 and later; give the group its own max_lr and min_lr"
                )
            elif match and _is_other_than_one(value):
                remedy = (
                    "its own max_lr and min_lr, or a rule under `groups` with lr_mult" if match["lr"] else "wd_mult"
                )
                yield f"param_groups[{index}] has {key} = {value}, which is ignored; give the group {remedy}"


def _is_other_than_one(value: object) -> bool:
    try:
        return plain(value) != 1
    except ValueError:
        return False


def problems(groups: Iterable[Group]) -> Iterator[Problem]:
    """Yield each bound of `groups` that is not a finite number of at least 0."""
    for index, group in enumerate(groups):
        for key in (key for key in BOUNDS if group.get(key) is not None):
            try:
                plain_size(group[key])
            except ValueError as error:
                yield Problem(f"param_groups[{index}].{key}", str(error), written(group[key]))


def make_plain(groups: Sequence[Group]) -> None:
    """Make every bound of `groups` a plain number: tensors and numpy's scalars come from checkpoints and configs.

    Raises:
        ConfigError: some are not finite numbers of at least 0; no group was changed.
    """
    if faults := list(problems(groups)):
        raise ConfigError("the optimizer's param groups", faults)
    for group in groups:
        group.update({key: plain(group[key]) for key in BOUNDS if group.get(key) is not None})


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


class OriginalBounds:
    """Which bounds each group had when the scheduler was built, by index.

    Loading an optimizer replaces group dicts with the checkpoint's, which then hold the checkpoint's bounds.
    """

    def __init__(self, followed: Iterable[Followed], groups: Sequence[Group], *, with_roles: bool) -> None:
        """Remember what `groups` hold now, which of it is what each follows, and their roles."""
        self._held = [{key: group[key] for key in _BOUNDS if key in group} for group in groups]
        self._follows = [
            {key for key, value in held.items() if value is not None and value == getattr(each.plan, key)}
            for each, held in zip(followed, self._held, strict=True)
        ]
        self._tags = [_tags(group) for group in groups] if with_roles else None

    def restore(self, followed: Iterable[Followed], groups: Sequence[Group]) -> None:
        """Give each group the bounds of what it follows, or those that it had; groups added later do not change."""
        for held, follows, each, group in zip(self._held, self._follows, followed, groups, strict=False):
            for key in _BOUNDS:
                if key in follows:
                    group[key] = getattr(each.plan, key)
                elif key in held:
                    group[key] = held[key]
                else:
                    group.pop(key, None)
            group.update(_written_factors(each))
        for tags, group in zip(self._tags or (), groups, strict=False):
            for key in _tags(group):
                del group[key]
            group.update(tags)


def _written_factors(followed: Followed) -> Group:
    return {key: followed.settings[key] for key in WRITTEN if key in followed.settings}


def _tags(group: Group) -> Group:
    return {key: value for key, value in group.items() if is_tag(key)}


def _lr_bounds(plan: Plan, group: Group) -> tuple[float, float]:
    """Return the max LR and the min LR of `group`."""
    max_lr, min_lr = group.get("max_lr"), group.get("min_lr")
    return plan.max_lr if max_lr is None else float(max_lr), plan.min_lr if min_lr is None else float(min_lr)


def _by_value(groups: Members, key: str) -> list[tuple[float, str]]:
    """Return each value of `key` among `groups`, with the groups that hold it, written out."""
    holders: dict[float, list[int]] = {}
    for index, group in groups:
        if group.get(key) is not None:
            holders.setdefault(float(group[key]), []).append(index)
    return [(value, f"param_groups[{_few(indices)}]") for value, indices in holders.items()]


def _few(indices: list[int]) -> str:
    return ", ".join(map(str, indices[:4])) + (f" and {len(indices) - 4} more" if len(indices) > 4 else "")
