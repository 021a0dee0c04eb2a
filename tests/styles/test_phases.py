"""Schedules in phases: each that the documentation says, against its formula written here from the source."""

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import schedframe
from schedframe import ConfigError, Schedule, StateError
from schedframe.styles import LRCurve, LRPoint
from schedframe.styles.phases import Phases

from ..runs import Optimizer

np = pytest.importorskip("numpy")

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-phases.md"
FILES = dict(re.findall(r"<!-- file: (\S+) -->\n```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL))


def warmed(steps: Any, warmup: int, peak: float, after: Any) -> Any:
    return np.where(steps <= warmup, peak * steps / max(warmup, 1), after)


def wsd(n: Any) -> Any:
    q = np.clip((n - 8000) / 2000, 0, 1)
    return warmed(n, 100, 1e-2, 1e-3 + (1 - np.sqrt(q)) * 9e-3)


def wsd_s(n: Any) -> Any:
    """Decays end at 3000, 6000 and 10000, each 400 long; where one ends, the next period begins at the peak."""
    lr = np.full(n.shape, 1e-2)
    for end in (3000, 6000, 10_000):
        inside = (n > end - 400) & ((n < end) | (n == 10_000))
        lr = np.where(inside, 1e-3 + (end - n) / 400 * 9e-3, lr)
    return warmed(n, 100, 1e-2, lr)


def infinite(n: Any) -> Any:
    constant, t = 1.65e-4, n - 100
    cooldown = constant + (3e-4 - constant) / 2 * (np.cos(np.pi * np.minimum(t, 3000) / 3000) + 1)
    anneal = constant * (3e-5 / constant) ** (np.clip(n - 9000, 0, 1000) / 1000)
    return warmed(n, 100, 3e-4, np.where(t <= 3000, cooldown, np.where(n <= 9000, constant, anneal)))


def deepseek(n: Any) -> Any:
    return warmed(n, 100, 4.2e-4, 4.2e-4 * np.select([n < 8000, n < 9000], [1.0, 0.316], 0.1))


def cosine_constant(n: Any) -> Any:
    p = np.clip((n - 100) / 7900, 0, 1)
    return warmed(n, 100, 3e-4, 3e-5 + 2.7e-4 * 0.5 * (1 + np.cos(np.pi * p)))


def power(n: Any) -> Any:
    law = 1e-2 * (np.maximum(n, 1) / 100.0) ** -0.51
    tail = 1e-2 * (9000 / 100.0) ** -0.51 * (10_000 - n) / 1000
    return warmed(n, 100, 1e-2, np.where(n <= 9000, law, tail))


def stablelm2(n: Any) -> Any:
    """Cosine of period 4 * 2500 with a floor of a tenth, alpha / sqrt(n + beta), a line to 0."""
    wave = 1e-4 + 9e-4 * 0.5 * (np.cos(2 * np.pi * n / 10_000) + 1)
    beta = 400
    alpha = 5.5e-4 * np.sqrt(2500 + beta)
    rsqrt = alpha / np.sqrt(n + beta)
    line = alpha / np.sqrt(9000 + beta) * (10_000 - n) / 1000
    return np.select([n <= 2500, n <= 9000], [wave, rsqrt], line)


def fast_slow(n: Any) -> Any:
    fast = 0.030 + (0.006 - 0.030) * (np.clip(n - 200, 0, 1550) / 1550) ** 0.6
    slow = 0.006 * (3125 - n) / (3125 - 1750)
    return warmed(n, 100, 0.030, np.select([n <= 200, n <= 1750], [0.030, fast], slow))


REFERENCES: dict[str, Callable[[Any], Any]] = {
    "wsd.yaml": wsd,
    "wsd-s.yaml": wsd_s,
    "infinite.yaml": infinite,
    "deepseek.yaml": deepseek,
    "cosine-constant.yaml": cosine_constant,
    "power.yaml": power,
    "stablelm2.yaml": stablelm2,
    "fast-slow.yaml": fast_slow,
}


def loaded(name: str, tmp_path: Path) -> Schedule:
    file = tmp_path / name
    file.write_text(FILES[name])
    return schedframe.load(file)


def test_every_file_of_the_page_has_a_reference() -> None:
    assert set(FILES) == {*REFERENCES, "weight-decay.yaml"}


@pytest.mark.parametrize("name", REFERENCES)
def test_is_its_formula_at_every_step(name: str, tmp_path: Path) -> None:
    schedule = loaded(name, tmp_path)
    steps = np.arange(int(schedule.lr_decay_steps) + 1)
    expected = REFERENCES[name](steps.astype(float))
    lrs = np.array([schedule.lr_at(int(step)) for step in steps])
    np.testing.assert_allclose(lrs, expected, rtol=4e-15, atol=1e-18)


@pytest.mark.parametrize("name", REFERENCES)
def test_jumps_only_where_the_file_says_so(name: str, tmp_path: Path) -> None:
    schedule = loaded(name, tmp_path)
    largest = np.abs(np.diff([schedule.lr_at(step) for step in range(101, int(schedule.lr_decay_steps) + 1)])).max()
    assert (largest > 0.1 * schedule.max_lr) == ("jump" in FILES[name])


def test_wsd_in_phases_is_wsd(tmp_path: Path) -> None:
    schedule = loaded("wsd.yaml", tmp_path)
    style = {"style": "WSD", "wsd_decay_steps": "20%", "lr_wsd_decay_style": "minus_sqrt"}
    own = Schedule(max_lr=1e-2, min_lr=1e-3, lr_decay_steps=10_000, lr_warmup_steps=100, lr_decay_style=style)
    assert [schedule.lr_at(n) for n in range(10_101)] == pytest.approx([own.lr_at(n) for n in range(10_101)], rel=3e-16)


def test_deepseeks_steps_in_phases_are_multi_step(tmp_path: Path) -> None:
    schedule = loaded("deepseek.yaml", tmp_path)
    style = {"style": "multi-step", "milestones": [0.8, 0.9], "multipliers": [0.316, 0.1]}
    own = Schedule(max_lr=4.2e-4, lr_decay_steps=10_000, lr_warmup_steps=100, lr_decay_style=style)
    assert [schedule.lr_at(n) for n in range(10_101)] == pytest.approx([own.lr_at(n) for n in range(10_101)], rel=3e-16)


def test_weight_decay_falls_and_rises(tmp_path: Path) -> None:
    schedule = loaded("weight-decay.yaml", tmp_path)
    steps = np.arange(10_001)
    expected = np.where(steps <= 5000, 0.8 - 0.7 * steps / 5000, 0.1 + 1.15 * (steps - 5000) / 5000)
    np.testing.assert_allclose([schedule.wd_at(int(n)) for n in steps], expected, rtol=4e-15)
    assert [schedule.wd_at(n) for n in (0, 5000, 10_000, 99_999)] == [0.8, 0.1, 1.25, 1.25]


def of(phases: list[Any], **changes: Any) -> Schedule:
    run = {"max_lr": 1.0, "min_lr": 0.25, "lr_decay_steps": 1000}
    return Schedule(**{**run, **changes}, lr_decay_style={"style": "phases", "phases": phases})


class TestPhases:
    def test_a_jump_takes_place_at_its_boundary(self) -> None:
        schedule = of([{"style": "constant", "length": 500}, {"style": "constant", "from": "50%", "jump": True}])
        assert [schedule.lr_at(step) for step in (0, 499, 500, 1000, 5000)] == [1.0, 1.0, 0.5, 0.5, 0.5]

    def test_targets_hold_exactly(self) -> None:
        phases = [{"style": "cosine", "length": 300, "to": 0.7}, {"style": "linear", "length": 300, "to": "50%"}]
        schedule = of([*phases, {"style": "minus_sqrt"}])
        assert [schedule.lr_at(step) for step in (0, 300, 600, 1000, 1001)] == [1.0, 0.7, 0.5, 0.25, 0.25]

    def test_a_percentage_of_max_lr_is_the_decimal_product(self) -> None:
        schedule = of([{"style": "linear", "to": "10%"}], max_lr=3e-4, min_lr=0.0)
        assert schedule.lr_at(1000) == 3e-5

    def test_a_group_has_its_own_max_lr_and_min_lr(self) -> None:
        schedule = of([{"style": "linear", "length": 500, "to": "50%"}, {"style": "linear"}])
        group = {"max_lr": 4.0, "min_lr": 1.0}
        assert [schedule.lr_at(step, group) for step in (0, 500, 1000)] == [4.0, 2.0, 1.0]

    def test_a_phase_may_rise(self) -> None:
        schedule = of([{"style": "linear", "length": 500}, {"style": "linear", "to": "75%"}])
        assert [schedule.lr_at(step) for step in (500, 750, 1000)] == [0.25, 0.5, 0.75]

    def test_phases_nest(self) -> None:
        inner = {"style": "phases", "phases": [{"style": "constant"}, {"style": "linear", "length": 100, "to": "50%"}]}
        schedule = of([{"style": "linear", "length": 500, "to": "80%"}, {"style": inner, "name": "inner"}])
        assert [schedule.lr_at(step) for step in (500, 900, 950, 1000)] == [0.8, 0.8, pytest.approx(0.6), 0.4]

    def test_wsd_may_stand_in_a_phase(self) -> None:
        tail = {"style": "WSD", "wsd_decay_steps": 100, "lr_wsd_decay_style": "linear"}
        schedule = of([{"style": tail, "length": 500, "to": "50%"}, {"style": "constant"}])
        assert [schedule.lr_at(step) for step in (0, 400, 450, 500, 501)] == [1.0, 1.0, 0.75, 0.5, 0.5]

    def test_the_phase_without_length_takes_what_is_left(self) -> None:
        phases = [
            {"style": "linear", "length": 100, "to": "50%"},
            {"style": "constant"},
            {"style": "linear", "length": 50},
        ]
        for total in (151, 1000, 10**9):
            schedule = of(phases, lr_decay_steps=total)
            assert schedule.landmarks() == {"start": 0, "phase 2": 100, "phase 3": total - 50, "decay end": total}
            assert (schedule.lr_at(total - 50), schedule.lr_at(total)) == (0.5, 0.25)

    def test_lengths_are_measured_where_the_phase_lies(self) -> None:
        """Of 15 iterations, 7 have 8 samples, 4 have 16, 2 have 24, and the rest 32."""
        phases = [{"style": "constant", "length": "3 iters"}, {"style": "linear", "length": "4 iters", "to": "50%"}]
        phases += [{"style": "constant", "name": "rest"}, {"style": "linear", "length": "3 iters", "name": "last"}]
        run = {
            "train_iters": 15,
            "global_batch_size": 32,
            "rampup_batch_size": [8, 8, 160],
            "lr_warmup_steps": "2 iters",
        }
        schedule = of(phases, **run, lr_decay_steps=None)
        marks = {label: schedule.units_at(step)["iters"] for label, step in schedule.landmarks().items()}
        assert marks["warmup end"] == 2
        assert (marks["phase 2"], marks["rest"], marks["last"], marks["decay end"]) == (5, 9, 12, 15)
        inner = {
            "style": "phases",
            "phases": [{"style": "constant"}, {"style": "linear", "length": "2 iters", "name": "in"}],
        }
        nested = of([{"style": "constant", "length": "3 iters"}, {"style": inner}], **run, lr_decay_steps=None)
        assert nested.lr_style.phases[1].style.phases[1].length == 64

    def test_a_run_resumes_and_says_what_differs(self) -> None:
        phases = [{"style": "constant"}, {"style": "linear", "length": 100, "to": "50%", "name": "decay"}]
        first = of(phases).build(Optimizer())
        first.step(950)
        state = json.loads(json.dumps(first.state_dict()))
        again = of(phases).build(Optimizer())
        again.load_state_dict(state)
        assert again.get_lr({}) == first.get_lr({}) == 0.75
        phases[1]["to"] = "40%"
        other = of(phases).build(Optimizer())
        with pytest.raises(StateError, match=r"to=50%.*to=40%"):
            other.load_state_dict(state)

    def test_is_extended_and_written(self, tmp_path: Path) -> None:
        file = tmp_path / "run.yaml"
        file.write_text(FILES["wsd.yaml"])
        longer = schedframe.extend(schedframe.load(file), 5000, lr_decay_steps=20_000)
        longer.write(tmp_path / "longer.yaml")
        again = schedframe.load(tmp_path / "longer.yaml")
        assert again == longer.schedule
        assert again.landmarks()["decay"] == 18_000
        assert again.lr_at(18_000) == 1e-2 > again.lr_at(18_001)


BAD = {
    "no list": (5, "lr_decay_style.phases = 5: must be a list of phases"),
    "empty": ([], "lr_decay_style.phases = []: must be a list of phases"),
    "no table": ([5], "lr_decay_style.phases.0 = 5: must be a table"),
    "no style": ([{"length": 5}], "lr_decay_style.phases.0.style: missing required key: The style of the phase."),
    "no such style": ([{"style": "cosin"}], "lr_decay_style.phases.0.style = 'cosin': there is no LR style 'cosin'"),
    "no such key": (
        [{"style": "linear", "lenght": 5}],
        "lr_decay_style.phases.0.lenght = 5: is not a key of a phase; did you mean 'length'?\n"
        "The keys of a phase: length, style, to, from, jump, name",
    ),
    "no length": (
        [{"style": "linear", "length": "5x"}],
        "lr_decay_style.phases.0.length = '5x': is not a length such as 2000, 500M, 2000 iters or 10%",
    ),
    "length of 0": (
        [{"style": "linear", "length": 0}, {"style": "linear"}],
        "lr_decay_style.phases.0 = {style, length}: has no length; leave the phase out",
    ),
    "two without length": (
        [{"style": "linear"}, {"style": "constant", "length": 5}, {"style": "constant"}],
        "has phases 1 and 3 without length, but only one phase may have none",
    ),
    "too short": (
        [{"style": "linear", "length": 900}],
        "lr_decay_style = {style, phases}: the phases have 900 steps together, and the decay has 1000 from the end of "
        "the warmup on; remove the length of one of them",
    ),
    "too long": (
        [{"style": "linear", "length": 1000}, {"style": "constant"}],
        "the phases have 1000 steps, which leaves none of 1000 for the one without length",
    ),
    "a jump that is not said": (
        [{"style": "linear", "length": 500}, {"style": "linear", "from": "50%"}],
        "lr_decay_style.phases.1 = {style, from}: has `from` without jump: true; a phase begins at the value at which "
        "the previous one ended, or jumps to the value of `from`",
    ),
    "a jump to nowhere": (
        [{"style": "linear", "jump": True}],
        "phases.0 = {style, jump}: has jump: true without `from`",
    ),
    "a jump that is a word": (
        [{"style": "linear", "from": 1, "jump": "yes"}],
        "lr_decay_style.phases.0.jump = 'yes': must be true or false",
    ),
    "a constant with a target": (
        [{"style": "constant", "to": "50%"}],
        "lr_decay_style.phases.0 = {style, to}: is constant, and cannot have a target; use `from` with jump: true",
    ),
    "a target that is a word": (
        [{"style": "linear", "to": "bottom"}],
        "lr_decay_style.phases.0.to = 'bottom': is not a number; a target is a number, a percentage, or `min_lr`",
    ),
    "the former word for min_lr": (
        [{"style": "linear", "to": "floor"}],
        "lr_decay_style.phases.0.to = 'floor': is not a target; did you mean 'min_lr'?",
    ),
    "a target below min_lr": (
        [{"style": "linear", "to": 0.1}],
        "lr_decay_style = {style, phases}: the target 0.1 does not lie between 0.25 and 1.0",
    ),
    "a target above the peak": (
        [{"style": "linear", "to": "120%"}],
        "the target 120% is 1.2, which does not lie between",
    ),
    "a target of weight decay": (
        [{"style": "linear", "to": "end_wd"}],
        "`end_wd` is a target of weight decay; here the end is `min_lr`",
    ),
    "a true for a length": ([{"style": "linear", "length": True}], "phases.0.length = True: is not a length"),
}


@pytest.mark.parametrize("name", BAD)
def test_is_refused_with_a_readable_message(name: str) -> None:
    phases, text = BAD[name]
    with pytest.raises(ConfigError) as caught:
        of(phases)  # type: ignore[arg-type]
    assert text in str(caught.value)


class Rise(LRCurve):
    """Rises from min_lr to max_lr, as a triangle or a range test begins."""

    style: str = "rise"

    def coefficient(self, progress: float) -> float:
        return progress


def test_a_phase_begins_where_its_style_begins() -> None:
    alone = Phases(phases=[{"style": Rise(), "to": "10%"}])
    second = Phases(phases=[{"style": "constant", "length": 50}, {"style": Rise(), "to": "20%"}])
    at = [LRPoint(step, 0, 100, max_lr=1.0, min_lr=0.0) for step in (0, 50, 75, 100)]
    assert [alone.lr(point) for point in at] == pytest.approx([0.1, 0.55, 0.775, 1.0], abs=1e-15)
    assert [second.lr(point) for point in at] == pytest.approx([1.0, 0.2, 0.6, 1.0], abs=1e-15)


def test_weight_decay_has_no_min_lr() -> None:
    style = {"style": "phases", "phases": [{"style": "linear", "to": "min_lr"}]}
    with pytest.raises(ConfigError, match="`min_lr` is a target of learning rates; here the end is `end_wd`"):
        Schedule(max_lr=1.0, lr_decay_steps=10, start_wd=0.1, end_wd=0.2, wd_incr_style=style)


def test_a_group_whose_min_lr_lies_above_a_target_is_refused_when_it_is_built() -> None:
    schedule = of([{"style": "linear", "length": 500, "to": 0.3}, {"style": "linear"}])
    groups = [{"max_lr": 1.0, "min_lr": 0.4, "default_config": False}]
    with pytest.raises(ConfigError, match=r"with the bounds of param_groups\[0\].*the target 0.3 does not"):
        schedule.build(SimpleNamespace(param_groups=groups))


def test_is_finite_in_any_order() -> None:
    style = Phases(phases=[{"style": "cosine", "length": 30, "to": "10%"}, {"style": "geometric"}])
    points = [LRPoint(step, 0, 100, 1.0, 0.01) for step in range(120)]
    there, back = [style.lr(point) for point in points], [style.lr(point) for point in reversed(points)]
    assert there == back[::-1]
    assert all(map(math.isfinite, there))


def test_a_target_of_0_is_dumped():
    style = Phases(phases=[{"style": "linear", "length": 50, "to": 0}, {"style": "linear", "jump": True, "from": 0.0}])
    assert Phases(**style.model_dump()) == style


@pytest.mark.parametrize("length", [5, 10])
def test_a_style_that_begins_below_its_peak_does_so_in_a_phase(length: int) -> None:
    rise = {"style": "phases", "phases": [{"style": "linear", "from": "10%", "to": "100%", "jump": True}]}
    phases = {"style": "phases", "phases": [{"style": rise, "length": length}, {"style": "linear"}]}
    schedule = Schedule(clock="iters", train_iters=20, max_lr=1.0, lr_decay_style=phases)
    assert [schedule.lr_at(step) for step in (0, length)] == [0.1, 1.0]
