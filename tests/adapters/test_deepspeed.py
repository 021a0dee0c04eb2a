"""A schedule in DeepSpeed: real engines with its accelerator for CPUs, in this process."""

import os
import warnings
from collections.abc import Callable, Iterator
from math import inf
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
import torch

import schedframe
from schedframe import ConfigError, PluginError, SchedframeWarning, Schedule, StateError
from schedframe.adapters.torch import ScheduledLR
from schedframe.styles import LRCurve
from tests.adapters import one_file, pages

deepspeed = pytest.importorskip("deepspeed", reason="runs in an environment of its own: make adapters")
adapter = pytest.importorskip("schedframe.adapters.deepspeed")

MICRO_BATCHES = 2


class Failing(LRCurve):
    """Fails with a TypeError at the fourth of 40 updates alone, once it is told to."""

    style: Literal["failing"] = "failing"
    fails: ClassVar[bool] = False

    def coefficient(self, progress: float) -> float:
        if self.fails and progress == 4 / 40:
            raise TypeError("of a plugin")
        return 1.0 - progress


@pytest.fixture(scope="module", autouse=True)
def process_group() -> Iterator[None]:
    os.environ.update(pages.process_group())
    deepspeed.init_distributed(dist_backend="gloo")
    yield
    torch.distributed.destroy_process_group()


@pytest.fixture
def schedule(tmp_path: Path) -> Schedule:
    return schedframe.load(one_file.write_file(tmp_path))


def config(stage: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "train_batch_size": 8,
        "train_micro_batch_size_per_gpu": 8 // MICRO_BATCHES,
        "gradient_accumulation_steps": MICRO_BATCHES,
        "zero_optimization": {"stage": stage},
        "zero_allow_untested_optimizer": True,
        **more,
    }


def engine_of(schedule: Schedule, stage: int = 0, *, lr_scheduler: Any = None, **more: Any) -> Any:
    """Return an engine whose param groups are made by the rules of `schedule`."""
    model = one_file.Net()
    optimizer = torch.optim.AdamW(schedule.param_groups(model), lr=1.0, weight_decay=0.1)
    table = config(stage, **more)
    lr_scheduler = lr_scheduler or adapter.lr_scheduler(schedule, config=table, num_training_steps=40)
    engine, *_ = deepspeed.initialize(model=model, optimizer=optimizer, lr_scheduler=lr_scheduler, config=table)
    return engine


def train(
    engine: Any, updates: int, *, first: int = 0, scale: float = 1.0, after: Callable[[], None] = lambda: None
) -> list[one_file.Values]:
    """Train on batches that depend on the number of the update alone, and return what the groups hold for each."""
    values = []
    for update in range(first, first + updates):
        torch.manual_seed(update)
        values.append(one_file.values_of(engine.optimizer))
        for _ in range(MICRO_BATCHES):
            batch = torch.randn(8 // MICRO_BATCHES, 4).to(engine.module.head.weight.dtype)
            engine.backward(scale * engine(batch).float().pow(2).mean())
            engine.step()
        after()
    return values


def expected(schedule: Schedule) -> list[one_file.Values]:
    return one_file.expected(schedule.param_groups(one_file.Net()), schedule)


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_an_engine_gets_the_values_of_the_megatron_drop_in(schedule: Schedule, stage: int) -> None:
    assert train(engine_of(schedule, stage), 40) == expected(schedule)


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_one_group_gets_them_too(schedule: Schedule, stage: int) -> None:
    schedule = Schedule(**{**schedule.model_dump(exclude_unset=True), "groups": ()})
    assert len(expected(schedule)[0]) == 1
    assert train(engine_of(schedule, stage), 40) == expected(schedule)


def test_a_scheduler_object_is_taken_as_well_as_a_callable(schedule: Schedule) -> None:
    model = one_file.Net()
    optimizer = torch.optim.AdamW(schedule.param_groups(model), lr=1.0, weight_decay=0.1)
    scheduler = ScheduledLR(optimizer, schedule)
    engine, _, _, kept = deepspeed.initialize(
        model=model, optimizer=optimizer, lr_scheduler=scheduler, config=config(1)
    )
    assert kept is scheduler
    assert train(engine, 40) == expected(schedule)


def test_an_engine_reports_the_learning_rate(schedule: Schedule) -> None:
    engine = engine_of(schedule)
    train(engine, 7)
    assert engine.get_lr() == [lr for lr, _ in expected(schedule)[7]] == engine.lr_scheduler.get_last_lr()


def test_an_update_that_overflows_is_not_counted(schedule: Schedule) -> None:
    engine = engine_of(schedule, 1, bf16={"enabled": True, "check_grad_overflow": True})
    values = train(engine, 10) + train(engine, 2, scale=inf) + train(engine, 30)
    assert engine.skipped_steps == 2
    assert values == [*expected(schedule)[:10], *[expected(schedule)[10]] * 2, *expected(schedule)[10:]]


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_a_resumed_run_has_the_weights_of_one_that_was_not_killed(
    schedule: Schedule, stage: int, tmp_path: Path
) -> None:
    whole = engine_of(schedule, stage)
    train(whole, 20)
    whole.save_checkpoint(str(tmp_path / "checkpoint"))
    train(whole, 20, first=20)
    resumed = engine_of(schedule, stage)
    train(resumed, 3)
    resumed.load_checkpoint(str(tmp_path / "checkpoint"))
    assert train(resumed, 20, first=20) == expected(schedule)[20:]
    for ours, its in zip(resumed.module.parameters(), whole.module.parameters(), strict=True):
        assert torch.equal(ours, its)


class TestAnotherScheduler:
    """Going on from a checkpoint of a scheduler of DeepSpeed's own."""

    def checkpoint(self, folder: Path) -> str:
        """Return that of 15 updates at a constant learning rate, after a warmup."""
        model = one_file.Net()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1.0, weight_decay=0.1)
        own = {"type": "WarmupLR", "params": {"warmup_max_lr": 1e-3, "warmup_num_steps": 4, "warmup_type": "linear"}}
        engine, *_ = deepspeed.initialize(model=model, optimizer=optimizer, config=config(1, scheduler=own))
        train(engine, 15)
        engine.save_checkpoint(str(folder))
        return str(folder)

    def engine(self, max_lr: float, **options: Any) -> Any:
        model = one_file.Net()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1.0, weight_decay=0.1)
        keys = {
            "train_iters": 40,
            "clock": "iters",
            "lr_warmup_steps": 4,
            "max_lr": max_lr,
            "lr_decay_style": "constant",
        }
        make = adapter.lr_scheduler(Schedule(**keys), **options)
        return deepspeed.initialize(model=model, optimizer=optimizer, lr_scheduler=make, config=config(1))[0]

    def test_its_checkpoint_is_taken_where_the_curves_meet(self, tmp_path: Path) -> None:
        engine = self.engine(1e-3, override_opt_param_scheduler=True)
        engine.load_checkpoint(self.checkpoint(tmp_path))
        assert (engine.lr_scheduler.last_epoch, engine.get_lr()) == (15, [1e-3])

    def test_it_is_refused_where_they_do_not(self, tmp_path: Path) -> None:
        engine = self.engine(2e-3, override_opt_param_scheduler=True)
        with pytest.raises(StateError, match=r"would jump: after 15 updates it is 0\.001, and the schedule has 0\.002"):
            engine.load_checkpoint(self.checkpoint(tmp_path))

    def test_without_override_it_says_how_to_go_on(self, tmp_path: Path) -> None:
        with pytest.raises(StateError, match=r"after 15 updates.*override_opt_param_scheduler=True"):
            self.engine(1e-3).load_checkpoint(self.checkpoint(tmp_path))


