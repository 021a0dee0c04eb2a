"""The rules for param groups of a config.

What a rule sets takes the place of the file's own keys, so that its groups run the schedule that a file with those
keys would declare.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from schedframe._errors import ConfigError, Problem, did_you_mean
from schedframe._plan.plan import NAMES
from schedframe._plan.rule import DEFAULT, FACTORS, JOINT, WRITTEN, GroupRule, key_of, parse_match
from schedframe._problems import written
from schedframe._units.numbers import parse_number, share_of

FIELDS = {
    "max_lr": ("max_lr",),
    "min_lr": ("min_lr",),
    "init_lr": ("init_lr",),
    "lr_warmup_steps": ("lr_warmup_steps",),
    "lr_warmup_style": ("lr_warmup_style",),
    "lr_decay_steps": ("lr_decay_steps",),
    "lr_decay_style": ("lr_style",),
    "wsd_decay_steps": ("lr_style",),
    "lr_wsd_decay_style": ("lr_style",),
    "start_wd": ("start_wd",),
    "end_wd": ("end_wd",),
    "wd_incr_steps": ("wd_incr_steps",),
    "wd_incr_style": ("wd_style",),
    "lr_mult": ("max_lr", "min_lr", "init_lr"),
    "wd_mult": (),
}
"""What a rule may set, with the fields of a plan that it decides."""

_KEYS = ("role", "match", *FIELDS)
_LISTED = f"A rule has role and match, and sets {', '.join(FIELDS)}"
_RATES = ("max_lr", "min_lr", "init_lr")


@dataclass(frozen=True)
class GroupsInput:
    """The ``groups`` list together with the other keys, from which each rule's schedule is derived.

    Attributes:
        tables: the rules as they were given.
        keys: the other keys as they were given.
        derive: validates keys, as a class with a ``plan``, or raises a `ConfigError`.
    """

    tables: Any
    keys: Mapping[str, Any]
    derive: Callable[..., Any]

    @cached_property
    def own_problems(self) -> frozenset[tuple[str, str, str]]:
        """Path, message and value of everything that is wrong with the other keys, whatever the rules set."""
        try:
            self.derive(**self.keys)
        except ConfigError as error:
            return frozenset((problem.path, problem.message, problem.value) for problem in error.problems)
        return frozenset()


def parse_groups(given: GroupsInput, found: Mapping[str, Any]) -> tuple[GroupRule, ...]:
    """Return the rules.

    Args:
        given: what stands in the config.
        found: the values of the other keys, as far as they are valid.

    Raises:
        PydanticCustomError: with everything that is wrong with the rules.
        ValueError: they are not a list.
    """
    if not isinstance(given.tables, list | tuple):
        raise ValueError("must be a list of rules, each with role, match and what it sets")
    problems: list[Problem] = []
    rules: list[GroupRule] = []
    for index, table in enumerate(given.tables):
        parser = _RuleParser(given, found, [rule.role for rule in rules])
        rule = parser.parse(table)
        if rule is not None:
            rules.append(rule)
        problems += [
            replace(problem, path=".".join(filter(None, (str(index), problem.path)))) for problem in parser.problems
        ]
    if problems:
        raise PydanticCustomError("rules", "{message}", {"message": "is wrong", "problems": problems})
    return tuple(rules)


class _RuleParser:
    """Reads one rule, and keeps everything that is wrong with it."""

    def __init__(self, given: GroupsInput, found: Mapping[str, Any], other_roles: list[str]) -> None:
        self.problems: list[Problem] = []
        self._given = given
        self._found = found
        self._other_roles = other_roles

    def parse(self, table: Any) -> GroupRule | None:
        """Return the rule, or ``None`` where something is wrong with it."""
        if not isinstance(table, Mapping):
            self.problems.append(Problem("", "must be a table with role, match and what it sets", written(table)))
            return None
        for key, value in table.items():
            if key not in _KEYS:
                near = did_you_mean(str(key), _KEYS) or "."
                self.problems.append(Problem(key, f"cannot be set by a rule{near} {_LISTED}", written(value)))
        sets = {key: value for key, value in table.items() if key in FIELDS}
        if not sets and not self.problems:
            self.problems.append(Problem("", f"sets nothing. {_LISTED}"))
        role = self._try("role", self._parse_role, table.get("role"))
        match = self._try("match", parse_match, table.get("match"))
        factors = {key: self._try(key, _parse_factor, sets[key]) for key in FACTORS if key in sets}
        values = self._derive(sets, factors)
        if self.problems or values is None:
            return None
        return GroupRule(role, match, values, **factors)

    def _try(self, key: str, parse: Callable[[Any], Any], value: Any) -> Any:
        try:
            return parse(value)
        except ValueError as error:
            self.problems.append(Problem(key, str(error), "" if value is None else written(value)))

    def _parse_role(self, role: Any) -> str:
        if role is None:
            raise ValueError("is missing: the name of the rule, for reports")
        if not isinstance(role, str) or not role.strip() or JOINT in role or not role.isprintable():
            raise ValueError(f"must be a name, a text without {JOINT}")
        if role == DEFAULT:
            raise ValueError("is the name of the groups for which there is no rule; choose another")
        if role in self._other_roles:
            raise ValueError(f"is the name of groups.{self._other_roles.index(role)} too; give each rule its own")
        return role

    def _derive(self, sets: Mapping[str, Any], factors: Mapping[str, Any]) -> tuple[tuple[str, Any], ...] | None:
        """Return what is different under the rule, by the names of a plan's fields."""
        if not any(FIELDS[key] for key in sets):
            return ()
        keys = {**self._given.keys, **{key: value for key, value in sets.items() if key not in factors}}
        if factors.get("lr_mult") is not None:
            keys.update(_multiplied(keys, factors["lr_mult"]))
        try:
            plan = self._given.derive(**keys).plan
        except ConfigError as error:
            self.problems += self._of_rule(error, sets)
            return None
        decided = {name for key in sets for name in FIELDS[key]}
        values = {name: getattr(plan, name) for name in NAMES if name != "groups"}
        return tuple(
            sorted(
                (name, value)
                for name, value in values.items()
                if name in decided or value != self._found.get(key_of(name))
            )
        )

    def _of_rule(self, error: ConfigError, sets: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the problems of the rule's keys, without those of keys that are wrong in the file anyway."""
        for problem in error.problems:
            key = problem.path.partition(".")[0]
            if (problem.path, problem.message, problem.value) in self._given.own_problems:
                continue
            if key in sets:
                yield problem
            else:
                value = f" = {problem.value}" if problem.value else ""
                remedy = f"; let the rule set {key} too" if key in FIELDS else ""
                message = f"with what it sets, {problem.path}{value} {problem.message}{remedy}"
                yield Problem("", message, error=problem.error)


def _parse_factor(value: Any) -> float:
    factor = parse_number(value)
    if factor < 0:
        raise ValueError("must not be negative")
    return factor


def _multiplied(keys: Mapping[str, Any], factor: float) -> Iterator[tuple[str, float]]:
    """Yield the learning rates in `keys` times `factor`, in decimal; a percentage is one of the multiplied max LR."""
    for key in _RATES:
        try:
            if share_of(keys.get(key)) is None:
                yield key, float(Fraction(repr(parse_number(keys.get(key)))) * Fraction(repr(factor)))
        except ValueError:
            continue


def _validate(value: Any, info: ValidationInfo) -> tuple[GroupRule, ...]:
    return parse_groups(value, info.data) if isinstance(value, GroupsInput) else value


def as_tables(rules: tuple[GroupRule, ...]) -> list[dict[str, Any]]:
    """Return `rules` as a config declares them, with lengths and rates as numbers."""
    tables = []
    for rule in rules:
        values = rule.table()["values"]
        factors = {key: factor for key in WRITTEN if (factor := getattr(rule, key)) is not None}
        said = {key_of(name): value for name, value in values.items()}
        tables.append({"role": rule.role, "match": rule.match.table(), **said, **factors})
    return tables


_SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "role": {"type": "string"},
            "match": {
                "type": "object",
                "properties": {
                    "param": {"type": "string"},
                    "regex": {"type": "string", "format": "regex"},
                    "key": {"type": "object", "minProperties": 1},
                    "index": {"type": "integer", "minimum": 0},
                },
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
            **{key: {} for key in FIELDS},
        },
        "required": ["role", "match"],
        "minProperties": 3,
        "additionalProperties": False,
    },
}

GroupRulesField = Annotated[
    tuple[GroupRule, ...], PlainValidator(_validate), PlainSerializer(as_tables), WithJsonSchema(_SCHEMA)
]
"""A list of rules for param groups."""
