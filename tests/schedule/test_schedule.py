"""The declared schedule: defaults, percentages, curves, and what it can be turned into and back."""

import copy
import json
import pickle
from math import inf, sqrt
from typing import Any, Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

import schedframe
from schedframe import ConfigError, Schedule
from schedframe.styles import LRCurve, WDCurve
from schedframe.styles.lr import WSD, Constant, Cosine, Exponential, Linear, MinusSqrt, Polynomial
from schedframe.styles.wd import WDConstant, WDCosine, WDLinear

from ..runs import Optimizer


@pytest.fixture(autouse=True)
def _built_ins_only(monkeypatch):
    monkeypatch.setenv("SCHEDFRAME_ALLOW", "")
    monkeypatch.delenv("SCHEDFRAME_BLOCK", raising=False)


def problems(**keys: Any) -> dict[str, str]:
    """What is wrong with `keys`, by path."""
    with pytest.raises(ConfigError) as caught:
        Schedule(**keys)
    return {problem.path: problem.message for problem in caught.value.problems}


# Defaults


def test_the_smallest_schedule_has_megatrons_defaults():
    assert Schedule(max_lr=1, lr_decay_steps=10).model_dump() == {
        "clock": "samples",
        "global_batch_size": None,
        "seq_length": None,
        "dataset_samples": None,
        "micro_batch_size": None,
        "data_parallel_size": None,
        "decrease_batch_size_if_needed": False,
        "rampup_batch_size": None,
        "step_batch_size_schedule": None,
        "start_step": 0,
        "train_samples": None,
        "train_iters": None,
        "train_tokens": None,
        "lr_decay_steps": 10,
        "max_lr": 1.0,
        "min_lr": 0.0,
        "init_lr": 0.0,
        "lr_warmup_steps": 0,
        "lr_warmup_style": {"style": "linear", "shift": 0, "stretched": False},
        "first_update": 0,
        "interval": 0,
        "decay_from": "warmup",
        "lr_decay_style": {"style": "linear"},
        "start_wd": None,
        "end_wd": None,
        "wd_incr_steps": 10,
        "wd_incr_style": {"style": "constant"},
        "groups": [],
        "resume": {"policy": "strict", "override": ()},
        "ignore": None,
        "parent": None,
    }


def test_the_decay_lasts_as_long_as_the_run_unless_it_says_otherwise():
    assert Schedule(max_lr=1, train_samples="1K").lr_decay_steps == 1000
    assert Schedule(max_lr=1, train_samples="1K", lr_decay_steps=None).lr_decay_steps == 1000
    assert Schedule(max_lr=1, train_samples="1K", lr_decay_steps=800).lr_decay_steps == 800


@pytest.mark.parametrize(
    ("keys", "steps"),
    [
        ({"train_samples": 1000}, 1000),
        ({"train_samples": 1000, "lr_decay_steps": 800}, 1000),
        ({"lr_decay_steps": 800}, 800),
        ({"lr_decay_steps": 800, "wd_incr_steps": None}, 800),
        ({"lr_decay_steps": 800, "wd_incr_steps": 5}, 5),
        ({"lr_decay_steps": 800, "wd_incr_steps": "50%"}, 400),
        ({"train_samples": 1000, "lr_decay_steps": 800, "wd_incr_steps": "50%"}, 400),
    ],
    ids=str,
)
def test_the_weight_decay_schedule_lasts_as_long_as_the_run_unless_it_says_otherwise(keys, steps):
    assert Schedule(max_lr=1, **keys).wd_incr_steps == steps


@pytest.mark.parametrize("key", ["start_wd", "end_wd"])
def test_one_weight_decay_is_both(key):
    schedule = Schedule(max_lr=1, lr_decay_steps=10, **{key: 0.1})
    assert (schedule.start_wd, schedule.end_wd) == (0.1, 0.1)
    assert [schedule.wd_at(step) for step in (0, 5, 10, 11)] == [0.1] * 4


