"""Reads a state: Megatron's ten keys, and the JSON string that `write_state` puts beside them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import ValidationError

from schedframe._errors import SchedframeError, StateError, written
from schedframe._plan.plan import (
    CURRENT,
    NAMES,
    STYLES,
    DecayFrom,
    digest,
    fingerprint_as_written,
    fingerprint_of,
)
from schedframe._plan.rule import ALWAYS_SAVED, FACTORS, GroupRule, key_of, name_of, parse_match
from schedframe._plugins.source import Source
from schedframe._problems import problems_of
from schedframe._run.resume.write import DETAILS, FORMAT, LATER, TEN_KEYS
from schedframe._units.numbers import plain, whole
from schedframe._units.units import Clock, parse_clock
from schedframe.styles._byname import by_lr_style, by_wd_style
from schedframe.styles._warmup import MEGATRONS_TABLE, Warmup

_LEGACY = {
    "max_lr": ("start_lr",),
    "lr_warmup_steps": ("warmup_iter", "warmup_steps"),
    "lr_decay_steps": ("end_iter", "decay_steps"),
    "lr_decay_style": ("decay_style",),
    "num_steps": ("num_iters",),
}
"""Older spellings, which Megatron prefers to the new ones where a state has both."""

_IN_ITERS = frozenset({"num_iters", "warmup_iter", "end_iter"})
"""The keys of Megatron's oldest states, and GPT-NeoX's, which count iterations; a state has all of them."""

_IN_TOKENS = {
    "num_steps": ("num_tokens",),
    "lr_warmup_steps": ("warmup_tokens", "lr_warmup_tokens"),
    "lr_decay_steps": ("decay_tokens", "lr_decay_tokens"),
}
"""Megatron-DeepSpeed's keys for the learning rate, where its decay counts tokens
(``deepspeedai/Megatron-DeepSpeed:megatron/optimizer_param_scheduler.py``)."""

_WEIGHT_DECAY = ("start_wd", "end_wd", "wd_incr_steps", "wd_incr_style")
_MEGATRONS = {"start_step": 0, **LATER}
"""The fields of a plan that Megatron's class does not have, as it evaluates the curves."""

_DEFAULTS = {"clock": "samples", **_MEGATRONS, "lr_warmup_style": MEGATRONS_TABLE, "groups": []}
"""The fields of a plan that older versions did not write."""

_BY_NAME = {"lr_style": by_lr_style, "wd_style": by_wd_style}


@dataclass(frozen=True)
class SavedStyle:
    """A style as a checkpoint holds it.

    Attributes:
        field: the plan's field, ``lr_style`` or ``wd_style``.
        table: the style with its options; from Megatron's class, its name alone.
        sources: where it came from, by dotted path; a style may hold others.
    """

    field: str
    table: Mapping[str, Any]
    sources: Mapping[str, Source]

    @property
    def name(self) -> str:
        """The style's name."""
        return str(self.table["style"])

    def resolve(self) -> Any:
        """Return the style.

        Raises:
            StateError: the style is not installed, or does not take these options; with what to install.
        """
        by_name = _BY_NAME[self.field]
        try:
            return by_name.resolve(self.table)
        except ValidationError as error:
            fault = "; ".join(map(str, problems_of(error, by_name.model_of(self.name))))
            raise StateError(self._unusable(fault)) from error
        except (SchedframeError, ValueError, RecursionError) as error:
            raise StateError(self._unusable(str(error))) from error

    def _unusable(self, fault: str) -> str:
        plugins = {str(source): source for source in self.sources.values() if source.distribution != "schedframe"}
        written = f"; it was written with {' and '.join(plugins)}" if plugins else ""
        pins = [f"'{source.distribution}=={source.version}'" for source in plugins.values() if source.distribution]
        install = f": pip install {' '.join(pins)}" if pins else ""
        files = [source.module for source in plugins.values() if source.module.endswith(".py")]
        name = f"{',' if pins else ':'} name {' and '.join(files)} in SCHEDFRAME_IMPORT" if files else ""
        return f"the checkpoint's style {self.name!r} cannot be used: {fault}{written}{install}{name}"


@dataclass(frozen=True)
class SavedRule:
    """A rule for param groups as a checkpoint holds it.

    Attributes:
        table: the rule, its styles as tables.
        styles: those styles, by the plan's field.
    """

    table: Mapping[str, Any]
    styles: Mapping[str, SavedStyle]

    def resolve(self) -> GroupRule:
        """Return the rule.

        Raises:
            StateError: a style is not installed, or does not take these options.
        """
        values = {**self.table["values"], **{name: style.resolve() for name, style in self.styles.items()}}
        if "lr_warmup_style" in values:
            values["lr_warmup_style"] = Warmup.of_table(values["lr_warmup_style"])
        factors = {name: self.table[name] for name in FACTORS if name in self.table}
        return GroupRule(self.table["role"], parse_match(self.table["match"]), tuple(sorted(values.items())), **factors)


