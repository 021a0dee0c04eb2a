"""How two schedules differ: keys as written and as meant, the first step, the largest gap, the area."""

import json
from pathlib import Path
from typing import Any

import pytest

import schedframe
from schedframe import ConfigError, Schedule, diff
from schedframe._tools.comparison import CurveDifference, read_both

from ..runs import FILE, KEYS, Optimizer

ROUTER = {"role": "router", "match": {"param": "*.router.*"}, "lr_mult": 0.1}
UNITS = {"global_batch_size": 10, "seq_length": 100}


def schedule(**keys: Any) -> Schedule:
    return Schedule(**{**KEYS, **keys})


def wsd(steps: object) -> dict[str, Any]:
    return {"lr_decay_style": {**KEYS["lr_decay_style"], "wsd_decay_steps": steps}}


def lr_of(a: Schedule, b: Schedule, role: str = "default") -> CurveDifference:
    (curve,) = [curve for curve in diff(a, b).curves if (curve.role, curve.quantity) == (role, "lr")]
    return curve


def brute(a: Schedule, b: Schedule) -> list[float]:
    return [abs(a.lr_at(step) - b.lr_at(step)) for step in range(5001)]


OTHERS = {
    "a longer cooldown": wsd(1000),
    "another floor": {"min_lr": "20%"},
    "a longer warmup": {"lr_warmup_steps": 777},
    "another warmup": {"init_lr": 1e-5},
    "another style": {"lr_decay_style": "cosine"},
    "a jump": {"lr_decay_style": {"style": "multi-step", "milestones": [0.8], "multipliers": [0.5]}},
}


@pytest.mark.parametrize("keys", OTHERS.values(), ids=OTHERS)
def test_the_first_difference_is_that_of_a_search_of_every_step(keys: dict[str, Any]) -> None:
    gaps = brute(schedule(), schedule(**keys))
    first = next(step for step, gap in enumerate(gaps) if gap > 1e-12 * 3e-4)
    assert lr_of(schedule(), schedule(**keys)).first.a["samples"] == first


@pytest.mark.parametrize("keys", OTHERS.values(), ids=OTHERS)
def test_the_largest_gap_is_that_of_a_search_of_every_step(keys: dict[str, Any]) -> None:
    gaps, gap = brute(schedule(), schedule(**keys)), lr_of(schedule(), schedule(**keys)).largest
    assert abs(gap.b - gap.a) == pytest.approx(max(gaps), rel=1e-9)
    assert gap.a == schedule().lr_at(gap.at.a["samples"])
    assert gap.b == schedule(**keys).lr_at(gap.at.b["samples"])


@pytest.mark.parametrize("keys", OTHERS.values(), ids=OTHERS)
def test_the_area_is_that_of_a_sum_over_every_step(keys: dict[str, Any]) -> None:
    gaps, curve = brute(schedule(), schedule(**keys)), lr_of(schedule(), schedule(**keys))
    assert curve.area == pytest.approx(sum(gaps) - (gaps[0] + gaps[-1]) / 2, rel=1e-3)


def test_the_first_of_500_million_steps_is_exact() -> None:
    keys = {"train_samples": "500M", "max_lr": 3e-4}
    styles = [
        {"style": "WSD", "wsd_decay_steps": steps, "lr_wsd_decay_style": "linear"} for steps in ("50M", 123_456_789)
    ]
    a, b = (Schedule(**keys, lr_decay_style=style) for style in styles)
    assert lr_of(a, b).first.a["samples"] == 500_000_000 - 123_456_789 + 1


def test_other_spellings_of_one_schedule_have_equal_curves_and_other_keys() -> None:
    comparison = diff(schedule(), schedule(min_lr=3e-5, lr_warmup_steps="2%"))
    assert not comparison.differs
    assert [(key.key, key.a, key.b) for key in comparison.keys] == [
        ("min_lr", "10%", 3e-5),
        ("lr_warmup_steps", 100, "2%"),
    ]
    assert all(key.value_a == key.value_b for key in comparison.keys)


def test_the_two_spellings_of_wsd_have_one_path() -> None:
    flat = {"lr_decay_style": "WSD", "wsd_decay_steps": 500, "lr_wsd_decay_style": "cosine"}
    assert diff(schedule(), schedule(**flat)).keys == ()


def test_a_key_that_means_another_length_on_another_run_differs() -> None:
    keys = {
        key.key: (key.value_a, key.value_b)
        for key in diff(schedule(**wsd("10%")), schedule(**wsd("10%"), train_samples=8000)).keys
    }
    assert keys["lr_decay_style.wsd_decay_steps"] == (500, 800)


