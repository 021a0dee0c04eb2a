"""Weight decay that follows the learning rate, and every other way in which it can move."""

import math
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from schedframe import ConfigError, Schedule, StateError, lr_styles
from schedframe.styles import LRCurve

from ..runs import Optimizer

RUN: dict[str, Any] = {
    "max_lr": 3e-4,
    "min_lr": 3e-5,
    "lr_warmup_steps": 50,
    "lr_decay_steps": 1000,
    "lr_decay_style": "cosine",
    "start_wd": 0.1,
}
GROUPS = [{}, {"max_lr": 2e-2, "min_lr": 0.0, "default_config": False}, {"wd_mult": 0.0}, {"wd_mult": 0.5}]


def run(style: Any, *groups: dict[str, Any], **changes: Any) -> list[list[tuple[float, float]]]:
    """Learning rate and weight decay of each group at each step of a run, as the scheduler writes them."""
    optimizer = SimpleNamespace(param_groups=[dict(group) for group in groups or ({},)])
    scheduler = Schedule(**{**RUN, **changes}, wd_incr_style=style).build(optimizer)
    rows = []
    for _ in range(1050):
        rows.append([(group["lr"], group["weight_decay"]) for group in optimizer.param_groups])
        scheduler.step(1)
    return rows


def test_adamc_keeps_the_ratio_to_the_learning_rate() -> None:
    for row in run("adamc", *GROUPS):
        for group, (lr, wd) in zip(GROUPS, row, strict=True):
            max_lr, factor = group.get("max_lr", 3e-4), group.get("wd_mult", 1.0)
            assert wd == (0.1 / max_lr) * lr * factor
            if lr and factor == 1.0:
                assert abs(wd / lr - 0.1 / max_lr) <= math.ulp(0.1 / max_lr)


def test_independent_decay_does_not_see_max_lr() -> None:
    doubled = {key: 2 * RUN[key] for key in ("max_lr", "min_lr")}
    once = run("independent", init_lr=1e-6)
    twice = run("independent", init_lr=2e-6, **doubled)
    assert [lr * wd for ((lr, wd),) in once] == [lr * wd for ((lr, wd),) in twice]
    assert once != twice
    assert once[50][0] == (3e-4, 0.1 / 3e-4)


def test_constant_effective_decay_holds_lr_times_wd() -> None:
    rows = run("constant-effective")
    assert {wd for ((_, wd),) in rows[1:51]} == {0.1}
    for ((lr, wd),) in rows[51:1001]:
        assert lr * wd == pytest.approx(3e-5, rel=4e-16)


@pytest.mark.parametrize("style", ["adamc", "independent", "constant-effective"])
def test_no_learning_rate_is_no_weight_decay(style: str) -> None:
    rows = run(style, {}, {"max_lr": 0.0, "min_lr": 0.0, "default_config": False}, min_lr=0.0)
    assert rows[0] == rows[0][:1] * 2 == [(0.0, 0.0)] * 2
    assert [row[1] for row in rows] == [(0.0, 0.0)] * 1050
    assert rows[1001][0] == (0.0, 0.0)


@pytest.mark.parametrize("style", ["adamc", "independent", "constant-effective"])
def test_a_coupling_stands_on_any_weight_decay(style: str) -> None:
    base = {"style": "phases", "phases": [{"style": "linear", "length": "50%", "to": 0.05}, {"style": "linear"}]}
    rising = Schedule(**RUN, end_wd=0.2, wd_incr_style={"style": style, "base": base})
    own = Schedule(**RUN, end_wd=0.2, wd_incr_style=base)
    for step in (60, 500, 700, 1000):
        lr, wd = rising.lr_at(step), own.wd_at(step)
        expected = {"adamc": wd / 3e-4 * lr, "independent": wd / 3e-4, "constant-effective": wd * 3e-4 / lr}[style]
        assert rising.wd_at(step) == pytest.approx(expected, rel=4e-16)


@pytest.mark.parametrize("style", ["adamc", {"style": "cooldown", "wd_cooldown_steps": 10}])
def test_a_constant_underneath_needs_one_weight_decay(style: Any) -> None:
    with pytest.raises(ConfigError, match=r"is constant, but start_wd \(0.1\) and end_wd \(0.2\) differ"):
        Schedule(**RUN, end_wd=0.2, wd_incr_style=style)


def test_a_tensor_is_never_read() -> None:
    """What the tensor held does not matter: the learning rate that counts is the one just computed."""
    torch = pytest.importorskip("torch")
    lr, plain = torch.tensor(0.0, dtype=torch.float64), {}
    optimizer = SimpleNamespace(param_groups=[{"lr": lr}, plain])
    scheduler = Schedule(**RUN, wd_incr_style="adamc").build(optimizer)
    lr.fill_(math.nan)
    scheduler.step(500)
    assert optimizer.param_groups[0]["lr"] is lr
    assert (lr.item(), optimizer.param_groups[0]["weight_decay"]) == (plain["lr"], plain["weight_decay"])