@dataclass(frozen=True)
class Saved:
    """What a state specifies.

    Attributes:
        num_steps: the position.
        numbers: numbers, clock and warmup of the plan, by name, as far as the state has them.
        lr: the learning-rate style.
        wd: the weight-decay style; ``None`` where the state has no weight decay.
        groups: the rules for param groups; ``None`` where the state has no such part.
        by_megatron: whether only the ten keys are used: Megatron wrote them, or what is beside them does not fit.
        doubt: why what is beside the ten keys is not used; empty where it is used, or where there is nothing.
        fingerprint: of the schedule, as it was written; empty where there is none.
    """

    num_steps: float
    numbers: Mapping[str, Any]
    lr: SavedStyle
    wd: SavedStyle | None
    groups: tuple[SavedRule, ...] | None
    by_megatron: bool
    doubt: str
    fingerprint: str

    def styles(self) -> list[SavedStyle]:
        """Return every style, those of rules too."""
        of_rules = [style for rule in self.groups or () for style in rule.styles.values()]
        return [self.lr, *([self.wd] if self.wd else []), *of_rules]


def read(state: Mapping[str, Any]) -> Saved:
    """Return what `state` specifies: ours, Megatron's, or one with Megatron's legacy keys.

    Raises:
        StateError: it is broken.
    """
    if not isinstance(state, Mapping):
        raise StateError(f"a scheduler state is a dict, not a {type(state).__name__}")
    clock: Clock = "samples"
    if DETAILS not in state:
        state, clock = _in_its_clock(state)
    ten_keys = _ten_keys(state)
    details, doubt = _details(state, ten_keys)
    if doubt:
        details = {}
    sources = details.get("sources", {})
    position = ten_keys.pop("num_steps")
    styles: dict[str, Any] = dict.fromkeys(STYLES)
    for name in STYLES:
        style = ten_keys.pop(key_of(name), None)
        if style is not None:
            styles[name] = _saved_style(name, details.get(name, {"style": style}), name, sources)
    beyond = {name: details[name] for name in NAMES if name in details and name not in (*STYLES, "groups")}
    beyond["lr_warmup_style"] = Warmup.of_table(beyond.pop("lr_warmup_style", MEGATRONS_TABLE))
    numbers = {"clock": clock, **_MEGATRONS, **ten_keys, **beyond}
    groups = tuple(_saved_rule(table, sources) for table in details["groups"]) if details else None
    fingerprint = details.get("fingerprint", "")
    return Saved(position, numbers, styles["lr_style"], styles["wd_style"], groups, not details, doubt, fingerprint)


def _in_its_clock(state: Mapping[str, Any]) -> tuple[Mapping[str, Any], Clock]:
    """Return a `state` that schedframe did not write, with the keys that were used, and what they count.

    A weight decay that changes with the samples is left out where the clock is tokens.

    Raises:
        StateError: its warmup counts samples and its decay tokens.
    """
    if state.keys() >= _IN_ITERS:
        return state, "iters"
    tokens = {key: state[other] for key, others in _IN_TOKENS.items() for other in others if other in state}
    if tokens.get("lr_decay_steps") is None or tokens.get("num_steps") is None:
        return state, "samples"
    if tokens.get("lr_warmup_steps") is None:
        raise StateError("the scheduler state warms up in samples and decays in tokens, and one clock counts only one")
    in_samples = {spelled for key in _IN_TOKENS for spelled in (key, *_LEGACY[key])}
    if state.get("wd_incr_style") == "constant":
        tokens["wd_incr_steps"] = tokens["lr_decay_steps"]
    else:
        in_samples.update(_WEIGHT_DECAY)
    return {**{key: value for key, value in state.items() if key not in in_samples}, **tokens}, "tokens"


def _saved_rule(table: Mapping[str, Any], sources: Mapping[str, Source]) -> SavedRule:
    values, role = table["values"], table["role"]
    names = [name for name in STYLES if name in values]
    return SavedRule(
        table, {name: _saved_style(name, values[name], f"groups.{role}.{name}", sources) for name in names}
    )


def _saved_style(field: str, table: Mapping[str, Any], path: str, sources: Mapping[str, Source]) -> SavedStyle:
    return SavedStyle(field, table, {at: source for at, source in sources.items() if at.startswith(path)})


