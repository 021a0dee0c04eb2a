"""Which rules are for which param groups of an optimizer: found where groups are made, kept by index.

Groups hold no names of parameters, and a rule by name cannot split a group that is there. So such rules are applied
where groups are made, by `make_groups` for torch and by ``schedframe.megatron.config_overrides`` for Megatron, which
leave the roles in the groups; `assign_roles` reads them once, when the scheduler is built.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from schedframe._errors import ConfigError, Problem, StateError
from schedframe._plan.rule import DEFAULT, GroupRule, merge, role_name, rules_named
from schedframe._process import gathered

Group = dict[str, Any]

TAG = "role"
"""Key of a group that `make_groups` made, with its role."""

PREFIX = "schedframe_rule_"
"""Start of the keys of a group that Megatron made, one for each rule: it merges overrides key by key."""


@dataclass(frozen=True)
class Roles:
    """The rules, and the roles of an optimizer's param groups by index."""

    rules: tuple[GroupRule, ...] = ()
    by_index: tuple[str, ...] = ()

    @cached_property
    def indices(self) -> dict[str, list[int]]:
        """The groups of each role, ``default`` first."""
        found: dict[str, list[int]] = {DEFAULT: []}
        for index, role in enumerate(self.by_index):
            found.setdefault(role, []).append(index)
        return found

    def indices_in(self, groups: Sequence[Group]) -> dict[str, list[int]]:
        """Return the same of `groups` as they are now; those added later have none of the rules.

        Raises:
            StateError: there are fewer groups than when the roles were found.
        """
        count, before = len(groups), len(self.by_index)
        if count == before:
            return self.indices
        if count < before:
            raise StateError(
                f"the optimizer has {count} param groups and had {before} when the scheduler was built; which rules "
                f"are for which cannot be told any more"
            )
        return {**self.indices, DEFAULT: [*self.indices[DEFAULT], *range(before, count)]}

    def role_of(self, group: Mapping[str, Any], groups: Sequence[Group]) -> str:
        """Return the role of `group`, which is one of `groups`; of another one, ``default``."""
        return next((role for role, own in zip(self.by_index, groups, strict=False) if own is group), DEFAULT)


def make_groups(rules: Sequence[GroupRule], model: Any, process_group: Any = None) -> list[Group]:
    """Return param groups for an optimizer of `model`, one for each set of rules that is for some parameter.

    Under ``torch.distributed`` it is a collective, and every rank has the same groups in the same order, empty where
    it has no such parameter.

    Raises:
        ConfigError: a rule fits no parameter of any rank, or two rules contradict each other.
    """
    by_name = [rule for rule in rules if rule.match.is_by_name]
    found: dict[tuple[int, ...], list[Any]] = {}
    problems: list[Problem] = []
    names: list[str] = []
    for parameter, own_names in _parameters(model):
        fitting = [at for at, rule in enumerate(by_name) if any(map(rule.match.fits_name, own_names))]
        names += own_names
        problems += _contradictions([by_name[at] for at in fitting], rules, f"parameter {own_names[0]}")
        found.setdefault(tuple(fitting), []).append(parameter)
    ranks = list(gathered((set(found), problems), process_group))
    everywhere = set().union(*(own for own, _ in ranks))
    problems = [problem for _, own in ranks for problem in own]
    fitted = {at for fitting in everywhere for at in fitting}
    missing = [rule for at, rule in enumerate(by_name) if at not in fitted]
    if missing:
        all_names = [name for own in gathered(names, process_group) for name in own]
        problems += [_unmatched(rule, rules, all_names, "parameter that is trained") for rule in missing]
    if problems:
        raise ConfigError("the rules of groups", dict.fromkeys(problems))
    return [
        {"params": found.get(fitting, []), TAG: role_name(by_name[at] for at in fitting)}
        for fitting in sorted(everywhere)
    ]


def assign_roles(rules: Sequence[GroupRule], groups: Sequence[Group], process_group: Any = None) -> Roles:
    """Return the roles of `groups`.

    Where a rule is by key or index it is a collective under ``torch.distributed``: a rank may lack a group.

    Raises:
        ConfigError: a rule is for no group of any rank, or only for some parameters of one, or two rules contradict
            each other.
    """
    if not rules:
        return Roles()
    problems: list[Problem] = []
    found: list[list[GroupRule]] = []
    for index, group in enumerate(groups):
        tagged = _tagged(rules, index, group, problems)
        own = [
            rule
            for rule in rules
            if rule in tagged
            or (rule.match.is_by_name and not tagged and _fits_all(rule, rules, index, group, problems))
            or rule.match.fits_group(index, group)
        ]
        problems += _contradictions(own, rules, f"param_groups[{index}]")
        found.append(own)
    fitted = {rule.role for own in found for rule in own}
    if any(not rule.match.is_by_name for rule in rules):
        fitted = set().union(*gathered(fitted, process_group))
    blamed = {problem.path for problem in problems}
    for rule in rules:
        if rule.role not in fitted and _path(rule, rules) not in blamed:
            problems.append(_without_group(rule, rules, groups))
    if problems:
        raise ConfigError("the optimizer's param groups", problems)
    return Roles(tuple(rules), tuple(role_name(own) for own in found))


