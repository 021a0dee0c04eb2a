"""Where curves are read and where the decay begins: one update ahead or behind, and below the warmup."""

import json
import math
from typing import Any

import pytest

from schedframe import ConfigError, OptimizerParamScheduler, Schedule, StateError, branch, extend, rewarm
from schedframe._run.resume.write import unknown_to_megatron

from ..runs import Optimizer

RUN = {"clock": "iters", "max_lr": 1.0, "lr_decay_steps": 100, "lr_warmup_steps": 10}
COSINE = {**RUN, "lr_decay_style": "cosine", "min_lr": 0.1}


def lrs_of(updates: int = 100, **keys: Any) -> list[float]:
    return Schedule(**{**COSINE, **keys}).lr_at(range(updates))


def olmos(current: int, warmup: int, total: int) -> float:
    """CosWithWarmup with alpha_f 0.1, allenai/OLMo-core:src/olmo_core/optim/scheduler.py at v3.0.0."""
    if current < warmup:
        return current / warmup
    if current >= total:
        return 0.1
    return 0.1 + 0.9 * (1 + math.cos(math.pi * (current - warmup) / (total - warmup))) / 2


class TestFirstUpdate:
    def test_ahead_is_olmos(self) -> None:
        """Its trainer counts an update before it trains: the n-th update has the learning rate of n + 1."""
        expected = [olmos(n + 1, 10, 100) for n in range(100)]
        assert lrs_of(first_update=1) == pytest.approx(expected, abs=1e-15)

    def test_ahead_without_a_warmup_is_olmos(self) -> None:
        expected = [olmos(n + 1, 0, 100) for n in range(100)]
        assert lrs_of(first_update=1, lr_warmup_steps=0) == pytest.approx(expected, abs=1e-15)

    def test_behind_is_composers(self) -> None:
        """It steps its schedulers before it counts the batch: the n-th update has the learning rate of n - 1."""
        expected = [olmos(max(n - 1, 0), 10, 100) for n in range(100)]
        assert lrs_of(first_update=-1) == pytest.approx(expected, abs=1e-15)

    @pytest.mark.parametrize("shift", [1, -1])
    def test_weight_decay_and_every_role_are_read_there_too(self, shift: int) -> None:
        rule = {"role": "router", "match": {"param": "*"}, "lr_mult": 0.5, "wd_mult": 2.0}
        keys = {**COSINE, "start_wd": 0.0, "end_wd": 1.0, "wd_incr_style": "linear", "groups": [rule]}
        shifted, plain = Schedule(**keys, first_update=shift), Schedule(**keys)
        for n in range(100):
            at = max(n + shift, 0)
            assert shifted.lr_at(n) == plain.lr_at(at)
            assert shifted.wd_at(n) == plain.wd_at(at)
            assert (shifted.lr_at(n, "router"), shifted.wd_at(n, "router")) == (
                plain.lr_at(at, "router"),
                plain.wd_at(at, "router"),
            )

    @pytest.mark.parametrize("shift", [1, 0, -1])
    @pytest.mark.parametrize(
        "style", ["cosine", "power-law", {"style": "multi-step", "milestones": [0.5], "multipliers": [0.1]}]
    )
    def test_groups_hold_what_lr_at_returns(self, shift: int, style: Any) -> None:
        schedule = Schedule(**{**COSINE, "lr_decay_style": style}, end_wd=0.1, first_update=shift)
        optimizer = Optimizer()
        optimizer.param_groups[0].update(max_lr=0.5, default_config=False)
        scheduler = schedule.build(optimizer)
        for n in range(120):
            assert optimizer.param_groups[0]["lr"] == schedule.lr_at(n, {"max_lr": 0.5})
            scheduler.step(1)

    def test_an_update_has_the_samples_of_a_batch(self) -> None:
        keys = {
            "max_lr": 1.0,
            "train_iters": 100,
            "global_batch_size": 32,
            "lr_warmup_steps": "10 iters",
            "first_update": 1,
        }
        schedule = Schedule(**keys, lr_decay_style="cosine", min_lr=0.1)
        assert schedule.first_update == 32
        assert [schedule.lr_at(32 * n) for n in range(100)] == pytest.approx(lrs_of(first_update=1), abs=1e-15)

    def test_the_positions_of_jumps_move_with_it(self) -> None:
        style = {"style": "multi-step", "milestones": ["50 iters"], "multipliers": [0.1]}
        schedule = Schedule(**RUN, lr_decay_style=style, first_update=1)
        assert [schedule.lr_at(n) for n in (48, 49)] == [1.0, 0.1]
        assert schedule.landmarks() == {"start": 0, "warmup end": 9, "milestone 50": 49, "decay end": 99}
        assert schedule.sample([48, 49])["phase"] == ["multi-step", "milestone 50"]
        assert not [found for found in schedule.findings() if found.code.startswith("SF3")]

    def test_it_is_in_the_fingerprint_where_it_is_not_0(self) -> None:
        prints = [Schedule(**COSINE, first_update=shift).fingerprint for shift in (1, 0, -1)]
        assert len(set(prints)) == 3
        assert prints[1] == Schedule(**COSINE).fingerprint

    def test_a_resumed_run_has_it_from_the_state(self) -> None:
        ours = Schedule(**COSINE, first_update=1)
        scheduler = ours.build(Optimizer())
        scheduler.step(50)
        state = json.loads(json.dumps(scheduler.state_dict()))
        again = Schedule(**COSINE, resume="checkpoint").build(Optimizer())
        again.load_state_dict(state)
        assert again.first_update == 1
        assert again.optimizer.param_groups[0]["lr"] == ours.lr_at(50)
        with pytest.raises(StateError, match=r"first_update +1 +0"):
            Schedule(**COSINE).build(Optimizer()).load_state_dict(state)

    def test_states_without_it_are_read_as_0(self) -> None:
        keys = {**COSINE, "clock": "samples", "global_batch_size": 1}
        state = Schedule(**keys).build(Optimizer()).state_dict()
        assert "first_update" not in state["schedframe"]
        Schedule(**keys).build(Optimizer()).load_state_dict(state)
        ten_keys = {key: value for key, value in state.items() if key != "schedframe"}
        for missing in (state, ten_keys):
            with pytest.raises(StateError, match=r"first_update +0 +1"):
                Schedule(**keys, first_update=1).build(Optimizer()).load_state_dict(missing)

    def test_megatron_does_not_have_it(self) -> None:
        keys = {**COSINE, "clock": "samples", "global_batch_size": 1, "end_wd": 0.1}
        assert unknown_to_megatron(Schedule(**keys, first_update=1).plan) == "first_update"
        assert unknown_to_megatron(Schedule(**keys).plan) == ""

    def test_the_class_takes_it_in_steps(self) -> None:
        arguments = (0.0, 1.0, 0.1, 320, 3200, "cosine", 0.0, 0.0, 3200, "constant")
        scheduler = OptimizerParamScheduler(Optimizer(), *arguments, first_update=32)
        scheduler.step(32 * 4)
        assert scheduler.optimizer.param_groups[0]["lr"] == pytest.approx(0.5)
        scheduler.first_update = -32
        scheduler.step(0)
        assert scheduler.optimizer.param_groups[0]["lr"] == pytest.approx(0.3)

    def test_a_schedule_survives_to_dict(self) -> None:
        schedule = Schedule(**COSINE, first_update=-1, decay_from=0)
        derived = schedule.for_role("default").to_dict()
        for keys in (schedule.to_dict(), schedule.to_dict(resolve=True), derived, schedule.model_dump()):
            assert keys["first_update"] == -1
            assert Schedule(**keys) == schedule

    @pytest.mark.parametrize("shift", [1, -1])
    def test_a_branch_goes_on_where_the_run_is(self, shift: int) -> None:
        parent = Schedule(**{**RUN, "lr_decay_style": "constant"}, first_update=shift)
        child = branch(parent, 50, wsd_decay_steps=20, lr_wsd_decay_style="linear").schedule
        assert [child.lr_at(n) for n in (50, 60, 70)] == pytest.approx([1.0, 0.5, 0.0])
        scheduler = parent.build(Optimizer())
        scheduler.step(50)
        resumed = child.build(Optimizer())
        resumed.load_state_dict(scheduler.state_dict())
        assert resumed.optimizer.param_groups[0]["lr"] == 1.0

    @pytest.mark.parametrize("shift", [1, 0, -1])
    def test_weight_decay_goes_on_where_it_is(self, shift: int) -> None:
        keys = {**RUN, "lr_decay_style": "constant", "start_wd": 0.0, "end_wd": 1.0, "wd_incr_style": "linear"}
        parent = Schedule(**keys, first_update=shift)
        child = branch(parent, 50, wsd_decay_steps=20, end_wd="current").schedule
        assert [child.wd_at(n) for n in (50, 60)] == [parent.wd_at(50)] * 2 == pytest.approx([0.5 + shift / 100] * 2)
        again = rewarm(parent, 50, lr_warmup_steps=10, lr_decay_steps=50, end_wd=0.1).schedule
        assert again.wd_at(50) == parent.wd_at(50)
        assert [again.lr_at(n) for n in (50, 60)] == [1.0, 1.0]

    @pytest.mark.parametrize("shift", [1, 0, -1])
    def test_no_position_lies_before_the_run(self, shift: int) -> None:
        phases = [{"style": "constant", "length": 50, "name": "first"}, {"style": "linear", "name": "second"}]
        keys = {"clock": "iters", "max_lr": 1.0, "lr_decay_steps": 100, "first_update": shift}
        schedule = Schedule(**keys, lr_decay_style={"style": "phases", "phases": phases})
        marks = schedule.landmarks()
        assert (marks["start"], marks["first"], marks["second"]) == (0, 0, 50 - shift)
        assert branch(schedule, 20, wsd_decay_steps=10).schedule.lr_at(20) == 1.0

    def test_extending_keeps_it(self) -> None:
        style = {"style": "WSD", "wsd_decay_steps": 20, "lr_wsd_decay_style": "linear"}
        parent = Schedule(**RUN, lr_decay_style=style, first_update=1)
        longer = extend(parent, 70, lr_decay_steps=200).schedule
        assert [longer.lr_at(n) for n in (8, 9, 179, 189, 199)] == pytest.approx([0.9, 1.0, 1.0, 0.5, 0.0])

    @pytest.mark.parametrize(
        ("keys", "message"),
        [
            ({"first_update": 2}, "first_update = 2: must be 0, 1 or -1"),
            ({"first_update": True}, "must be 0, 1 or -1"),
            ({"first_update": "1"}, "must be 0, 1 or -1"),
            ({"first_update": 1, "clock": "samples"}, "global_batch_size is missing"),
            ({"decay_from": 5}, "decay_from = 5: must be `warmup`, the end of the warmup, or 0, the start of the run"),
            ({"decay_from": False}, "decay_from = False: must be `warmup`"),
        ],
    )
    def test_what_is_refused(self, keys: dict[str, Any], message: str) -> None:
        with pytest.raises(ConfigError) as caught:
            Schedule(**{**COSINE, **keys})
        assert message in str(caught.value)

    def test_a_ramp_of_the_batch_size_is_refused(self) -> None:
        ramp = {"max_lr": 1.0, "train_iters": 40, "global_batch_size": 32, "rampup_batch_size": [8, 8, 160]}
        with pytest.raises(ConfigError, match="the batch size changes; write `clock: iters`"):
            Schedule(**ramp, first_update=1)
        assert Schedule(**ramp, clock="iters", first_update=1).first_update == 1

    def test_a_rule_cannot_set_it(self) -> None:
        rule = {"role": "router", "match": {"param": "*"}, "first_update": 1}
        with pytest.raises(ConfigError, match="first_update = 1: cannot be set by a rule"):
            Schedule(**COSINE, groups=[rule])


