"""Pictures of schedules drawn in the terminal."""

from collections.abc import Iterable, Iterator, Sequence
from math import ceil, floor, isclose, log10
from typing import NamedTuple

from rich.console import Console

from schedframe._pictures.series import BORDER, TITLES, Axis, Line, Panel, Picture
from schedframe._units.notation import rate, si

_NO_TERMINAL = 80
_HEIGHT = 20
_LEAST_APART = 1e-300
"""Below it, floats are too coarse for ticks between them."""

_SMALL, _LARGE = 0.01, 1e5
"""Between them the highest value of an axis and its ticks are written without exponents."""

_ALIKE = 1e-6
"""Relative difference of values that are the same on a chart."""

_COLOURS = (12, 9, 10, 13, 14, 11)
"""Of the terminal's 16, by line."""

_MARKERS = "xo+*#@"
"""By line, where several lines have no colours; the first of them is drawn in dots of braille, as a single line is."""

_BORDER = "◆"
"""Stands where a phase of a group begins, if it has others than those that are named."""

_BOUND, _BOUNDS = ".", "bounds of 95 of 100 runs"
_OBSERVED = "'"

_AS_ASCII = str.maketrans(f"─│┌┐└┘┤├┬┴┼{_BORDER}", "-|+++++++++|")

_BLOCKS, _ASCII_HEIGHTS = "▁▂▃▄▅▆▇█", "_.-'"


class Canvas(NamedTuple):
    """What is drawn on: columns and rows of a panel, and whether colours and characters beyond ASCII are there."""

    width: int
    height: int = _HEIGHT
    coloured: bool = False
    ascii: bool = False


def canvas_of(console: Console) -> Canvas:
    """Return a canvas that fits `console`; 80 columns if that is not a terminal."""
    coloured = console.color_system is not None and not console.no_color
    return Canvas(console.width if console.is_terminal else _NO_TERMINAL, _HEIGHT, coloured, console.options.ascii_only)


def small_line(heights: Sequence[float], *, ascii: bool) -> str:
    """Draw `heights`, from 0, in one row, a character for each."""
    levels = _ASCII_HEIGHTS if ascii else _BLOCKS
    highest = max(heights) or 1.0
    return "".join(levels[min(len(levels) - 1, int(max(0.0, height) / highest * len(levels)))] for height in heights)


def chart(panel: Panel, picture: Picture, on: Canvas) -> str:
    """Draw a panel of `picture` with phases and marks named below its axis, and return the lines."""
    lines = _drawn(panel, picture)
    begin, end = min(line.xs[0] for line in lines), max(line.xs[-1] for line in lines)
    beside = list(_beside(panel, picture))
    title = f"{TITLES[panel.quantity]} over {picture.unit}"
    left, text = _plot(title, lines, beside, (begin, end), picture.axis(panel), on)
    columns = on.width - left - 2

    def column(x: float) -> int:
        return min(columns - 1, int((x - begin) / (end - begin) * columns)) if end > begin else 0

    stretches = [(phase.name, column(phase.begin), column(phase.end) + 1) for phase in panel.phases]
    rows = [_named(stretches, columns)] if stretches else []
    rows += [_pointed(mark.label, column(mark.x), columns) for mark in picture.marks]
    below = [f"{' ' * (left + 1)}{row}".rstrip() for row in rows]
    are_several = len({(line.file, line.role) for line in picture.lines}) > 1
    if are_several or beside:
        below += ["", *_legend(lines if are_several else [], beside, on)]
    plain = "\n".join([text, *below])
    return plain.translate(_AS_ASCII) if on.ascii else plain


class _Drawn(NamedTuple):
    """Lines that lie on each other, as one; `number` is that of the first of them in the whole picture."""

    number: int
    label: str
    xs: Sequence[float]
    ys: Sequence[float]
    borders: Sequence[tuple[float, float]]


def _drawn(panel: Panel, picture: Picture) -> list[_Drawn]:
    names = list(dict.fromkeys((line.file, line.role) for line in picture.lines))
    together: list[_Drawn] = []
    for line in panel.lines:
        same = next((at for at, other in enumerate(together) if _lie_on_each_other(line, other)), None)
        if same is None:
            number = names.index((line.file, line.role))
            together.append(_Drawn(number, line.label, line.xs, line.ys, panel.borders(line)))
        else:
            first = together[same]
            both = [*first.borders, *panel.borders(line)]
            together[same] = first._replace(label=f"{first.label}, {line.label}", borders=both)
    return together


_Points = Iterable[tuple[float, float]]


class _Beside(NamedTuple):
    """What is drawn below the lines, a character for each point."""

    label: str
    marker: str
    points: _Points


def _beside(panel: Panel, picture: Picture) -> Iterator[_Beside]:
    for band in picture.bands_of(panel):
        for ys in (band.lower, band.upper):
            yield _Beside(_BOUNDS, _BOUND, zip(band.xs, ys, strict=True))
    for dots in picture.dots_of(panel):
        yield _Beside(dots.label, _OBSERVED, zip(dots.xs, dots.ys, strict=True))


def _lie_on_each_other(line: Line, other: _Drawn) -> bool:
    return len(line.xs) == len(other.xs) and all(
        isclose(a, b, rel_tol=_ALIKE) for a, b in zip([*line.xs, *line.ys], [*other.xs, *other.ys], strict=True)
    )


