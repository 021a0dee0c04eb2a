"""Numbers as people write them: ``3e-4``, ``1_000_000``, ``10%``.

What cannot be read raises a ``ValueError`` whose text is a sentence without its subject, such as "is not a number".
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from math import ulp
from numbers import Integral, Rational, Real
from typing import Annotated, Any

from pydantic import PlainValidator

from schedframe._units.json_schema import JSONSchema

_DIGITS = "[0-9]+(?:_[0-9]+)*"
_MANTISSA = rf"(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})"
_NUMBER = re.compile(rf"(?P<mantissa>[+-]?{_MANTISSA})(?:[eE](?P<exponent>[+-]?[0-9]+))?")
_LONGEST = 1_000
_MOST_DIGITS = 400
_ALL_WHOLE = 2**53

LARGEST = 1e100
"""Far above anything that is trained with; the product of two such numbers is still finite."""

Ratio = tuple[int, int]
"""Numerator and denominator of a number, the latter above 0. Unlike in a Fraction they can have a common divisor."""

SUFFIX_EXPONENT = {"": 0, "k": 3, "m": 6, "b": 9, "t": 12}
"""Powers of ten that may follow a number."""


def parse_number(value: object) -> float:
    """Return `value`, a number or a string that holds one, as a finite float; ``True`` is not a number."""
    return float(_exact(value, "a number"))


def parse_count(value: object) -> int:
    """Return `value` as a whole number above 0, such as ``4096`` or ``20M``."""
    number = scaled(value, "a whole number such as 4096 or 20M")
    if number.denominator != 1 or number < 1:
        raise ValueError("must be a whole number above 0")
    return int(number)


def parse_rate(value: object, max_lr: float) -> float:
    """Return `value` as a learning rate; a percentage is of `max_lr`, the decimal product: 10% of 3e-4 is 3e-5."""
    share = share_of(value)
    return parse_number(value) if share is None else float(Fraction(repr(max_lr)) * share)


def stripped(text: str) -> str:
    """Return `text` without blanks around it, which is short enough to be matched."""
    text = text.strip()
    if len(text) > _LONGEST:
        raise ValueError(f"is a text of {len(text)} characters, which is not a number")
    return text


def share_of(value: object) -> Fraction | None:
    """Return ``"1%"`` as the fraction 1/100; ``None`` where `value` is not a percentage."""
    text = stripped(value) if isinstance(value, str) else ""
    if not text.endswith("%"):
        return None
    return refuse_negative(_read(text[:-1].rstrip(), "a percentage such as 10%")) / 100


def parse_share(value: object) -> float:
    """Return `value`, a number from 0 to 1 or a percentage up to 100%, as a float: ``31.6%`` is 0.316."""
    percentage = share_of(value)
    what = "a number or a percentage"
    share = refuse_negative(_exact(value, what)) if percentage is None else percentage
    if share > 1:
        raise ValueError("is above 100%" if percentage is not None else f"is above 1; did you mean '{value}%'?")
    return float(share)


def scaled(value: object, what: str) -> Fraction:
    """Return the number `value`, not rounded; ``K``, ``M``, ``B`` and ``T``, decimal and in any case, may follow it.

    Args:
        value: a number, or a string that holds one.
        what: what it should be, for errors, such as ``a number``.
    """
    exponent = 0
    if isinstance(value, str):
        text = stripped(value)
        exponent = SUFFIX_EXPONENT.get(text[-1:].lower(), 0)
        value = text[:-1].rstrip() if exponent else text
    return _bounded(_exact(value, what) * 10**exponent)


def plain(value: object, largest: float = LARGEST) -> float:
    """Return `value`, a number of any kind, as a finite ``int`` or ``float`` of Python's own, of at most `largest`.

    Numbers are those of Python, numpy's scalars, Decimals, Fractions, and tensors and arrays that hold a single one.
    What is integral by type, or a whole Decimal or Fraction, becomes an ``int``.
    """
    if not isinstance(value, Real | Decimal):
        value = _item_of(value)
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        raise ValueError(f"must be a number, not a {type(value).__name__}")
    try:
        number = int(value) if isinstance(value, Integral) else float(value)
    except (ArithmeticError, ValueError):
        raise ValueError("must be finite") from None
    if number - number != 0:
        raise ValueError("must be finite")
    if abs(number) > largest:
        raise ValueError("is too large")
    return int(value) if isinstance(value, Fraction | Decimal) and value == int(value) else number


def parse_position(value: object) -> float:
    """Return `value`, a number of any kind, as a plain number of at least 0, an ``int`` where it is whole."""
    return whole(plain_size(value))


def moved(position: float, increment: object) -> float:
    """Return `position` moved forward by `increment`, a number of any kind."""
    forward = parse_position(increment)
    goal = parse_position(position + forward)
    if forward and goal <= position:
        raise ValueError(f"is lost in rounding at the position {position}")
    return goal


def plain_size(value: object, largest: float = LARGEST) -> float:
    """Return `value` as a plain number from 0 to `largest`."""
    number = plain(value, largest)
    if number < 0:
        raise ValueError("must not be negative")
    return number


def _item_of(value: Any) -> object:
    """Return the one number that a tensor or an array holds; anything else unchanged."""
    try:
        return value.item()
    except AttributeError:
        return value
    except Exception:
        raise ValueError(f"must be a single number, not a {type(value).__name__} of several or none") from None


def refuse_negative(number: Fraction) -> Fraction:
    """Return `number`, unless it is below 0."""
    if number < 0:
        raise ValueError("must not be negative")
    return number


def whole(number: float) -> float:
    """Return `number` as an ``int`` where it is integral, else unchanged."""
    return int(number) if number == int(number) else number


def settled(number: float) -> float:
    """Return `number` without what rounding adds to a whole number or takes from it: 7.000000000000001 is 7."""
    if isinstance(number, int) or abs(number) >= _ALL_WHOLE:
        return number
    nearest = round(number)
    return nearest if abs(number - nearest) <= 4 * ulp(number) else number


def ratio_of(number: Any) -> Ratio:
    """Return `number`, one of any kind, as a ratio, exactly."""
    if isinstance(number, int | float):
        return number.as_integer_ratio()
    exact = Fraction(number)
    return int(exact.numerator), int(exact.denominator)  # those of numpy's integers are numpy's


def quotient(ratio: Ratio) -> float:
    """Return `ratio` as an ``int`` where it is whole, else as the float that is nearest to it."""
    numerator, denominator = ratio
    below, rest = divmod(numerator, denominator)
    if abs(below) > LARGEST:
        raise ValueError("is too large in the scheduler's steps")
    return whole(numerator / denominator) if rest else below


def _exact(value: object, what: str) -> Fraction:
    """Return `value` without rounding, whatever the program's decimal context."""
    if value is None:
        raise ValueError("has no value")
    if isinstance(value, Decimal) and value.is_finite():
        value = f"{value:e}"
    if isinstance(value, str):
        return _read(stripped(value), what)
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        raise ValueError(f"is not {what}")
    try:
        number = Fraction(value if isinstance(value, Rational) else float(value))
    except (OverflowError, ValueError):
        raise ValueError("is not a finite number") from None
    return _bounded(number)


