"""Lengths as people write them: ``500M``, ``2000 iters``, ``10B tokens``, ``10%``, ``5% of run``.

What is not a length, or cannot be converted, raises a ``ValueError`` whose text is a sentence without its subject.
"""

import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

from pydantic import PlainValidator, ValidationInfo

from schedframe._elsewhere import hint_for_unit
from schedframe._errors import did_you_mean
from schedframe._units.json_schema import JSONSchema
from schedframe._units.numbers import (
    NUMBER_TEXT,
    PERCENT_TEXT,
    SUFFIX_EXPONENT,
    json_number,
    quotient,
    ratio_of,
    refuse_negative,
    scaled,
    share_of,
    stripped,
    whole,
)
from schedframe._units.units import RUN_KEYS, UNITS, Units

OPEN = 2**62
"""The end of a schedule that is ``open``: further than any run goes, and a whole number in every format."""

_SHORT = 7
_LONGEST = 60
_TOO_FAR = 10**15
_WORD = re.compile(r"[a-zA-Z]{2,}\Z")
_UNIT = re.compile("|".join(rf"(?P<{unit.name}>{unit.pattern})\Z" for unit in UNITS.values()), re.IGNORECASE)
_OF = re.compile(r"%\s+of\s+(run|decay)\Z", re.IGNORECASE)


class Measure(NamedTuple):
    """A length as it is written.

    Attributes:
        amount: the number; of a percentage the fraction, 1/100 for ``1%``.
        unit: ``iters``, ``samples``, ``tokens``, ``epochs``, ``%`` of the decay, ``% of run``; empty for the
            scheduler's own steps.
    """

    amount: Fraction
    unit: str


def parse_measure(value: object) -> Measure:
    """Return `value` as a length: a number, or a string such as ``500M``, ``2000 iters``, ``10%`` or ``5% of run``.

    ``K``, ``M``, ``B`` and ``T`` are decimal, in any case.
    """
    return _parse_text(stripped(value)) if isinstance(value, str) else Measure(_amount(value), "")


@lru_cache(maxsize=256)
def _parse_text(text: str) -> Measure:
    of = _OF.search(text)
    share = share_of(text[: of.start() + 1] if of else text)
    if share is not None:
        return Measure(share, "% of run" if of and of[1].lower() == "run" else "%")
    spelled = _UNIT.search(text)
    if spelled:
        return Measure(_amount(text[: spelled.start()].rstrip()), str(spelled.lastgroup))
    _refuse_unknown_unit(text)
    return Measure(_amount(text), "")


def _refuse_unknown_unit(text: str) -> None:
    word = _WORD.search(text) if len(text) <= _LONGEST else None
    if word is None:
        return
    try:
        _amount(text[: word.start()].rstrip())
    except ValueError:
        return  # a word without a number before it is not a unit
    known, hint = list(UNITS), hint_for_unit(word[0])
    near = f"; {hint}" if hint else did_you_mean(word[0], known)
    listed = f"{', '.join(known[:-1])} and {known[-1]}"
    raise ValueError(f"is not a length: there is no unit {word[0]!r}, only {listed}{near}")


def _amount(value: object) -> Fraction:
    amount = refuse_negative(scaled(value, "a length such as 2000, 500M, 2000 iters or 10%"))
    if amount >= _TOO_FAR and isinstance(value, str) and value[-1:] in ("t", "T"):
        raise ValueError(f"is {float(amount):g}, because T is trillions; tokens are written `{value[:-1]} tokens`")
    return amount


def absolute(value: object) -> Measure:
    """Return `value` as a length that is not a percentage."""
    measure = parse_measure(value)
    if measure.unit.startswith("%"):
        raise ValueError("is a percentage, where only a length of its own can stand, such as 500M or 2000 iters")
    return measure


def parse_length(value: object) -> float:
    """Return `value` as a number of the scheduler's own steps; whole numbers come back as ``int``."""
    amount, unit = parse_measure(value)
    if unit:
        what = "a percentage" if unit.startswith("%") else f"in {unit}"
        raise ValueError(f"is {what}, where only a number of the scheduler's own steps can stand")
    return _number(amount)


