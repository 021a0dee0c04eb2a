"""Warmups: shapes, shifts and presets by the name of a code base, against the formulas that were published."""

import json
import math
from types import SimpleNamespace
from typing import Any

import pytest

from schedframe import ConfigError, OptimizerParamScheduler, Schedule, StateError
from schedframe.styles._warmup import PRESETS, SHAPES

from ..runs import Optimizer

LENGTHS = (1, 3, 10, 800)
BATCH = 1024
PEAK = 3e-4


def schedule_of(style: Any, iters: int, batch: int = BATCH, **keys: Any) -> Schedule:
    said = {"train_iters": 10 * iters, "global_batch_size": batch, "max_lr": PEAK, **keys}
    return Schedule(**said, lr_warmup_steps=f"{iters} iters", lr_warmup_style=style)


# n is the iteration, total the warmup's length in iterations.
PUBLISHED = {
    "megatron": lambda n, total: n / total,
    "hf": lambda n, total: n / max(1, total),
    "torchtitan": lambda n, total: (n + 1) / total,
    "nanochat": lambda n, total: (n + 1) / total,
    "nanogpt": lambda n, total: (n + 1) / (total + 1),
    "nemo": lambda n, total: (n + 1) / (total + 1),
    "deepspeed": lambda n, total: math.log(n + 1) / math.log(max(total, 2)) if n else 0.0,
    "gpt-neox": lambda n, total: max(n, 1) / total,
    "cosine": lambda n, total: 0.5 * (1 - math.cos(math.pi * (n / total))),
    "quadratic": lambda n, total: (n / total) ** 2,
    "log": lambda n, total: math.log(n + 1) / math.log(max(total, 2)) if n else 0.0,
    "1-sqrt": lambda n, total: 1.0 - math.sqrt(1.0 - n / total),
    "constant": lambda n, total: 0.0,
    "exponential": lambda n, total: 2 - 2 * 0.5 ** (n / total),
    "quarter-cosine": lambda n, total: 1 - math.cos(math.pi * n / total / 2),
}


class TestFormulas:
    @pytest.mark.parametrize("iters", LENGTHS)
    @pytest.mark.parametrize("name", PUBLISHED)
    def test_each_is_the_published_formula_at_every_iteration(self, name: str, iters: int) -> None:
        schedule = schedule_of(name, iters)
        for n in range(iters):
            expected = PEAK * PUBLISHED[name](n, iters)
            assert schedule.lr_at(n * BATCH) == pytest.approx(expected, rel=1e-15, abs=1e-15 * PEAK), n
        assert schedule.lr_at(iters * BATCH) == PEAK

    def test_every_preset_is_compared(self) -> None:
        assert set(PUBLISHED) >= {*PRESETS, *SHAPES} - {"linear"}

    def test_the_default_is_megatrons_bit_for_bit(self) -> None:
        for name in ("linear", "megatron"):
            schedule = schedule_of(name, 7, init_lr=1e-5)
            for step in range(7 * BATCH):
                expected = 1e-5 + ((PEAK - 1e-5) * float(step) / float(7 * BATCH))
                assert schedule.lr_at(step) == expected

    def test_a_fractional_length_is_not_rounded(self) -> None:
        schedule = Schedule(max_lr=1.0, lr_decay_steps=50, lr_warmup_steps="5%", clock="iters")
        assert schedule.lr_warmup_steps == 2.5
        assert [schedule.lr_at(n) for n in (0, 1, 2)] == [0.0, 1 / 2.5, 2 / 2.5]

    def test_it_rises_from_init_lr(self) -> None:
        schedule = schedule_of("cosine", 10, init_lr="10%")
        assert schedule.lr_at(0) == pytest.approx(3e-5)
        assert schedule.lr_at(5 * BATCH) == pytest.approx((3e-4 + 3e-5) / 2)

    def test_options_stand_in_a_table(self) -> None:
        table = {"style": "cosine", "shift": "1 iters", "stretched": True}
        assert schedule_of(table, 9).lr_at(4 * BATCH) == pytest.approx(PEAK / 2)

    def test_a_clock_of_iterations_needs_no_batch_size(self) -> None:
        schedule = Schedule(
            clock="iters", max_lr=1.0, lr_decay_steps=100, lr_warmup_steps=4, lr_warmup_style="torchtitan"
        )
        assert [schedule.lr_at(n) for n in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]


