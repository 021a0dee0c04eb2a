"""What pictures show: exact values of every role and file, phases, marks; and what matplotlib makes of it."""

from typing import Any

import pytest

from schedframe import Schedule
from schedframe._pictures.series import Band, Line, Named, Panel, Picture, picture_of
from schedframe._units.notation import positions, rate, rates, si

KEYS: dict[str, Any] = {
    "train_tokens": "4B",
    "seq_length": 1000,
    "global_batch_size": 100,
    "max_lr": 3e-4,
    "lr_warmup_steps": "10%",
    "lr_decay_style": {"style": "WSD", "wsd_decay_steps": "20%", "lr_wsd_decay_style": "minus_sqrt"},
    "start_wd": 0.1,
}
ROUTER = {"role": "router", "match": {"param": "*.router.*"}, "lr_mult": 0.5}


def named(name: str = "run", **keys: Any) -> Named:
    return Named(name, Schedule(**{**KEYS, **keys}))


def test_a_panel_for_each_quantity_that_there_is() -> None:
    assert [panel.quantity for panel in picture_of([named()]).panels] == ["lr", "wd"]
    assert [panel.quantity for panel in picture_of([named(start_wd=None)]).panels] == ["lr"]


def test_every_value_is_the_schedules() -> None:
    schedule = named(groups=[ROUTER])
    line = picture_of([schedule], unit="samples").panels[0].lines[1]
    assert line.ys == [schedule.schedule.lr_at(step, "router") for step in line.xs]


def test_roles_are_overlaid() -> None:
    assert [line.label for line in picture_of([named(groups=[ROUTER])]).panels[0].lines] == ["default", "router"]


def test_curves_of_very_different_heights_have_panels_of_their_own() -> None:
    picture = picture_of([named(groups=[{**ROUTER, "lr_mult": 0.01}])], what=["lr"])
    assert [[line.label for line in panel.lines] for panel in picture.panels] == [["default"], ["router"]]


def test_files_are_overlaid_with_their_names() -> None:
    picture = picture_of([named("a", groups=[ROUTER]), named("b")], what=["lr"])
    assert [line.label for line in picture.lines] == ["a, default", "a, router", "b"]


def test_the_axis_is_in_tokens_where_they_are_known() -> None:
    assert picture_of([named()]).unit == "tokens"
    assert picture_of([Named("run", Schedule(lr_decay_steps=100, max_lr=1e-3))]).unit == "samples"


def test_the_phases_of_one_file_are_named() -> None:
    panel = picture_of([named()]).panels[0]
    assert [phase.name for phase in panel.phases] == ["warmup", "stable", "cooldown"]
    assert [phase.end for phase in panel.phases] == pytest.approx([4e8, 3.2e9, 4e9])


def borders(panel: Panel) -> list[list[float]]:
    return [[x for x, _ in panel.borders(line)] for line in panel.lines]


def test_a_panel_without_the_default_role_has_the_phases_of_its_own_groups() -> None:
    slow = {**ROUTER, "lr_mult": 0.01, "lr_warmup_steps": "50%", "lr_decay_style": "cosine"}
    first, second = picture_of([named(groups=[slow])], what=["lr"]).panels
    assert [phase.name for phase in first.phases] == ["warmup", "stable", "cooldown"]
    assert [(phase.name, phase.end) for phase in second.phases] == [
        ("warmup", pytest.approx(2e9)),
        ("cosine", pytest.approx(4e9)),
    ]
    assert borders(second) == [[]]


def test_a_group_with_other_phases_than_the_default_has_its_own_borders_on_its_curve() -> None:
    slow = {**ROUTER, "lr_warmup_steps": "50%"}
    panel = picture_of([named(groups=[slow, {**ROUTER, "role": "same"}])], what=["lr"]).panels[0]
    assert [phase.end for phase in panel.phases] == pytest.approx([4e8, 3.2e9, 4e9])
    assert borders(panel) == [[], pytest.approx([2e9, 3.2e9]), []]
    assert panel.borders(panel.lines[1])[0] == pytest.approx((2e9, 1.5e-4))


