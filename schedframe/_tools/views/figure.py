"""Pictures of schedules, drawn by matplotlib."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from schedframe._tools.views.numbers import rate, si
from schedframe._tools.views.series import TITLES, Mark, Panel, Phase

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's palette, which people with every kind of colour vision tell apart (jfly.uni-koeln.de/color)."""

DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))
"""By file, so that curves are told apart in print too."""

_WIDTH, _HEIGHT = 7.2, 2.7
_SHADES = ("#F3F5F8", "#FFFFFF")


def figure_of(
    panels: Sequence[Panel], phases: Sequence[Phase], marks: Sequence[Mark], unit: str, title: str, *, log: bool = False
) -> "Figure":
    """Return a figure with the `panels`, one below the other, over one axis of positions.

    Args:
        panels: what is drawn.
        phases: stretches that are shaded and named; empty where several schedules differ.
        marks: positions that are marked.
        unit: of the positions.
        title: above all panels; empty for none.
        log: draw values on a logarithmic axis.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, _HEIGHT * len(panels) + 0.5), layout="constrained")
    axes = list(figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0])
    for index, (panel, ax) in enumerate(zip(panels, axes, strict=True)):
        draw_panel(ax, panel, phases, marks, log=log, names=index == 0)
    axes[-1].set_xlabel(unit)
    axes[-1].xaxis.set_major_formatter(lambda value, _: si(value))
    if title:
        figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    return figure


def draw_panel(
    ax: "Axes", panel: Panel, phases: Sequence[Phase], marks: Sequence[Mark], *, log: bool = False, names: bool = True
) -> None:
    """Draw one panel on `ax`."""
    roles = list(dict.fromkeys(line.role for line in panel.lines))
    files = list(dict.fromkeys(line.file for line in panel.lines))
    by_file = len(files) > 1
    for line in panel.lines:
        colour = files.index(line.file) if by_file else roles.index(line.role)
        dash = roles.index(line.role) if by_file else 0
        style = DASHES[dash % len(DASHES)]
        ax.plot(
            line.xs, line.ys, color=COLOURS[colour % len(COLOURS)], linestyle=style, linewidth=1.8, label=line.label
        )
    low = min(line.xs[0] for line in panel.lines)
    high = max(line.xs[-1] for line in panel.lines)
    ax.set_xlim(low, high)
    for index, phase in enumerate(phases):
        ax.axvspan(phase.begin, phase.end, color=_SHADES[index % 2], zorder=0, linewidth=0)
        wide = (phase.end - phase.begin) / (high - low)
        if names and wide > 0.012 * len(phase.name):
            ax.annotate(
                phase.name,
                ((phase.begin + phase.end) / 2, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                color="#555555",
            )
    for mark in marks:
        ax.axvline(mark.x, color="#555555", linewidth=0.9, linestyle=(0, (2, 2)))
        ax.annotate(
            mark.label,
            (mark.x, 0.98),
            xycoords=("data", "axes fraction"),
            xytext=(-3, 0),
            textcoords="offset points",
            rotation=90,
            ha="right",
            va="top",
            fontsize=8,
            color="#555555",
        )
    ax.set_ylabel(TITLES[panel.quantity], fontsize=9)
    if log:
        ax.set_yscale("log")
    else:
        highest = max(max(line.ys) for line in panel.lines)
        ax.set_ylim(0, 1.06 * highest if highest > 0 else 1)
        ax.yaxis.set_major_formatter(lambda value, _: rate(value))
    ax.grid(axis="y", color="#D9DDE3", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.tick_params(labelsize=8)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    if len(panel.lines) > 1:
        ax.legend(fontsize=8, frameon=False, loc="best")