class TestCurves:
    """Any curve is a warmup: what it falls, the warmup rises, as a rising phase does."""

    CURVES = (
        {"style": "polynomial", "power": 2},
        {"style": "polynomial", "power": 0.5},
        {"style": "minus-power", "power": 0.3},
        "exponential",
        "quarter-cosine",
        "harmonic",
    )

    @pytest.mark.parametrize("style", CURVES)
    def test_it_is_a_rising_phase_of_that_curve(self, style: Any) -> None:
        run = {"max_lr": 1.0, "clock": "iters", "lr_decay_steps": 100}
        warmup = Schedule(**run, lr_warmup_steps=20, lr_warmup_style=style, init_lr=0.1, lr_decay_style="constant")
        rise = {"style": style, "from": "10%", "jump": True, "to": "100%", "length": 20}
        phases = Schedule(**run, lr_decay_style={"style": "phases", "phases": [rise, {"style": "constant"}]})
        assert warmup.lr_at(range(100)) == pytest.approx(phases.lr_at(range(100)), abs=1e-15)

    def test_transformers_1_sqrt_is_a_polynomial(self) -> None:
        one, other = schedule_of("1-sqrt", 10), schedule_of({"style": "polynomial", "power": 0.5}, 10)
        steps = range(0, 10 * BATCH, 128)
        assert one.lr_at(steps) == pytest.approx(other.lr_at(steps), rel=1e-15)

    def test_a_curve_can_be_shifted(self) -> None:
        table = {"style": "polynomial", "power": 2, "shift": "1 iters", "stretched": True}
        schedule = schedule_of(table, 9)
        assert schedule.lr_at(4 * BATCH) == pytest.approx(PEAK * (1 - 0.5**2))
        assert schedule.to_dict(resolve=True)["lr_warmup_style"] == table

    @pytest.mark.parametrize("style", [*CURVES, {"style": "polynomial", "power": 3, "shift": 5}, "log", "gpt-neox"])
    def test_it_is_saved_resolved_and_compared(self, style: Any) -> None:
        ours = schedule_of(style, 10)
        scheduler = ours.build(Optimizer())
        scheduler.step(3 * BATCH)
        state = json.loads(json.dumps(scheduler.state_dict()))
        resumed = schedule_of("linear", 10, resume="checkpoint").build(Optimizer())
        resumed.load_state_dict(state)
        assert resumed.lr_warmup_style == ours.lr_warmup_style
        assert resumed.optimizer.param_groups == scheduler.optimizer.param_groups
        assert Schedule(**ours.to_dict(resolve=True)) == ours
        assert Schedule(**ours.for_role("default").to_dict()) == ours.for_role("default")
        with pytest.raises(StateError, match="lr_warmup_style"):
            schedule_of("cosine", 10).build(Optimizer()).load_state_dict(state)

    @pytest.mark.parametrize(
        ("style", "text"),
        [
            ("cosine", "warmup 10 by cosine,"),
            ({"style": "cosine", "shift": 1, "stretched": True}, "warmup 10 by cosine(shift=1, stretched=True),"),
            ({"style": "polynomial", "power": 2}, "warmup 10 by polynomial(power=2),"),
            ({"style": "minus-power", "power": 0.5, "delay": 1}, "warmup 10 by minus-power(delay=1, power=0.5),"),
            ("exponential", "warmup 10 by exponential,"),
        ],
    )
    def test_a_summary_has_the_options_of_its_curve(self, style: Any, text: str) -> None:
        schedule = Schedule(clock="iters", train_iters=100, max_lr=1e-3, lr_warmup_steps=10, lr_warmup_style=style)
        assert text in schedule.summary()

    @pytest.mark.parametrize("style", ["linear", "log", {"style": "polynomial", "power": 2}])
    def test_a_delay_reads_the_warmup_later_than_the_decay(self, style: Any) -> None:
        run = {"clock": "iters", "train_iters": 100, "max_lr": 1.0, "init_lr": 0.1, "lr_warmup_steps": 10}
        table = style if isinstance(style, dict) else {"style": style}
        plain, late = (Schedule(**run, lr_warmup_style={**table, **delay}) for delay in ({}, {"delay": "2 iters"}))
        rates = plain.lr_at(range(100))
        assert late.lr_at(range(100)) == pytest.approx([0.1, 0.1, *rates[:9], *rates[11:]], rel=1e-15)
        assert Schedule(**late.to_dict(resolve=True)) == late

    def test_a_difference_is_reported_by_option(self) -> None:
        scheduler = schedule_of({"style": "polynomial", "power": 2}, 10).build(Optimizer())
        state = scheduler.state_dict()
        other = schedule_of({"style": "polynomial", "power": 3}, 10).build(Optimizer())
        with pytest.raises(StateError, match=r"lr_warmup_style.power +2.0 +3.0"):
            other.load_state_dict(state)

    def test_deepspeeds_default_with_its_lag(self) -> None:
        """WarmupLR: the n-th update has the learning rate of n - 1."""
        run = {"max_lr": 1.0, "clock": "iters", "lr_decay_steps": 100, "lr_decay_style": "constant"}
        schedule = Schedule(**run, lr_warmup_steps=10, lr_warmup_style="deepspeed", first_update=-1)
        expected = [math.log(max(n - 1, 0) + 1) / math.log(10) if n - 1 < 10 else 1.0 for n in range(50)]
        assert schedule.lr_at(range(50)) == pytest.approx(expected, abs=1e-15)

    def test_nanotrons_constant_warmup_holds_max_lr(self) -> None:
        run = {"max_lr": 1.0, "clock": "iters", "lr_decay_steps": 20, "lr_decay_style": "linear"}
        schedule = Schedule(**run, lr_warmup_steps=10, lr_warmup_style="constant", init_lr="100%")
        assert [schedule.lr_at(n) for n in (0, 9, 10, 15)] == [1.0, 1.0, 1.0, 0.5]