def timms(n: int, warmup: int, total: int, start: float) -> float:
    """CosineLRScheduler without warmup_prefix, timm/scheduler/cosine_lr.py at v1.0.31, with lr_min 0.1."""
    if n < warmup:
        return start + n * (1.0 - start) / warmup
    return 0.1 + 0.5 * (1.0 - 0.1) * (1 + math.cos(math.pi * n / total))


class TestDecayFrom:
    @pytest.mark.parametrize("start", [0.0, 0.01])
    def test_0_is_timms_default(self, start: float) -> None:
        expected = [timms(n, 10, 100, start) for n in range(100)]
        assert lrs_of(decay_from=0, init_lr=start) == pytest.approx(expected, abs=1e-15)

    def test_groups_and_lists_agree(self) -> None:
        schedule = Schedule(**COSINE, decay_from=0)
        optimizer = Optimizer()
        scheduler = schedule.build(optimizer)
        for n in range(110):
            assert optimizer.param_groups[0]["lr"] == schedule.lr_at(n) == schedule.lr_at([n])[0]
            scheduler.step(1)

    def test_the_drop_at_the_end_of_the_warmup_is_declared(self) -> None:
        keys = {**COSINE, "lr_warmup_steps": 30}
        assert not [found for found in Schedule(**keys, decay_from=0).findings() if found.code in ("SF301", "SF304")]

    def test_it_is_saved_and_compared(self) -> None:
        below = Schedule(**COSINE, decay_from=0)
        scheduler = below.build(Optimizer())
        scheduler.step(50)
        state = json.loads(json.dumps(scheduler.state_dict()))
        again = Schedule(**COSINE, resume="checkpoint").build(Optimizer())
        again.load_state_dict(state)
        assert again.optimizer.param_groups[0]["lr"] == below.lr_at(50)
        with pytest.raises(StateError, match=r"decay_from +0 +warmup"):
            Schedule(**COSINE).build(Optimizer()).load_state_dict(state)
        assert below.fingerprint != Schedule(**COSINE).fingerprint

    def test_lengths_of_phases_count_from_the_start(self) -> None:
        phases = [{"style": "constant", "length": 50}, {"style": "linear"}]
        schedule = Schedule(**RUN, lr_decay_style={"style": "phases", "phases": phases}, decay_from=0)
        assert [schedule.lr_at(n) for n in (5, 10, 50, 75, 100)] == [0.5, 1.0, 1.0, 0.5, 0.0]