@dataclass(frozen=True)
class Scale:
    """Converts written lengths to steps at one place of a run.

    Attributes:
        units: how units are converted.
        start: the scheduler's count at the schedule's own step 0.
        begin: where the stretch that is measured begins, in steps from there.
        end: where it ends; ``None`` where that is not known.
        zero: where the step 0 of the style lies that is measured, in steps from there.
        decay_steps: what a percentage is of, in steps; ``None`` where it is not known.
        run_length: what a percentage of the run is of, in its own unit; ``None`` where it is not known.
    """

    units: Units = field(default_factory=Units)
    start: float = 0
    begin: float = 0
    end: float | None = None
    zero: float = 0
    decay_steps: float | None = None
    run_length: Measure | None = None

    @property
    def run_steps(self) -> float | None:
        """What a percentage of the run is of, in steps; ``None`` where it is not known."""
        if self.run_length is None:
            return None
        try:
            return self._steps(*self.run_length, 0, 1)
        except ValueError:
            return None

    def steps(self, value: object) -> float:
        """Return the length `value` in the scheduler's steps, from `begin` on.

        Nothing is rounded; a percentage is the float product, as Megatron's fractions are.
        """
        return self._converted(value, self.begin, 1)

    def absolute(self, value: object) -> float:
        """Return the length `value`, which is not a percentage, in the scheduler's steps, from `begin` on."""
        absolute(value)
        return self.steps(value)

    def steps_before_the_end(self, value: object) -> float:
        """Return the length `value` in the scheduler's steps, of the stretch up to `end`."""
        return self._converted(value, self.end or 0, -1)

    def _converted(self, value: object, begin: float, direction: int) -> float:
        amount, unit = parse_measure(value)
        if not unit:
            return _number(amount)
        if unit.startswith("%"):
            return self._share(amount, unit)
        return self._steps(amount, unit, begin, direction)

    def _steps(self, amount: Fraction, unit: str, begin: float, direction: int) -> float:
        origin, clock = Fraction(self.start) + Fraction(begin), self.units.clock
        position = self.units.converted(origin, clock, unit) + direction * amount
        return _number(direction * (self.units.converted(position, unit, clock) - origin))

    def _share(self, share: Fraction, unit: str) -> float:
        total, what = self.decay_steps, "lr_decay_steps, which"
        if unit == "% of run":
            total, what = self.run_steps, f"the run, whose length ({', '.join(RUN_KEYS)})"
        if total is None or total == OPEN:
            raise ValueError(f"is a percentage of {what} is {'missing or wrong' if total is None else 'open'}")
        return whole(float(share) * total)

    def in_unit(self, steps: float, unit: str) -> float:
        """Return the scheduler's `steps`, from the schedule's own step 0 on, as a length in `unit`."""
        return self._between(Fraction(self.start) + Fraction(steps), self.units.clock, unit)

    def run(self, value: object, own: str) -> float:
        """Return the length of the run `value`, which is not a percentage, in its key's unit `own`."""
        amount, unit = absolute(value)
        if unit in ("", own):
            return _number(amount)
        return self._between(self.units.converted(Fraction(self.start), self.units.clock, unit) + amount, unit, own)

    def _between(self, end: Fraction, unit: str, into: str) -> float:
        """Return how much lies between the schedule's own step 0 and `end`, which is in `unit`, in the unit `into`."""
        start = self.units.converted(Fraction(self.start), self.units.clock, into)
        return _number(self.units.converted(end, unit, into) - start)


def compact(steps: float) -> float | str:
    """Return `steps` with a suffix where that is short and exact, such as ``500M`` or ``1.5K``, else unchanged."""
    if steps == OPEN:
        return "open"
    for suffix, exponent in reversed(SUFFIX_EXPONENT.items()):
        if suffix and steps >= 10**exponent:
            text = f"{steps / 10**exponent:.6g}"
            is_exact = len(text) < _SHORT and Decimal(text).scaleb(exponent) == Decimal(steps)
            return text + suffix.upper() if is_exact else steps
    return steps


def scale_in(info: ValidationInfo) -> Scale:
    """Return the scale with which lengths in a style are measured: the context of the style's validation has it."""
    scale = (info.context or {}).get("scale")
    return scale if isinstance(scale, Scale) else Scale()


def _validate_length(value: Any, info: ValidationInfo) -> float:
    return scale_in(info).steps(value)


def _validate_milestone(value: Any, info: ValidationInfo) -> float:
    """Return a part of the decay as a fraction below 1, anything else in steps from the style's own step 0."""
    measure, scale = parse_measure(value), scale_in(info)
    if measure.amount < 1 and measure.unit in ("", "%"):
        return float(measure.amount)
    steps = replace(scale, begin=scale.zero).steps(value)
    if 0 < steps < 1:
        raise ValueError(f"is {steps:g} steps of the scheduler, and a milestone lies at step 1 or later, or at 0")
    return steps


def _validate_tail(value: Any, info: ValidationInfo) -> float:
    return scale_in(info).steps_before_the_end(value)


def _number(amount: Fraction) -> float:
    return quotient(ratio_of(amount))


def _in_any_case(pattern: str) -> str:
    return "".join(f"[{letter}{letter.upper()}]" if letter.isalpha() else letter for letter in pattern)


_SPELLED = _in_any_case(f"(?:{'|'.join(unit.pattern for unit in UNITS.values())})?")
_IN_UNITS = rf"{NUMBER_TEXT}\s*[kKmMbBtT]?\s*{_SPELLED}"
_OF_RUN, _OF_EITHER = (rf"\s+{_in_any_case('of')}\s+{_in_any_case(what)}" for what in ("run", "(?:run|decay)"))
_SHARE = rf"{PERCENT_TEXT}(?:{_OF_EITHER})?"
_EXAMPLES = "a length such as 2000, 500M, 2000 iters"

JSON_ABSOLUTE = json_number(_EXAMPLES, _IN_UNITS)
JSON_END = json_number(f"{_EXAMPLES}, 90% of run or open", _IN_UNITS, PERCENT_TEXT + _OF_RUN, words=("open",))
JSON_HORIZON = json_number(f"{_EXAMPLES}, 10% or open", _IN_UNITS, _SHARE, words=("open",))
JSON_LENGTH = json_number(f"{_EXAMPLES} or 10%", _IN_UNITS, _SHARE)

Length = Annotated[float, PlainValidator(_validate_length), JSONSchema(JSON_LENGTH)]
"""A length: ``2000``, ``500M``, ``2000 iters``, ``10B tokens``, ``5%``, ``5% of run``."""

Milestone = Annotated[float, PlainValidator(_validate_milestone), JSONSchema(JSON_LENGTH)]
"""A position: a fraction of the decay below 1, as ``0.8`` or ``80%``, or a length from the style's step 0 on."""

CooldownLength = Annotated[float, PlainValidator(_validate_tail), JSONSchema(JSON_LENGTH)]
"""A `Length` at the end of the style."""