def test_a_weight_decay_of_zero_is_one():
    schedule = Schedule(max_lr=1, lr_decay_steps=10, start_wd=0, end_wd=0.5, wd_incr_style="linear")
    assert (schedule.start_wd, schedule.end_wd) == (0.0, 0.5)


@pytest.mark.parametrize("keys", [{}, {"start_wd": None}, {"wd_incr_style": "cosine"}, {"wd_incr_steps": 5}], ids=str)
def test_without_a_weight_decay_it_is_left_alone(keys):
    schedule = Schedule(max_lr=1, lr_decay_steps=10, **keys)
    assert schedule.start_wd is None
    assert schedule.end_wd is None
    assert schedule.wd_at(0) is schedule.wd_at(99) is None


def test_a_weight_decay_schedule_of_no_length_is_its_end():
    schedule = Schedule(max_lr=1, lr_decay_steps=10, start_wd=0.1, wd_incr_steps=0)
    assert [schedule.wd_at(step) for step in (0, 1, 100)] == [0.1] * 3


# Percentages


def test_a_length_may_be_a_percentage_of_the_decay():
    schedule = Schedule(max_lr=1, train_samples="2K", lr_decay_steps="1K", lr_warmup_steps="2.5%")
    assert schedule.lr_warmup_steps == 25


@pytest.mark.parametrize(
    "keys",
    [
        {"lr_decay_style": "WSD", "wsd_decay_steps": "10%"},
        {"lr_decay_style": "wsd", "wsd_decay_steps": "10 %"},
        {"lr_decay_style": {"style": "WSD", "wsd_decay_steps": "10%"}},
    ],
    ids=str,
)
def test_a_percentage_works_in_the_options_of_a_style(keys):
    assert Schedule(max_lr=1, train_samples=2000, lr_decay_steps=1000, **keys).lr_style.wsd_decay_steps == 100


def test_the_order_of_the_keys_does_not_matter():
    keys = {"lr_warmup_steps": "10%", "min_lr": "10%", "lr_decay_style": {"wsd_decay_steps": "5%", "style": "WSD"}}
    first = Schedule(**keys, max_lr=1, train_samples=100)
    assert first == Schedule(train_samples=100, max_lr=1, **keys)


@pytest.mark.parametrize("key", ["min_lr", "init_lr"])
def test_a_rate_may_be_a_percentage_of_max_lr(key):
    schedule = Schedule(max_lr="3e-4", lr_decay_steps=10, **{key: "10%"})
    assert getattr(schedule, key) == 3e-5
    assert type(getattr(schedule, key)) is float


def test_a_percentage_of_what_is_missing_says_so():
    said = problems(max_lr="x", lr_warmup_steps="1%", min_lr="10%", lr_decay_style="WSD", wsd_decay_steps="10%")
    assert said["lr_warmup_steps"] == "is a percentage of lr_decay_steps, which is missing or wrong"
    assert said["wsd_decay_steps"] == "is a percentage of lr_decay_steps, which is missing or wrong"
    assert said["min_lr"] == "is a percentage of max_lr, which is missing or wrong"


# WSD in its two forms


@pytest.mark.parametrize("name", ["WSD", "wsd"])
@pytest.mark.parametrize("tail", [{}, {"lr_wsd_decay_style": "minus_sqrt"}, {"lr_wsd_decay_style": "1-sqrt"}], ids=str)
def test_wsd_in_megatrons_flat_keys_equals_the_table(name, tail):
    flat = Schedule(max_lr=1, lr_decay_steps=100, lr_decay_style=name, wsd_decay_steps=20, **tail)
    table = Schedule(max_lr=1, lr_decay_steps=100, lr_decay_style={"style": name, "wsd_decay_steps": 20, **tail})
    assert flat == table
    assert flat.lr_style.lr_wsd_decay_style == (MinusSqrt() if tail else Exponential())


