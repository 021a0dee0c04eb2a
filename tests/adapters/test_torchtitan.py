"""A schedule in torchtitan: its optimizers, its containers and its checkpoints, in this process."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import schedframe
from schedframe import ConfigError, StateError
from tests.adapters import one_file, pages

pytest.importorskip("torchtitan", reason="runs in an environment of its own: make adapters")
from torchtitan.components.checkpointer.dcp import CheckpointManager
from torchtitan.components.optimizer import LRSchedulersContainer, OptimizersContainer, ParamGroupConfig

from schedframe.adapters.torchtitan import ScheduleContainer


@pytest.fixture(scope="module", autouse=True)
def process_group() -> Iterator[None]:
    os.environ.update(pages.process_group())
    torch.distributed.init_process_group("gloo")
    yield
    torch.distributed.destroy_process_group()


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(one_file.write_file(tmp_path))


def group(pattern: str, name: str = "AdamW", weight_decay: float = 0.1) -> ParamGroupConfig:
    return ParamGroupConfig(
        pattern=pattern, optimizer_name=name, optimizer_kwargs={"lr": 1e-3, "weight_decay": weight_decay}
    )


BODY_AND_HEAD = (group("body"), group("head", "Adam"))
UNDECAYED = (group("body.bias", weight_decay=0.0), group("head"), group("body"))


class Run:
    """What torchtitan's trainer builds, and its training step."""

    def __init__(self, lr_scheduler: Any, *groups: ParamGroupConfig, folder: Path = Path(), steps: int = 40) -> None:
        self.model = one_file.Net()
        groups = groups or BODY_AND_HEAD
        config = OptimizersContainer.Config(param_groups=list(groups), implementation="for-loop")
        self.optimizers = config.build(model_parts=[self.model])
        self.lr_schedulers = lr_scheduler.build(optimizers=self.optimizers, training_steps=steps)
        self.checkpointer = CheckpointManager.Config(enable=True, folder="checkpoint", interval=1).build(
            dataloader=None,
            model_parts=[self.model],
            optimizers=self.optimizers,
            lr_schedulers=self.lr_schedulers,
            states={},
            sd_adapter=None,
            base_folder=str(folder),
        )

    def values(self) -> one_file.Values:
        return [value for optimizer in self.optimizers for value in one_file.values_of(optimizer)]

    def train(self, updates: int, first: int = 0) -> list[one_file.Values]:
        values = []
        for update in range(first, first + updates):
            torch.manual_seed(update)
            self.optimizers.zero_grad()
            values.append(self.values())
            for _ in range(2):
                self.model(torch.randn(4, 4)).pow(2).mean().backward()
            self.optimizers.step()
            self.lr_schedulers.step()
        return values


def config(file: str, **options: Any) -> ScheduleContainer.Config:
    return ScheduleContainer.Config(schedule=file, **options)


def expected(file: str) -> list[one_file.Values]:
    schedule = schedframe.load(file)
    return one_file.expected(schedule.param_groups(one_file.Net()), schedule)


def other_file(folder: Path, **keys: Any) -> str:
    """Write a file with one curve for all groups."""
    path = folder / "other.yaml"
    values = {"train_iters": 40, "clock": "iters", "lr_warmup_steps": 4, "max_lr": 1e-3, "lr_decay_style": "constant"}
    path.write_text("\n".join(f"{key}: {value}" for key, value in {**values, **keys}.items()))
    return str(path)


def test_two_optimizers_get_the_values_of_the_megatron_drop_in(file: str) -> None:
    assert Run(config(file)).train(40) == expected(file)


def test_one_optimizer_with_two_groups_gets_them(file: str) -> None:
    assert Run(config(file), group("body"), group("head")).train(40) == expected(file)


def test_a_group_without_weight_decay_keeps_none(file: str) -> None:
    run = Run(config(file), *UNDECAYED)
    assert {wd for [[_, wd], *_] in run.train(40)} == {0.0}


def test_it_stands_where_the_trainer_expects_its_own(file: str) -> None:
    run = Run(config(file))
    assert isinstance(run.lr_schedulers, LRSchedulersContainer)
    assert isinstance(config(file), LRSchedulersContainer.Config)
    assert len(run.lr_schedulers) == len(list(run.lr_schedulers)) == 1
    assert config(file).to_dict()["schedule"] == file


def test_the_metrics_are_those_of_the_update(file: str) -> None:
    run = Run(config(file))
    run.train(12)
    metrics = run.lr_schedulers.get_metrics()
    assert [metrics["schedule/default/lr"], metrics["schedule/default/wd"]] == expected(file)[12][0]
    assert metrics["schedule/head/lr"] == expected(file)[12][1][0]


