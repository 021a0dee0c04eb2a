"""The types of config keys: each reads its value, with the values of the keys before it."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

from pydantic import PlainSerializer, PlainValidator, ValidationInfo

from schedframe._plan.plan import CURRENT, WARMUP, DecayFrom, Parent
from schedframe._run.arguments import parse_decay_from
from schedframe._run.policy import KEYS as OVERRIDE_KEYS
from schedframe._run.policy import POLICIES, Resume, parse_parent, parse_resume
from schedframe._units import lengths
from schedframe._units.json_schema import JSONSchema
from schedframe._units.lengths import OPEN, Measure, Scale, parse_measure
from schedframe._units.numbers import JSON_COUNT, NUMBER_TEXT, PERCENT_TEXT, json_number, parse_rate, share_of
from schedframe._units.units import RUN_KEYS, UNITS, Clock, Units, batch_sizes_of, parse_clock, parse_ramp
from schedframe.styles._base import LRStyle, WDStyle
from schedframe.styles._byname import by_lr_style, by_wd_style
from schedframe.styles._warmup import WARMUP_SCHEMA, Warmup, parse_warmup

_BATCH_KEYS = (
    "global_batch_size",
    "seq_length",
    "micro_batch_size",
    "data_parallel_size",
    "decrease_batch_size_if_needed",
    "rampup_batch_size",
    "step_batch_size_schedule",
)
_OWN_KEYS = tuple(unit.key for unit in UNITS.values() if unit.key and unit.key == unit.needs)
UNIT_KEYS = tuple(dict.fromkeys(("clock", *_OWN_KEYS, *_BATCH_KEYS)))
"""Keys that determine how units are converted."""


def scale_of(values: Mapping[str, Any]) -> Scale:
    """Return the scale with which lengths in a config are converted.

    Args:
        values: of its keys, as far as they are known; some may be missing during validation.
    """
    units, start = _units(**{key: values.get(key) for key in UNIT_KEYS}), values.get("start_step") or 0
    given = [key for key in RUN_KEYS if values.get(key) is not None]
    run = Measure(Fraction(str(values[given[-1]])), RUN_KEYS[given[-1]]) if given else None
    return Scale(units, start, decay_steps=values.get("lr_decay_steps"), run_length=run)


@lru_cache(maxsize=64)
def _units(**values: Any) -> Units:
    try:
        batch_sizes = batch_sizes_of(**{key: values[key] for key in _BATCH_KEYS})
    except ValueError:
        batch_sizes = None
    return Units(values["clock"] or "samples", batch_sizes, **{key: values[key] for key in _OWN_KEYS})


def _scale_of_lr_style(info: ValidationInfo) -> Scale:
    scale = scale_of(info.data)
    begin = 0 if info.data.get("decay_from") == 0 else info.data.get("lr_warmup_steps", 0)
    return replace(scale, begin=begin, end=scale.decay_steps)


def _scale_of_wd_style(info: ValidationInfo) -> Scale:
    return replace(scale_of(info.data), end=info.data.get("wd_incr_steps"))


def _parse_end(value: Any, info: ValidationInfo) -> float:
    if value != "open" and parse_measure(value).unit == "%":
        raise ValueError("is a percentage of itself; a part of the run is written `90% of run`")
    return _parse_horizon(value, info)


def _parse_horizon(value: Any, info: ValidationInfo) -> float:
    return OPEN if value == "open" else scale_of(info.data).steps(value)


def _parse_first_update(value: Any, info: ValidationInfo) -> float:
    """Return how far ahead of the position the curves are read, in steps."""
    if isinstance(value, bool) or value not in (-1, 0, 1):
        raise ValueError("must be 0, 1 or -1: read at the update itself, one update ahead, or one behind")
    if value == 0:
        return 0
    units = scale_of(info.data).units
    sizes = units.batch_sizes
    if units.clock != "iters" and sizes is not None and len(sizes.stretches) > 1:
        raise ValueError("moves the curves by one update, and the batch size changes; write `clock: iters`")
    return int(value) * scale_of(info.data).steps("1 iters")


def _parse_rate(value: Any, info: ValidationInfo) -> float:
    if share_of(value) is not None and "max_lr" not in info.data:
        raise ValueError("is a percentage of max_lr, which is missing or wrong")
    return parse_rate(value, info.data.get("max_lr", 0.0))


def _parse_init_lr(value: Any, info: ValidationInfo) -> float | str:
    if value != CURRENT:
        return _parse_rate(value, info)
    if info.data.get("start_step") == 0:
        raise ValueError(
            "is the learning rate of the checkpoint where this schedule starts; give its step as start_step"
        )
    return CURRENT


ClockField = Annotated[Clock, PlainValidator(parse_clock), JSONSchema({"enum": list(get_args(Clock))})]
"""A clock, by name."""

_RAMP_SCHEMA = {"type": "array", "items": JSON_COUNT, "minItems": 3, "maxItems": 3}
RampField = Annotated[
    tuple[int, int, int],
    PlainValidator(parse_ramp),
    PlainSerializer(lambda ramp: list(ramp), when_used="json"),  # pydantic's own warns that a list is no tuple
    JSONSchema(_RAMP_SCHEMA),
]
"""A ramp-up of the batch size: the first size, the increment, samples."""

StartField = Annotated[
    float,
    PlainValidator(lambda value, info: scale_of(info.data).absolute(value)),
    JSONSchema(lengths.JSON_ABSOLUTE),
]
"""A position: the scheduler's count from the start of the run; not a percentage."""