def test_the_cooldown_may_be_a_table_too():
    tail = {"style": "polynomial", "power": 3}
    schedule = Schedule(max_lr=1, lr_decay_steps=100, lr_decay_style="WSD", wsd_decay_steps=20, lr_wsd_decay_style=tail)
    assert schedule.lr_style.lr_wsd_decay_style == Polynomial(power=3)


def test_wsd_in_both_forms_at_once_is_refused():
    table = {"style": "WSD", "wsd_decay_steps": 20}
    assert problems(max_lr=1, lr_decay_steps=100, lr_decay_style=table, wsd_decay_steps=20) == {
        "wsd_decay_steps": "is given beside the table of lr_decay_style; give it in the table"
    }


@pytest.mark.parametrize(
    ("style", "said"),
    [({"lr_decay_style": "cosine"}, "'cosine'"), ({}, "'linear'")],
    ids=["cosine", "default"],
)
def test_the_flat_keys_are_for_wsd_only(style, said):
    assert problems(max_lr=1, lr_decay_steps=100, wsd_decay_steps=20, **style) == {
        "wsd_decay_steps": f"is only for lr_decay_style: WSD, and that is {said} here"
    }


def test_the_table_of_another_style_is_not_offered_for_options_of_wsd():
    said = problems(max_lr=1, lr_decay_steps=9, lr_decay_style={"style": "cosine"}, wsd_decay_steps=2)
    assert "only for lr_decay_style: WSD" in said["wsd_decay_steps"]


def test_a_style_object_beside_the_flat_keys_is_the_same_mistake_as_a_table():
    style = WSD(wsd_decay_steps=5)
    said = problems(max_lr=1, lr_decay_steps=9, lr_decay_style=style, wsd_decay_steps=2)
    assert "that is WSD" not in said["wsd_decay_steps"]


@pytest.mark.parametrize("keys", [{}, {"lr_wsd_decay_style": "linear"}], ids=str)
def test_wsd_without_a_length_misses_it(keys):
    assert problems(max_lr=1, lr_decay_steps=100, lr_decay_style="WSD", **keys) == {
        "wsd_decay_steps": "missing required key: Length of the cooldown, in steps or percent of lr_decay_steps."
    }


@pytest.mark.parametrize(
    "tail", ["linear", "cosine", "exponential", "minus_sqrt", {"style": "polynomial", "power": 1.5}]
)
@pytest.mark.parametrize(
    ("decay", "length"), [(104, "10%"), (1001, "10%"), ("12_345_678", "10%"), ("500M", "7%"), (2, 0.02), (100, 33.3)]
)
def test_a_cooldown_of_any_fractional_length_is_a_good_cooldown(decay, length, tail):
    style = {"style": "WSD", "wsd_decay_steps": length, "lr_wsd_decay_style": tail}
    schedule = Schedule(max_lr=3e-4, lr_decay_steps=decay, lr_decay_style=style)
    assert schedule.lr_at(schedule.lr_decay_steps) == pytest.approx(0.0, abs=1e-12)
    assert schedule.lr_at(schedule.lr_decay_steps * 0.5) == 3e-4


class Root(LRCurve):
    """A curve that has no value outside of what its author was promised."""

    style: Literal["root"] = "root"

    def coefficient(self, progress: float) -> float:
        assert 0.0 <= progress <= 1.0
        return sqrt(1.0 - progress)


@given(st.integers(2, 10**7), st.integers(1, 99))
@settings(max_examples=60, deadline=None)
@example(104, 10)
def test_a_curve_is_never_asked_outside_of_0_to_1(decay, percent):
    style = WSD(wsd_decay_steps=percent / 100 * decay, lr_wsd_decay_style=Root())
    schedule = Schedule(max_lr=1, lr_decay_steps=decay, lr_decay_style=style)
    assert schedule.lr_at(decay) == pytest.approx(0.0, abs=1e-6)


# What it is


