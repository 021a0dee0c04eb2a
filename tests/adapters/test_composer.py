"""A schedule in Composer: its trainer and its checkpoints, in this process."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

import schedframe
from schedframe import ConfigError, Schedule, StateError
from tests.adapters import one_file, pages

pytest.importorskip("composer", reason="runs in an environment of its own: make adapters")
from composer import Callback, ComposerModel, Trainer
from composer.core import DataSpec
from composer.optim import ConstantWithWarmupScheduler

from schedframe.adapters.composer import ScheduleAlgorithm


@pytest.fixture
def schedule(tmp_path: Path) -> Schedule:
    return schedframe.load(one_file.write_file(tmp_path))


class Model(ComposerModel):
    """The net of every trainer, with a loss."""

    def __init__(self) -> None:
        super().__init__()
        self.net = one_file.Net()

    def forward(self, batch: Any) -> torch.Tensor:
        return self.net(batch[0])

    def loss(self, outputs: torch.Tensor, batch: Any, *_: Any) -> torch.Tensor:
        return (outputs - batch[1]).pow(2).mean()


class Recorder(Callback):
    """What the groups hold for each update."""

    def __init__(self) -> None:
        self.values: list[one_file.Values] = []

    def before_train_batch(self, state: Any, logger: Any) -> None:
        self.values.append(one_file.values_of(state.optimizers[0]))


class Run:
    """A run of Composer's trainer; two micro-batches are one update, and an epoch has 20."""

    def __init__(
        self, groups: Any = None, *algorithms: Any, max_duration: str = "40ba", tokens: int = 0, **options: Any
    ) -> None:
        self.model = Model()
        groups = groups.param_groups(self.model.net) if isinstance(groups, Schedule) else self.model.parameters()
        torch.manual_seed(0)
        data = torch.randn(160, 4)
        loader: Any = DataLoader(TensorDataset(data, data[:, :2]), batch_size=8)
        if tokens:
            loader = DataSpec(loader, get_num_tokens_in_batch=lambda batch: tokens * len(batch[0]))
        self.recorder = Recorder()
        self.trainer = Trainer(
            model=self.model,
            optimizers=torch.optim.AdamW(groups, lr=1e-3, weight_decay=0.1),
            train_dataloader=loader,
            max_duration=max_duration,
            algorithms=list(algorithms),
            callbacks=[self.recorder],
            device="cpu",
            device_train_microbatch_size=4,
            progress_bar=False,
            **options,
        )

    def values(self, duration: str | None = None) -> list[one_file.Values]:
        self.trainer.fit(duration=duration)
        return self.recorder.values


def expected(schedule: Schedule) -> list[one_file.Values]:
    return one_file.expected(schedule.param_groups(one_file.Net()), schedule)


def other(max_lr: float, **keys: Any) -> Schedule:
    """Return one curve for all groups."""
    return Schedule(train_iters=40, clock="iters", lr_warmup_steps=4, max_lr=max_lr, lr_decay_style="constant", **keys)


@pytest.mark.parametrize("unit", [None, "batch", "sample", "token"])
@pytest.mark.parametrize("duration", ["40ba", "2ep", "320sp"])
def test_each_update_gets_the_values_of_the_megatron_drop_in(schedule: Schedule, unit: Any, duration: str) -> None:
    run = Run(schedule, ScheduleAlgorithm(schedule, unit=unit), tokens=128, max_duration=duration)
    assert run.values() == expected(schedule)


def test_a_resumed_run_has_the_weights_of_one_that_was_not_killed(schedule: Schedule, tmp_path: Path) -> None:
    saving = {"save_folder": str(tmp_path), "save_interval": "13ba"}
    whole = Run(schedule, ScheduleAlgorithm(schedule), **saving)
    assert whole.values() == expected(schedule)
    resumed = Run(schedule, ScheduleAlgorithm(schedule), load_path=str(tmp_path / "ep1-ba26-rank0.pt"))
    assert resumed.values() == expected(schedule)[26:]
    for ours, its in zip(resumed.model.parameters(), whole.model.parameters(), strict=True):
        assert torch.equal(ours, its)


def test_schedulers_beside_it_are_refused(schedule: Schedule) -> None:
    run = Run(schedule, ScheduleAlgorithm(schedule), schedulers=ConstantWithWarmupScheduler("4ba"))
    with pytest.raises(ConfigError, match="which would write the learning rate; remove it"):
        run.values()


@pytest.mark.parametrize(
    ("duration", "message"),
    [
        ("18ba", "is 40 iters, and the trainer makes 18"),
        ("1ep", "is 40 iters, and the trainer makes 20"),
        ("18sp", "is 320 samples, and the trainer makes 18"),
    ],
)
def test_another_length_is_refused(schedule: Schedule, duration: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Run(schedule, ScheduleAlgorithm(schedule), max_duration=duration).values()


def test_a_unit_that_the_schedule_does_not_know_is_refused() -> None:
    with pytest.raises(ConfigError, match="clock = iters: is iters, and the trainer counts samples"):
        Run(None, ScheduleAlgorithm(other(1e-3), unit="sample")).values()


class TestAnotherScheduler:
    """Going on from a checkpoint of a scheduler of Composer's own."""

    def saved(self, folder: Path) -> str:
        scheduler = ConstantWithWarmupScheduler("4ba")
        Run(None, schedulers=scheduler, save_folder=str(folder), save_interval="20ba").values("20ba")
        return str(next(folder.glob("*-ba20-rank0.pt")))

    def test_it_goes_on_where_the_curves_meet(self, tmp_path: Path) -> None:
        run = Run(None, ScheduleAlgorithm(other(1e-3)), load_path=self.saved(tmp_path))
        assert run.values() == [[[1e-3, 0.1]]] * 20

    def test_it_is_refused_where_they_do_not(self, tmp_path: Path) -> None:
        run = Run(None, ScheduleAlgorithm(other(2e-3)), load_path=self.saved(tmp_path))
        with pytest.raises(StateError, match=r"would jump: after 20 updates it is 0\.001, and the schedule has 0\.002"):
            run.values()

    def test_a_jump_can_be_meant(self, tmp_path: Path) -> None:
        run = Run(None, ScheduleAlgorithm(other(2e-3), allow_jump=True), load_path=self.saved(tmp_path))
        assert run.values() == [[[2e-3, 0.1]]] * 20


def test_the_script_of_the_page_runs(tmp_path: Path) -> None:
    printed = pages.run_scripts("use-in-composer.md", tmp_path)
    schedule = schedframe.load(tmp_path / "run.yaml")
    assert str([(schedule.lr_at(312, role), schedule.wd_at(312, role)) for role in ("default", "head")]) in printed
