"""Curves drawn in the terminal."""

from collections.abc import Sequence
from math import ceil, floor, log10

from rich.console import Console

from schedframe._plan.summary import short

_NO_TERMINAL = (80, 20)
_LEAST_APART = 1e-300
"""Below it, floats are too coarse for ticks between them."""


def chart_size(console: Console) -> tuple[int, int]:
    """Return the columns and rows of a chart that fits `console`."""
    return (console.width, _NO_TERMINAL[1]) if console.is_terminal else _NO_TERMINAL


def chart(title: str, xs: Sequence[float], ys: Sequence[float], size: tuple[int, int], *, coloured: bool) -> str:
    """Draw `ys`, from 0, over `xs`, and return the lines."""
    import plotext

    plotext.terminal.limit(False, False)
    figure = plotext.figure
    figure.clear()
    figure.plot_size(*size)
    figure.theme("simple" if coloured else "colorless")
    figure.title(title)
    x_ticks, y_ticks = _ticks(min(xs), max(xs), size[0] // 11), _ticks(0.0, max(ys), size[1] // 4)
    figure.ruler("x").lim(min(xs), max(xs)).ticks(x_ticks, [short(tick) for tick in x_ticks])
    figure.ruler("y").lim(0, max(ys)).ticks(y_ticks, _values(y_ticks))
    figure.draw(figure.signal(list(xs), list(ys), marker="braille").lines(True))
    text = str(figure.build().string(colorless=not coloured))
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines())


def _ticks(bottom: float, top: float, at_most: int) -> list[float]:
    """Return round numbers from `bottom` to `top`, about `at_most` of them."""
    apart = (top - bottom) / at_most
    if apart < _LEAST_APART:
        return [bottom]
    unit = 10.0 ** floor(log10(apart))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= apart)
    return [step * index for index in range(ceil(bottom / step), floor(top / step * (1 + 1e-9)) + 1)]


def _values(ticks: list[float]) -> list[str]:
    """Write small values with one exponent for all of them, so that they compare at a glance."""
    exponent = floor(log10(max(ticks) or 1.0))
    if exponent >= -2:
        return [f"{tick:g}" for tick in ticks]
    return [f"{tick / 10.0**exponent:g}e{exponent}" if tick else "0" for tick in ticks]