class TestScheduler:
    @pytest.mark.parametrize("style", [*PUBLISHED, {"style": "quadratic", "shift": 100}])
    def test_groups_hold_what_lr_at_says(self, style: Any) -> None:
        schedule = schedule_of(style, 3, init_lr=1e-6)
        groups: list[dict[str, Any]] = [
            {},
            {"max_lr": 1e-3, "min_lr": 0.0, "default_config": False},
            {"default_config": True},
        ]
        scheduler = schedule.build(SimpleNamespace(param_groups=groups))
        for step in range(0, 3 * BATCH + 2, 128):
            assert [group["lr"] for group in groups] == [schedule.lr_at(step, group) for group in groups]
            scheduler.step(128)

    def test_the_constructor_takes_it_too(self) -> None:
        optimizer = Optimizer()
        arguments = (optimizer, 0.0, 1.0, 0.0, 10, 100, "linear", 0.0, 0.0, 100, "constant")
        scheduler = OptimizerParamScheduler(*arguments, lr_warmup_style="quadratic")
        scheduler.step(5)
        assert optimizer.param_groups[0]["lr"] == 0.25

    def test_the_constructor_refuses_what_is_none(self) -> None:
        optimizer = Optimizer()
        arguments = (optimizer, 0.0, 1.0, 0.0, 10, 100, "linear", 0.0, 0.0, 100, "constant")
        with pytest.raises(ConfigError, match="lr_warmup_style = 'cosin': is not a warmup; did you mean 'cosine'"):
            OptimizerParamScheduler(*arguments, lr_warmup_style="cosin")


