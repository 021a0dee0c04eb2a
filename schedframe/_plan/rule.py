"""A rule for param groups: which of them it matches, and which settings it changes for them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from schedframe._errors import did_you_mean
from schedframe.styles._base import Style

Kind = Literal["param", "regex", "ndim", "key", "index"]
KINDS = get_args(Kind)

_LONGEST = 200

DEFAULT = "default"
"""The role of the groups that no rule matches."""

JOINT = "+"
"""Joins the roles of a group that several rules match."""

FACTORS = ("lr_mult", "wd_mult")
"""What a rule may set besides the fields of a plan: `GroupRule` has a field for each."""

WRITTEN = ("wd_mult",)
"""The factors that are written into a group."""

ALWAYS_SAVED = ("lr_mult", "wd_mult")
"""The factors that a rule's table holds even as ``None``, so that fingerprints stay what they were."""


@dataclass(frozen=True)
class Match:
    """Which param groups a rule matches.

    Attributes:
        kind: ``param``, a glob of parameters' names; ``regex``, found anywhere in them; ``ndim``, how many
            dimensions they have; ``key``, values that a group holds; ``index``, a position in the optimizer's list.
        value: the glob, the expression, the numbers of dimensions, pairs of key and value, or the position.
    """

    kind: Kind
    value: Any

    @property
    def is_by_parameter(self) -> bool:
        """Whether it matches single parameters, by what a group does not hold."""
        return self.kind in ("param", "regex", "ndim")

    def fits_parameter(self, name: str, parameter: Any) -> bool:
        """Return whether it matches `parameter`, which is called `name`."""
        if self.kind == "ndim":
            return getattr(parameter, "ndim", None) in self.value
        if self.kind == "param":
            return fnmatchcase(name, self.value)
        return self.kind == "regex" and re.search(self.value, name) is not None

    def fits_group(self, index: int, group: Mapping[str, Any]) -> bool:
        """Return whether it matches `group`, at the position `index`, by what the group holds."""
        if self.kind == "index":
            return bool(index == self.value)
        return self.kind == "key" and all(key in group and group[key] == value for key, value in self.value)

    def nearest(self, names: Iterable[str]) -> list[str]:
        """Return the `names` that are most like the value, three at most."""
        if self.kind == "ndim":
            return []
        plain = re.sub(r"[*?^$\\\[\]]+", "", str(self.value))
        names = list(names)
        return get_close_matches(plain[:_LONGEST], names, n=3, cutoff=0.0) if names else []

    def table(self) -> dict[str, Any]:
        """Return it as a config spells it."""
        if self.kind == "ndim":
            return {self.kind: self.value[0] if len(self.value) == 1 else list(self.value)}
        return {self.kind: dict(self.value) if self.kind == "key" else self.value}

    def __str__(self) -> str:
        if self.kind == "key":
            return "key " + ", ".join(f"{key}: {value}" for key, value in self.value)
        if self.kind == "ndim":
            return f"ndim {', '.join(map(str, self.value))}"
        return f"{self.kind} {self.value}"


@dataclass(frozen=True)
class GroupRule:
    """A rule for param groups.

    Attributes:
        role: its name.
        match: which groups it matches.
        values: the plan's fields that the rule changes, as sorted pairs.
        lr_mult: the factor from which learning rates in `values` were computed.
        wd_mult: the factor on the weight decay; ``None`` leaves the group's own.
    """

    role: str
    match: Match
    values: tuple[tuple[str, Any], ...]
    lr_mult: float | None = field(default=None, compare=False)
    wd_mult: float | None = None

    def sets(self) -> dict[str, Any]:
        """Return everything that the rule sets for a group, by name."""
        return {**dict(self.values), **self._factors()}

    def table(self) -> dict[str, Any]:
        """Return it as plain values, its styles as tables."""
        values = {
            name: value.model_dump(mode="json") if isinstance(value, Style) else value for name, value in self.values
        }
        factors = {**dict.fromkeys(ALWAYS_SAVED), **self._factors()}
        return {"role": self.role, "match": self.match.table(), "values": values, **factors}

    def _factors(self) -> dict[str, float]:
        return {name: factor for name in FACTORS if (factor := getattr(self, name)) is not None}


