"""A schedule as a scheduler of torch."""

import copy
import pickle
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    CosineAnnealingLR,
    LambdaLR,
    LRScheduler,
    SequentialLR,
)

import schedframe
from schedframe import ConfigError, SchedframeError, SchedframeWarning, Schedule, StateError
from schedframe.adapters.torch import ScheduledLR
from tests.adapters import one_file

RUN: dict[str, Any] = {
    "train_iters": 40,
    "clock": "iters",
    "max_lr": 1e-3,
    "min_lr": 1e-4,
    "lr_warmup_steps": 4,
    "lr_decay_style": "cosine",
}
WITH_WD = {**RUN, "start_wd": 0.1, "end_wd": 0.01, "wd_incr_style": "cosine"}


@pytest.fixture
def schedule(tmp_path: Path) -> Schedule:
    return schedframe.load(one_file.write_file(tmp_path))


def adamw(*weight_decays: float, **options: Any) -> torch.optim.Optimizer:
    groups = [{"params": [torch.nn.Parameter(torch.ones(2))], "weight_decay": wd} for wd in weight_decays or (0.1,)]
    optimizer = torch.optim.AdamW(groups, lr=1.0, **options)
    for group in groups:
        group["params"][0].grad = torch.ones(2)
    return optimizer


def run(optimizer: torch.optim.Optimizer, scheduler: Any, updates: int) -> list[one_file.Values]:
    """Train, and return what the groups hold for each update."""
    values = []
    for _ in range(updates):
        values.append(one_file.values_of(optimizer))
        optimizer.step()
        scheduler.step()
    return values


def test_a_loop_gets_the_values_of_the_megatron_drop_in(schedule: Schedule) -> None:
    groups = schedule.param_groups(one_file.Net())
    optimizer = torch.optim.AdamW(groups, lr=1.0, weight_decay=0.1)
    scheduler = ScheduledLR(optimizer, schedule, num_training_steps=40)
    assert run(optimizer, scheduler, 40) == one_file.expected(groups, schedule)


def test_the_path_of_a_file_is_a_schedule(tmp_path: Path) -> None:
    path = one_file.write_file(tmp_path, "{train_iters: 40, clock: iters, max_lr: 1e-3}")
    assert ScheduledLR(adamw(), str(path)).schedule == ScheduledLR(adamw(), path).schedule == schedframe.load(path)


def test_it_is_a_scheduler_of_torch() -> None:
    scheduler = ScheduledLR(adamw(), Schedule(**RUN))
    assert isinstance(scheduler, LRScheduler)
    assert (scheduler.base_lrs, scheduler.last_epoch, scheduler.get_last_lr()) == ([1e-3], 0, [0.0])


@pytest.mark.parametrize("clock", ["samples", "tokens", "iters"])
def test_updates_follow_a_ramp_of_the_batch_size(clock: str) -> None:
    lengths = {"lr_warmup_steps": "4 iters", "rampup_batch_size": [2, 2, 64], "global_batch_size": 8, "seq_length": 16}
    schedule = Schedule(**{**RUN, **lengths, "clock": clock})
    optimizer = adamw()
    scheduler = ScheduledLR(optimizer, schedule)
    counts = [schedule.step_at(f"{update} iters") for update in range(60)]
    assert [lr for [[lr, _]] in run(optimizer, scheduler, 60)] == schedule.lr_at(counts)
    assert scheduler.running.num_steps == schedule.step_at("60 iters")


def test_a_tensor_is_filled_in_place() -> None:
    optimizer = adamw()
    lr = optimizer.param_groups[0]["lr"] = torch.tensor(1.0)
    scheduler = ScheduledLR(optimizer, Schedule(**RUN))
    first = scheduler.get_last_lr()[0]
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] is lr
    assert (float(first), float(lr)) == (0.0, pytest.approx(2.5e-4))