def _read(text: str, what: str) -> Fraction:
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"is not {what}")
    mantissa, exponent = match["mantissa"].replace("_", ""), match["exponent"] or "0"
    if len(mantissa) > _MOST_DIGITS:
        raise ValueError("is too large")
    power = int(exponent) if len(exponent) < 5 else (-1000 if exponent.startswith("-") else 1000)
    return _bounded(Fraction(mantissa) * Fraction(10) ** max(-1000, min(power, 1000)))


def _bounded(number: Fraction) -> Fraction:
    if abs(number) > LARGEST:
        raise ValueError("is too large")
    return number


NUMBER_TEXT = rf"\+?{_MANTISSA}(?:[eE][+-]?[0-9]+)?"
"""Pattern of a number of at least 0, for JSON schemas."""

PERCENT_TEXT = rf"{NUMBER_TEXT}\s*%"
"""Pattern of a percentage."""


def json_number(what: str, *texts: str, words: Iterable[str] = ()) -> dict[str, Any]:
    """Return the JSON schema of a number of at least 0, or of a text.

    Args:
        what: what editors report that another text is not, such as ``a number``.
        texts: patterns of the text, one of which matches.
        words: what the text may be besides.
    """
    pattern = "|".join([rf"^\s*(?:{'|'.join(texts)})\s*$", *(f"^{word}$" for word in words)])
    return {"type": ["number", "string"], "minimum": 0, "pattern": pattern, "patternErrorMessage": f"is not {what}"}


JSON_NUMBER = json_number("a number", NUMBER_TEXT)
_JSON_COUNT_TEXT = json_number("a whole number such as 4096 or 20M", rf"{NUMBER_TEXT}\s*[kKmMbBtT]?")
JSON_COUNT = {**_JSON_COUNT_TEXT, "type": ["integer", "string"], "minimum": 1}

Number = Annotated[float, PlainValidator(parse_number), JSONSchema(JSON_NUMBER)]
"""A finite number, quoted or not."""

_JSON_SHARE = {**json_number("a number from 0 to 1 or a percentage", NUMBER_TEXT, PERCENT_TEXT), "maximum": 1}

Share = Annotated[float, PlainValidator(parse_share), JSONSchema(_JSON_SHARE)]
"""A part of a whole: a number from 0 to 1, or a percentage."""

Count = Annotated[int, PlainValidator(parse_count), JSONSchema(JSON_COUNT)]
"""A whole number above 0, quoted or not."""
