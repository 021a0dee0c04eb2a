"""Which rules match which param groups of an optimizer: found where groups are made, kept by index.

Groups hold no names of parameters, and a rule by name cannot split a group that is there. So such rules are applied
where groups are made, by `make_groups` for torch and by ``schedframe.megatron.config_overrides`` for Megatron, which
leave the roles in the groups; `assign_roles` reads them once, when the scheduler is built.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
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
        """Return the same of `groups` as they are now; no rule matches those added later.

        Raises:
            StateError: there are fewer groups than when the roles were found.
        """
        count, before = len(groups), len(self.by_index)
        if count == before:
            return self.indices
        if count < before:
            raise StateError(
                f"the optimizer has {count} param groups and had {before} when the scheduler was built; which rules "
                f"apply to which group is no longer known"
            )
        return {**self.indices, DEFAULT: [*self.indices[DEFAULT], *range(before, count)]}

    def role_of(self, group: Mapping[str, Any], groups: Sequence[Group]) -> str:
        """Return the role of `group`, which is one of `groups`; of another one, ``default``."""
        return next((role for role, each in zip(self.by_index, groups, strict=False) if each is group), DEFAULT)


def make_groups(rules: Sequence[GroupRule], model: Any, process_group: Any = None) -> list[Group]:
    """Return param groups for an optimizer of `model`, one for each set of rules that match a parameter.

    Under ``torch.distributed`` it is a collective, and every rank has the same groups in the same order, empty where
    it has no such parameter.

    Raises:
        ConfigError: a rule fits no parameter of any rank, or two rules contradict each other.
    """
    by_name = [rule for rule in rules if rule.match.is_by_parameter]
    parameters: dict[tuple[int, ...], list[Any]] = {}
    problems: list[Problem] = []
    names: list[str] = []
    for parameter, names_of_it in _parameters(model):
        matching = tuple(at for at, rule in enumerate(by_name) if _fits_any(rule, names_of_it, parameter))
        names += names_of_it
        problems += _contradictions([by_name[at] for at in matching], rules, f"parameter {names_of_it[0]}")
        parameters.setdefault(matching, []).append(parameter)
    ranks = list(gathered((set(parameters), problems), process_group))
    everywhere = set().union(*(matching for matching, _ in ranks))
    problems = [problem for _, found in ranks for problem in found]
    matched = {at for matching in everywhere for at in matching}
    if len(matched) < len(by_name):
        names = [name for found in gathered(names, process_group) for name in found]
        for at in (at for at in range(len(by_name)) if at not in matched):
            fault = _without_name(by_name[at], names, "parameter that is trained")
            problems.append(_problem(by_name[at], rules, fault))
    if problems:
        raise ConfigError("the rules of groups", dict.fromkeys(problems))
    return [
        {"params": parameters.get(matching, []), TAG: role_name(by_name[at] for at in matching)}
        for matching in sorted(everywhere)
    ]


def assign_roles(rules: Sequence[GroupRule], groups: Sequence[Group], process_group: Any = None) -> Roles:
    """Return the roles of `groups`.

    Where a rule is by key or index it is a collective under ``torch.distributed``: a rank may lack a group.

    Raises:
        ConfigError: a rule matches no group of any rank, or only some parameters of one, or two rules contradict
            each other.
    """
    if not rules:
        return Roles()
    problems: list[Problem] = []
    by_index: list[list[GroupRule]] = []
    for index, group in enumerate(groups):
        tagged = _tagged(rules, index, group, problems)
        matching = [
            rule
            for rule in rules
            if rule in tagged
            or (rule.match.is_by_parameter and not tagged and _fits_all(rule, rules, index, group, problems))
            or rule.match.fits_group(index, group)
        ]
        problems += _contradictions(matching, rules, f"param_groups[{index}]")
        by_index.append(matching)
    matched = {rule.role for matching in by_index for rule in matching}
    if any(not rule.match.is_by_parameter for rule in rules):
        matched = set().union(*gathered(matched, process_group))
    blamed = {problem.path for problem in problems}
    missing = [_problem(rule, rules, _without_group(rule, groups)) for rule in rules if rule.role not in matched]
    problems += [problem for problem in missing if problem.path not in blamed]
    if problems:
        raise ConfigError("the optimizer's param groups", problems)
    return Roles(tuple(rules), tuple(role_name(matching) for matching in by_index))


def rules_for(rules: Sequence[GroupRule], group: Mapping[str, Any]) -> list[GroupRule]:
    """Return the `rules` that match one `group` by itself, whose index is not known.

    Raises:
        ConfigError: it was made by another config.
    """
    problems: list[Problem] = []
    tagged = _tagged(rules, 0, group, problems)
    if problems:
        raise ConfigError("the param group", problems)
    return [rule for rule in rules if rule in tagged or rule.match.fits_group(-1, group)]


def tags_of(rules: Sequence[GroupRule], rule: GroupRule) -> dict[str, str]:
    """Return the keys that mark a group that Megatron makes for `rule`."""
    return {f"{PREFIX}{list(rules).index(rule)}": rule.role}


def is_tag(key: Any) -> bool:
    """Return whether `key` of a group marks its role."""
    return isinstance(key, str) and (key == TAG or key.startswith(PREFIX))


def _fits_any(rule: GroupRule, names: Sequence[str], parameter: Any) -> bool:
    return any(rule.match.fits_parameter(name, parameter) for name in names)


def _parameters(model: Any) -> list[tuple[Any, list[str]]]:
    """Return every trained parameter once, with all its names: tied weights have several."""
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
    """Return the rules by name for which `group` was made."""
    by_name = [rule for rule in rules if rule.match.is_by_parameter]
    if not by_name:
        return []
    roles = [value for key, value in group.items() if is_tag(key) and isinstance(value, str)]
    try:
        return [rule for role in roles for rule in rules_named(by_name, role)]
    except ValueError as error:
        problems.append(Problem("groups", f"param_groups[{index}] was made by another config: {error}"))
        return []


def _fits_all(
    rule: GroupRule, rules: Sequence[GroupRule], index: int, group: Mapping[str, Any], problems: list[Problem]
) -> bool:
    """Return whether `rule` fits the names that torch keeps in `group`, where the optimizer was given them."""
    parameters = list(group.get("params") or ())
    names = group.get("param_names") or []
    if rule.match.kind == "ndim" and not names:
        names = [f"its parameter {number}" for number in range(len(parameters))]
    pairs = zip_longest(names, parameters)
    fitting = [name for name, parameter in pairs if name is not None and rule.match.fits_parameter(name, parameter)]
    if fitting and len(fitting) < len(names):
        other = next(name for name in names if name not in fitting)
        fault = (
            f"fits {fitting[0]} and does not fit {other}, which are both in param_groups[{index}]; a rule cannot "
            f"split a group, so make the groups with schedule.param_groups(model)"
        )
        problems.append(_problem(rule, rules, fault))
    return bool(fitting) and len(fitting) == len(names)


def _contradictions(matching: Sequence[GroupRule], rules: Sequence[GroupRule], where: str) -> Iterator[Problem]:
    try:
        merge(matching)
    except ValueError as error:
        yield Problem(f"groups.{list(rules).index(matching[-1])}", f"{where}: {error}")


def _problem(rule: GroupRule, rules: Sequence[GroupRule], fault: str) -> Problem:
    return Problem(f"groups.{list(rules).index(rule)}.match", fault, str(rule.match))


def _without_group(rule: GroupRule, groups: Sequence[Group]) -> str:
    if rule.match.kind == "index":
        return f"matches nothing: the optimizer has {len(groups)} param groups, counted from 0"
    if rule.match.kind == "key":
        held = ", ".join(f"{key} is {_values(key, groups)}" for key, _ in rule.match.value)
        return f"matches none of the optimizer's {len(groups)} param groups: {held}"
    names = [name for group in groups for name in group.get("param_names") or ()]
    if names or any(is_tag(key) for group in groups for key in group):
        return _without_name(rule, names, "parameter")
    return (
        "is about names, and the optimizer has no group that was made by it; make its groups with "
        "schedule.param_groups(model), in Megatron with schedframe.megatron.config_overrides(schedule, model), "
        "which report where no name matches"
    )


def _without_name(rule: GroupRule, names: Sequence[str], what: str) -> str:
    near = ", ".join(rule.match.nearest(names))
    return f"matches no {what}{f'; the nearest names are {near}' if near else ''}"


def _values(key: str, groups: Sequence[Group]) -> str:
    values = list(dict.fromkeys(repr(group[key]) for group in groups if key in group))
    if values:
        return " or ".join(values[:5]) + (" and others" if len(values) > 5 else "")
    known = sorted({str(held) for group in groups for held in group if held != "params" and not is_tag(held)})
    return f"no key of theirs, they have {', '.join(known)}" if known else "no key of theirs"
