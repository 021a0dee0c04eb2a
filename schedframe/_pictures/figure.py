"""Pictures of schedules, drawn by matplotlib."""

from io import StringIO
from typing import TYPE_CHECKING, Any

from schedframe._pictures.series import TITLES, Panel, Picture
from schedframe._units.notation import rate, si

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's palette, which people with every kind of colour vision tell apart (jfly.uni-koeln.de/color)."""

DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))
"""By file, so that curves are told apart in print too."""

_WIDTH, _HEIGHT = 7.2, 2.7
_SHADES = ("#F1F4F8", "#FFFFFF")
_GREY = "#555555"
_CURVE = "curve"
_MOST_COLUMNS = 4
_LETTER = 0.0125
"""How much of the width of an axis a letter of a phase's name takes."""


def figure_of(picture: Picture) -> "Figure":
    """Return a figure with the panels of `picture`, one below the other, over one axis of positions."""
    from matplotlib.figure import Figure

    panels = picture.panels
    figure = Figure(figsize=(_WIDTH, _HEIGHT * len(panels) + 0.6), layout="constrained")
    axes = list(figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0])
    for index, (panel, ax) in enumerate(zip(panels, axes, strict=True)):
        draw_panel(ax, panel, picture, names=index == 0)
    _name_positions(axes[-1], picture.unit)
    handles = {handle.get_label(): handle for ax in axes for handle in ax.get_lines() if handle.get_gid() == _CURVE}
    if picture.title or len(handles) > 1:
        figure.suptitle(picture.title or " ", fontsize=10.5, x=0.012, ha="left")
    if len(handles) > 1:
        columns = min(len(handles), _MOST_COLUMNS)
        figure.legend(
            list(handles.values()),
            list(map(str, handles)),
            loc="outside upper right",
            ncols=columns,
            fontsize=8,
            frameon=False,
            handlelength=2.6,
        )
    return figure


def svg_of(picture: Picture) -> str:
    """Return the figure of `picture` as an ``<svg>`` element, the same at every call."""
    from matplotlib import rc_context

    text = StringIO()
    with rc_context({"svg.hashsalt": repr(picture)}):
        figure_of(picture).savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg") :]


def draw(picture: Picture, ax: "Axes | None" = None) -> "Axes":
    """Draw all lines of `picture`, which are of one quantity, on `ax`, or on the axis of a new figure of pyplot."""
    if ax is None:
        from matplotlib import pyplot

        _, ax = pyplot.subplots(figsize=(_WIDTH, _HEIGHT + 0.6), layout="constrained")
    draw_panel(ax, Panel(picture.panels[0].quantity, picture.lines), picture)
    _name_positions(ax, picture.unit)
    if picture.title:
        ax.set_title(picture.title, fontsize=10.5, loc="left", pad=18 if picture.phases else None)
    if len(picture.lines) > 1:
        ax.legend(fontsize=8, frameon=False)
    return ax


def _name_positions(ax: "Axes", unit: str) -> None:
    ax.set_xlabel(unit, fontsize=9)
    ax.xaxis.set_major_formatter(lambda value, _: si(value))


def draw_panel(ax: "Axes", panel: Panel, picture: Picture, *, names: bool = True) -> None:
    """Draw one panel on `ax`; the phases are named above it where `names`."""
    roles = list(dict.fromkeys(line.role for line in picture.lines))
    files = list(dict.fromkeys(line.file for line in picture.lines))
    by_file = len(files) > 1
    for line in panel.lines:
        colour = files.index(line.file) if by_file else roles.index(line.role)
        dash = DASHES[roles.index(line.role) % len(DASHES)] if by_file else "-"
        colour_of_line = COLOURS[colour % len(COLOURS)]
        curve = ax.plot(line.xs, line.ys, color=colour_of_line, linestyle=dash, linewidth=1.7, label=line.label)[0]
        curve.set(gid=_CURVE, clip_on=picture.log, zorder=3 - 0.01 * picture.lines.index(line))
    for band in (band for band in picture.bands if band.quantity == panel.quantity):
        tint = COLOURS[band.file % len(COLOURS)]
        ax.fill_between(band.xs, band.lower, band.upper, color=tint, alpha=0.15, linewidth=0, zorder=1)
    observed = [dots for dots in picture.dots if dots.quantity == panel.quantity]
    for dots in observed:
        colour_of_dots = COLOURS[-1] if picture.bands else COLOURS[1]  # which no band has
        ax.plot(dots.xs, dots.ys, ".", color=colour_of_dots, markersize=3.5, label=dots.label, zorder=4, gid=_CURVE)
    low, high = min(line.xs[0] for line in panel.lines), max(line.xs[-1] for line in panel.lines)
    ax.set_xlim(low, high)
    for index, phase in enumerate(picture.phases):
        ax.axvspan(phase.begin, phase.end, color=_SHADES[index % 2], zorder=0, linewidth=0)
        if names and (phase.end - phase.begin) / (high - low) > _LETTER * len(phase.name):
            _write(ax, phase.name, ((phase.begin + phase.end) / 2, 1.0), (0, 3), ha="center")
    for mark in picture.marks:
        ax.axvline(mark.x, color=_GREY, linewidth=0.9, linestyle=(0, (2, 2)))
        _write(ax, mark.label, (mark.x, 0.04), (-3, 0), rotation=90, ha="right", va="bottom")
    ax.set_ylabel(TITLES[panel.quantity], fontsize=9)
    if picture.log:
        ax.set_yscale("log")
    else:
        lowest, highest = picture.span(panel)
        apart = highest - lowest
        ax.set_ylim(lowest - 0.06 * apart if lowest else 0, highest + 0.06 * apart if highest > 0 else 1)
    ax.yaxis.set_major_formatter(lambda value, _: rate(value))
    ax.grid(axis="y", color="#D9DDE3", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.tick_params(labelsize=8)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def _write(ax: "Axes", text: str, place: tuple[float, float], shift: tuple[float, float], **options: Any) -> None:
    where: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "xytext": shift, "textcoords": "offset points"}
    ax.annotate(text, place, fontsize=8, color=_GREY, **where, **options)