def test_a_state_loads_into_the_drop_in_and_back(schedule: Schedule) -> None:
    groups = schedule.param_groups(one_file.Net())
    optimizers = [torch.optim.AdamW([dict(group) for group in groups], lr=1.0) for _ in range(3)]
    first, drop_in, last = (
        ScheduledLR(optimizers[0], schedule),
        schedule.build(optimizers[1]),
        ScheduledLR(optimizers[2], schedule),
    )
    values = run(optimizers[0], first, 13)
    drop_in.load_state_dict(first.state_dict())
    drop_in.step(8)
    last.load_state_dict(drop_in.state_dict())
    assert last.last_epoch == 14
    whole = one_file.expected(groups, schedule)
    assert [*values, *run(optimizers[2], last, 26)] == [*whole[:13], *whole[14:]]


@pytest.mark.parametrize("kept", [pickle.dumps, copy.deepcopy], ids=["pickled", "copied"])
def test_a_copy_goes_on(kept: Any) -> None:
    optimizer = adamw()
    scheduler = ScheduledLR(optimizer, Schedule(**WITH_WD))
    run(optimizer, scheduler, 7)
    copied = kept(scheduler)
    copied = pickle.loads(copied) if isinstance(copied, bytes) else copied
    assert run(copied.optimizer, copied, 30) == run(optimizer, scheduler, 30)


def test_a_state_of_torch_save_needs_no_code(tmp_path: Path) -> None:
    scheduler = ScheduledLR(adamw(), Schedule(**WITH_WD))
    torch.save(scheduler.state_dict(), tmp_path / "scheduler.pt")
    assert torch.load(tmp_path / "scheduler.pt", weights_only=True) == scheduler.state_dict()


def test_averaged_weights_decay_from_max_lr() -> None:
    optimizer = adamw()
    ScheduledLR(optimizer, Schedule(**RUN))
    assert torch.optim.swa_utils.SWALR(optimizer, swa_lr=1e-5).base_lrs == [1e-3]


def test_step_with_an_epoch_goes_there() -> None:
    optimizer = adamw()
    scheduler = ScheduledLR(optimizer, Schedule(**WITH_WD))
    scheduler.step(epoch=20)
    ahead = one_file.values_of(optimizer)
    other = adamw()
    assert ahead == run(other, ScheduledLR(other, Schedule(**WITH_WD)), 21)[20]


@pytest.mark.parametrize("epoch", [-1, 2.5, "next"])
def test_step_refuses_what_is_no_update(epoch: Any) -> None:
    scheduler = ScheduledLR(adamw(), Schedule(**RUN))
    with pytest.raises(SchedframeError, match="whole number of at least 0"):
        scheduler.step(epoch)


def test_several_calls_can_be_one_update() -> None:
    optimizer = adamw()
    scheduler = ScheduledLR(optimizer, Schedule(**RUN), calls_per_update=3)
    calls = [scheduler.step() or scheduler.last_epoch for _ in range(7)]
    assert calls == [0, 0, 1, 1, 1, 2, 2]


class TestLength:
    def test_another_number_of_updates_is_refused_with_both(self) -> None:
        with pytest.raises(ConfigError, match="train_iters = 40: is 40 updates, and the trainer makes 18"):
            ScheduledLR(adamw(), Schedule(**RUN), num_training_steps=18)

    def test_a_trainer_may_round_the_last_batch_up(self) -> None:
        keys = {**RUN, "clock": "samples", "train_iters": None, "train_samples": 317, "global_batch_size": 8}
        for updates in (39, 40):
            ScheduledLR(adamw(), Schedule(**keys), num_training_steps=updates)

    def test_a_schedule_without_a_run_is_checked_for_this_one(self, caplog: pytest.LogCaptureFixture) -> None:
        keys = {**RUN, "train_iters": None, "lr_decay_steps": 40}
        ScheduledLR(adamw(), Schedule(**keys), num_training_steps=25)
        assert "SF204" in caplog.text

    def test_samples_need_the_size_of_a_batch(self) -> None:
        keys = {**RUN, "clock": "samples", "train_iters": None, "train_samples": 320}
        with pytest.raises(
            ConfigError, match="how many an update of the optimizer has is not given; give global_batch"
        ):
            ScheduledLR(adamw(), Schedule(**keys))

    def test_a_continued_run_counts_from_its_own_start_or_the_first(self) -> None:
        schedule = Schedule(**{**RUN, "start_step": 100})
        for updates in (40, 140):
            assert ScheduledLR(adamw(), schedule, num_training_steps=updates).last_epoch == 100
        with pytest.raises(ConfigError, match="from update 100 to 140, and the trainer makes 100"):
            ScheduledLR(adamw(), schedule, num_training_steps=100)