def test_a_style_object_is_taken_as_it_is():
    style, wd_style = Polynomial(power=3), WDLinear()
    schedule = Schedule(max_lr=1, lr_decay_steps=10, lr_decay_style=style, start_wd=0, end_wd=1, wd_incr_style=wd_style)
    assert schedule.lr_style is schedule.lr_decay_style is style
    assert schedule.wd_style is schedule.wd_incr_style is wd_style


def test_a_style_of_the_other_kind_is_refused():
    said = problems(max_lr=1, lr_decay_steps=10, lr_decay_style=WDCosine(), wd_incr_style=Cosine())
    assert said == {
        "lr_decay_style": "'cosine' is not a learning-rate style; only a learning-rate style is valid here",
        "wd_incr_style": "'cosine' is not a weight-decay style; only a weight-decay style is valid here",
    }


def test_a_schedule_never_changes():
    schedule = Schedule(max_lr=1, lr_decay_steps=10)
    with pytest.raises(ValidationError, match="frozen"):
        schedule.max_lr = 2.0
    with pytest.raises(ValidationError, match="frozen"):
        schedule.lr_style.style = "cosine"
    assert schedule.max_lr == 1.0


def test_equal_keys_make_equal_schedules():
    one = Schedule(max_lr=1, lr_decay_steps=100, lr_decay_style="cosine", min_lr="10%")
    same = Schedule(max_lr="1", lr_decay_steps=100.0, lr_decay_style={"style": "cosine"}, min_lr=0.1)
    assert one == same
    assert hash(one) == hash(same)
    assert len({one, same}) == 1


@pytest.mark.parametrize(
    "change",
    [{"max_lr": 2}, {"lr_decay_style": "cosine"}, {"train_samples": 10}, {"start_wd": 0}, {"wd_incr_style": "linear"}],
    ids=str,
)
def test_another_key_makes_another_schedule(change):
    keys = {"max_lr": 1, "lr_decay_steps": 10}
    assert Schedule(**keys) != Schedule(**{**keys, **change})
    assert Schedule(**keys) != Schedule(**keys).model_dump()


@pytest.mark.parametrize("suffix", ["yaml", "json", "toml"])
def test_where_it_came_from_does_not_matter(tmp_path, suffix):
    path = tmp_path / f"run.{suffix}"
    path.write_text(
        {
            "yaml": "max_lr: 1\nlr_decay_steps: 10\n",
            "toml": "max_lr = 1\nlr_decay_steps = 10\n",
            "json": '{"max_lr": 1, "lr_decay_steps": 10}',
        }[suffix]
    )
    loaded, written = schedframe.load(path), Schedule(max_lr=1, lr_decay_steps=10)
    assert loaded == written
    assert hash(loaded) == hash(written)
    assert pickle.loads(pickle.dumps(loaded)) == written
    assert copy.deepcopy(loaded) == copy.copy(loaded) == written


def test_it_fits_into_a_model_of_ones_own():
    class Training(BaseModel):
        schedule: Schedule

    training = Training(schedule={"max_lr": "3e-4", "train_samples": "1M"})
    assert training.schedule == Schedule(max_lr=3e-4, train_samples=1_000_000)
    assert Training.model_validate_json(training.model_dump_json()) == training
    with pytest.raises(ValidationError, match="max_lr = 'x': is not a number"):
        Training(schedule={"max_lr": "x", "train_samples": "1M"})


def test_a_subclass_is_refused_because_its_keys_would_not_be_validated():
    with pytest.raises(TypeError, match="Longer cannot be a subclass of Schedule; a class can have a schedule as an"):

        class Longer(Schedule): ...


def test_every_key_is_described_in_the_json_schema():
    schema = Schedule.model_json_schema()
    assert schema["additionalProperties"] is False
    assert all(entry.get("description") for entry in schema["properties"].values())


def test_the_json_schema_admits_what_the_schedule_admits():
    schema = Schedule.model_json_schema()
    assert schema["required"] == ["max_lr"]
    assert {"wsd_decay_steps", "lr_wsd_decay_style"} <= set(schema["properties"])


# Out and back again

