"""Curves as columns: exact values, every bend, and lines that are close to the curve everywhere."""

from bisect import bisect_right
from itertools import pairwise
from typing import Any, Literal

import numpy
import pytest

import schedframe
from schedframe import PluginError, Schedule, lr_styles
from schedframe._schedule.curves import RoleCurves
from schedframe.styles import LRCurve

LONG = {"train_samples": 10_000_000, "max_lr": 1e-3, "lr_warmup_steps": 2000}
TAIL = {"style": "WSD", "wsd_decay_steps": "10%", "lr_wsd_decay_style": "minus_sqrt"}
STYLES: dict[str, Any] = {
    "minus_sqrt tail": TAIL,
    "cosine": "cosine",
    "inverse-square-root": "inverse-square-root",
    "multi-step": {"style": "multi-step", "milestones": [0.8, 0.9], "multipliers": [0.316, 0.1]},
    "20 restarts": {"style": "cosine-restarts", "period_steps": 500_000},
    "128 levels": {"style": "chebyshev", "levels": 128},
    "phases": {
        "style": "phases",
        "phases": [
            {"style": "constant", "length": "50%"},
            {"style": "cosine", "length": "20%", "to": "50%"},
            {"style": "minus_sqrt", "from": "100%", "jump": True},
        ],
    },
}


def error_of_lines(schedule: Schedule, positions: list[float], values: list[float], at: Any, many: int) -> float:
    """Return the largest distance between the curve and straight lines through its points."""
    worst = 0.0
    for share in numpy.linspace(0, 1, many) ** 2:
        position = positions[0] + (positions[-1] - positions[0]) * float(share)
        index = min(bisect_right(positions, position) - 1, len(positions) - 2)
        first, last = positions[index], positions[index + 1]
        part = (position - first) / (last - first)
        worst = max(worst, abs(values[index] + (values[index + 1] - values[index]) * part - at(position)))
    return worst


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_lines_through_the_points_are_close_to_the_curve(style: Any) -> None:
    schedule = Schedule(**LONG, lr_decay_style=style)
    samples = schedule.sample()
    assert error_of_lines(schedule, samples["step"], samples["lr"], schedule.lr_at, 20_000) < 0.002 * schedule.max_lr


@pytest.mark.parametrize("points", [1, 10, 50])
@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_lines_are_as_close_with_few_points(style: Any, points: int) -> None:
    schedule = Schedule(**LONG, lr_decay_style=style)
    samples = schedule.sample(points)
    assert error_of_lines(schedule, samples["step"], samples["lr"], schedule.lr_at, 20_000) < 0.002 * schedule.max_lr


@pytest.mark.parametrize("style", [{"period_steps": 50_000}, {"period_steps": 10_000_000 / 128}])
def test_lines_are_close_with_more_restarts_than_landmarks(style: Any) -> None:
    schedule = Schedule(**LONG | {"lr_warmup_steps": 0}, lr_decay_style={"style": "cosine-restarts", **style})
    samples = schedule.sample()
    assert error_of_lines(schedule, samples["step"], samples["lr"], schedule.lr_at, 20_000) < 0.002 * schedule.max_lr


@pytest.mark.parametrize("points", [10, 300, 1000])
@pytest.mark.parametrize("unit", ["samples", "iters"])
def test_lines_are_close_with_fewer_points_than_changes_of_the_batch_size(points: int, unit: str) -> None:
    schedule = schedframe.load("recipe:bloom-176b")
    samples = schedule.sample(points, unit=unit)

    def lr_at(position: float) -> float:
        return schedule.lr_at(schedule.step_at(f"{position} {unit}"))

    assert error_of_lines(schedule, samples.positions, samples["lr"], lr_at, 2000) < 0.002 * schedule.max_lr


@pytest.mark.parametrize("points", [2, 1000])
def test_lines_are_close_to_weight_decay_and_the_product_too(points: int) -> None:
    schedule = Schedule(**LONG, start_wd=0.0, end_wd=0.1, wd_incr_style="linear")
    samples = schedule.sample(points)

    def product_at(step: float) -> float:
        return schedule.lr_at(step) * (schedule.wd_at(step) or 0.0)

    highest = max(samples["lr_wd"])
    assert error_of_lines(schedule, samples["step"], samples["lr_wd"], product_at, 2000) < 0.002 * highest


def test_a_curve_that_jumps_too_often_has_ten_thousand_points() -> None:
    schedule = Schedule(**LONG, lr_decay_style={"style": "cosine-restarts", "period_steps": 1000})
    assert len(schedule.sample(10)["lr"]) == 10_000


def test_they_are_in_iterations_of_a_ramp_too() -> None:
    schedule = Schedule(
        train_iters=20_000,
        global_batch_size=1024,
        rampup_batch_size=[64, 64, "4M"],
        max_lr=1e-3,
        lr_warmup_steps="3M",
        lr_decay_style="cosine",
    )
    samples = schedule.sample(unit="iters")

    def lr_at(iters: float) -> float:
        return schedule.lr_at(schedule.step_at(f"{iters} iters"))

    assert error_of_lines(schedule, samples.positions, samples["lr"], lr_at, 2000) < 0.002 * schedule.max_lr


