"""Numbers and lengths as people write them: ``3e-4``, ``500M``, ``1_000_000``, ``10%``."""

import re
from decimal import Decimal
from typing import Annotated, Any, SupportsFloat, cast

from pydantic import PlainValidator, ValidationInfo, WithJsonSchema

_SUFFIX_EXPONENT = {"": 0, "k": 3, "m": 6, "b": 9, "t": 12}
_NUMBER = re.compile(r"[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+)?", re.ASCII)
_LARGEST_EXPONENT = 300


def parse_number(value: object) -> float:
    """`value` as a finite float: a number, or a string that holds one.

    Raises:
        ValueError: for anything else; ``True``, NaN and infinity are no numbers.
    """
    if isinstance(value, str):
        return float(_decimal(value.strip(), "a number"))
    return _finite(value, "a number")


def parse_length(value: object) -> float:
    """`value` as a number of steps: a number, or a string such as ``500M``, ``2e9`` or ``1_000_000``.

    ``K``, ``M``, ``B`` and ``T`` are decimal, in any case. Whole numbers come back as ``int``.

    Raises:
        ValueError: for anything else, and below 0.
    """
    what = "a length such as 2000, 500M or 1_000_000"
    if isinstance(value, str):
        text = value.strip()
        suffix = text[-1:].lower() if text[-1:].lower() in _SUFFIX_EXPONENT else ""
        digits = text[: len(text) - len(suffix)].rstrip()
        return _steps(_decimal(digits, what) * 10 ** _SUFFIX_EXPONENT[suffix])
    _finite(value, what)
    return _steps(Decimal(value) if isinstance(value, int) else Decimal(float(cast(SupportsFloat, value))))


def parse_share(text: str) -> float | None:
    """``"1%"`` as the fraction 0.01; ``None`` where `text` is no percentage.

    The fraction is the float nearest to the decimal number written, so that ``1%`` of a length is
    bit-equal to ``0.01 * length``.

    Raises:
        ValueError: for a percentage that is no number, or below 0.
    """
    text = text.strip()
    if not text.endswith("%"):
        return None
    percent = _decimal(text[:-1].rstrip(), "a percentage such as 10%")
    if percent < 0:
        raise ValueError("must not be negative")
    return float(percent / 100)


def _decimal(text: str, what: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"is not {what}")
    number = Decimal(text)
    if number.adjusted() > _LARGEST_EXPONENT:
        raise ValueError("is too large")
    return number


def _finite(value: object, what: str) -> float:
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise ValueError(f"is not {what}")
    number = float(cast(SupportsFloat, value))
    if number - number != 0.0:
        raise ValueError("is not a finite number")
    return number


def _steps(number: Decimal) -> float:
    if number < 0:
        raise ValueError("must not be negative")
    return whole(float(number)) if number != number.to_integral_value() else int(number)


def whole(number: float) -> float:
    """`number` as an ``int`` where it is integral, else unchanged."""
    return int(number) if number == int(number) else number


def _validate_length(value: Any, info: ValidationInfo) -> float:
    """A length, where a percentage is of ``lr_decay_steps``: a sibling key, or handed down in the context."""
    share = parse_share(value) if isinstance(value, str) else None
    if share is None:
        return parse_length(value)
    total = {**(info.data or {}), **(info.context or {})}.get("lr_decay_steps")
    if total is None:
        raise ValueError("is a percentage of lr_decay_steps, which is missing or wrong")
    return whole(share * total)


def _validate_rate(value: Any, info: ValidationInfo) -> float:
    """A learning rate, where a percentage is of ``max_lr``."""
    share = parse_share(value) if isinstance(value, str) else None
    if share is None:
        return parse_number(value)
    if "max_lr" not in info.data:
        raise ValueError("is a percentage of max_lr, which is missing or wrong")
    return float(share * info.data["max_lr"])


_JSON_LENGTH = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}]}
_JSON_NUMBER = {"anyOf": [{"type": "number"}, {"type": "string"}]}

Number = Annotated[float, PlainValidator(parse_number), WithJsonSchema(_JSON_NUMBER)]
"""A finite number, quoted or not."""

Rate = Annotated[float, PlainValidator(_validate_rate), WithJsonSchema(_JSON_NUMBER)]
"""A finite number, or a percentage of ``max_lr``."""

Steps = Annotated[float, PlainValidator(parse_length), WithJsonSchema(_JSON_LENGTH)]
"""A number of the scheduler's steps: ``2000``, ``500M``, ``1_000_000``."""

Length = Annotated[float, PlainValidator(_validate_length), WithJsonSchema(_JSON_LENGTH)]
"""A number of the scheduler's steps, or a percentage of ``lr_decay_steps``: ``2000``, ``500M``, ``10%``."""
