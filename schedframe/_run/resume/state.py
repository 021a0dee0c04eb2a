"""The checkpoint state: Megatron's ten keys, and one JSON string with everything else that determines the curve."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from numbers import Integral, Real
from typing import Any

from pydantic import ValidationError

from schedframe._errors import SchedframeError, StateError
from schedframe._plan.plan import CURRENT, NAMES, Plan, digest, fingerprint, fingerprint_of, styles_of
from schedframe._plan.rule import FACTORS, GroupRule, key_of, parse_match
from schedframe._plugins.source import Source
from schedframe._problems import problems_of
from schedframe._units.units import parse_clock
from schedframe.styles._base import Style
from schedframe.styles._byname import ByName, by_lr_style, by_wd_style
from schedframe.styles._flat_wsd import flat_of
from schedframe.styles._installed import sources_within
from schedframe.styles._warmup import MEGATRONS_TABLE, Warmup

FORMAT = 1
DETAILS = "schedframe"

TEN_KEYS = (
    "max_lr",
    "lr_warmup_steps",
    "num_steps",
    "lr_decay_style",
    "lr_decay_steps",
    "min_lr",
    "start_wd",
    "end_wd",
    "wd_incr_style",
    "wd_incr_steps",
)
"""Megatron's keys, in its order (``megatron/core/optimizer_param_scheduler.py`` at core_v0.16.1)."""

_LEGACY = {
    "max_lr": ("start_lr",),
    "lr_warmup_steps": ("warmup_iter", "warmup_steps"),
    "lr_decay_steps": ("end_iter", "decay_steps"),
    "lr_decay_style": ("decay_style",),
    "num_steps": ("num_iters",),
}
"""Older spellings, which Megatron prefers to the new ones where a state has both."""

_LR_STYLES = ("constant", "linear", "cosine", "inverse-square-root", "WSD")
_WSD_STYLES = ("linear", "cosine", "exponential", "minus_sqrt")
_WD_STYLES = ("constant", "linear", "cosine")
"""The styles that Megatron's class knows (``megatron/core/optimizer_param_scheduler.py`` at core_v0.16.1)."""

_LARGEST = 1e100
"""Far above anything that is trained with; the product of two such numbers is still finite."""

_WEIGHT_DECAY = ("start_wd", "end_wd", "wd_incr_steps", "wd_incr_style")
_STYLES = {"lr_decay_style": "lr_style", "wd_incr_style": "wd_style"}


@dataclass(frozen=True)
class SavedStyle:
    """A style as a checkpoint holds it.

    Attributes:
        table: the style with its options; from Megatron's class, its name alone.
        sources: where it came from, by dotted path; a style may hold others.
    """

    table: Mapping[str, Any]
    sources: Mapping[str, Source]

    @property
    def name(self) -> str:
        """The style's name."""
        return str(self.table["style"])

    def resolve(self, by_name: ByName) -> Style:
        """Return the style, or say in words why it cannot be had here, and what to install.

        Raises:
            StateError: the style is not installed, or does not take these options.
        """
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
        by_name = {"lr_style": by_lr_style, "wd_style": by_wd_style}
        values = {
            **self.table["values"],
            **{name: style.resolve(by_name[name]) for name, style in self.styles.items()},
        }
        if "lr_warmup_style" in values:
            values["lr_warmup_style"] = Warmup.of_table(values["lr_warmup_style"])
        return GroupRule(
            self.table["role"],
            parse_match(self.table["match"]),
            tuple(sorted(values.items())),
            **{name: self.table[name] for name in FACTORS},
        )