def test_there_are_as_many_points_as_asked_for() -> None:
    assert len(Schedule(**LONG).sample(50)["lr"]) == 50


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_many_steps_have_the_values_of_each(style: Any) -> None:
    schedule = Schedule(**LONG, lr_decay_style=style)
    steps = [0, 1999, 2000, 2000.5, 2001, *range(3000, 10_000_000, 99_991), 10_000_000, 10_000_001, 10**9]
    each = [schedule.lr_at(step) for step in steps]
    assert schedule.lr_at(steps) == each
    assert schedule.lr_at(steps[::-1]) == each[::-1]


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_fewer_points_will_do_where_lines_are_close(style: Any) -> None:
    schedule = Schedule(**LONG, lr_decay_style=style)
    steps = RoleCurves(schedule, "default").steps(2000, close=1e-3)
    assert len(steps) < 2000
    assert error_of_lines(schedule, steps, schedule.lr_at(steps), schedule.lr_at, 20_000) < 0.001 * schedule.max_lr


def test_no_stretch_is_long_where_lines_are_close() -> None:
    steps = RoleCurves(Schedule(**LONG), "default").steps(400, close=1e-4)
    assert max(last - first for first, last in pairwise(steps)) <= 10_000_000 / 50


def test_every_landmark_is_a_point() -> None:
    schedule = Schedule(**LONG, lr_decay_style=TAIL)
    assert set(schedule.landmarks().values()) <= set(schedule.sample(20)["step"])


def test_values_are_those_of_the_schedule() -> None:
    rule = {"role": "router", "match": {"param": "*"}, "lr_mult": 0.1, "wd_mult": 0.5}
    schedule = Schedule(**LONG, start_wd=0.1, end_wd=0.2, wd_incr_style="cosine", groups=[rule])
    samples = schedule.sample(100, role="router")
    assert samples["lr"] == [schedule.lr_at(step, "router") for step in samples["step"]]
    assert samples["wd"] == [schedule.wd_at(step, "router") for step in samples["step"]]


def test_steps_themselves_are_sampled() -> None:
    schedule = Schedule(**LONG)
    samples = schedule.sample([0, 2000, 2001], unit="samples")
    assert samples["step"] == [0, 2000, 2001]
    assert samples["lr"] == schedule.lr_at([0, 2000, 2001])
    assert samples["phase"] == ["warmup", "warmup", "linear"]


def test_a_step_before_the_start_is_refused() -> None:
    with pytest.raises(ValueError, match="step must not lie before start_step, 100, got 99"):
        Schedule(**LONG, start_step=100).sample([99, 100])


def test_the_columns_are_positions_values_and_phases() -> None:
    schedule = Schedule(**LONG, global_batch_size=100, seq_length=10, start_wd=0.1, lr_decay_style=TAIL)
    samples = schedule.sample(10)
    assert list(samples) == ["step", "iters", "tokens", "lr", "wd", "lr_wd", "phase"]
    assert list(dict.fromkeys(samples["phase"])) == ["warmup", "stable", "cooldown"]


def test_weight_decay_that_is_not_scheduled_has_no_column() -> None:
    assert "wd" not in Schedule(**LONG).sample(10)


def test_a_branch_begins_at_its_start_step() -> None:
    samples = Schedule(start_step=1000, lr_decay_steps=100, max_lr=1e-3).sample(10)
    assert (samples["step"][0], samples["step"][-1]) == (1000, 1100)


def test_an_open_schedule_is_sampled_for_a_while() -> None:
    assert Schedule(lr_decay_steps="open", max_lr=1e-3, lr_decay_style="constant").sample(10)["step"][-1] == 2000


class FailsOnce(LRCurve):
    style: Literal["fails-once"] = "fails-once"

    def coefficient(self, progress: float) -> float:
        if progress == 0.6543:
            raise ValueError("no value here")
        return 1.0 - progress


class Exceeds(LRCurve):
    style: Literal["exceeds"] = "exceeds"
    value: float = 2.0

    def coefficient(self, progress: float) -> float:
        return self.value if progress == 0.6543 else 1.0 - progress


@pytest.mark.parametrize("value", [2.0, -1.0, 1e308])
def test_a_value_outside_of_the_bounds_is_refused_among_many(unregister: None, value: float) -> None:
    lr_styles.register(Exceeds)
    style = {"style": "exceeds", "value": value}
    schedule = Schedule(max_lr=1e-3, lr_decay_steps=10_000, lr_decay_style=style)
    with pytest.raises(PluginError, match="at step 6543"):
        schedule.lr_at(list(range(10_000)))


def test_a_style_that_fails_is_named_with_its_step(unregister: None) -> None:
    lr_styles.register(FailsOnce)
    schedule = Schedule(max_lr=1e-3, lr_decay_steps=10_000, lr_decay_style="fails-once")
    with pytest.raises(PluginError, match="fails at step 6543: ValueError: no value here"):
        schedule.sample([6542, 6543])


def test_an_unknown_unit_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="the unit 'tokens' is not known here; the known units are samples"):
        Schedule(**LONG).sample(unit="tokens")


def test_columns_become_arrays_and_a_frame() -> None:
    samples = Schedule(**LONG).sample(10)
    assert samples.to_numpy()["lr"].tolist() == samples["lr"]
    pandas = pytest.importorskip("pandas")
    assert isinstance(samples.to_pandas(), pandas.DataFrame)


@pytest.mark.parametrize("steps", [[0, 1000, 2000], (0, 1000, 2000)])
def test_lists_of_steps_have_lists_of_values(steps: Any) -> None:
    schedule = Schedule(**LONG, start_wd=0.1)
    assert schedule.lr_at(steps) == [schedule.lr_at(step) for step in steps]
    assert schedule.wd_at(steps) == [0.1, 0.1, 0.1]


def test_arrays_of_steps_have_arrays_of_their_shape() -> None:
    schedule = Schedule(**LONG)
    values = schedule.lr_at(numpy.array([[0, 1000], [2000, 3000]]))
    assert values.shape == (2, 2)
    assert values[1, 0] == schedule.lr_at(2000)
