"""How values are written, as far as the formats agree."""

import json
from collections.abc import Callable
from typing import Any


def same(one: Any, other: Any) -> bool:
    """Whether two pieces of plain data are equal, with the types of their numbers."""
    return json.dumps(one, sort_keys=True, default=repr) == json.dumps(other, sort_keys=True, default=repr)


def decimal(number: float) -> str:
    """`number`, which is finite, with a dot: YAML 1.1 takes ``3e-05`` for text, and ``3.0e-05`` for a number."""
    text = float.__repr__(number)
    mantissa, exponent_sign, exponent = text.partition("e")
    return f"{mantissa}.0e{exponent}" if exponent_sign and "." not in mantissa else text


def quoted(text: str) -> str:
    """`text` in double quotes, as YAML and TOML read it."""
    written = json.dumps(text, ensure_ascii=False)
    return "".join(character if character.isprintable() else _escaped(ord(character)) for character in written)


def inline(value: Any, scalar: Callable[[Any], str], key: Callable[[str], str], sign: str) -> str:
    """`value` on one line.

    Args:
        value: plain data.
        scalar: writes what is no table and no list.
        key: writes a key.
        sign: what stands between a key and its value.
    """
    if isinstance(value, dict):
        entries = (f"{key(name)}{sign}{inline(inner, scalar, key, sign)}" for name, inner in value.items())
        return "{" + ", ".join(entries) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(inline(inner, scalar, key, sign) for inner in value) + "]"
    return scalar(value)


def _escaped(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