class TestTraps:
    def test_a_scheduler_block_that_deepspeed_would_ignore_is_refused(self, schedule: Schedule, tmp_path: Path) -> None:
        path = tmp_path / "ds.json"
        path.write_text('{"scheduler": {"type": "WarmupLR"}}')
        for given, where in (
            (path, str(path)),
            (str(path), str(path)),
            ({"scheduler": {"type": "WarmupLR"}}, "config"),
        ):
            with pytest.raises(ConfigError, match="is ignored by DeepSpeed") as refused:
                adapter.lr_scheduler(schedule, config=given)
            assert where in str(refused.value)

    def test_a_config_that_cannot_be_read_is_refused(self, schedule: Schedule, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"nowhere\.json: cannot be read as DeepSpeed's config"):
            adapter.lr_scheduler(schedule, config=tmp_path / "nowhere.json")

    def test_another_number_of_updates_is_refused(self, schedule: Schedule) -> None:
        with pytest.raises(ConfigError, match="is 40 updates, and the trainer makes 18"):
            engine_of(schedule, lr_scheduler=adapter.lr_scheduler(schedule, num_training_steps=18))

    def test_an_error_within_a_step_does_not_become_a_jump(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """DeepSpeed catches a TypeError of step(), and calls step(train_batch_size), in torch's signature an epoch."""
        model = one_file.Net()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1.0)
        schedule = Schedule(train_iters=40, clock="iters", max_lr=1e-3, lr_decay_style=Failing())
        make = adapter.lr_scheduler(schedule)
        engine, *_ = deepspeed.initialize(model=model, optimizer=optimizer, lr_scheduler=make, config=config())
        train(engine, 3)
        monkeypatch.setattr(Failing, "fails", True)
        with pytest.raises(PluginError, match="fails at step 4: TypeError: of a plugin"):
            train(engine, 1)
        assert engine.lr_scheduler.last_epoch == 3

    def test_it_is_an_object_that_is_true_and_cannot_be_called(self, schedule: Schedule) -> None:
        """DeepSpeed takes what can be called for a factory, and what is false for nothing."""
        model = one_file.Net()
        scheduler = ScheduledLR(torch.optim.AdamW(schedule.param_groups(model), lr=1.0), schedule)
        assert scheduler
        assert not callable(scheduler)

    @pytest.mark.parametrize("stage", [0, 1, 2])
    def test_updates_group_by_group_are_counted_as_one(self, schedule: Schedule, stage: int) -> None:
        engine = engine_of(schedule, stage)
        with warnings.catch_warnings():
            warnings.simplefilter("error", SchedframeWarning)
            train(engine, 40)
        assert engine.lr_scheduler.rate.updates == engine.lr_scheduler.rate.calls == 40

    @pytest.mark.parametrize("stage", [0, 1, 2])
    def test_a_loop_that_steps_it_beside_the_engine_is_reported(self, schedule: Schedule, stage: int) -> None:
        engine = engine_of(schedule, stage)
        with pytest.warns(SchedframeWarning, match="DeepSpeed, .* step the scheduler themselves"):
            train(engine, 12, after=engine.lr_scheduler.step)


def test_the_script_of_the_page_runs(tmp_path: Path) -> None:
    printed = pages.run_scripts("use-in-deepspeed.md", tmp_path, **pages.process_group())
    assert "'schedule/step': 320, " in printed
