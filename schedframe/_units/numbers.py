"""Numbers as people write them: ``3e-4``, ``1_000_000``, ``10%``."""

import re
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from numbers import Rational, Real
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

_DIGITS = "[0-9]+(?:_[0-9]+)*"
_MANTISSA = rf"(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})"
_NUMBER = re.compile(rf"(?P<mantissa>[+-]?{_MANTISSA})(?:[eE](?P<exponent>[+-]?[0-9]+))?")
_LARGEST = int(1e300)

SUFFIX_EXPONENT = {"": 0, "k": 3, "m": 6, "b": 9, "t": 12}
"""Powers of ten that may follow a number."""


def parse_number(value: object) -> float:
    """`value` as a finite float: a number, or a string that holds one.

    Raises:
        ValueError: for anything else; ``True``, NaN and infinity are no numbers.
    """
    return float(exact(value, "a number"))


def scaled(value: object, what: str) -> Fraction:
    """`value` without rounding, where ``K``, ``M``, ``B`` and ``T``, decimal and in any case, may follow the number.

    Raises:
        ValueError: for anything else.
    """
    exponent = 0
    if isinstance(value, str):
        text = value.strip()
        exponent = SUFFIX_EXPONENT.get(text[-1:].lower(), 0)
        value = text[:-1].rstrip() if exponent else text
    return bounded(exact(value, what) * 10**exponent)


def parse_count(value: object) -> int:
    """`value` as a whole number above 0, such as ``4096`` or ``20M``.

    Raises:
        ValueError: for anything else.
    """
    number = scaled(value, "a whole number such as 4096 or 20M")
    if number.denominator != 1 or number < 1:
        raise ValueError("must be a whole number above 0")
    return int(number)


def share_of(value: object) -> Fraction | None:
    """``"1%"`` as the fraction 1/100; ``None`` where `value` is no percentage.

    Raises:
        ValueError: for a percentage that is no number, or below 0.
    """
    text = value.strip() if isinstance(value, str) else ""
    if not text.endswith("%"):
        return None
    percent = _read(text[:-1].rstrip(), "a percentage such as 10%")
    if percent < 0:
        raise ValueError("must not be negative")
    return percent / 100


def exact(value: object, what: str) -> Fraction:
    """`value` without rounding, whatever the program's decimal context."""
    if value is None:
        raise ValueError("has no value")
    if isinstance(value, str):
        return _read(value.strip(), what)
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        raise ValueError(f"is not {what}")
    try:
        return bounded(Fraction(value if isinstance(value, Rational | Decimal) else float(value)))
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
    return bounded(Fraction(mantissa) * Fraction(10) ** max(-1000, min(power, 1000)))


def bounded(number: Fraction) -> Fraction:
    """`number`, unless it is too large for anything.

    Raises:
        ValueError: it is.
    """
    if abs(number) > _LARGEST:
        raise ValueError("is too large")
    return number


def whole(number: float) -> float:
    """`number` as an ``int`` where it is integral, else unchanged."""
    return int(number) if number == int(number) else number


def parse_rate(value: object, max_lr: float) -> float:
    """`value` as a learning rate, where a percentage is of `max_lr`: the decimal product, 10% of 3e-4 is 3e-5.

    Raises:
        ValueError: for what is neither a finite number nor a percentage.
    """
    share = share_of(value)
    return parse_number(value) if share is None else float(Fraction(repr(max_lr)) * share)


NUMBER_TEXT = rf"\+?{_MANTISSA}(?:[eE][+-]?[0-9]+)?"
"""Pattern of a number of at least 0, for JSON schemas."""

PERCENT_TEXT = rf"{NUMBER_TEXT}\s*%"
"""Pattern of a percentage."""


def json_number(what: str, *texts: str, words: Iterable[str] = ()) -> dict[str, Any]:
    """Return the JSON schema of a number of at least 0, or of a text.

    Args:
        what: what it is, which editors tell where a text is none.
        texts: patterns of the text, one of which matches.
        words: what it may be besides.
    """
    pattern = "|".join([rf"^\s*(?:{'|'.join(texts)})\s*$", *(f"^{word}$" for word in words)])
    return {"type": ["number", "string"], "minimum": 0, "pattern": pattern, "patternErrorMessage": f"is not {what}"}


JSON_NUMBER = json_number("a number", NUMBER_TEXT)

Number = Annotated[float, PlainValidator(parse_number), WithJsonSchema(JSON_NUMBER)]
"""A finite number, quoted or not."""

JSON_COUNT = {
    **json_number("a whole number such as 4096 or 20M", rf"{NUMBER_TEXT}\s*[kKmMbBtT]?"),
    "type": ["integer", "string"],
    "minimum": 1,
}

Count = Annotated[int, PlainValidator(parse_count), WithJsonSchema(JSON_COUNT)]
"""A whole number above 0, quoted or not."""