def test_roles_are_compared_by_name() -> None:
    a, b = schedule(groups=[ROUTER]), schedule(groups=[{**ROUTER, "lr_mult": 0.2}])
    assert lr_of(a, b).first is None
    assert lr_of(a, b, "router").largest.b == 6e-5
    assert [(key.key, key.a, key.b) for key in diff(a, b).keys] == [("groups.router.lr_mult", 0.1, 0.2)]


def test_a_role_that_only_one_has_is_a_difference() -> None:
    comparison = diff(schedule(groups=[ROUTER]), schedule())
    assert (comparison.roles_of_a, comparison.roles_of_b, comparison.differs) == (("router",), (), True)


def test_weight_decay_that_only_one_schedules_is_a_difference() -> None:
    comparison = diff(schedule(), schedule(start_wd=None), ("with", "without"))
    assert (comparison.unscheduled, comparison.differs) == (("without",), True)
    assert [curve.quantity for curve in comparison.curves] == ["lr"]


def test_weight_decay_is_compared_too() -> None:
    wd = diff(schedule(), schedule(end_wd=0.2, wd_incr_style="linear")).curves[1]
    assert (wd.first.a["samples"], wd.largest.at.a["samples"], wd.largest.b) == (1, 5000, 0.2)


def test_places_are_in_every_unit_that_is_known_to_each() -> None:
    first = lr_of(schedule(**UNITS), schedule(**wsd(1000), global_batch_size=20)).first
    assert first.a == {"samples": 4001, "iters": 400.1, "tokens": 400_100}
    assert first.b == {"samples": 4001, "iters": 200.05}


def test_schedules_that_count_other_things_are_compared_in_a_unit_of_both() -> None:
    keys = {"train_samples": 5000, "max_lr": 3e-4, **UNITS}
    comparison = diff(Schedule(**keys), Schedule(**keys, clock="iters"))
    assert (comparison.unit, comparison.differs) == ("samples", False)


def test_schedules_without_a_common_unit_are_refused() -> None:
    iters = Schedule(train_iters=100, clock="iters", max_lr=1e-3)
    with pytest.raises(ConfigError, match="counts iters, and a counts samples; give both files global_batch_size"):
        diff(schedule(), iters)


def test_a_warmup_from_a_learning_rate_that_is_not_known_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^later: init_lr = current: is not known here"):
        diff(schedule(), schedule(init_lr="current", start_step=100), ("run", "later"))


def test_a_schedule_that_starts_later_is_compared_from_there() -> None:
    assert diff(schedule(), schedule(start_step=2000, lr_warmup_steps=0)).begin.a == {"samples": 2000}


def test_a_longer_run_is_compared_to_its_end() -> None:
    comparison = diff(schedule(), schedule(train_samples=8000, lr_decay_steps=5000, wd_incr_steps=5000))
    assert (comparison.end.a, comparison.differs) == ({"samples": 8000}, False)


def test_the_report_is_plain_data() -> None:
    data = diff(schedule(), schedule(**wsd(1000), groups=[ROUTER])).as_data()
    assert json.loads(json.dumps(data))["differs"] is True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run.yaml").write_text(FILE)
    scheduler = schedframe.load(tmp_path / "run.yaml").build(Optimizer())
    scheduler.step(300)
    (tmp_path / "state.json").write_text(json.dumps(scheduler.state_dict()))
    return tmp_path


def test_a_checkpoint_of_a_file_has_its_curves_and_its_keys(folder: Path) -> None:
    (file, _), (checkpoint, note) = read_both(folder / "run.yaml", folder / "state.json")
    assert (diff(file, checkpoint).differs, diff(file, checkpoint).keys, note) == (False, (), "")


def test_what_megatron_does_not_save_is_that_of_the_file_and_noted(folder: Path) -> None:
    state = json.loads((folder / "state.json").read_text())
    state.pop("schedframe")
    (folder / "megatrons.json").write_text(json.dumps(state))
    (checkpoint, note), (file, _) = read_both(folder / "megatrons.json", folder / "run.yaml")
    assert not diff(checkpoint, file).differs
    assert "is Megatron's, which saves neither init_lr nor a style's options" in note


def test_two_checkpoints_without_the_options_of_a_style_are_refused(folder: Path) -> None:
    state = json.loads((folder / "state.json").read_text())
    state.pop("schedframe")
    (folder / "megatrons.json").write_text(json.dumps(state))
    with pytest.raises(ConfigError, match="Megatron does not save its cooldown; compare it with a file"):
        read_both(folder / "megatrons.json", folder / "state.json")


def test_a_json_file_may_be_a_schedule_too(folder: Path) -> None:
    (folder / "run.json").write_text(json.dumps(KEYS))
    (a, _), (b, _) = read_both(folder / "run.json", folder / "run.yaml")
    assert not diff(a, b).differs