def test_several_files_have_phases_where_they_are_the_same() -> None:
    same = picture_of([named("a"), named("b", max_lr=1e-4)], what=["lr"]).panels[0]
    other = picture_of([named("a"), named("b", lr_warmup_steps="5%")], what=["lr"]).panels[0]
    assert [phase.name for phase in same.phases] == ["warmup", "stable", "cooldown"]
    assert (other.phases, borders(other)) == ((), [[], []])


def test_one_phase_alone_is_not_shown() -> None:
    assert picture_of([named(lr_warmup_steps=0, lr_decay_style="cosine")]).panels[0].phases == ()


def test_a_straight_stretch_is_a_curve_on_a_logarithmic_axis() -> None:
    line = picture_of([named(lr_warmup_steps="50%")], log=True).lines[0]
    assert sum(0.1 < x / 4e9 < 0.4 for x in line.xs) > 100


def test_a_decay_that_ends_before_the_run_is_marked() -> None:
    assert [mark.label for mark in picture_of([named(lr_decay_steps="90% of run")]).marks] == ["decay end"]


def test_the_sum_of_the_learning_rate_is_its_area_over_iterations() -> None:
    constant = named(lr_warmup_steps=0, lr_decay_style="constant")
    assert picture_of([constant], what=["cumulative"]).lines[0].ys[-1] == pytest.approx(3e-4 * 40_000)


def test_an_unknown_unit_names_the_file() -> None:
    with pytest.raises(ValueError, match=r"^run: the unit 'epochs' is not known"):
        picture_of([named()], unit="epochs")


def test_a_figure_has_the_points_of_the_picture() -> None:
    pytest.importorskip("matplotlib")
    from schedframe._pictures.figure import figure_of

    picture = picture_of([named(groups=[ROUTER])])
    axes = figure_of(picture).axes
    assert len(axes) == len(picture.panels)
    curve = axes[0].get_lines()[0]
    assert list(curve.get_xdata()) == picture.panels[0].lines[0].xs
    assert list(curve.get_ydata()) == picture.panels[0].lines[0].ys


def test_the_axis_of_a_loss_has_its_band_and_does_not_begin_at_0() -> None:
    pytest.importorskip("matplotlib")
    from schedframe._pictures.figure import figure_of

    xs = [0.0, 100.0]
    panel = Panel("loss", [Line("a", 0, "default", xs, [3.0, 2.5])])
    band = Band(0, "loss", xs, [2.9, 2.0], [3.1, 3.0])
    (ax,) = figure_of(Picture("", "iters", [panel], [], bands=(band,))).axes
    assert ax.get_ylim() == pytest.approx((2.0 - 0.066, 3.1 + 0.066))
    assert ax.collections[0].get_paths()[0].get_extents().extents.tolist() == [0, 2.0, 100, 3.1]


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (12, "12"), (2000, "2K"), (131_835_937, "131.8M"), (3e11, "300B"), (1e12, "1T")]
)
def test_positions_are_written_with_a_suffix(value: float, text: str) -> None:
    assert si(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (3e-4, "3e-4"), (1.25e-5, "1.25e-5"), (0.1, "0.1"), (1, "1"), (0.02, "0.02")]
)
def test_rates_are_written_as_people_write_them(value: float, text: str) -> None:
    assert rate(value) == text


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([3e-4, 1.2e-4], ["3e-4", "1.2e-4"]),
        ([3e-4, 2.998e-4], ["3e-4", "2.998e-4"]),
        ([3e-4, 2.9999999e-4], ["3e-4", "3e-4"]),
    ],
)
def test_a_column_of_rates_tells_apart_what_differs_visibly(values: list[float], texts: list[str]) -> None:
    assert rates(values) == texts


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0, 4800, 244_140.6, 131_835_937], ["0", "4,800", "244,141", "131.8M"]),
        ([1e9, 1.0001e9], ["1B", "1.0001B"]),
        ([0.5, 2.25], ["0.5", "2.25"]),
        ([999_999.9], ["1,000,000"]),
    ],
)
def test_a_column_of_positions(values: list[float], texts: list[str]) -> None:
    assert positions(values) == texts


def test_roles_can_be_asked_for() -> None:
    picture = picture_of([named(groups=[ROUTER])], roles=["router"])
    assert [line.label for line in picture.lines] == ["router", "router"]