TAILS = st.sampled_from(
    [
        *({"style": name} for name in ("linear", "cosine", "exponential", "minus_sqrt")),
        {"style": "polynomial", "power": 1.5},
    ]
)
UNIT = st.floats(0, 1)


@st.composite
def phases(draw, room: float) -> list[dict[str, Any]]:
    """Up to three phases, the first without length."""
    lengths = draw(st.lists(st.floats(0.01, 0.3), max_size=2))
    tables = [{"style": draw(TAILS), "length": length * room} for length in lengths]
    return [{"style": draw(TAILS)}, *tables]


@st.composite
def lr_tables(draw, room: float) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(schedframe.lr_styles.builtins)))
    if name == "WSD":
        return {"style": name, "wsd_decay_steps": room * draw(st.floats(0.01, 0.99)), "lr_wsd_decay_style": draw(TAILS)}
    if name in ("polynomial", "minus-power"):
        return {"style": name, "power": draw(st.floats(0.1, 10))}
    if name == "power-law":
        return {"style": name, "exponent": draw(st.floats(-2, -0.1)), "timescale": room * draw(st.floats(0.01, 10))}
    if name == "phases":
        return {"style": name, "phases": draw(phases(room))}
    if name == "each":
        stairs, length = draw(st.booleans()), room * draw(st.floats(0.01, 1))
        return {"style": name, "factor": draw(st.floats(0.1, 1)), "every": length, "stairs": stairs}
    if name == "product":
        return {"style": name, "of": ["cosine", draw(TAILS)]}
    if name == "floored":
        return {"style": name, "of": draw(TAILS), "floor": draw(st.sampled_from(["cut", "tend"]))}
    if name == "multi-step":
        milestones = sorted(draw(st.sets(UNIT.filter(lambda share: share < 1), min_size=1, max_size=4)))
        multipliers = draw(st.lists(UNIT, min_size=len(milestones), max_size=len(milestones)))
        return {"style": name, "milestones": milestones, "multipliers": multipliers}
    return {"style": name}


@st.composite
def schedules(draw) -> dict[str, Any]:
    """Keys of a schedule that is right, with any built-in style of both kinds."""
    decay = draw(st.one_of(st.integers(2, 10**12), st.floats(1, 1e12)))
    warmup = draw(st.one_of(st.just(0), st.floats(0, 0.9).map(lambda share: share * decay)))
    max_lr = draw(st.floats(1e-6, 10))
    keys = {
        "max_lr": max_lr,
        "min_lr": max_lr * draw(st.floats(0.001, 1)),
        "init_lr": max_lr * draw(UNIT),
        "lr_decay_steps": decay,
        "lr_warmup_steps": warmup,
        "lr_decay_style": draw(lr_tables(decay - warmup)),
    }
    if draw(st.booleans()):
        keys["train_samples"] = draw(st.integers(1, 10**12))
    if draw(st.booleans()):
        name = draw(st.sampled_from(sorted(schedframe.wd_styles.builtins)))
        incr_steps = draw(st.one_of(st.integers(1, 10**12), st.floats(0.5, 1e12)))
        style: dict[str, Any] = {"style": name}
        if name == "phases":
            style["phases"] = draw(phases(incr_steps))
        elif name == "lr-curve":
            style["curve"] = draw(TAILS)
        elif name == "cooldown":
            style["wd_cooldown_steps"] = incr_steps * draw(st.floats(0.01, 0.99))
        start = draw(st.floats(0.001, 1))
        is_constant = name in ("constant", "cooldown", "adamc", "independent", "constant-effective")
        end = start if is_constant else draw(st.floats(0.001, 1))
        keys.update(start_wd=start, end_wd=end, wd_incr_style=style, wd_incr_steps=incr_steps)
    return keys