@dataclass(frozen=True)
class Saved:
    """What a state says.

    Attributes:
        num_steps: the position.
        numbers: numbers, clock and warm-up of the plan, by name; those that the state does not say are missing.
        lr: the learning-rate style.
        wd: the weight-decay style; ``None`` where the state says nothing about weight decay.
        groups: the rules for param groups; ``None`` where the state says nothing about them.
        by_megatron: only the ten keys count: the state is Megatron's, or what we wrote beside them does not fit.
        doubt: why what we wrote beside the ten keys does not count; empty where it does, or where there is nothing.
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


def dump(plan: Plan, num_steps: float) -> dict[str, Any]:
    """Return the state of a scheduler that runs `plan` at `num_steps`: plain values, equal on every rank."""
    own = {
        "num_steps": num_steps,
        "lr_decay_style": plan.lr_style.style,
        "wd_incr_style": plan.wd_style.style,
    }
    ten = {key: own[key] if key in own else getattr(plan, key) for key in TEN_KEYS}
    sources = {}
    for path, style in styles_of(plan).items():
        sources.update(sources_within(path, style))
    details = {
        "format": FORMAT,
        "clock": plan.clock,
        "start_step": plan.start_step,
        "init_lr": plan.init_lr,
        "lr_warmup_style": plan.lr_warmup_style.model_dump(mode="json"),
        "lr_style": plan.lr_style.model_dump(mode="json"),
        "wd_style": plan.wd_style.model_dump(mode="json"),
        "groups": [rule.table() for rule in plan.groups],
        "sources": {path: _said(source) for path, source in sources.items()},
        "fingerprint": fingerprint(plan),
        "digest": digest(ten),
    }
    return {**ten, DETAILS: json.dumps(details, sort_keys=True)}


def unknown_to_megatron(plan: Plan) -> str:
    """Say what Megatron's class cannot do of `plan`, so that it cannot go on with its state; empty where it can."""
    wsd = flat_of(plan.lr_style)
    if plan.lr_style.style not in _LR_STYLES:
        return f"lr_decay_style {plan.lr_style.style}"
    if wsd is not None and wsd.lr_wsd_decay_style.style not in _WSD_STYLES:
        return f"lr_wsd_decay_style {wsd.lr_wsd_decay_style.style}"
    if plan.start_wd is None:
        return "weight decay that is left alone"
    if plan.wd_style.style not in _WD_STYLES:
        return f"wd_incr_style {plan.wd_style.style}"
    if (plan.end_wd or 0.0) < plan.start_wd:
        return "weight decay that falls"
    if plan.lr_warmup_steps > 0 and not plan.lr_warmup_style.is_megatrons:
        return f"lr_warmup_style {plan.lr_warmup_style.style}"
    for rule in plan.groups:
        for name, value in rule.values:
            if name not in ("max_lr", "min_lr", "start_wd", "end_wd") and value != getattr(plan, name):
                return f"{key_of(name)} of the rule {rule.role}"
    if plan.clock != "samples":
        return f"clock {plan.clock}"
    return f"start_step {plan.start_step}" if plan.start_step else ""


def read(state: Mapping[str, Any]) -> Saved:
    """Return what `state` says: ours, Megatron's, or one with Megatron's legacy keys.

    Raises:
        StateError: it is broken.
    """
    if not isinstance(state, Mapping):
        raise StateError(f"a scheduler state is a dict, not a {type(state).__name__}")
    said = _ten(state)
    details = _details(state, said)
    doubt = details.get("doubt", "")
    if doubt:
        details = {}
    position = said.pop("num_steps")
    lr, wd = (_style(name, said.pop(key, None), details) for key, name in _STYLES.items())
    assert lr is not None
    beyond = {key: details[key] for key in ("init_lr", "start_step", "clock") if details}
    warmup = Warmup.of_table(details.get("lr_warmup_style", MEGATRONS_TABLE))
    numbers = {"clock": "samples", "start_step": 0, **said, **beyond, "lr_warmup_style": warmup}
    groups = tuple(_saved_rule(table, details["sources"]) for table in details["groups"]) if details else None
    return Saved(position, numbers, lr, wd, groups, not details, doubt, str(details.get("fingerprint", "")))


def _saved_rule(table: Mapping[str, Any], sources: Mapping[str, Source]) -> SavedRule:
    styles = {}
    for name in ("lr_style", "wd_style"):
        if name in table["values"]:
            path = f"groups.{table['role']}.{name}"
            styles[name] = SavedStyle(
                table["values"][name], {at: source for at, source in sources.items() if at.startswith(path)}
            )
    return SavedRule(table, styles)


def _style(name: str, said: str | None, details: Mapping[str, Any]) -> SavedStyle | None:
    if said is None:
        return None
    sources = {path: source for path, source in details.get("sources", {}).items() if path.startswith(name)}
    return SavedStyle(details.get(name, {"style": said}), sources)


def _ten(state: Mapping[str, Any]) -> dict[str, Any]:
    """The ten keys of `state`, legacy spellings resolved, each of the right type."""
    said: dict[str, Any] = {}
    for key in TEN_KEYS:
        spelled = next((old for old in _LEGACY.get(key, ()) if old in state), key)
        if key in _WEIGHT_DECAY and "start_wd" not in state:  # as Megatron reads it
            continue
        if spelled not in state:
            keys = _short(", ".join(key for key in state if isinstance(key, str))) if state else "none"
            raise StateError(f"the scheduler state has no {key!r}; its keys are {keys}")
        value = state[spelled]
        if key in _STYLES:
            if not _is_text(value):
                raise StateError(f"{spelled} = {_short(value)} in the scheduler state is no style's name")
            said[key] = value
        elif value is None and key in ("start_wd", "end_wd"):
            said[key] = None
        else:
            said[key] = _number(spelled, value)
    said["max_lr"] = float(said["max_lr"])  # as the constructor has it
    if said["num_steps"] < 0:
        raise StateError(f"num_steps = {said['num_steps']} in the scheduler state is negative")
    return said


def _number(key: str, value: object) -> float:
    try:
        if not isinstance(value, bool) and isinstance(value, Real) and abs(float(value)) <= _LARGEST:
            return int(value) if isinstance(value, Integral) else float(value)
    except OverflowError:
        pass
    raise StateError(f"{key} = {_short(value)} in the scheduler state is no number that a schedule can have")


