"""What each param group of a running scheduler follows: the scheduler itself, or what rules make of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schedframe._errors import Problem, StateError
from schedframe._plan.plan import NAMES, Plan
from schedframe._plan.rule import DEFAULT, merged, rules_of
from schedframe._plan.words import written
from schedframe._run.groups import bounds as _bounds
from schedframe._run.groups.bounds import Following, Members
from schedframe._run.groups.roles import Group, Roles


class RolePlans:
    """The plans of the roles of a scheduler's groups.

    They are derived from the scheduler's attributes as they are at the moment, and kept only as long as those are
    the same.
    """

    def __init__(self, roles: Roles) -> None:
        """Begin with the `roles` of the groups by index; the rules themselves are the scheduler's attribute."""
        self.roles = roles
        self._seen: tuple[Any, ...] = ()
        self._found: dict[str, Following] = {}

    def by_role(self, scheduler: Any) -> dict[str, Following]:
        """Return what the groups of each role follow, ``default`` first."""
        now = tuple(getattr(scheduler, name) for name in NAMES)
        if now != self._seen:
            self._found = {role: _following(scheduler, role) for role in self.roles.indices}
            self._seen = now
        return self._found

    def of_group(self, scheduler: Any, group: Mapping[str, Any]) -> Any:
        """Return the run that `group` follows, which is one of the optimizer's; any other follows `scheduler`."""
        if not self.roles.rules:
            return scheduler
        return self.by_role(scheduler)[self.roles.role_of(group, scheduler.optimizer.param_groups)].run

    def runs(self, scheduler: Any, groups: Sequence[Group]) -> Iterator[tuple[Any, list[Group]]]:
        """Yield what is followed, with the groups that follow it.

        Raises:
            StateError: there are fewer groups than there were.
        """
        following = self.by_role(scheduler)
        for role, indices in self.roles.indices_in(groups).items():
            yield following[role].run, [groups[index] for index in indices]

    def members(self, scheduler: Any, groups: Sequence[Group]) -> Iterator[tuple[str, Following, Members]]:
        """Yield each role with what its groups follow, and those groups with their indices."""
        following = self.by_role(scheduler)
        for role, indices in self.roles.indices_in(groups).items():
            yield role, following[role], [(index, groups[index]) for index in indices]

    def each(self, scheduler: Any, groups: Sequence[Group]) -> list[Following]:
        """Return what each of `groups` follows, in their order."""
        following = self.by_role(scheduler)
        own = [following[role] for role in self.roles.by_index]
        return own + [following[DEFAULT]] * (len(groups) - len(own))

    def mistakes(self, scheduler: Any, groups: Sequence[Group]) -> Iterator[str]:
        """Yield what Megatron runs on `groups` although it is a mistake."""
        marked = any("default_config" in group for group in groups)
        for _, following, members in self.members(scheduler, groups):
            held = [(index, _bounds.adopt(scheduler, following, group)) for index, group in members]
            for key, message in _bounds.contradictions(following.run, held, marked=marked):
                yield f"{key} = {getattr(following.run, key)}: {message}"
            if scheduler._ignores_lr_mult and "lr_mult" not in following.given:
                yield from _bounds.ignored_multipliers(members)

    def refuse_unrunnable(self, scheduler: Any, groups: Sequence[Group]) -> None:
        """Refuse bounds of some of `groups` between which a style has no value.

        Raises:
            StateError: there are such.
        """
        faults = [
            f"{key}: {fault}"
            for _, following, members in self.members(scheduler, groups)
            for key, fault in _bounds.unrunnable(following.run, members)
        ]
        if faults:
            raise StateError("the schedule cannot run: " + "; ".join(faults))


def contradictions(schedule: Any, roles: Roles, groups: Sequence[Group]) -> Iterator[Problem]:
    """Yield what would make `groups` run something else than `schedule` and its rules say."""
    marked = any("default_config" in group for group in groups)
    positions = {rule.role: position for position, rule in enumerate(roles.rules)}
    for role, following, members in RolePlans(roles).members(schedule, groups):
        at = "" if role == DEFAULT else f"groups.{positions[rules_of(roles.rules, role)[0].role]}."
        held = [(index, _bounds.adopt(schedule, following, group)) for index, group in members]
        for key, message in _bounds.contradictions(following.run, held, marked=marked):
            yield Problem(f"{at}{key}", message, written(getattr(following.run, key)))
        for key, message in _bounds.other_multipliers(following, members):
            yield Problem(f"{at}{key}", message, str(following.given[key]))


def _following(scheduler: Any, role: str) -> Following:
    if role == DEFAULT:
        return Following(scheduler, {})
    rules = rules_of(scheduler.groups, role)
    return Following(Plan.of(scheduler).under(rules), merged(rules))