@given(schedules())
@settings(max_examples=60, deadline=None)
def test_what_is_dumped_comes_back_equal(keys):
    schedule = Schedule(**keys)
    assert Schedule(**schedule.model_dump()) == schedule
    through_json = json.loads(json.dumps(schedule.model_dump(mode="json")))
    assert Schedule(**through_json) == schedule
    assert Schedule(**json.loads(schedule.model_dump_json())) == schedule
    for other in (pickle.loads(pickle.dumps(schedule)), copy.deepcopy(schedule), copy.copy(schedule)):
        assert other == schedule
        assert hash(other) == hash(schedule)


@given(schedules(), st.floats(0, 2))
@settings(max_examples=60, deadline=None)
def test_every_value_is_within_the_bounds_and_the_same_after_a_round_trip(keys, where):
    schedule = Schedule(**keys)
    step = where * schedule.lr_decay_steps
    lr = schedule.lr_at(step)
    slack = 1e-9 * schedule.max_lr
    assert min(schedule.init_lr, schedule.min_lr) - slack <= lr <= schedule.max_lr + slack
    again = Schedule(**schedule.model_dump(mode="json"))
    assert again.lr_at(step) == lr
    wd = schedule.wd_at(step)
    assert again.wd_at(step) == wd
    if wd is not None and schedule.wd_style.style in ("constant", "linear", "cosine", "exponential", "geometric"):
        low, high = sorted((schedule.start_wd, schedule.end_wd))
        assert low - 1e-9 <= wd <= high + 1e-9


@given(schedules())
@settings(max_examples=40, deadline=None)
def test_landmarks_are_in_order_and_start_at_zero(keys):
    steps = list(Schedule(**keys).landmarks().values())
    assert steps[0] == 0
    assert steps == sorted(steps)


# Curves


RUN = {"max_lr": 1.0, "min_lr": 0.25, "init_lr": 0.5, "lr_warmup_steps": 10, "lr_decay_steps": 110}


@pytest.mark.parametrize(
    ("step", "lr"), [(0, 0.5), (5, 0.75), (10, 1.0), (60, 0.625), (110, 0.25), (111, 0.25), (10**9, 0.25), (2.5, 0.625)]
)
def test_the_learning_rate_at_the_edges(step, lr):
    assert Schedule(**RUN).lr_at(step) == lr


def test_without_a_warmup_it_starts_at_max_lr():
    schedule = Schedule(max_lr=1, init_lr=0.5, lr_decay_steps=10)
    assert [schedule.lr_at(step) for step in (0, 5, 10)] == [1.0, 0.5, 0.0]


@pytest.mark.parametrize(
    ("group", "lr"),
    [
        (None, 0.625),
        ({}, 0.625),
        ({"max_lr": 2.0}, 1.125),
        ({"min_lr": 0.0}, 0.5),
        ({"max_lr": 0.0, "min_lr": 0.0}, 0.0),
        ({"max_lr": None, "min_lr": None}, 0.625),
        ({"max_lr": 2.0, "min_lr": None, "start_wd": 5.0, "lr": 7.0}, 1.125),
    ],
    ids=str,
)
def test_a_groups_own_bounds_win_for_the_learning_rate(group, lr):
    assert Schedule(**RUN).lr_at(60, group) == lr


@pytest.mark.parametrize(("step", "lr"), [(0, 0.5), (5, 1.25), (10, 2.0)])
def test_the_warmup_goes_to_the_groups_max_lr(step, lr):
    assert Schedule(**RUN).lr_at(step, {"max_lr": 2.0}) == lr


@pytest.mark.parametrize(("step", "wd"), [(0, 0.0), (50, 0.25), (100, 0.5), (101, 0.5), (10**9, 0.5)])
def test_the_weight_decay_at_the_edges(step, wd):
    schedule = Schedule(**RUN, start_wd=0, end_wd=0.5, wd_incr_steps=100, wd_incr_style="linear")
    assert schedule.wd_at(step) == wd


def test_the_weight_decay_may_fall():
    schedule = Schedule(**RUN, start_wd=0.5, end_wd=0, wd_incr_steps=100, wd_incr_style="linear")
    assert [schedule.wd_at(step) for step in (0, 50, 100)] == [0.5, 0.25, 0.0]