def _plot(
    title: str,
    lines: Sequence[_Drawn],
    beside: Sequence[_Beside],
    span: tuple[float, float],
    axis: Axis,
    on: Canvas,
) -> tuple[int, str]:
    """Draw `lines` over what is `beside` them in a frame, and return the columns to the left of it, and the text."""
    import plotext

    lowest, highest, log = axis
    x_ticks = _ticks(*span, on.width // 11)
    y_ticks = _decades(lowest, highest) if log else _ticks(lowest, highest, on.height // 4)
    y_labels = [f"{tick:g}" if _SMALL <= highest < _LARGE and not log else rate(tick) for tick in y_ticks]
    plotext.terminal.limit(False, False)
    figure = plotext.figure
    figure.clear()
    figure.plot_size(on.width, on.height)
    figure.theme("simple" if on.coloured else "colorless")
    figure.title(title)
    places = [log10(tick) for tick in y_ticks] if log else y_ticks
    bounds = (log10(lowest), log10(highest)) if log else (lowest, highest)
    figure.ruler("x").lim(*span).ticks(x_ticks, [si(tick) for tick in x_ticks])
    figure.ruler("y").lim(*bounds).ticks(places, y_labels)

    def draw(points: _Points, symbol: str, number: int | None = None, *, connected: bool = False) -> None:
        shown = [(x, log10(y) if log else y) for x, y in points if y >= lowest]
        if shown:
            xs, ys = zip(*shown, strict=True)
            marker = symbol if number is None or not on.coloured else plotext.marker(symbol, _colour(number))
            figure.draw(figure.signal(list(xs), list(ys), marker=marker).lines(connected))

    for below in beside:
        draw(below.points, below.marker)
    for line in lines:
        draw(zip(line.xs, line.ys, strict=True), _marker(line.number, on), line.number, connected=True)
    for line in lines:
        draw(line.borders, _BORDER, line.number, connected=False)
    text = str(figure.build().string(colorless=not on.coloured))
    return max(map(len, y_labels)), "\n".join(row.rstrip() for row in text.rstrip().splitlines())


def _marker(index: int, on: Canvas) -> str:
    if on.ascii:
        return ("*" + _MARKERS.replace("*", "="))[index % (len(_MARKERS) + 1)]
    number = index // len(_COLOURS) if on.coloured else index
    return "braille" if number == 0 else _MARKERS[(number - 1) % len(_MARKERS)]


def _colour(index: int) -> int:
    return _COLOURS[index % len(_COLOURS)]


def _ticks(bottom: float, top: float, at_most: int) -> list[float]:
    """Return round numbers from `bottom` to `top`, about `at_most` of them."""
    apart = (top - bottom) / at_most
    if apart < _LEAST_APART:
        return [bottom]
    unit = 10.0 ** floor(log10(apart))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= apart)
    return [step * index for index in range(ceil(bottom / step), floor(top / step * (1 + 1e-9)) + 1)]


def _decades(bottom: float, top: float) -> list[float]:
    """Return the powers of ten from `bottom` to `top`, or both where there are none between them."""
    tens = [10.0**exponent for exponent in range(ceil(log10(bottom)), floor(log10(top)) + 1)]
    return tens if len(tens) > 1 else [bottom, top]


def _named(stretches: Sequence[tuple[str, int, int]], columns: int) -> str:
    """Write the name of each stretch in the middle of it, with its borders; a short one's name begins where it does."""
    row = [" "] * columns
    for _, begin, _ in stretches[1:]:
        row[begin] = "│"
    for name, begin, end in sorted(stretches, key=lambda stretch: stretch[1] - stretch[2]):
        fits = len(name) <= end - begin - 2
        at = (begin + end - len(name)) // 2 if fits else max(0, min(begin, columns - len(name)))
        place = slice(at, at + len(name))
        if fits or not any(character.isalnum() for character in row[max(0, at - 1) : place.stop + 1]):
            row[place] = name
    return "".join(row)[:columns]


def _pointed(label: str, column: int, columns: int) -> str:
    """Write `label` beside an arrow at `column`."""
    return f"{' ' * column}^ {label}" if column + len(label) + 2 <= columns else f"{label} ^".rjust(column + 1)


def _legend(lines: Sequence[_Drawn], beside: Sequence[_Beside], on: Canvas) -> list[str]:
    entries = []
    for line in lines:
        marker = _marker(line.number, on)
        sample = "⠤⠤" if marker == "braille" else marker * 2
        entries.append(
            (len(line.label) + 3, f"{_painted(sample, line.number) if on.coloured else sample} {line.label}")
        )
    if any(line.borders for line in lines):
        entries.append((len(BORDER) + 2, f"{_BORDER} {BORDER}"))
    samples = dict.fromkeys(f"{points.marker * 2} {points.label}" for points in beside)
    entries += [(len(sample), sample) for sample in samples]
    rows, used = [[entries[0][1]]], entries[0][0]
    for width, entry in entries[1:]:
        used += width + 3
        if used > on.width:
            rows.append([])
            used = width
        rows[-1].append(entry)
    return ["   ".join(row) for row in rows]


def _painted(text: str, index: int) -> str:
    return f"\x1b[38;5;{_colour(index)}m{text}\x1b[0m"