def _ten_keys(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ten keys of `state`, legacy spellings resolved, each of the right type."""
    values: dict[str, Any] = {}
    for key in TEN_KEYS:
        spelled = next((old for old in _LEGACY.get(key, ()) if old in state), key)
        if key in _WEIGHT_DECAY and "start_wd" not in state:  # as Megatron reads it
            continue
        if spelled not in state:
            keys = written(", ".join(key for key in state if isinstance(key, str))) if state else "none"
            raise StateError(f"the scheduler state has no {key!r}; its keys are {keys}")
        value = state[spelled]
        if name_of(key) not in STYLES:
            values[key] = _field(key, value, spelled)
        elif _is_text(value):
            values[key] = value
        else:
            raise StateError(f"{spelled} = {written(value)} in the scheduler state is not a style's name")
    values["max_lr"] = float(values["max_lr"])  # as the constructor has it
    values["num_steps"] = whole(values["num_steps"])
    if values["num_steps"] < 0:
        raise StateError(f"num_steps = {values['num_steps']} in the scheduler state is negative")
    return values


def _number(key: str, value: object) -> float:
    try:
        return plain(value)
    except ValueError:
        raise StateError(
            f"{key} = {written(value)} in the scheduler state is not a number that a schedule can have"
        ) from None


def _details(state: Mapping[str, Any], ten_keys: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Return what our key holds, each part of the right type, and why it cannot be used; nothing for Megatron's."""
    text = state.get(DETAILS)
    if text is None:
        return {}, ""
    try:
        details = json.loads(text)
        version = details["format"]
        typed = _typed(details) if version == FORMAT else {}
        doubt = _doubt({**typed, "groups": details.get("groups", [])}, ten_keys) if typed else ""
    except StateError:
        raise
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise StateError(f"the key {DETAILS!r} of the scheduler state is broken: {written(error)}") from None
    if not typed:
        version = written(version)
        raise StateError(f"the scheduler state has format {version}, this version reads {FORMAT}; upgrade schedframe")
    return typed, doubt


def _doubt(details: Mapping[str, Any], ten_keys: Mapping[str, Any]) -> str:
    """Return why `details` cannot be what was written beside the `ten_keys`; empty where they can."""
    keys = f"the ten keys beside it ({', '.join(TEN_KEYS)})"
    if details["digest"] != digest({key: ten_keys.get(key) for key in TEN_KEYS}):
        return f"the key {DETAILS!r} of the scheduler state does not belong to {keys}: it was edited, or loaded in part"
    other = any(ten_keys.get(key_of(name), details[name]["style"]) != details[name]["style"] for name in STYLES)
    values = {"start_wd": None, "end_wd": None, **ten_keys, **details}
    if other or details["fingerprint"] not in ("", fingerprint_of(values), fingerprint_as_written(values)):
        return f"the key {DETAILS!r} of the scheduler state does not fit {keys} or its own fingerprint: it is damaged"
    return ""


def _typed(details: dict[str, Any]) -> dict[str, Any]:
    """Return `details` with each part of the right type; what older versions did not write is filled in."""
    values = {**_DEFAULTS, **details}
    return {
        **{name: _field(name, values[name]) for name in NAMES if name not in TEN_KEYS},
        "digest": str(details["digest"]),
        "fingerprint": _text(details.get("fingerprint", "")),
        "sources": {_text(path): _source(source) for path, source in details.get("sources", {}).items()},
    }


def _field(name: str, value: Any, spelled: str = "") -> Any:
    """Return the `value` of a plan's field, of the right type; `spelled` is the key that holds it."""
    if name in STYLES:
        return _style_table(value)
    if name == "lr_warmup_style":
        return value if value == MEGATRONS_TABLE else Warmup(**_style_table(value)).model_dump(mode="json")
    if name == "groups":
        return [_rule(table) for table in value]
    if name == "clock":
        return parse_clock(value)
    if name == "decay_from":
        if value not in get_args(DecayFrom) or isinstance(value, bool):
            raise ValueError(f"decay_from = {written(value)}")
        return value
    if (value is None and name in ("start_wd", "end_wd")) or (name == "init_lr" and value == CURRENT):
        return value
    return _number(spelled or name, value)


def _is_text(value: Any) -> bool:
    """Return whether `value` is text that may be shown on a terminal."""
    return isinstance(value, str) and len(value) <= 200 and value.isprintable()


def _text(value: Any) -> str:
    if not _is_text(value):
        raise ValueError(f"{written(value)} is not a text")
    return str(value)


def _style_table(style: Any) -> dict[str, Any]:
    if not isinstance(style, dict) or not _is_text(style.get("style")):
        raise ValueError("a style is not a table")
    return style


def _rule(table: Any) -> dict[str, Any]:
    """Return a rule with each part of the right type; what the version that wrote it did not know is filled in."""
    if not {"role", "match"} <= set(table) <= {"role", "match", "values", *FACTORS}:
        raise ValueError("a rule is not a table of a rule")
    values = table.get("values", {})
    for name in values:
        if name not in NAMES or name in ("clock", *_MEGATRONS, "groups"):
            raise ValueError(f"a rule sets {written(name)}")
    return {
        "role": _text(table["role"]),
        "match": parse_match(table["match"]).table(),
        "values": {name: _field(name, value) for name, value in values.items()},
        **dict.fromkeys(ALWAYS_SAVED),
        **{key: _number(key, table[key]) for key in FACTORS if table.get(key) is not None},
    }


def _source(parts: Mapping[str, Any]) -> Source:
    texts = {key: _text(part) if part or key in ("name", "target") else part for key, part in parts.items()}
    return Source(**{"name": "", "target": "", **texts}, path=None)  # a path is not saved
