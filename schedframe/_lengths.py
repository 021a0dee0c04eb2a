"""Numbers and lengths as people write them: ``3e-4``, ``500M``, ``1_000_000``, ``10%``."""

import re
from decimal import Decimal
from fractions import Fraction
from numbers import Rational, Real
from typing import Annotated, Any, Literal

from pydantic import PlainValidator, ValidationInfo, WithJsonSchema

_SUFFIX_EXPONENT = {"": 0, "k": 3, "m": 6, "b": 9, "t": 12}
_DIGITS = r"\d+(?:_\d+)*"
_NUMBER = re.compile(
    rf"(?P<mantissa>[+-]?(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS}))(?:[eE](?P<exponent>[+-]?\d+))?", re.ASCII
)
_LARGEST = int(1e300)
_SHORT = 7


def parse_number(value: object) -> float:
    """`value` as a finite float: a number, or a string that holds one.

    Raises:
        ValueError: for anything else; ``True``, NaN and infinity are no numbers.
    """
    return float(_exact(value, "a number"))


def parse_length(value: object) -> float:
    """`value` as a number of steps: a number, or a string such as ``500M``, ``2e9`` or ``1_000_000``.

    ``K``, ``M``, ``B`` and ``T`` are decimal, in any case. Whole numbers come back as ``int``.

    Raises:
        ValueError: for anything else, and below 0.
    """
    exponent = 0
    if isinstance(value, str):
        value = value.strip()
        if value.endswith("%"):
            raise ValueError("is a percentage, where only a number of steps can stand")
        exponent = _SUFFIX_EXPONENT.get(value[-1:].lower(), 0)
        if exponent:
            value = value[:-1].rstrip()
    steps = _bounded(_exact(value, "a length such as 2000, 500M or 1_000_000") * 10**exponent)
    if steps < 0:
        raise ValueError("must not be negative")
    return int(steps) if steps.denominator == 1 else whole(float(steps))


def parse_share(text: str) -> float | None:
    """``"1%"`` as the fraction 0.01; ``None`` where `text` is no percentage.

    The fraction is the float nearest to the decimal number written, so that ``1%`` of a length is
    bit-equal to ``0.01 * length``.

    Raises:
        ValueError: for a percentage that is no number, or below 0.
    """
    share = _share(text)
    return None if share is None else float(share)


def _share(value: object) -> Fraction | None:
    text = value.strip() if isinstance(value, str) else ""
    if not text.endswith("%"):
        return None
    percent = _read(text[:-1].rstrip(), "a percentage such as 10%")
    if percent < 0:
        raise ValueError("must not be negative")
    return percent / 100


def _exact(value: object, what: str) -> Fraction:
    """`value` without rounding, whatever the program's decimal context."""
    if value is None:
        raise ValueError("has no value")
    if isinstance(value, str):
        return _read(value.strip(), what)
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        raise ValueError(f"is not {what}")
    try:
        return _bounded(Fraction(value if isinstance(value, Rational | Decimal) else float(value)))
    except (OverflowError, ValueError) as error:
        raise ValueError("is too large" if str(error) == "is too large" else "is not a finite number") from None


def _read(text: str, what: str) -> Fraction:
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"is not {what}")
    mantissa, exponent = match["mantissa"].replace("_", ""), match["exponent"] or "0"
    if len(mantissa) > 400:
        raise ValueError("is too large")
    power = int(exponent) if len(exponent) < 5 else (-1000 if exponent.startswith("-") else 1000)
    return _bounded(Fraction(mantissa) * Fraction(10) ** max(-1000, min(power, 1000)))


def _bounded(number: Fraction) -> Fraction:
    if abs(number) > _LARGEST:
        raise ValueError("is too large")
    return number


def whole(number: float) -> float:
    """`number` as an ``int`` where it is integral, else unchanged."""
    return int(number) if number == int(number) else number


def compact(steps: float) -> float | str:
    """`steps` with a suffix where that is short and exact, such as ``500M`` or ``1.5K``, else unchanged."""
    for suffix, exponent in reversed(_SUFFIX_EXPONENT.items()):
        if suffix and steps >= 10**exponent:
            text = f"{steps / 10**exponent:.6g}"
            exact = len(text) < _SHORT and Decimal(text).scaleb(exponent) == Decimal(steps)
            return text + suffix.upper() if exact else steps
    return steps


def _validate_length(value: Any, info: ValidationInfo) -> float:
    """A length, where a percentage is of ``lr_decay_steps``: a sibling key, or handed down in the context."""
    share = _share(value)
    if share is None:
        return parse_length(value)
    total = {**(info.data or {}), **(info.context or {})}.get("lr_decay_steps")
    if total is None:
        raise ValueError("is a percentage of lr_decay_steps, which is missing or wrong")
    return whole(float(share) * total)


def parse_rate(value: object, max_lr: float) -> float:
    """`value` as a learning rate, where a percentage is of `max_lr`: the decimal product, 10% of 3e-4 is 3e-5.

    Raises:
        ValueError: for what is neither a finite number nor a percentage.
    """
    share = _share(value)
    return parse_number(value) if share is None else float(Fraction(repr(max_lr)) * share)


def _validate_rate(value: Any, info: ValidationInfo) -> float:
    """A learning rate, where a percentage is of the sibling key ``max_lr``."""
    if _share(value) is not None and "max_lr" not in info.data:
        raise ValueError("is a percentage of max_lr, which is missing or wrong")
    return parse_rate(value, info.data.get("max_lr", 0.0))


def _validate_init_lr(value: Any, info: ValidationInfo) -> float | str:
    """A learning rate, or the word ``current``."""
    if value != "current":
        return _validate_rate(value, info)
    if info.data.get("start_step") == 0:
        raise ValueError(
            "is the learning rate of the checkpoint where this schedule starts; give its step as start_step"
        )
    return "current"


_JSON_LENGTH = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}]}
_JSON_NUMBER = {"anyOf": [{"type": "number"}, {"type": "string"}]}

Number = Annotated[float, PlainValidator(parse_number), WithJsonSchema(_JSON_NUMBER)]
"""A finite number, quoted or not."""

Rate = Annotated[float, PlainValidator(_validate_rate), WithJsonSchema(_JSON_NUMBER)]
"""A finite number, or a percentage of ``max_lr``."""

InitLR = Annotated[float | Literal["current"], PlainValidator(_validate_init_lr), WithJsonSchema(_JSON_NUMBER)]
"""A finite number, a percentage of ``max_lr``, or ``current``."""

Steps = Annotated[float, PlainValidator(parse_length), WithJsonSchema(_JSON_LENGTH)]
"""A number of the scheduler's steps: ``2000``, ``500M``, ``1_000_000``."""

Length = Annotated[float, PlainValidator(_validate_length), WithJsonSchema(_JSON_LENGTH)]
"""A number of the scheduler's steps, or a percentage of ``lr_decay_steps``: ``2000``, ``500M``, ``10%``."""