def _short(value: object) -> str:
    try:
        text = repr(value)
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _details(state: Mapping[str, Any], ten: Mapping[str, Any]) -> dict[str, Any]:
    """What our key says beyond the `ten`, each part of the right type; empty for a state of Megatron's."""
    text = state.get(DETAILS)
    if text is None:
        return {}
    try:
        details = json.loads(text)
        version = details["format"]
        said = _typed(details) if version == FORMAT else {}
        doubt = _doubt({**said, "groups": details.get("groups", [])}, ten) if said else ""
    except StateError:
        raise
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise StateError(f"the key {DETAILS!r} of the scheduler state is broken: {_short(error)}") from None
    if not said:
        raise StateError(
            f"the scheduler state has format {_short(version)}, this version reads {FORMAT}; upgrade schedframe"
        )
    return {**said, "doubt": doubt}


def _doubt(details: Mapping[str, Any], ten: Mapping[str, Any]) -> str:
    """Say why `details` cannot be what was written beside the keys `ten`; empty where they can."""
    keys = f"the ten keys beside it ({', '.join(TEN_KEYS)})"
    if details["digest"] != digest({key: ten.get(key) for key in TEN_KEYS}):
        return f"the key {DETAILS!r} of the scheduler state does not belong to {keys}: it was edited, or loaded in part"
    other = [key for key, name in _STYLES.items() if ten.get(key, details[name]["style"]) != details[name]["style"]]
    said = {"start_wd": None, "end_wd": None, **ten, **details}
    if other or details["fingerprint"] not in ("", fingerprint_of(said)):
        return f"the key {DETAILS!r} of the scheduler state does not fit {keys} or its own fingerprint: it is damaged"
    return ""


def _typed(details: dict[str, Any]) -> dict[str, Any]:
    """`details` with each part of the right type; what older versions did not write is filled in."""
    init_lr = details["init_lr"]
    return {
        "digest": str(details["digest"]),
        "fingerprint": _text(details.get("fingerprint", "")),
        "init_lr": init_lr if init_lr == CURRENT else _number("init_lr", init_lr),
        "clock": parse_clock(details.get("clock", "samples")),
        "start_step": _number("start_step", details.get("start_step", 0)),
        "lr_warmup_style": _warmup(details.get("lr_warmup_style", MEGATRONS_TABLE)),
        "lr_style": _table(details["lr_style"]),
        "wd_style": _table(details["wd_style"]),
        "groups": [_rule(table) for table in details.get("groups", [])],
        "sources": {_text(path): _source(**source) for path, source in details.get("sources", {}).items()},
    }


def _is_text(value: Any) -> bool:
    """Say whether `value` is text that may be shown on a terminal."""
    return isinstance(value, str) and len(value) <= 200 and value.isprintable()


def _text(value: Any) -> str:
    if not _is_text(value):
        raise ValueError(f"{_short(value)} is no text")
    return str(value)


def _table(style: Any) -> dict[str, Any]:
    if not isinstance(style, dict) or not _is_text(style.get("style")):
        raise ValueError("a style is no table")
    return style


def _warmup(table: Any) -> dict[str, Any]:
    return table if table == MEGATRONS_TABLE else Warmup(**_table(table)).model_dump(mode="json")


def _rule(table: Any) -> dict[str, Any]:
    """Return a rule with each part of the right type; what the version that wrote it did not know is filled in."""
    if not {"role", "match"} <= set(table) <= {"role", "match", "values", *FACTORS}:
        raise ValueError("a rule is not a table of a rule")
    factors = {key: None if table.get(key) is None else _number(key, table[key]) for key in FACTORS}
    match = parse_match(table["match"]).table()
    return {"role": _text(table["role"]), "match": match, "values": _rule_values(table.get("values", {})), **factors}


def _rule_values(values: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name not in NAMES or name in ("clock", "start_step", "groups"):
            raise ValueError(f"a rule sets {_short(name)}")
        if name in ("lr_style", "wd_style"):
            found[name] = _table(value)
        elif name == "lr_warmup_style":
            found[name] = _warmup(value)
        elif (value is None and name in ("start_wd", "end_wd")) or (value == CURRENT and name == "init_lr"):
            found[name] = value
        else:
            found[name] = _number(name, value)
    return found


def _said(source: Source) -> dict[str, str | None]:
    """What is the same on every rank: where the file of a style lies is not."""
    return {key: value for key, value in asdict(source).items() if key != "path"}


def _source(
    name: str = "",
    target: str = "",
    distribution: str | None = None,
    version: str | None = None,
    sha256: str | None = None,
) -> Source:
    for part in (name, target, distribution or "", version or "", sha256 or ""):
        _text(part)
    return Source(name, target, distribution, version, sha256=sha256)