class TestState:
    def test_it_is_saved_and_compared(self) -> None:
        ours, other = schedule_of("nemo", 10), schedule_of("cosine", 10)
        scheduler = ours.build(Optimizer())
        scheduler.step(3 * BATCH)
        state = scheduler.state_dict()
        again = ours.build(Optimizer())
        again.load_state_dict(state)
        assert again.optimizer.param_groups == scheduler.optimizer.param_groups
        with pytest.raises(
            StateError, match=r"lr_warmup_style.style +linear +cosine\n +lr_warmup_style.shift +1024 +0"
        ):
            other.build(Optimizer()).load_state_dict(state)

    def test_the_policy_checkpoint_takes_the_checkpoints(self) -> None:
        ours, other = schedule_of("quadratic", 10), schedule_of("linear", 10, resume="checkpoint")
        scheduler = ours.build(Optimizer())
        scheduler.step(5 * BATCH)
        resumed = other.build(Optimizer())
        resumed.load_state_dict(scheduler.state_dict())
        assert resumed.lr_warmup_style == ours.lr_warmup_style
        assert resumed.optimizer.param_groups[0]["lr"] == PEAK / 4

    def test_a_state_of_an_older_version_has_megatrons(self) -> None:
        scheduler = schedule_of("linear", 10).build(Optimizer())
        state = scheduler.state_dict()
        details = json.loads(state["schedframe"])
        del details["lr_warmup_style"]
        scheduler.load_state_dict({**state, "schedframe": json.dumps(details)})
        assert scheduler.lr_warmup_style.is_megatrons

    def test_a_broken_one_is_a_broken_state(self) -> None:
        scheduler = schedule_of("linear", 10).build(Optimizer())
        state = scheduler.state_dict()
        for broken in ({"style": "steep"}, {"style": "linear", "shift": "1 iters"}, {"style": "linear", "x": 1}, 7):
            details = {**json.loads(state["schedframe"]), "lr_warmup_style": broken}
            with pytest.raises(StateError, match="is broken"):
                scheduler.load_state_dict({**state, "schedframe": json.dumps(details)})

    def test_megatron_cannot_go_on_with_another_shape(self) -> None:
        from schedframe._run.resume.write import unknown_to_megatron

        schedule = schedule_of("torchtitan", 10, start_wd=0.1)
        scheduler = schedule.build(Optimizer())
        assert unknown_to_megatron(scheduler) == "lr_warmup_style linear"

    def test_the_fingerprint_is_of_the_curve(self) -> None:
        assert schedule_of("megatron", 10).fingerprint == schedule_of("linear", 10).fingerprint
        assert schedule_of("torchtitan", 10).fingerprint == schedule_of("nanochat", 10).fingerprint
        assert schedule_of("nemo", 10).fingerprint != schedule_of("linear", 10).fingerprint
        flat = {"max_lr": 1.0, "lr_decay_steps": 100}
        assert Schedule(**flat, lr_warmup_style="cosine").fingerprint == Schedule(**flat).fingerprint


class TestErrors:
    @pytest.mark.parametrize(
        ("style", "message"),
        [
            ("cosin", "lr_warmup_style = 'cosin': is not a warmup; did you mean 'cosine'?"),
            ("geometric", "lr_warmup_style = 'geometric': 'geometric' is not a curve; only a curve is valid here"),
            ("minus_sqrt", "the first is called `1-sqrt`, as in transformers, and the second is `{style: minus-power"),
            ("olmo", "lr_warmup_style = 'olmo': is the warmup that schedframe calls linear, with first_update: 1"),
            ("modded-nanogpt", "is the warmup that schedframe calls torchtitan; it has none at f411b3d"),
            ({"style": "polynomial", "powr": 2}, "powr = 2: is not an option of 'polynomial'; did you mean 'power'?"),
            ({"style": "log", "stretched": True}, "log has only the options delay and shift"),
            ("torchtitian", "lr_warmup_style = 'torchtitian': is not a warmup; did you mean 'torchtitan'?"),
            (5, "lr_warmup_style = 5: must be the name of a warmup, or a table with style and its options"),
            (
                {"style": "linear", "shft": 1},
                "lr_warmup_style.shft = 1: is not an option of a warmup; did you mean 'shift'?",
            ),
            ({"style": "linear", "shift": -1}, "lr_warmup_style.shift = -1: must not be negative"),
        ],
    )
    def test_messages(self, style: Any, message: str) -> None:
        with pytest.raises(ConfigError) as caught:
            schedule_of(style, 10)
        assert message in str(caught.value)

    def test_a_shift_in_iterations_needs_a_batch_size(self) -> None:
        with pytest.raises(ConfigError, match="global_batch_size is missing"):
            Schedule(max_lr=1.0, lr_decay_steps=100, lr_warmup_steps=10, lr_warmup_style="torchtitan")

    def test_an_iteration_of_changing_length_is_no_shift(self) -> None:
        ramp = {"rampup_batch_size": [8, 8, 160], "global_batch_size": 32, "train_iters": 100, "max_lr": 1.0}
        with pytest.raises(ConfigError, match="the batch size changes within the warmup; use clock: iters"):
            Schedule(**ramp, lr_warmup_steps="10 iters", lr_warmup_style="torchtitan")