CURVES = [name for name in lr_styles.builtins if issubclass(lr_styles[name], LRCurve)]


@pytest.mark.parametrize(("start", "end"), [(0.02, 0.1), (0.1, 0.02)], ids=["rising", "falling"])
@pytest.mark.parametrize("name", sorted({*CURVES} - {"linear", "cosine", "exponential"}))
def test_every_curve_of_the_learning_rate_is_one_of_weight_decay(name: str, start: float, end: float) -> None:
    style = {"style": name, **({"power": 0.6} if name == "minus-power" else {})}
    schedule = Schedule(max_lr=1.0, lr_decay_steps=1000, start_wd=start, end_wd=end, wd_incr_style=style)
    curve = lr_styles[name](**{key: value for key, value in style.items() if key != "style"})
    for step in range(1, 1001):
        assert schedule.wd_at(step) == end + curve.coefficient(step / 1000) * (start - end)
    assert [schedule.wd_at(step) for step in (0, 1000, 5000)] == [start, end, end]
    assert schedule.wd_style.style == "lr-curve"
    assert schedule == Schedule(**schedule.model_dump())


def test_an_alias_names_a_curve_too() -> None:
    styles = [Schedule(**{**RUN, "end_wd": 0.0}, wd_incr_style=name).wd_style for name in ("1-sqrt", "minus_sqrt")]
    assert styles[0] == styles[1]


def test_its_options_are_checked_where_they_stand() -> None:
    with pytest.raises(ConfigError, match=r"wd_incr_style\.curve\.power = -1: must be above 0"):
        Schedule(**RUN, end_wd=0.0, wd_incr_style={"style": "polynomial", "power": -1})


@pytest.mark.parametrize("style", ["WSD", "inverse-square-root"])
def test_what_is_no_curve_is_none_of_weight_decay(style: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Schedule(**RUN, end_wd=0.0, wd_incr_style=style)
    assert "wd_incr_style" in str(caught.value)


SHAPES = {
    "linear": lambda r: 1 - r,
    "cosine": lambda r: 0.5 * (1 + math.cos(math.pi * r)),
    "minus_sqrt": lambda r: 1 - math.sqrt(r),
    **{f"1 - r**{power}": (lambda r, power=power: 1 - r**power) for power in (0.45, 0.4, 0.333, 0.25)},
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_cooldown_of_weight_decay_has_the_shapes_of_megatrons_pull_request(name: str) -> None:
    shape = {"style": "minus-power", "power": float(name.split("**")[1])} if "**" in name else name
    style = {"style": "cooldown", "wd_cooldown_steps": "20%", "wd_cooldown_style": shape, "final_wd": 0.01}
    schedule = Schedule(max_lr=1.0, lr_decay_steps=1000, start_wd=0.1, wd_incr_style=style)
    assert schedule.landmarks()["weight decay cooldown start"] == 800
    for step in range(1001):
        expected = 0.1 if step <= 800 else 0.01 + SHAPES[name]((step - 800) / 200) * 0.09
        assert schedule.wd_at(step) == pytest.approx(expected, rel=1e-15)
    assert [schedule.wd_at(step) for step in (1000, 1001)] == [0.01, 0.01]


def test_a_cooldown_begins_where_its_base_is() -> None:
    style = {"style": "cooldown", "wd_cooldown_steps": 200, "base": "linear"}
    schedule = Schedule(max_lr=1.0, lr_decay_steps=1000, start_wd=0.0, end_wd=0.1, wd_incr_style=style)
    wds = [schedule.wd_at(step) for step in range(1001)]
    assert (wds[400], wds[800], wds[900], wds[1000]) == (
        0.04000000000000001,
        0.08000000000000002,
        pytest.approx(0.04),
        0,
    )
    assert max(abs(after - before) for before, after in pairwise(wds)) < 0.001


@pytest.mark.parametrize("steps", [0, 1001])
def test_a_cooldown_that_does_not_fit_is_refused(steps: int) -> None:
    style = {"style": "cooldown", "wd_cooldown_steps": steps}
    with pytest.raises(ConfigError, match=f"wd_cooldown_steps = {steps} must lie between 0 and 1000"):
        Schedule(max_lr=1.0, lr_decay_steps=1000, start_wd=0.1, wd_incr_style=style)


def test_a_coupled_run_resumes_equal() -> None:
    style = {"style": "adamc", "base": {"style": "cooldown", "wd_cooldown_steps": 100}}
    first, again = (Schedule(**RUN, wd_incr_style=style).build(Optimizer()) for _ in range(2))
    first.step(950)
    again.load_state_dict(first.state_dict())
    assert again.optimizer.param_groups == first.optimizer.param_groups
    other = Schedule(**RUN, wd_incr_style="adamc").build(Optimizer())
    with pytest.raises(StateError, match=r"wd_incr_style\.base +cooldown\("):
        other.load_state_dict(first.state_dict())
