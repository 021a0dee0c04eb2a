"""Pictures of schedules, drawn by matplotlib."""

from collections.abc import Iterator, Sequence
from io import StringIO
from math import floor, log10
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from schedframe._pictures.series import BORDER, TITLES, AnyQuantity, Axis, Dots, Line, Mark, Panel, Phase, Picture
from schedframe._units.notation import rate, si

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's palette, which people with every kind of colour vision can distinguish (jfly.uni-koeln.de/color)."""

DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))
"""Distinguishes curves in print too."""

WIDTH = 6.5
"""Of a figure, in inches: that of the text of a page."""

SMALL, LARGE = 10, 11
"""Sizes of text in points, so large that it can be read in a figure at half of its width."""

_DPI = 200
"""Of a figure that is pixels."""

_PANEL, _ROW = 2.4, 0.2
"""Heights of a panel and of a row of text, in inches."""

_FEW_DOTS = 100
_SMALL_DOT, _LARGE_DOT = 3.5, 9
"""Sizes of observed values in points: of many, and of few."""

_POINT = 1 / 72
"""In inches."""

_LETTER = 0.56
"""Width of a letter, as a share of the size of the text."""

_SAMPLE = 7
"""Width of what stands before a label in a legend, in letters."""

_SHADES = ("#F1F4F8", "#FFFFFF")
_GREY = "#555555"
_PHASE = "phase"
"""Marks what shows phases, so that it is found again."""


class _Shown(NamedTuple):
    line: Line
    quantity: AnyQuantity
    unit: str


_SHOWN: "WeakKeyDictionary[Line2D, _Shown]" = WeakKeyDictionary()
"""What each curve shows, so that a further schedule can be drawn on its axis."""