class TestAllWarmup:
    @pytest.mark.parametrize(
        "style", ["cosine", "constant", "inverse-square-root", {"style": "WSD", "wsd_decay_steps": "10%"}]
    )
    def test_a_run_within_its_warmup_runs_with_a_finding(self, style: Any) -> None:
        schedule = Schedule(max_lr=1.0, clock="iters", train_iters=5, lr_warmup_steps=2000, lr_decay_style=style)
        scheduler = schedule.build(Optimizer())
        for n in range(5):
            assert scheduler.optimizer.param_groups[0]["lr"] == schedule.lr_at(n) == n / 2000
            scheduler.step(1)
        assert "SF206" in [finding.code for finding in schedule.findings()]
        assert schedule.sample()["phase"][-1] == "warmup"

    def test_phases_need_not_fit(self) -> None:
        phases = [{"style": "constant", "length": 3000}, {"style": "linear"}]
        schedule = Schedule(
            max_lr=1.0,
            clock="iters",
            train_iters=5,
            lr_warmup_steps=2000,
            lr_decay_style={"style": "phases", "phases": phases},
        )
        assert [schedule.lr_at(n) for n in (0, 4, 2000, 2001)] == [0.0, 0.002, 1.0, 0.0]

    def test_megatrons_class_refuses_it_as_megatron_does(self) -> None:
        arguments = (0.0, 1.0, 0.1, 100, 100, "cosine", 0.0, 0.0, 100, "constant")
        with pytest.raises(ConfigError, match="must be below lr_decay_steps"):
            OptimizerParamScheduler(Optimizer(), *arguments)

    def test_it_resumes(self) -> None:
        schedule = Schedule(max_lr=1.0, clock="iters", train_iters=5, lr_warmup_steps=2000)
        scheduler = schedule.build(Optimizer())
        scheduler.step(3)
        again = schedule.build(Optimizer())
        again.load_state_dict(scheduler.state_dict())
        assert again.optimizer.param_groups == scheduler.optimizer.param_groups
