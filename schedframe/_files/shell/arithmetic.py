"""Computes the shell's arithmetic of integers, without evaluating any code."""

import ast
from collections.abc import Callable, Mapping

_LONGEST = 500
_LARGEST = 1 << 63
"""Bash computes with 64 bits; what does not fit is not computed here."""


def result_of(expression: str, names: Mapping[str, int]) -> int | None:
    """Return the value of `expression`; ``None`` where it is not one of integers and ``+ - * / % **``.

    Args:
        expression: without ``$`` before names.
        names: the values of the variables.
    """
    if len(expression) > _LONGEST:
        return None
    try:
        return _value(ast.parse(expression.strip(), mode="eval").body, names)
    except (SyntaxError, ValueError, KeyError, ZeroDivisionError, RecursionError, MemoryError):
        return None


def _value(node: ast.expr, names: Mapping[str, int]) -> int:
    match node:
        case ast.Constant(value=int(number)) if not isinstance(number, bool):
            return number
        case ast.Name(id=name):
            return names[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, names)
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATIONS:
            result = _OPERATIONS[type(operator)](_value(left, names), _value(right, names))
            if abs(result) < _LARGEST:
                return result
    raise ValueError


def _divided(left: int, right: int) -> int:
    """Divide towards zero, as the shell does."""
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _power(left: int, right: int) -> int:
    if not 0 <= right < 64:
        raise ValueError
    return int(left**right)


_OPERATIONS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: int.__add__,
    ast.Sub: int.__sub__,
    ast.Mult: int.__mul__,
    ast.Div: _divided,
    ast.Mod: lambda left, right: left - right * _divided(left, right),
    ast.Pow: _power,
}