@pytest.mark.parametrize(
    ("group", "wd"),
    [
        ({"start_wd": 1.0}, 0.75),
        ({"end_wd": 1.0}, 0.5),
        ({"start_wd": None, "end_wd": None}, 0.25),
        ({"start_wd": 0.0, "end_wd": 0.0}, 0.0),
        ({"wd_mult": 0.0, "max_lr": 9.0}, 0.25),
    ],
    ids=str,
)
def test_a_groups_own_bounds_win_for_the_weight_decay(group, wd):
    schedule = Schedule(**RUN, start_wd=0, end_wd=0.5, wd_incr_steps=100, wd_incr_style="linear")
    assert schedule.wd_at(50, group) == wd


@pytest.mark.parametrize("step", [-1, -0.5, float("-inf")])
def test_a_negative_step_is_refused(step):
    schedule = Schedule(max_lr=1, lr_decay_steps=10, start_wd=0.1)
    for value_at in (schedule.lr_at, schedule.wd_at):
        with pytest.raises(ValueError, match=rf"^step must not be negative, got {step}$"):
            value_at(step)


def test_a_step_that_is_no_number_is_not_blamed_on_the_style():
    schedule = Schedule(max_lr=1, lr_decay_steps=10, start_wd=0.1)
    for value_at in (schedule.lr_at, schedule.wd_at):
        with pytest.raises(ValueError, match="step"):
            value_at(float("nan"))


# Landmarks


def test_landmarks_are_the_steps_that_matter_in_their_order():
    schedule = Schedule(
        max_lr=1,
        train_samples=200,
        lr_decay_steps=100,
        lr_warmup_steps=10,
        lr_decay_style="WSD",
        wsd_decay_steps=20,
        start_wd=0,
        end_wd=1,
        wd_incr_steps=50,
        wd_incr_style="linear",
    )
    assert list(schedule.landmarks().items()) == [
        ("start", 0),
        ("warmup end", 10),
        ("weight decay end", 50),
        ("cooldown start", 80),
        ("decay end", 100),
        ("run end", 200),
    ]


def test_the_end_step_counts_from_the_start_of_the_run():
    schedule = Schedule(max_lr=1.0, lr_decay_steps=100, start_step=450)
    assert (schedule.end_step, schedule.lr_decay_steps) == (550, 100)
    assert schedule.landmarks()["decay end"] == schedule.end_step


def test_the_end_step_of_an_open_schedule_is_infinite():
    assert Schedule(max_lr=1.0, lr_decay_steps="open", lr_decay_style="constant").end_step == inf


def test_a_loop_to_the_end_step_of_a_branched_schedule_ends_at_min_lr():
    whole = Schedule(max_lr=1.0, lr_decay_steps=100, lr_decay_style="constant")
    schedule = schedframe.branch(whole, 60, wsd_decay_steps=20, lr_wsd_decay_style="linear").schedule
    scheduler = schedule.build(Optimizer())
    while scheduler.num_steps < schedule.end_step:
        scheduler.step(5)
    assert (scheduler.num_steps, scheduler.optimizer.param_groups[0]["lr"]) == (80, 0.0)


@pytest.mark.parametrize("end", [{}, {"lr_decay_steps": 100_000}])
def test_a_run_within_the_warmup_runs(end):
    short = {"clock": "iters", "max_lr": 1.0, "lr_warmup_steps": 2000, "train_iters": 5}
    scheduler = Schedule(**short, **end).build(Optimizer())
    scheduler.step(5)
    assert scheduler.optimizer.param_groups[0]["lr"] == 5 / 2000


def test_a_plain_schedule_has_two_landmarks():
    assert Schedule(max_lr=1, lr_decay_steps=100, start_wd=0.1).landmarks() == {"start": 0, "decay end": 100}