def rules_for(rules: Sequence[GroupRule], group: Mapping[str, Any]) -> list[GroupRule]:
    """Return those of `rules` that are for one `group` by itself, as far as it tells: an index is not known.

    Raises:
        ConfigError: it was made by another config.
    """
    problems: list[Problem] = []
    tagged = _tagged(rules, 0, group, problems)
    if problems:
        raise ConfigError("the param group", problems)
    return [rule for rule in rules if rule in tagged or rule.match.fits_group(-1, group)]


def tags_of(rules: Sequence[GroupRule], rule: GroupRule) -> dict[str, str]:
    """Return what stands for `rule` in a group that Megatron makes."""
    return {f"{PREFIX}{list(rules).index(rule)}": rule.role}


def is_tag(key: Any) -> bool:
    """Say whether `key` of a group is there to tell its role."""
    return isinstance(key, str) and (key == TAG or key.startswith(PREFIX))


def _parameters(model: Any) -> list[tuple[Any, list[str]]]:
    """Every parameter that is trained, once, with all its names: those of tied weights are several."""
    found: dict[int, tuple[Any, list[str]]] = {}
    for name, parameter in _named(model):
        if parameter.requires_grad:
            found.setdefault(id(parameter), (parameter, []))[1].append(name)
    return list(found.values())


def _named(model: Any) -> Iterator[tuple[str, Any]]:
    if hasattr(model, "named_parameters"):
        yield from model.named_parameters(remove_duplicate=False)
        return
    for item in model:
        if hasattr(item, "named_parameters"):
            yield from _named(item)
        else:
            yield item


def _tagged(
    rules: Sequence[GroupRule], index: int, group: Mapping[str, Any], problems: list[Problem]
) -> list[GroupRule]:
    """The rules by name for which `group` was made."""
    by_name = [rule for rule in rules if rule.match.is_by_name]
    if not by_name:
        return []
    told = [value for key, value in group.items() if is_tag(key) and isinstance(value, str)]
    try:
        return [rule for role in told for rule in rules_named(by_name, role)]
    except ValueError as error:
        problems.append(Problem("groups", f"param_groups[{index}] was made by another config: {error}"))
        return []


def _fits_all(
    rule: GroupRule, rules: Sequence[GroupRule], index: int, group: Mapping[str, Any], problems: list[Problem]
) -> bool:
    """Say whether `rule` fits the names that torch keeps in `group`, where the optimizer was given them."""
    names = group.get("param_names") or []
    fitting = [name for name in names if rule.match.fits_name(name)]
    if fitting and len(fitting) < len(names):
        other = next(name for name in names if name not in fitting)
        problems.append(
            Problem(
                _path(rule, rules),
                f"fits {fitting[0]} and does not fit {other}, which are both in param_groups[{index}]; a rule cannot "
                f"split a group, so make the groups with schedule.param_groups(model)",
                str(rule.match),
            )
        )
    return bool(fitting) and len(fitting) == len(names)


def _contradictions(own: Sequence[GroupRule], rules: Sequence[GroupRule], where: str) -> Iterator[Problem]:
    try:
        merge(own)
    except ValueError as error:
        yield Problem(f"groups.{list(rules).index(own[-1])}", f"{where}: {error}")


def _without_group(rule: GroupRule, rules: Sequence[GroupRule], groups: Sequence[Group]) -> Problem:
    if rule.match.is_by_name:
        names = [name for group in groups for name in group.get("param_names") or ()]
        if names or any(is_tag(key) for group in groups for key in group):
            return _unmatched(rule, rules, names, "parameter")
        fault = (
            "is about names, and the optimizer has no group that was made by it; make its groups with "
            "schedule.param_groups(model), in Megatron with schedframe.megatron.config_overrides(schedule, model), "
            "which tell it where no name fits"
        )
    elif rule.match.kind == "index":
        fault = f"matches nothing: the optimizer has {len(groups)} param groups, counted from 0"
    else:
        held = [f"{key} is {_values(key, groups)}" for key, _ in rule.match.value]
        fault = f"matches none of the optimizer's {len(groups)} param groups: {', '.join(held)}"
    return Problem(_path(rule, rules), fault, str(rule.match))


def _values(key: str, groups: Sequence[Group]) -> str:
    values = list(dict.fromkeys(repr(group[key]) for group in groups if key in group))
    if values:
        return " or ".join(values[:5]) + (" and others" if len(values) > 5 else "")
    known = sorted({str(own) for group in groups for own in group if own != "params" and not is_tag(own)})
    return f"no key of theirs, they have {', '.join(known)}" if known else "no key of theirs"


def _unmatched(rule: GroupRule, rules: Sequence[GroupRule], names: Sequence[str], what: str) -> Problem:
    near = rule.match.nearest(names)
    told = f"; the nearest names are {', '.join(near)}" if near else ""
    return Problem(_path(rule, rules), f"matches no {what}{told}", str(rule.match))


def _path(rule: GroupRule, rules: Sequence[GroupRule]) -> str:
    return f"groups.{list(rules).index(rule)}.match"
