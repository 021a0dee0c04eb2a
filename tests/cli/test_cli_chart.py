"""Charts in the terminal: ticks, lines, a legend, phases, marks, and small lines."""

import pytest

from schedframe._cli.chart import Canvas, chart, small_line
from schedframe._pictures.series import Band, Dots, Line, Mark, Panel, Phase, Picture

SMALL = Canvas(40, 12)


def drawn(
    *curves: list[float],
    on: Canvas = SMALL,
    phases: tuple[Phase, ...] = (),
    marks: tuple[Mark, ...] = (),
    log: bool = False,
) -> list[str]:
    """Draw curves over 0 to 100, called a, b, c and so on."""
    lines = [
        Line(
            "abcdefghij"[index], 0, "abcdefghij"[index], [100 * at / (len(ys) - 1) for at in range(len(ys))], ys, phases
        )
        for index, ys in enumerate(curves)
    ]
    panel = Panel("lr", lines)
    return chart(panel, Picture("", "iters", [panel], list(marks), log), on).splitlines()


def ticks(lines: list[str]) -> list[str]:
    return [line.split("┤")[0].strip() for line in lines if "┤" in line]


def test_a_straight_line() -> None:
    lines = drawn([1.0, 0.5, 0.0])
    assert len(lines) == 12
    assert lines[0].strip() == "learning rate over iters"
    assert lines[2].startswith("  1┤⠠⠤⣀")
    assert lines[-3].startswith("  0┤")
    assert lines[-1].split() == ["0", "50", "100"]


@pytest.mark.parametrize(
    ("peak", "labels"),
    [
        (3e-4, ["3e-4", "2e-4", "1e-4", "0"]),
        (1e-3, ["1e-3", "8e-4", "6e-4", "4e-4", "2e-4", "0"]),
        (0.02, ["0.02", "0.015", "0.01", "0.005", "0"]),
        (2.5, ["2.5", "2", "1.5", "1", "0.5", "0"]),
        (0.0, ["0"]),
    ],
)
def test_ticks_are_round_numbers(peak: float, labels: list[str]) -> None:
    assert ticks(drawn([0.0, peak], on=Canvas(60, 20))) == labels


def test_ticks_of_a_logarithmic_axis_are_powers_of_ten() -> None:
    assert ticks(drawn([1e-2, 1e-3, 1e-5, 0.0], log=True)) == ["0.01", "1e-3", "1e-4", "1e-5"]


def test_a_logarithmic_axis_ends_four_powers_below_the_highest_value() -> None:
    assert ticks(drawn([1e-2, 1e-9], log=True))[-1] == "1e-6"


def test_a_logarithmic_axis_of_nothing_but_zero_is_a_plain_one() -> None:
    assert ticks(drawn([0.0, 0.0], log=True)) == ["0"]


def test_lines_without_colours_have_characters_of_their_own() -> None:
    lines = drawn([1.0, 1.0], [0.5, 0.5], [0.2, 0.2])
    assert lines[-1] == "⠤⠤ a   xx b   oo c"
    assert any("xxxxxxxx" in line for line in lines)


def test_a_line_alone_needs_no_legend() -> None:
    assert drawn([1.0, 0.0])[-1].split() == ["0", "50", "100"]


def test_equal_lines_are_one_in_the_legend() -> None:
    assert drawn([1.0, 0.5], [0.7, 0.2], [1.0, 0.5])[-1] == "⠤⠤ a, c   xx b"


def test_a_long_legend_takes_several_rows() -> None:
    rows = drawn(*([1.0, 0.1 * index] for index in range(8)))[-2:]
    assert [len(row) <= 40 for row in rows] == [True, True]
    assert " ".join(rows).split()[1::2] == list("abcdefgh")


PHASES = (Phase("warmup", 0, 2), Phase("stable", 2, 70), Phase("cooldown", 70, 100))


def test_phases_are_named_in_the_middle_of_their_stretch() -> None:
    row = drawn([1.0, 0.5], phases=PHASES)[-1]
    assert row.split() == ["warmup", "stable", "│cooldown"]
    assert row.index("stable") + len("stable") / 2 == pytest.approx(4 + 35 * 0.36, abs=1)


def test_one_phase_alone_is_not_named() -> None:
    assert drawn([1.0, 0.5], phases=PHASES[:1])[-1].split() == ["0", "50", "100"]


def test_the_phases_of_a_line_with_others_begin_at_marks_on_it() -> None:
    first = Line("a", 0, "default", [0, 50, 100], [1.0, 1.0, 0.5], [Phase("warmup", 0, 50), Phase("cooldown", 50, 100)])
    other = Line("b", 0, "b", [0, 70, 100], [0.5, 0.5, 0.1], [Phase("warmup", 0, 70), Phase("cooldown", 70, 100)])
    panel = Panel("lr", [first, other])
    *rows, legend = chart(panel, Picture("", "iters", [panel], []), SMALL).splitlines()
    assert "\n".join(rows).count("◆") == 1
    assert legend == "◆ start of a group's own phase"


def test_a_name_without_room_is_left_out_and_none_overlap() -> None:
    phases = [Phase(f"phase{index}", index, index + 1) for index in range(100)]
    row = drawn([1.0, 0.5], phases=tuple(phases))[-1]
    assert set(row.replace("│", " ").split()) < {phase.name for phase in phases}


@pytest.mark.parametrize(("x", "text"), [(10, "^ branch"), (95, "branch ^")])
def test_a_mark_is_pointed_at_from_the_side_with_room(x: float, text: str) -> None:
    assert drawn([1.0, 0.5], marks=(Mark("branch", x),))[-1].strip() == text


def test_ascii_has_nothing_else() -> None:
    lines = drawn([1.0, 0.5], [0.5, 0.2], on=Canvas(40, 12, ascii=True), phases=PHASES)
    assert "\n".join(lines).isascii()
    assert lines[-1] == "** a   xx b"


def forecast(*, log: bool = False) -> list[str]:
    """Draw a loss that falls from 3 to 2.4 with bounds and measured values."""
    xs = [0, 50, 100]
    panel = Panel("loss", [Line("a", 0, "default", xs, [3.0, 2.5, 2.4])])
    band = Band(0, "loss", xs, [2.9, 2.3, 2.2], [3.1, 2.7, 2.6])
    dots = [Dots("measured", "loss", xs, [3.2, 2.5, 2.4]), Dots("elsewhere", "lr", xs, [9.0, 9.0, 9.0])]
    return chart(panel, Picture("", "iters", [panel], [], log, tuple(dots), (band,)), SMALL).splitlines()


@pytest.mark.parametrize(("log", "labels"), [(False, ["3", "2.5"]), (True, ["3.2", "2.2"])])
def test_the_axis_of_a_loss_has_all_that_is_drawn_and_does_not_begin_at_0(log: bool, labels: list[str]) -> None:
    assert ticks(forecast(log=log)) == labels


def test_bounds_and_measured_values_are_in_the_legend_of_a_single_line() -> None:
    assert forecast()[-2:] == [".. bounds of 95 of 100 runs", "'' measured"]


@pytest.mark.parametrize(("ascii", "text"), [(False, "▁▂▃▄▅▆▇██"), (True, "__..--'''")], ids=["blocks", "ascii"])
def test_a_small_line_rises_with_the_values(ascii: bool, text: str) -> None:
    assert small_line([index / 8 for index in range(9)], ascii=ascii) == text


def test_a_small_line_of_zeros_is_flat() -> None:
    assert small_line([0.0, 0.0], ascii=False) == "▁▁"
