"""Rules for param groups as a config says them.

What a rule says is put in the place of the file's own keys, so that its groups run the schedule that the file would
be if it said so.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from schedframe._errors import ConfigError, Problem, did_you_mean
from schedframe._plan.plan import NAMES
from schedframe._plan.rule import DEFAULT, JOINT, GroupRule, key_of, parse_match
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
"""What a rule may say, with the fields of a plan that it decides."""

_OWN_KEYS = ("role", "match", *FIELDS)
_RATES = ("max_lr", "min_lr", "init_lr")


@dataclass(frozen=True)
class Asked:
    """What stands under ``groups``, beside everything else that the config says.

    Attributes:
        tables: the rules as they were given.
        keys: the other keys as they were given.
        derive: makes the schedule of some keys, or raises a `ConfigError`.
    """

    tables: Any
    keys: Mapping[str, Any]
    derive: Callable[..., Any]


def declared(asked: Asked, found: Mapping[str, Any]) -> tuple[GroupRule, ...]:
    """Return the rules that are `asked` for.

    Args:
        asked: what stands in the config.
        found: the values of the other keys, as far as they are right.

    Raises:
        PydanticCustomError: with everything that is wrong with the rules.
    """
    tables = asked.tables
    if not isinstance(tables, list | tuple):
        raise ValueError("must be a list of rules, each with role, match and what it sets")
    problems: list[Problem] = []
    rules: list[GroupRule] = []
    for index, table in enumerate(tables):
        try:
            rules.append(_rule(table, asked, found, [rule.role for rule in rules]))
        except ConfigError as error:
            problems += [_within(str(index), problem) for problem in error.problems]
    if problems:
        raise PydanticCustomError("rules", "{message}", {"message": "is wrong", "problems": problems})
    return tuple(rules)


def _within(path: str, problem: Problem) -> Problem:
    inner = ".".join(filter(None, (path, problem.path)))
    return Problem(inner, problem.message, problem.value, None, problem.error)


def _rule(table: Any, asked: Asked, found: Mapping[str, Any], roles: list[str]) -> GroupRule:
    if not isinstance(table, Mapping):
        raise ConfigError("", [Problem("", "must be a table with role, match and what it sets", written(table))])
    problems = [
        Problem(key, f"is nothing that a rule sets{did_you_mean(str(key), _OWN_KEYS) or '.'} {_LISTED}", written(value))
        for key, value in table.items()
        if key not in _OWN_KEYS
    ]
    said = {key: value for key, value in table.items() if key in FIELDS}
    if not said and not problems:
        problems.append(Problem("", f"sets nothing. {_LISTED}"))
    role = _tried(problems, "role", lambda: _role(table.get("role"), roles), table.get("role"))
    match = _tried(problems, "match", lambda: parse_match(table.get("match")), table.get("match"))
    factors = {
        key: _tried(problems, key, lambda key=key: _factor(said[key]), said[key])  # type: ignore[misc]
        for key in ("lr_mult", "wd_mult")
        if key in said
    }
    keys = {**asked.keys, **{key: value for key, value in said.items() if key not in factors}}
    if factors.get("lr_mult") is not None:
        keys.update(_multiplied(keys, factors["lr_mult"]))
    try:
        schedule = asked.derive(**keys)
    except ConfigError as error:
        raise ConfigError("", [*problems, *_own(error, said, asked)]) from None
    if problems:
        raise ConfigError("", problems)
    decided = {name for key in said for name in FIELDS[key]}
    values = {
        name: getattr(schedule, name)
        for name in NAMES
        if name != "groups" and (name in decided or getattr(schedule, name) != found.get(key_of(name)))
    }
    return GroupRule(role, match, tuple(sorted(values.items())), factors.get("lr_mult"), factors.get("wd_mult"))


_LISTED = f"A rule has role and match, and sets {', '.join(FIELDS)}"


def _tried(problems: list[Problem], key: str, parse: Callable[[], Any], value: Any) -> Any:
    try:
        return parse()
    except ValueError as error:
        problems.append(Problem(key, str(error), "" if value is None else written(value)))


def _role(role: Any, others: list[str]) -> str:
    if role is None:
        raise ValueError("is missing: the name of the rule, for reports")
    if not isinstance(role, str) or not role.strip() or JOINT in role or not role.isprintable():
        raise ValueError(f"must be a name, a text without {JOINT}")
    if role == DEFAULT:
        raise ValueError("is the name of the groups for which there is no rule; choose another")
    if role in others:
        raise ValueError(f"is the name of groups.{others.index(role)} too; give each rule its own")
    return role


def _factor(value: Any) -> float:
    factor = parse_number(value)
    if factor < 0:
        raise ValueError("must not be negative")
    return factor


def _multiplied(keys: Mapping[str, Any], factor: float) -> Iterator[tuple[str, float]]:
    """Yield the learning rates in `keys` times `factor`, in decimal; a percentage is one of the multiplied peak."""
    for key in _RATES:
        try:
            if share_of(keys.get(key)) is None:
                yield key, float(Fraction(repr(parse_number(keys.get(key)))) * Fraction(repr(factor)))
        except ValueError:
            continue


def _own(error: ConfigError, said: Mapping[str, Any], asked: Asked) -> Iterator[Problem]:
    """Yield the problems of a rule's schedule, without those that the file has anyway."""
    told: set[str] = set()
    try:
        asked.derive(**asked.keys)
    except ConfigError as own:
        told = {str(problem) for problem in own.problems}
    for problem in error.problems:
        key = problem.path.partition(".")[0]
        if str(problem) in told:
            continue
        if key in said:
            yield problem
        else:
            value = f" = {problem.value}" if problem.value else ""
            remedy = f"; let the rule set {key} too" if key in FIELDS else ""
            yield Problem(
                "", f"with what it sets, {problem.path}{value} {problem.message}{remedy}", error=problem.error
            )


def _validate(value: Any, info: ValidationInfo) -> tuple[GroupRule, ...]:
    return declared(value, info.data) if isinstance(value, Asked) else value


def as_tables(rules: tuple[GroupRule, ...]) -> list[dict[str, Any]]:
    """Return `rules` as a config says them, with the numbers that they come to."""
    tables = []
    for rule in rules:
        values = rule.table()["values"]
        factor = {} if rule.wd_mult is None else {"wd_mult": rule.wd_mult}
        said = {key_of(name): value for name, value in values.items()}
        tables.append({"role": rule.role, "match": rule.match.table(), **said, **factor})
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

AnyGroupRules = Annotated[
    tuple[GroupRule, ...], PlainValidator(_validate), PlainSerializer(as_tables), WithJsonSchema(_SCHEMA)
]
"""A list of rules for param groups."""
