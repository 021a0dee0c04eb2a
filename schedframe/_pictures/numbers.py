"""Numbers as people read them: ``131.8M``, ``300B``, ``3e-4``."""

_PREFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))


def si(value: float, digits: int = 4) -> str:
    """Write a position or a length: ``300B``, ``131.8M``, ``2K``, ``12``."""
    for size, prefix in _PREFIXES:
        if abs(value) >= size * (1 - 0.5 * 10.0**-digits):
            return f"{value / size:.{digits}g}{prefix}"
    return f"{value:.{digits}g}"


def rate(value: float, digits: int = 3) -> str:
    """Write a learning rate or a weight decay: ``3e-4``, ``0.1``, ``1.25e-5``."""
    if value == 0:
        return "0"
    if 0.01 <= abs(value) < 1000:
        return f"{value:.{digits}g}"
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    plain = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{plain}e{int(exponent)}"