class TestWeightDecay:
    def test_groups_without_keep_none(self) -> None:
        optimizer = adamw(0.1, 0.0)
        values = run(optimizer, ScheduledLR(optimizer, Schedule(**WITH_WD)), 40)
        assert {without for _, [_, without] in values} == {0.0}
        assert [with_ for [_, with_], _ in values] == Schedule(**WITH_WD).wd_at(range(40))

    def test_all_groups_without_are_refused(self) -> None:
        with pytest.raises(
            ConfigError, match=r"all of the optimizer's param groups were made with weight_decay = 0\.0"
        ):
            ScheduledLR(adamw(0.0, 0.0), Schedule(**WITH_WD))

    def test_a_second_schedule_finds_the_groups_that_the_first_brought_to_0(self) -> None:
        optimizer = adamw(0.1, 0.0)
        schedule = Schedule(**{**WITH_WD, "end_wd": 0.0})
        values = run(optimizer, ScheduledLR(optimizer, schedule), 41)
        assert run(optimizer, ScheduledLR(optimizer, schedule), 41) == values

    def test_one_group_without_is_the_default_of_sgd(self) -> None:
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=1.0)
        ScheduledLR(optimizer, Schedule(**WITH_WD))
        assert optimizer.param_groups[0]["weight_decay"] == 0.1

    def test_the_values_stay_where_the_optimizer_is_loaded_after_the_scheduler(self) -> None:
        old = adamw(0.1, 0.0)
        saved = ScheduledLR(old, Schedule(**{**WITH_WD, "max_lr": 2e-3}))
        saved.step(epoch=10)
        optimizer = adamw(0.1, 0.0)
        scheduler = ScheduledLR(optimizer, Schedule(**WITH_WD), override_opt_param_scheduler=True)
        scheduler.load_state_dict(saved.state_dict())
        values = one_file.values_of(optimizer)
        optimizer.load_state_dict(old.state_dict())
        assert one_file.values_of(optimizer) == values != one_file.values_of(old)

    @pytest.mark.parametrize("loads_scheduler", [True, False])
    def test_it_survives_a_load_of_an_optimizer_that_does_not_know_it(self, loads_scheduler: bool) -> None:
        foreign = adamw(0.1, 0.0).state_dict()
        optimizer = adamw(0.1, 0.0)
        scheduler = ScheduledLR(optimizer, Schedule(**WITH_WD))
        state = scheduler.state_dict()
        optimizer.load_state_dict(foreign)
        if loads_scheduler:
            scheduler.load_state_dict(state)
        scheduler.step()
        assert [group["weight_decay"] for group in optimizer.param_groups][1] == 0.0