def figure_of(picture: Picture) -> "Figure":
    """Return a figure with the panels of `picture`, one below the other, over one axis of positions."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, _PANEL), layout="constrained")
    axes = list(figure.subplots(len(picture.panels), sharex=True, squeeze=False)[:, 0])
    above: Sequence[Phase] = ()
    for panel, ax in zip(picture.panels, axes, strict=True):
        for line in panel.lines:
            curve = _draw_line(ax, _Shown(line, panel.quantity, picture.unit), *_look(line, picture))
            curve.set_zorder(3 - 0.01 * picture.lines.index(line))
        for band in picture.bands_of(panel):
            tint = COLOURS[band.file % len(COLOURS)]
            ax.fill_between(band.xs, band.lower, band.upper, color=tint, alpha=0.15, linewidth=0, zorder=1)
        for dots in picture.dots_of(panel):
            colour, size = _look_of_dots(dots, picture)
            ax.plot(dots.xs, dots.ys, ".", color=colour, markersize=size, label=dots.label, zorder=4)
        _dress(ax, picture, names=panel.phases != above)
        above = panel.phases
        for curve in _shown_on(ax):
            curve.set_clip_on(ax.get_yscale() == "log")  # a line at 0 is as thick as any other
    figure.align_ylabels(axes)
    _name_positions(axes[-1], picture.unit)
    title = fill(picture.title, _letters(WIDTH, LARGE))
    if title:
        figure.suptitle(title, fontsize=LARGE, x=0.012, ha="left")
    rows = title.count("\n") + _add_legend(figure, axes)
    figure.set_figheight(_PANEL * len(axes) + _ROW * (rows + 3))
    return figure


def svg_of(picture: Picture) -> str:
    """Return the figure of `picture` as an ``<svg>`` element, the same at every call."""
    text = StringIO()
    save(picture, text, "svg")
    return text.getvalue()[text.getvalue().index("<svg") :]


def save(picture: Picture, target: Path | StringIO, format: str) -> None:
    """Write the figure of `picture` to `target`, the same bytes at every call.

    Args:
        picture: what is drawn.
        target: a file, or a stream.
        format: ``png``, ``svg`` or ``pdf``.
    """
    from matplotlib import rc_context

    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(format)
    with rc_context({"svg.hashsalt": repr(picture)}):
        figure_of(picture).savefig(target, format=format, dpi=_DPI, metadata=metadata)


def draw(picture: Picture, ax: "Axes | None" = None, label: str = "") -> "Axes":
    """Draw all lines of `picture`, which are of one quantity, on `ax`, or on the axis of a new figure of pyplot.

    Args:
        picture: what is drawn.
        ax: the axis; it may show other schedules.
        label: what the schedule is called in the legend, where its roles alone do not show it.

    Raises:
        ValueError: `ax` shows another quantity, or positions in another unit.
    """
    if ax is None:
        from matplotlib import pyplot

        _, ax = pyplot.subplots(figsize=(WIDTH, _PANEL + 3 * _ROW), layout="constrained")
    quantity, earlier = picture.panels[0].quantity, list(_shown_on(ax).values())
    for shown in earlier:
        if (shown.quantity, shown.unit) != (quantity, picture.unit):
            raise ValueError(
                f"the axis shows the {TITLES[shown.quantity]} over {shown.unit}, not the {TITLES[quantity]} over "
                f"{picture.unit}: give another axis, or the same `what` and `unit`"
            )
    files = len({shown.line.file for shown in earlier})
    for number, line in enumerate(picture.lines, len(earlier)):
        name = line.label if not label else label if len(picture.lines) == 1 else f"{label}, {line.label}"
        further = line._replace(file=files, label=name)
        _draw_line(ax, _Shown(further, quantity, picture.unit), number, files)
    _dress(ax, picture, names=True)
    _name_positions(ax, picture.unit)
    if picture.title:
        ax.set_title(picture.title, fontsize=LARGE, loc="left", pad=18)
    if len(_shown_on(ax)) > 1:
        ax.legend(fontsize=SMALL, framealpha=0.8, edgecolor="none")
    return ax


def _look(line: Line, picture: Picture) -> tuple[int, int]:
    """Return the numbers of the colour and of the dashes of `line`: by role, or by file and role."""
    role = list(dict.fromkeys(other.role for other in picture.lines)).index(line.role)
    has_several_files = any(other.file != line.file for other in picture.lines)
    return (line.file, role) if has_several_files else (role, role // len(COLOURS))


def _look_of_dots(dots: Dots, picture: Picture) -> tuple[str, float]:
    """Return the colour and the size of `dots`: a colour that no band has, and a size that hides no band."""
    if picture.bands:
        return COLOURS[-1], _SMALL_DOT
    return COLOURS[1], _LARGE_DOT if len(dots.xs) <= _FEW_DOTS else _SMALL_DOT


def _draw_line(ax: "Axes", shown: _Shown, colour: int, dash: int) -> "Line2D":
    curve = ax.plot(
        shown.line.xs,
        shown.line.ys,
        color=COLOURS[colour % len(COLOURS)],
        linestyle=DASHES[dash % len(DASHES)],
        linewidth=1.7,
        label=shown.line.label,
    )[0]
    _SHOWN[curve] = shown
    return curve


def _shown_on(ax: "Axes") -> dict["Line2D", _Shown]:
    return {curve: _SHOWN[curve] for curve in ax.get_lines() if curve in _SHOWN}


def _dress(ax: "Axes", picture: Picture, *, names: bool) -> None:
    """Show the scales, phases and marks that fit the curves on `ax`; phases are named where `names`."""
    shown = _shown_on(ax)
    lines = [each.line for each in shown.values()]
    panel = Panel(next(iter(shown.values())).quantity, lines)
    positions = [x for line in lines for x in (line.xs[0], line.xs[-1])] + [mark.x for mark in picture.marks]
    ax.set_xlim(min(positions), max(positions))
    _scale_values(ax, picture.axis(panel))
    _show_phases(ax, panel, names=names)
    _show_marks(ax, picture.marks)
    ax.set_ylabel(fill(TITLES[panel.quantity], _letters(_PANEL, SMALL)), fontsize=SMALL)
    ax.grid(axis="y", color="#D9DDE3", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.tick_params(which="both", labelsize=SMALL)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def _scale_values(ax: "Axes", axis: Axis) -> None:
    """Let the values on `ax` have this `axis`, with room above them, and below them unless it begins at 0."""
    lowest, highest, log = axis
    if log:
        decade = 10 ** floor(log10(lowest) - 1e-9)
        ax.set_yscale("log")
        ax.set_ylim(decade, highest * 1.3)
        is_short = highest < 10 * decade
        ax.yaxis.set_minor_formatter(lambda value, _: rate(value) if is_short else "")
    else:
        margin = 0.06 * (highest - lowest) if highest > lowest else 1
        ax.set_ylim(lowest - margin if lowest else 0, highest + margin)
    ax.yaxis.set_major_formatter(lambda value, _: rate(value))


def _show_phases(ax: "Axes", panel: Panel, *, names: bool) -> None:
    """Show the phases of `panel` in the place of those that `ax` shows."""
    for artist in ax.findobj(lambda artist: artist.get_gid() == _PHASE):
        artist.remove()
    for index, phase in enumerate(panel.phases):
        ax.axvspan(phase.begin, phase.end, color=_SHADES[index % 2], zorder=0, linewidth=0, gid=_PHASE)
    for name, left in _named(panel.phases, ax.get_xlim(), _letters(_width(ax), SMALL)) if names else ():
        _write(ax, name, (left, 1.0), (0, 3), gid=_PHASE)
    marked: dict[str, Any] = {"marker": "D", "markersize": 5, "linestyle": "", "zorder": 4, "gid": _PHASE}
    borders = [(curve, panel.borders(shown.line)) for curve, shown in _shown_on(ax).items()]
    for curve, points in borders:
        ax.plot([x for x, _ in points], [y for _, y in points], color=curve.get_color(), **marked)
    if any(points for _, points in borders):
        ax.plot([], [], color=_GREY, label=BORDER, **marked)


def _named(phases: Sequence[Phase], span: tuple[float, float], letters: int) -> Iterator[tuple[str, float]]:
    """Yield each name with where it begins: in the middle of its phase, or where a short phase does, if there is room.

    Args:
        phases: those of a panel.
        span: where its axis begins and ends.
        letters: how many letters it is wide.
    """
    letter = (span[1] - span[0]) / letters
    taken: list[tuple[float, float]] = []
    for phase in sorted(phases, key=lambda phase: phase.begin - phase.end):
        width = letter * len(phase.name)
        free = phase.end - phase.begin - width
        left = phase.begin + free / 2 if free > letter else max(span[0], min(phase.begin, span[1] - width))
        if all(left + width + letter < begin or left > end + letter for begin, end in taken):
            taken.append((left, left + width))
            yield phase.name, left


def _show_marks(ax: "Axes", marks: Sequence[Mark]) -> None:
    """Show `marks`, those that are close to each other with one label: on the left, or where there is room for it."""
    low, high = ax.get_xlim()
    row = (high - low) * 1.5 * SMALL * _POINT / _width(ax)
    labels: list[Mark] = []
    for mark in sorted(marks, key=lambda mark: mark.x):
        ax.axvline(mark.x, color=_GREY, linewidth=0.9, linestyle=(0, (2, 2)))
        if labels and mark.x - labels[-1].x < row:
            labels[-1] = labels[-1]._replace(label=f"{labels[-1].label}, {mark.label}")
        else:
            labels.append(mark)
    ground = {"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.5}
    for label, x in labels:
        shift, side = (-3, "right") if x - low > row else (3, "left")
        _write(ax, label, (x, 0.04), (shift, 0), rotation=90, ha=side, va="bottom", bbox=ground)


def _write(ax: "Axes", text: str, place: tuple[float, float], shift: tuple[float, float], **options: Any) -> None:
    where: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "xytext": shift, "textcoords": "offset points"}
    ax.annotate(text, place, fontsize=SMALL, color=_GREY, **where, **options)


def _name_positions(ax: "Axes", unit: str) -> None:
    ax.set_xlabel(unit, fontsize=SMALL)
    ax.xaxis.set_major_formatter(lambda value, _: si(value))


def _add_legend(figure: "Figure", axes: Sequence["Axes"]) -> int:
    """Put a legend below `axes` if they show more than one thing, and return how many rows it has."""
    handles: dict[str, Any] = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    handles = {label: handles[label] for label in sorted(handles, key=lambda label: label == BORDER)}
    if len(handles) < 2:
        return 0
    room = _letters(WIDTH, SMALL)
    labels = [_shortened(label, room - _SAMPLE) for label in handles]
    columns = max(1, min(len(labels), room // (max(map(len, labels)) + _SAMPLE)))
    figure.legend(
        list(handles.values()), labels, loc="outside lower left", ncols=columns, fontsize=SMALL, frameon=False
    )
    return -(-len(labels) // columns)


def _shortened(text: str, letters: int) -> str:
    """Return `text`, without its middle where it has more than `letters`."""
    half = (letters - 1) // 2
    return text if len(text) <= letters else f"{text[:half]}…{text[-half:]}"


def _letters(width: float, size: float) -> int:
    """Return how many letters of `size` points fit into `width` inches."""
    return int(width / (size * _POINT * _LETTER))


def _width(ax: "Axes") -> float:
    """Return the width of `ax` in inches."""
    return float(ax.bbox.width / ax.figure.dpi)