def test_the_milestones_of_multi_step_are_landmarks_equal_ones_too():
    style = {"style": "multi-step", "milestones": [0.25, 0.5, 0.75], "multipliers": [0.5, 1, 0.5]}
    marks = Schedule(max_lr=1, lr_decay_steps=100, lr_decay_style=style).landmarks()
    assert {25, 50, 75} <= set(marks.values())


# Rules


def test_everything_wrong_is_reported_at_once():
    said = problems(
        max_lr=1,
        min_lr=2,
        init_lr="x",
        lr_decay_steps=10,
        lr_warmup_steps=-20,
        lr_decay_style={"style": "polynomial", "power": -1},
        start_wd=-1,
        end_wd=0.5,
        wd_incr_steps="5 MM",
        wd_incr_style="linaer",
        surplus=1,
    )
    assert set(said) == {
        *("min_lr", "init_lr", "lr_warmup_steps", "lr_decay_style.power", "start_wd", "wd_incr_steps"),
        *("wd_incr_style", "surplus"),
    }
    assert said["min_lr"] == "must not be above max_lr (1.0)"
    assert said["lr_warmup_steps"] == "must not be negative"
    assert said["init_lr"] == "is not a number"


@pytest.mark.parametrize(
    ("keys", "path", "message"),
    [
        ({"max_lr": 0}, "max_lr", "must be above 0"),
        ({"max_lr": -1}, "max_lr", "must be above 0"),
        ({"lr_decay_steps": 0}, "lr_decay_steps", "must be above 0"),
        ({"lr_decay_steps": None, "train_samples": 0}, "train_samples", "must be above 0"),
        ({"min_lr": -0.1}, "min_lr", "must not be negative"),
        ({"min_lr": "110%"}, "min_lr", "must not be above max_lr (1.0)"),
        ({"init_lr": -0.1}, "init_lr", "must not be negative"),
        ({"init_lr": 1.5}, "init_lr", "must not be above max_lr (1.0)"),
        ({"lr_warmup_steps": -1}, "lr_warmup_steps", "must not be negative"),
        ({"end_wd": -1}, "end_wd", "must not be negative"),
        (
            {"start_wd": 0, "end_wd": 1, "wd_incr_steps": 0, "wd_incr_style": "linear"},
            "wd_incr_style",
            "wd_incr_steps must be above 0",
        ),
    ],
    ids=str,
)
def test_each_rule_is_a_problem_of_its_key(keys, path, message):
    assert problems(**{"max_lr": 1, "lr_decay_steps": 100, **keys}) == {path: message}


@pytest.mark.parametrize(
    "keys",
    [
        {"min_lr": 1},
        {"init_lr": 1},
        {"lr_warmup_steps": 99},
        {"lr_warmup_steps": 20, "lr_decay_style": "WSD", "wsd_decay_steps": 80},
        {"lr_decay_style": "WSD", "wsd_decay_steps": "100%"},
        {"min_lr": 0.5, "lr_decay_style": Constant()},
        {"start_wd": 0.1, "end_wd": 0.1, "wd_incr_style": WDConstant()},
        {"lr_decay_style": Linear(), "train_samples": 1},
    ],
    ids=str,
)
def test_the_edge_of_each_rule_is_fine(keys):
    assert Schedule(**{"max_lr": 1, "lr_decay_steps": 100, **keys})


class Bent(WDCurve):
    style: str = "bent"

    def coefficient(self, progress: float) -> float:
        return progress

    def landmarks(self, incr_steps: float) -> dict[str, float]:
        return {"start": 0.25 * incr_steps, "decay end": 0.5 * incr_steps}


def test_landmarks_of_a_weight_decay_style_never_replace_others():
    schedule = Schedule(max_lr=1, lr_decay_steps=100, start_wd=0, end_wd=1, wd_incr_style=Bent())
    assert schedule.landmarks() == {
        "start": 0,
        "weight decay start": 25,
        "weight decay decay end": 50,
        "decay end": 100,
        "weight decay end": 100,
    }