class TestRate:
    """A loop that steps at another rate than the optimizer updates is told; the right ones are not."""

    def steps(self, pattern: str, **options: Any) -> list[str]:
        """Return the warnings of a loop; ``u`` is an update, ``s`` a step of the scheduler."""
        optimizer = adamw()
        scheduler = ScheduledLR(optimizer, Schedule(**RUN), **options)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for act in pattern:
                optimizer.step() if act == "u" else scheduler.step()
        return [str(warning.message) for warning in caught if issubclass(warning.category, SchedframeWarning)]

    @pytest.mark.parametrize(
        ("pattern", "options"),
        [
            ("us" * 60, {}),
            ("uss" * 60, {"calls_per_update": 2}),
            ("s" * 6 + "us" * 60, {}),  # mixed precision skips the first updates
            (("us" * 7 + "s") * 9, {}),
            ("us" * 20 + "u" + "us" * 20, {}),  # a framework steps once to make the optimizer's state
            ("s" * 40, {}),
            ("u" * 7 + "us" * 40, {}),
        ],
    )
    def test_a_right_loop_is_not_reported(self, pattern: str, options: dict[str, Any]) -> None:
        assert self.steps(pattern, **options) == []

    @pytest.mark.parametrize(
        ("pattern", "options"),
        [
            ("uss" * 12, {}),  # two processes under accelerate, or a second caller
            ("ussss" * 12, {}),  # once a micro-batch
            ("u" * 30 + "s", {}),  # once an epoch
            ("uuus" * 12, {}),
            ("us" * 20, {"calls_per_update": 2}),
        ],
    )
    def test_a_wrong_loop_is_reported_once(self, pattern: str, options: dict[str, Any]) -> None:
        [message] = self.steps(pattern, **options)
        assert "times for" in message
        assert "calls_per_update=accelerator.num_processes" in message

    def test_a_scheduler_that_another_one_has_replaced_counts_no_longer(self) -> None:
        optimizer = adamw()
        first, second = (ScheduledLR(optimizer, Schedule(**RUN)) for _ in range(2))
        run(optimizer, second, 40)
        assert (first.rate.updates, second.rate.updates) == (0, 40)

    def test_an_optimizer_that_steps_group_by_group_makes_one_update(self) -> None:
        optimizer = adamw(0.1, 0.1)
        scheduler = ScheduledLR(optimizer, Schedule(**RUN))
        groups = optimizer.param_groups
        for _ in range(20):
            for group in groups:
                optimizer.param_groups = [group]
                optimizer.step()
            optimizer.param_groups = groups
            scheduler.step()
        assert scheduler.rate.updates == scheduler.rate.calls == 20


class TestComposition:
    def test_a_chain_is_refused(self) -> None:
        optimizer = adamw()
        chain = ChainedScheduler([ScheduledLR(optimizer, Schedule(**RUN)), ConstantLR(optimizer)])
        with pytest.raises(SchedframeError, match="cannot be part of a ChainedScheduler"):
            chain.step()

    @pytest.mark.parametrize("place", [0, 1])
    def test_a_sequence_is_refused(self, place: int) -> None:
        optimizer = adamw()
        schedulers: list[Any] = [CosineAnnealingLR(optimizer, 10)]
        schedulers.insert(place, ScheduledLR(optimizer, Schedule(**RUN)))
        with pytest.raises(SchedframeError, match="phases of one file"):
            SequentialLR(optimizer, schedulers, milestones=[10])


