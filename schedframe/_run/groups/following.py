"""Which plan each param group of a running scheduler follows: the scheduler's own, or one that rules derive."""

from collections.abc import Iterator, Mapping, Sequence

from schedframe._errors import Problem, StateError
from schedframe._plan.plan import Plan
from schedframe._plan.rule import DEFAULT, merge, name_of, rules_named
from schedframe._plan.words import written
from schedframe._run.groups.bounds import Followed, Members, ignored_factors, other_multipliers, unrunnable
from schedframe._run.groups.bounds import contradictions as contradictions_of
from schedframe._run.groups.roles import Group, Roles


class RolePlans:
    """The plans of the roles of a scheduler's groups.

    They are derived from the scheduler's plan, and kept as long as that is the same.
    """

    def __init__(self, roles: Roles) -> None:
        """Begin with the `roles` of the groups by index; the rules themselves are the scheduler's attribute."""
        self.roles = roles
        self._kept: tuple[Plan | None, dict[str, Followed]] = (None, {})

    def by_role(self, plan: Plan) -> dict[str, Followed]:
        """Return what the groups of each role follow, ``default`` first."""
        kept, by_role = self._kept
        if plan is not kept:
            by_role = {role: _followed(plan, role) for role in self.roles.indices}
            self._kept = (plan, by_role)
        return by_role

    def of_group(self, plan: Plan, group: Mapping[str, object], groups: Sequence[Group]) -> Plan:
        """Return the plan that `group` follows, which is one of `groups`; any other follows `plan`."""
        if not self.roles.rules:
            return plan
        return self.by_role(plan)[self.roles.role_of(group, groups)].plan

    def plans(self, plan: Plan, groups: Sequence[Group]) -> Iterator[tuple[Plan, list[Group]]]:
        """Yield each plan that is followed, with the groups that follow it.

        Raises:
            StateError: there are fewer groups than there were.
        """
        by_role = self.by_role(plan)
        for role, indices in self.roles.indices_in(groups).items():
            yield by_role[role].plan, [groups[index] for index in indices]

    def members(self, plan: Plan, groups: Sequence[Group]) -> Iterator[tuple[str, Followed, Members]]:
        """Yield each role with what its groups follow, and those groups with their indices."""
        by_role = self.by_role(plan)
        for role, indices in self.roles.indices_in(groups).items():
            yield role, by_role[role], [(index, groups[index]) for index in indices]

    def each(self, plan: Plan, groups: Sequence[Group]) -> list[Followed]:
        """Return what each of `groups` follows, in their order."""
        by_role, roles = self.by_role(plan), self.roles.by_index
        return [by_role[role] for role in roles] + [by_role[DEFAULT]] * (len(groups) - len(roles))

    def mistakes(self, plan: Plan, groups: Sequence[Group], *, ignores_lr_mult: bool) -> Iterator[str]:
        """Yield what Megatron runs on `groups` although it is a mistake."""
        marked = any("default_config" in group for group in groups)
        for _, followed, members in self.members(plan, groups):
            for key, message in contradictions_of(plan, followed, members, marked=marked):
                yield f"{key} = {getattr(followed.plan, name_of(key))}: {message}"
            yield from ignored_factors(members, ignores_lr_mult and "lr_mult" not in followed.settings)

    def refuse_unrunnable(self, plan: Plan, groups: Sequence[Group]) -> None:
        """Refuse `groups` with bounds between which a style has no value.

        Raises:
            StateError: there are some.
        """
        walk = [unrunnable(followed.plan, members) for _, followed, members in self.members(plan, groups)]
        faults = [f"{key}: {fault}" for pairs in walk for key, fault in pairs]
        if faults:
            raise StateError("the schedule cannot run: " + "; ".join(faults))


def contradictions(plan: Plan, roles: Roles, groups: Sequence[Group]) -> Iterator[Problem]:
    """Yield what would make `groups` run something else than `plan` and its rules specify."""
    marked = any("default_config" in group for group in groups)
    positions = {rule.role: position for position, rule in enumerate(roles.rules)}
    for role, followed, members in RolePlans(roles).members(plan, groups):
        at = "" if role == DEFAULT else f"groups.{positions[rules_named(roles.rules, role)[0].role]}."
        for key, message in contradictions_of(plan, followed, members, marked=marked):
            yield Problem(f"{at}{key}", message, written(getattr(followed.plan, name_of(key))))
        for key, message in other_multipliers(followed, members):
            yield Problem(f"{at}{key}", message, str(followed.settings[key]))


def _followed(plan: Plan, role: str) -> Followed:
    rules = rules_named(plan.groups, role)
    return Followed(plan.under(rules), merge(rules)) if rules else Followed(plan, {})
