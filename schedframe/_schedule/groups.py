"""The rules for param groups of a config.

What a rule sets takes the place of the file's own keys, so that its groups run the schedule that a file with those
keys would declare.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from typing import Annotated, Any, NamedTuple

from pydantic import PlainSerializer, PlainValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from schedframe._errors import ConfigError, Problem, written
from schedframe._plan.plan import NAMES
from schedframe._plan.rule import DEFAULT, FACTORS, JOINT, WRITTEN, GroupRule, key_of, parse_match
from schedframe._problems import unknown_key
from schedframe._units.json_schema import JSONSchema
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
_RATES = ("max_lr", "min_lr", "init_lr")


class GroupsInput(NamedTuple):
    """The ``groups`` list together with the other keys, from which each rule's schedule is derived.

    Attributes:
        tables: the rules as they were given.
        keys: the other keys as they were given.
        derive: validates keys, as a class with a ``plan``, or raises a `ConfigError`.
    """

    tables: Any
    keys: Mapping[str, Any]
    derive: Callable[..., Any]


def _parse_groups(value: Any, info: ValidationInfo) -> tuple[GroupRule, ...]:
    """Return the rules, where `value` does not hold them already; ``None`` is no rules.

    Raises:
        PydanticCustomError: with everything that is wrong with the rules.
        ValueError: they are not a list.
    """
    if not isinstance(value, GroupsInput):
        return tuple(value or ())
    if not isinstance(value.tables, list | tuple):
        raise ValueError("must be a list of rules, each with role, match and what it sets")
    parser = _RuleParser(value, info.data)
    rules = [parser.parse(index, table) for index, table in enumerate(value.tables)]
    if parser.problems:
        raise PydanticCustomError("rules", "{message}", {"message": "is wrong", "problems": parser.problems})
    return tuple(rule for rule in rules if rule is not None)


class _RuleParser:
    """Reads the rules one after the other, and keeps everything that is wrong with them."""

    def __init__(self, given: GroupsInput, values: Mapping[str, Any]) -> None:
        self.problems: list[Problem] = []
        self._given = given
        self._values = values
        self._roles: dict[str, int] = {}
        self._index = 0

    def parse(self, index: int, table: Any) -> GroupRule | None:
        """Return the rule, or ``None`` where something is wrong with it."""
        self._index, problems_before = index, len(self.problems)
        if not isinstance(table, Mapping):
            self._report("", "must be a table with role, match and what it sets", written(table))
            return None
        for key, value in table.items():
            if key not in _KEYS:
                fault, note = unknown_key(str(key), value, "cannot be set by a rule", _KEYS, "The keys of a rule")
                self._report(key, fault, written(value), note=note)
        sets = {key: value for key, value in table.items() if key in FIELDS}
        if not sets and len(self.problems) == problems_before:
            self._report("", f"sets nothing; it can set {', '.join(FIELDS)}")
        role = self._try("role", self._parse_role, table.get("role"))
        match = self._try("match", parse_match, table.get("match"))
        factors = {key: self._try(key, _parse_factor, sets[key]) for key in FACTORS if key in sets}
        values = self._derive(sets, factors)
        if len(self.problems) > problems_before:
            return None
        self._roles[role] = index
        return GroupRule(role, match, values, **factors)

    def _report(
        self, key: object, message: str, value: str = "", error: Exception | None = None, note: str = ""
    ) -> None:
        path = f"{self._index}.{key}" if key else str(self._index)
        self.problems.append(Problem(path, message, value, error=error, note=note))

    def _try(self, key: str, parse: Callable[[Any], Any], value: Any) -> Any:
        try:
            return parse(value)
        except ValueError as error:
            self._report(key, str(error), "" if value is None else written(value))

    def _parse_role(self, role: Any) -> str:
        if role is None:
            raise ValueError("missing required key: the name of the rule, for reports")
        if not isinstance(role, str) or not role.strip() or JOINT in role or not role.isprintable():
            raise ValueError(f"must be a name, a text without {JOINT}")
        if role == DEFAULT:
            raise ValueError("is the name of the groups for which there is no rule; choose another")
        if role in self._roles:
            raise ValueError(f"is the name of groups.{self._roles[role]} too; give each rule its own")
        return role

    def _derive(self, sets: Mapping[str, Any], factors: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
        """Return what is different under the rule, by the names of a plan's fields."""
        if not any(FIELDS[key] for key in sets):
            return ()
        keys = {**self._given.keys, **{key: value for key, value in sets.items() if key not in factors}}
        if factors.get("lr_mult") is not None:
            keys.update(_multiplied(keys, factors["lr_mult"]))
        try:
            plan = self._given.derive(**keys).plan
        except ConfigError as error:
            self._report_derived(error.problems, sets)
            return ()
        decided = {name for key in sets for name in FIELDS[key]}
        values = {name: getattr(plan, name) for name in sorted(NAMES) if name != "groups"}
        return tuple(
            (name, value)
            for name, value in values.items()
            if name in decided or value != self._values.get(key_of(name))
        )

    def _report_derived(self, problems: Iterable[Problem], sets: Mapping[str, Any]) -> None:
        """Report what is wrong under the rule, without what is wrong in the file anyway."""
        for problem in problems:
            key = problem.path.partition(".")[0]
            if _identity(problem) in self._problems_of_file:
                continue
            if key in sets:
                self._report(problem.path, problem.message, problem.value, problem.error, problem.note)
            else:
                value = f" = {problem.value}" if problem.value else ""
                remedy = f"; let the rule set {key} too" if key in FIELDS else ""
                self._report(
                    "", f"with what it sets, {problem.path}{value} {problem.message}{remedy}", "", problem.error
                )

    @cached_property
    def _problems_of_file(self) -> frozenset[tuple[str, str, str]]:
        """Everything that is wrong with the file's other keys, whatever the rules set."""
        try:
            self._given.derive(**self._given.keys)
        except ConfigError as error:
            return frozenset(map(_identity, error.problems))
        return frozenset()


def _identity(problem: Problem) -> tuple[str, str, str]:
    return problem.path, problem.message, problem.value


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


def as_tables(rules: tuple[GroupRule, ...]) -> list[dict[str, Any]]:
    """Return `rules` as a config declares them, with lengths and rates as numbers."""
    tables = []
    for rule in rules:
        values = rule.table()["values"]
        factors = {key: factor for key in WRITTEN if (factor := getattr(rule, key)) is not None}
        sets = {key_of(name): value for name, value in values.items()}
        tables.append({"role": rule.role, "match": rule.match.table(), **sets, **factors})
    return tables


_MATCH_SCHEMA = {
    "type": "object",
    "properties": {
        "param": {"type": "string"},
        "regex": {"type": "string", "format": "regex"},
        "ndim": {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
            ]
        },
        "key": {"type": "object", "minProperties": 1},
        "index": {"type": "integer", "minimum": 0},
    },
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
}
_RULE_SCHEMA = {
    "type": "object",
    "properties": {"role": {"type": "string"}, "match": _MATCH_SCHEMA, **{key: {} for key in FIELDS}},
    "required": ["role", "match"],
    "minProperties": 3,
    "additionalProperties": False,
}
GroupRulesField = Annotated[
    tuple[GroupRule, ...],
    PlainValidator(_parse_groups),
    PlainSerializer(as_tables),
    JSONSchema({"type": "array", "items": _RULE_SCHEMA}),
]
"""A list of rules for param groups."""
