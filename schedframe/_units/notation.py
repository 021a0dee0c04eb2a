"""Numbers as people read them: ``131.8M``, ``2,000``, ``3e-4``."""

from collections.abc import Callable, Sequence

_PREFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))
_MILLION = 1e6
_HUNDRED = 100


def si(value: float, digits: int = 4) -> str:
    """Write a position or a length: ``300B``, ``131.8M``, ``2K``, ``12``."""
    for size, prefix in _PREFIXES:
        if abs(value) >= size * (1 - 0.5 * 10.0**-digits):
            return f"{value / size:.{digits}g}{prefix}"
    return f"{value:.{digits}g}"


def position(value: float, digits: int = 4) -> str:
    """Write a position in a table: ``300B``, ``131.8M``, ``2,000``, ``0.25``; whole below a million."""
    if abs(value) >= _MILLION:
        return si(value, digits)
    return f"{value:.{digits}g}" if abs(value) < _HUNDRED else f"{round(value):,}"


def positions(values: Sequence[float]) -> list[str]:
    """Write a column of positions with 4 digits, or up to 6 where that distinguishes more of them."""
    return _told_apart(values, position, 4, 6)


def whole_number(value: float) -> str:
    """Write a number of iterations or updates: ``2,000``."""
    return f"{round(value):,}"


def rate(value: float, digits: int = 3) -> str:
    """Write a learning rate or a weight decay: ``3e-4``, ``0.1``, ``1.25e-5``."""
    if value == 0:
        return "0"
    if 0.01 <= abs(value) < 1000:
        return f"{value:.{digits}g}"
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    plain = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{plain}e{int(exponent)}"


def rates(values: Sequence[float]) -> list[str]:
    """Write a column of learning rates or weight decays with 3 digits, or 4 where that distinguishes more of them."""
    return _told_apart(values, rate, 3, 4)


def _told_apart(values: Sequence[float], write: Callable[[float, int], str], least: int, most: int) -> list[str]:
    finest = [write(value, most) for value in values]
    for digits in range(least, most):
        texts = [write(value, digits) for value in values]
        if len(set(texts)) == len(set(finest)):
            return texts
    return finest