class TestAnotherScheduler:
    """Going on in the middle of a run from a scheduler that is no schedule."""

    def other(self, updates: int) -> tuple[torch.optim.Optimizer, LRScheduler]:
        """Return what ran the same warmup and cosine without a schedule."""
        optimizer = adamw()
        schedule = Schedule(**RUN)
        optimizer.param_groups[0]["lr"] = 1.0
        scheduler = LambdaLR(optimizer, schedule.lr_at)
        run(optimizer, scheduler, updates)
        return optimizer, scheduler

    def test_it_goes_on_where_the_curves_meet(self) -> None:
        optimizer, old = self.other(15)
        scheduler = ScheduledLR(optimizer, Schedule(**RUN), last_epoch=14)
        assert (scheduler.last_epoch, scheduler.get_last_lr()) == (15, old.get_last_lr())
        assert [lr for [[lr, _]] in run(optimizer, scheduler, 25)] == Schedule(**RUN).lr_at(range(15, 40))

    def test_it_is_refused_where_they_do_not_with_both_numbers(self) -> None:
        optimizer, _ = self.other(15)
        with pytest.raises(StateError, match=r"would jump: after 15 updates it is 0.000808109, and .* has 0.00161622"):
            ScheduledLR(optimizer, Schedule(**{**RUN, "max_lr": 2e-3, "min_lr": 2e-4}), last_epoch=14)

    def test_weight_decay_must_meet_too(self) -> None:
        optimizer, _ = self.other(15)
        with pytest.raises(StateError, match=r"the weight decay of param_groups\[0\] would jump"):
            ScheduledLR(optimizer, Schedule(**{**RUN, "start_wd": 0.3}), last_epoch=14)

    def test_a_jump_can_be_meant(self) -> None:
        optimizer, _ = self.other(15)
        schedule = Schedule(**{**RUN, "max_lr": 2e-3})
        assert ScheduledLR(optimizer, schedule, last_epoch=14, allow_jump=True).get_last_lr() == [schedule.lr_at(15)]

    def test_its_checkpoint_says_how_to_go_on(self) -> None:
        _, old = self.other(15)
        with pytest.raises(
            StateError, match=r"of another scheduler, after 15 updates.*override_opt_param_scheduler=True"
        ):
            ScheduledLR(adamw(), Schedule(**RUN)).load_state_dict(old.state_dict())

    def test_its_checkpoint_is_taken_with_override(self) -> None:
        optimizer, old = self.other(15)
        state, new = optimizer.state_dict(), adamw()
        scheduler = ScheduledLR(new, Schedule(**RUN), override_opt_param_scheduler=True)
        new.load_state_dict(state)
        scheduler.load_state_dict(old.state_dict())
        assert [lr for [[lr, _]] in run(new, scheduler, 25)] == Schedule(**RUN).lr_at(range(15, 40))

    def test_its_checkpoint_is_refused_where_the_curves_do_not_meet(self) -> None:
        _, old = self.other(15)
        schedule = Schedule(**{**RUN, "max_lr": 2e-3})
        scheduler = ScheduledLR(adamw(), schedule, override_opt_param_scheduler=True)
        with pytest.raises(StateError, match="would jump"):
            scheduler.load_state_dict(old.state_dict())
        assert scheduler.last_epoch == 0

    def test_its_checkpoint_counts_calls(self) -> None:
        scheduler = ScheduledLR(
            adamw(), Schedule(**RUN), calls_per_update=2, override_opt_param_scheduler=True, allow_jump=True
        )
        scheduler.load_state_dict({"last_epoch": 30})
        assert scheduler.last_epoch == 15
        with pytest.raises(StateError, match="after 31 calls"):
            scheduler.load_state_dict({"last_epoch": 31})

    @pytest.mark.parametrize("first", ["optimizer", "scheduler"])
    def test_the_optimizer_may_be_loaded_before_or_after(self, first: str) -> None:
        """ZeRO loads it after; then its groups, and with them its values, replace those that were written."""
        optimizer, _ = self.other(15)
        for schedule, meet in ((Schedule(**RUN), True), (Schedule(**{**RUN, "max_lr": 2e-3}), False)):
            new = adamw()
            scheduler = ScheduledLR(new, schedule, override_opt_param_scheduler=True)
            loads = [lambda new=new: new.load_state_dict(optimizer.state_dict())]
            loads.insert(first == "optimizer", lambda s=scheduler: s.load_state_dict({"last_batch_iteration": 14}))
            with nullcontext() if meet else pytest.raises(StateError, match="would jump"):
                for load in loads:
                    load()
                assert one_file.values_of(new) == [[schedule.lr_at(15), 0.1]]

    def test_deepspeeds_count_begins_below_0(self) -> None:
        scheduler = ScheduledLR(adamw(), Schedule(**RUN), override_opt_param_scheduler=True, allow_jump=True)
        scheduler.load_state_dict({"last_batch_iteration": 14})
        assert scheduler.last_epoch == 15


def test_what_trackers_get_is_flat_and_finite() -> None:
    scheduler = ScheduledLR(adamw(), Schedule(**WITH_WD))
    scheduler.step(epoch=22)
    assert scheduler.metrics("s/") == {
        "s/step": 22,
        "s/iters": 22,
        "s/default/lr": scheduler.get_last_lr()[0],
        "s/default/wd": Schedule(**WITH_WD).wd_at(22),
        "s/default/phase": 1,
        "s/default/progress": 0.5,
    }