@pytest.mark.parametrize("groups", [BODY_AND_HEAD, UNDECAYED])
def test_a_resumed_run_has_the_weights_of_one_that_was_not_killed(file: str, groups: Any, tmp_path: Path) -> None:
    whole = Run(config(file), *groups, folder=tmp_path)
    values = whole.train(20)
    whole.checkpointer.save(20)
    values += whole.train(20, first=20)
    resumed = Run(config(file), *groups, folder=tmp_path)
    resumed.checkpointer.load(20)
    assert resumed.train(20, first=20) == values[20:]
    for ours, its in zip(resumed.model.parameters(), whole.model.parameters(), strict=True):
        assert torch.equal(ours, its)


def test_another_schedule_on_resume_is_refused(file: str, tmp_path: Path) -> None:
    run = Run(config(file), folder=tmp_path)
    run.train(20)
    run.checkpointer.save(20)
    schedule = re.sub(r"lr_decay_style: .*", "lr_decay_style: cosine", one_file.FILE)
    resumed = Run(config(str(one_file.write_file(tmp_path, schedule))), folder=tmp_path)
    with pytest.raises(StateError, match="lr_decay_style"):
        resumed.checkpointer.load(20)


class TestTorchtitansOwn:
    """Going on from a checkpoint of the scheduler that torchtitan has."""

    def saved(self, folder: Path) -> Run:
        """Save that of 15 updates: a warmup, then a constant learning rate."""
        run = Run(LRSchedulersContainer.Config(warmup_steps=4, decay_ratio=0.1), folder=folder)
        run.train(15)
        run.checkpointer.save(15)
        return run

    def test_it_goes_on_where_the_curves_meet(self, tmp_path: Path) -> None:
        native = self.saved(tmp_path)
        run = Run(config(other_file(tmp_path), override_opt_param_scheduler=True), folder=tmp_path)
        run.checkpointer.load(15)
        assert run.lr_schedulers.schedulers[0].last_epoch == 15
        assert run.train(20, first=15) == native.train(20, first=15)

    def test_it_is_refused_where_they_do_not(self, tmp_path: Path) -> None:
        self.saved(tmp_path)
        run = Run(config(other_file(tmp_path, max_lr=2e-3), override_opt_param_scheduler=True), folder=tmp_path)
        with pytest.raises(StateError, match=r"would jump: after 15 updates it is 0\.001, and the schedule has 0\.002"):
            run.checkpointer.load(15)

    def test_a_jump_can_be_meant(self, tmp_path: Path) -> None:
        self.saved(tmp_path)
        file = other_file(tmp_path, max_lr=2e-3)
        run = Run(config(file, override_opt_param_scheduler=True, allow_jump=True), folder=tmp_path)
        run.checkpointer.load(15)
        assert run.values() == [[2e-3, 0.1]] * 2

    def test_groups_that_have_no_weight_decay_load_it_too(self, tmp_path: Path) -> None:
        """DCP asks for each key that a group has: none may be added."""
        groups = (group("bias", weight_decay=0.0), group(".*"))
        native = Run(LRSchedulersContainer.Config(warmup_steps=4, decay_ratio=0.1), *groups, folder=tmp_path)
        native.train(15)
        native.checkpointer.save(15)
        file = other_file(tmp_path, start_wd=0.1, end_wd=0.1)
        run = Run(config(file, override_opt_param_scheduler=True), *groups, folder=tmp_path)
        run.checkpointer.load(15)
        assert run.values() == [[1e-3, 0.0], [1e-3, 0.1]]

    def test_it_takes_a_checkpoint_of_a_schedule_back(self, tmp_path: Path) -> None:
        run = Run(config(other_file(tmp_path)), folder=tmp_path)
        run.train(15)
        run.checkpointer.save(15)
        native = Run(LRSchedulersContainer.Config(warmup_steps=4, decay_ratio=0.1), folder=tmp_path)
        native.checkpointer.load(15)
        assert native.lr_schedulers.schedulers[0].last_epoch == 15
        assert native.train(20, first=15) == run.train(20, first=15)


class TestTraps:
    def test_the_step_that_makes_an_optimizers_state_is_not_counted(self, file: str, tmp_path: Path) -> None:
        run = Run(config(file), folder=tmp_path)
        run.checkpointer.save(1)
        run.train(20)
        rate = run.lr_schedulers.schedulers[0].rate
        assert rate.updates == rate.calls == 20

    def test_another_number_of_steps_is_refused(self, file: str) -> None:
        with pytest.raises(ConfigError, match="is 40 updates, and the trainer makes 18"):
            Run(config(file), steps=18)


def test_the_script_of_the_page_runs(tmp_path: Path) -> None:
    assert "schedule='run.yaml'" in pages.run_scripts("use-in-torchtitan.md", tmp_path)