def role_name(rules: Iterable[GroupRule]) -> str:
    """Return the role of a group that all of `rules` match."""
    return JOINT.join(rule.role for rule in rules) or DEFAULT


def parse_match(table: Any) -> Match:
    """Return the match that a `table` such as ``{"param": "*.router.*"}`` specifies.

    Raises:
        ValueError: it specifies none.
    """
    ways = f"{', '.join(KINDS[:-1])} or {KINDS[-1]}"
    if table is None:
        raise ValueError(f"missing required key: a table with {ways}")
    if not isinstance(table, Mapping) or len(table) != 1 or next(iter(table)) not in KINDS:
        unknown = [str(key) for key in table if key not in KINDS] if isinstance(table, Mapping) else []
        near = did_you_mean(unknown[0], KINDS) if unknown else ""
        raise ValueError(f"must be a table with one of {ways}{near}")
    kind, value = next(iter(table.items()))
    if kind == "index":
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ValueError("index must be the position of a param group, from 0 on")
        return Match(kind, value)
    if kind == "ndim":
        numbers = value if isinstance(value, list | tuple) else (value,)
        if not numbers or not all(type(number) is int and number >= 0 for number in numbers):
            raise ValueError("ndim must be a number of dimensions, such as 1, or a list, such as [0, 1]")
        return Match(kind, tuple(dict.fromkeys(numbers)))
    if kind == "key":
        plain = isinstance(value, Mapping) and all(isinstance(held, str | int | float) for held in value.values())
        if not plain or not value:
            raise ValueError("key must be a table of what the group holds, such as {is_expert_parallel: true}")
        return Match(kind, tuple(value.items()))
    if not isinstance(value, str) or not value:
        raise ValueError(f"{kind} must be a text, such as {'*.router.*' if kind == 'param' else '(bias|norm)'}")
    if kind == "regex":
        try:
            re.compile(value)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"regex is not a regular expression: {error}") from None
    return Match(kind, value)


def merge(rules: Iterable[GroupRule]) -> dict[str, Any]:
    """Return what several rules set for one param group, by name.

    Raises:
        ValueError: two of them set one name to different values.
    """
    merged: dict[str, Any] = {}
    roles: dict[str, str] = {}
    for rule in rules:
        for name, value in rule.sets().items():
            if name in merged and merged[name] != value:
                raise ValueError(
                    f"the rules {roles[name]!r} and {rule.role!r} give one param group two values of {key_of(name)}, "
                    f"{merged[name]} and {value}; give both the same value, or let their matches not overlap"
                )
            merged[name], roles[name] = value, rule.role
    return merged


def rules_named(rules: Iterable[GroupRule], role: str) -> list[GroupRule]:
    """Return the `rules` that `role` names: ``router``, ``router+muon``; none for ``default``.

    Raises:
        ValueError: there is no such role.
    """
    known = {rule.role: rule for rule in rules}
    if role == DEFAULT:
        return []
    for name in role.split(JOINT):
        if name not in known:
            listed = ", ".join([DEFAULT, *known])
            raise ValueError(f"there is no role {name!r}{did_you_mean(name, known) or ';'} the roles are {listed}")
    return [known[name] for name in role.split(JOINT)]


_CONFIG_KEY = {"lr_style": "lr_decay_style", "wd_style": "wd_incr_style"}
_NAME = {key: name for name, key in _CONFIG_KEY.items()}


def key_of(name: str) -> str:
    """Return the config key of a plan's field."""
    return _CONFIG_KEY.get(name, name)


def name_of(key: str) -> str:
    """Return the plan's field of a config key."""
    return _NAME.get(key, key)