RunField = Annotated[
    float,
    PlainValidator(lambda value, info: scale_of(info.data).run(value, RUN_KEYS[str(info.field_name)])),
    JSONSchema(lengths.JSON_ABSOLUTE),
]
"""The length of the run, in the unit that the key names: ``500M``, ``3 epochs``."""

EndField = Annotated[float, PlainValidator(_parse_end), JSONSchema(lengths.JSON_END)]
"""A length that percentages are of, or ``open``."""

LengthField = Annotated[
    float,
    PlainValidator(lambda value, info: scale_of(info.data).steps(value)),
    JSONSchema(lengths.JSON_LENGTH),
]
"""A length: ``2000``, ``500M``, ``2000 iters``, ``10B tokens``, ``5%``, ``5% of run``."""

HorizonField = Annotated[float, PlainValidator(_parse_horizon), JSONSchema(lengths.JSON_HORIZON)]
"""A length, or ``open``."""

JSON_RATE = json_number("a number, or a percentage such as 10%", NUMBER_TEXT, PERCENT_TEXT)
RateField = Annotated[float, PlainValidator(_parse_rate), JSONSchema(JSON_RATE)]
"""A learning rate: a finite number, or a percentage of ``max_lr``."""

_JSON_INIT_LR = json_number(
    "a number, a percentage such as 10%, or current", NUMBER_TEXT, PERCENT_TEXT, words=(CURRENT,)
)
InitLRField = Annotated[float | Literal["current"], PlainValidator(_parse_init_lr), JSONSchema(_JSON_INIT_LR)]
"""A learning rate, or ``current``."""


def updates_of(shift: float) -> int:
    """Return what a config gives as ``first_update`` for a `shift` in steps: 1 ahead, 0, -1 behind."""
    return (shift > 0) - (shift < 0)


def _parse_interval(value: Any, info: ValidationInfo) -> float:
    """Return how long the curves hold their values, in whole steps."""
    steps = scale_of(info.data).steps(value)
    if steps != int(steps):
        raise ValueError(f"is {float(steps):g} steps, and must be a whole number of them")
    return int(steps)


IntervalField = Annotated[float, PlainValidator(_parse_interval), JSONSchema(lengths.JSON_LENGTH)]
"""How long the curves hold their values."""

FirstUpdateField = Annotated[
    float, PlainValidator(_parse_first_update), PlainSerializer(updates_of), JSONSchema({"enum": [0, 1, -1]})
]
"""How far ahead of the position the curves are read."""

DecayFromField = Annotated[DecayFrom, PlainValidator(parse_decay_from), JSONSchema({"enum": [WARMUP, 0]})]
"""``warmup`` or 0."""

WarmupField = Annotated[
    Warmup,
    PlainValidator(lambda value, info: parse_warmup(value, scale_of(info.data), info.data.get("lr_warmup_steps", 0))),
    PlainSerializer(lambda warmup: warmup.model_dump()),
    JSONSchema(WARMUP_SCHEMA),
]
"""A warmup, by name or as a table."""

LRStyleField = Annotated[LRStyle, by_lr_style.measured_with(_scale_of_lr_style)]
"""A learning-rate style, by name or as a table."""

WDStyleField = Annotated[WDStyle, by_wd_style.measured_with(_scale_of_wd_style)]
"""A weight-decay style, by name or as a table."""

_RESUME_TABLE = {
    "type": "object",
    "properties": {
        "policy": {"enum": list(POLICIES)},
        "override": {"type": "array", "items": {"enum": list(OVERRIDE_KEYS)}},
    },
    "additionalProperties": False,
}
ResumeField = Annotated[
    Resume,
    PlainValidator(parse_resume),
    PlainSerializer(asdict),
    JSONSchema({"anyOf": [{"enum": list(POLICIES)}, _RESUME_TABLE]}),
]
"""A policy's name, or a table with ``policy`` and ``override``."""

_PARENT_TABLE = {
    "type": "object",
    "properties": {"fingerprint": {"type": "string"}, "step": {"anyOf": [{"type": "number"}, {"type": "string"}]}},
    "required": ["fingerprint", "step"],
    "additionalProperties": False,
}
ParentField = Annotated[Parent, PlainValidator(parse_parent), PlainSerializer(asdict), JSONSchema(_PARENT_TABLE)]
"""A table with ``fingerprint`` and ``step``."""


def _parse_ignore(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise ValueError("must be a table of rules and reasons, such as {SF202: as in GPT-3}")
    for name, reason in value.items():
        if not isinstance(name, str) or not isinstance(reason, str) or not reason.strip():
            raise ValueError(f"must give a reason for {name}, a text")
    return tuple(value.items())


IgnoreField = Annotated[
    tuple[tuple[str, str], ...],
    PlainValidator(_parse_ignore),
    PlainSerializer(lambda ignored: dict(ignored)),
    JSONSchema({"type": "object", "additionalProperties": {"type": "string", "minLength": 1}}),
]
"""Lint rules, each with the reason why it is not applied."""
