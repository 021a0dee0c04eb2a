"""A schedule in OLMo-core: its trainer and its checkpoints, in this process, on a tiny transformer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

import schedframe
from schedframe import ConfigError, StateError
from tests.adapters import one_file, pages

pytest.importorskip("olmo_core", reason="runs in an environment of its own: make adapters")
from olmo_core.data import NumpyDataLoaderConfig, NumpyFSLDatasetConfig, TokenizerConfig
from olmo_core.nn.transformer import TransformerConfig
from olmo_core.optim import AdamWConfig, ConstantWithWarmup, OptimGroupOverride
from olmo_core.optim.scheduler import Scheduler, SchedulerUnits
from olmo_core.train import Duration, TrainerConfig, prepare_training_environment, teardown_training_environment
from olmo_core.train.callbacks import Callback, CheckpointerCallback
from olmo_core.train.train_module import TransformerTrainModuleConfig

from schedframe.adapters.olmo_core import ScheduleFile

TOKENS = 1024
"""Of a batch: 8 sequences of 128."""

HEAD = OptimGroupOverride(params=["lm_head*"], opts={"role": "head"})


@pytest.fixture(scope="module", autouse=True)
def environment() -> Iterator[None]:
    prepare_training_environment(backend=None)
    yield
    teardown_training_environment()


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(one_file.write_file(tmp_path))


class Recorder(Callback):
    """What the groups hold for each update."""

    def pre_train(self) -> None:
        self.values: list[one_file.Values] = []

    def post_train_batch(self) -> None:
        self.values.append(one_file.values_of(self.trainer.train_module.optim))


class Run:
    """A run of OLMo-core's trainer; two micro-batches are one update."""

    def __init__(
        self,
        folder: Path,
        scheduler: Any,
        *overrides: OptimGroupOverride,
        duration: Any = None,
        stop_at: int | None = None,
        with_tensors: bool = False,
    ) -> None:
        data = folder / "data.npy"
        numpy.random.default_rng(0).integers(2, 60, size=40 * TOKENS).astype("uint8").tofile(data)
        tokenizer = TokenizerConfig(vocab_size=64, eos_token_id=0, pad_token_id=1)
        paths = {"paths": [str(data)], "work_dir": str(folder / "work")}
        dataset = NumpyFSLDatasetConfig(sequence_length=128, tokenizer=tokenizer, **paths).build()
        loader = NumpyDataLoaderConfig(global_batch_size=TOKENS, seed=0).build(dataset)
        torch.manual_seed(0)
        model = TransformerConfig.llama_like(d_model=16, vocab_size=64, n_layers=1, n_heads=2).build(init_device="cpu")
        self.module = TransformerTrainModuleConfig(
            rank_microbatch_size=TOKENS // 2,
            max_sequence_length=128,
            optim=AdamWConfig(lr=1e-3, weight_decay=0.1, group_overrides=list(overrides)),
            scheduler=scheduler,
        ).build(model)
        if with_tensors:
            for group in self.module.optim.param_groups:
                group["lr"] = torch.tensor(1e-3)
        self.recorder = Recorder()
        self.trainer = TrainerConfig(
            save_folder=str(folder / "checkpoints"),
            max_duration=duration or Duration.steps(40),
            hard_stop=None if stop_at is None else Duration.steps(stop_at),
            metrics_collect_interval=100,
            callbacks={"recorder": self.recorder, "checkpointer": CheckpointerCallback(save_interval=20)},
        ).build(self.module, loader)

    def values(self) -> list[one_file.Values]:
        self.trainer.fit()
        return self.recorder.values

    def weights(self) -> dict[str, torch.Tensor]:
        return {name: value.clone() for name, value in self.module.model.state_dict().items()}


def expected(file: str) -> list[one_file.Values]:
    """Return it for OLMo-core's order: groups with options of their own stand first."""
    schedule = schedframe.load(file)
    return [[head, body] for body, head in one_file.expected(schedule.param_groups(one_file.Net()), schedule)]


def other_file(folder: Path, max_lr: float) -> str:
    keys = f"train_iters: 40\nclock: iters\nlr_warmup_steps: 4\nmax_lr: {max_lr}\nlr_decay_style: constant\n"
    return str(one_file.write_file(folder, keys))


def test_each_update_gets_the_values_of_the_megatron_drop_in(file: str, tmp_path: Path) -> None:
    """The first update is at step 1 of the trainer, and gets what the file has after no update."""
    assert Run(tmp_path, ScheduleFile(schedule=file), HEAD).values() == expected(file)


def test_tokens_can_be_the_position(file: str, tmp_path: Path) -> None:
    scheduler = ScheduleFile(schedule=file, units=SchedulerUnits.tokens)
    assert Run(tmp_path, scheduler, HEAD, duration=Duration.tokens(40 * TOKENS)).values() == expected(file)


def test_a_tensor_is_filled_in_place(file: str, tmp_path: Path) -> None:
    run = Run(tmp_path, ScheduleFile(schedule=file), HEAD, with_tensors=True)
    tensors = [group["lr"] for group in run.module.optim.param_groups]
    assert numpy.allclose(run.values(), expected(file), rtol=1e-6)
    assert all(group["lr"] is tensor for group, tensor in zip(run.module.optim.param_groups, tensors, strict=True))


def test_groups_without_weight_decay_keep_none(file: str, tmp_path: Path) -> None:
    undecayed = OptimGroupOverride(params=["embeddings*"], opts={"weight_decay": 0.0})
    values = Run(tmp_path, ScheduleFile(schedule=file), undecayed, HEAD).values()
    assert {wd for [_, wd], *_ in values} == {0.0}
    assert [rest for _, *rest in values] == expected(file)


def test_a_resumed_run_has_the_weights_of_one_that_was_not_killed(file: str, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("whole", "killed")]
    for folder in folders:
        folder.mkdir()
    whole = Run(folders[0], ScheduleFile(schedule=file), HEAD)
    whole.values()
    Run(folders[1], ScheduleFile(schedule=file), HEAD, stop_at=20).values()
    resumed = Run(folders[1], ScheduleFile(schedule=file), HEAD)
    assert resumed.values() == expected(file)[20:]
    for name, weight in resumed.weights().items():
        assert torch.equal(weight, whole.weights()[name])


def test_it_is_known_by_name(file: str) -> None:
    scheduler = Scheduler.from_dict({"type": "schedframe", "schedule": file})
    assert isinstance(scheduler, ScheduleFile)
    assert scheduler.as_config_dict()["schedule"] == file


@pytest.mark.parametrize("units", list(SchedulerUnits))
def test_a_curve_can_be_asked_for(file: str, units: SchedulerUnits) -> None:
    scheduler = ScheduleFile(schedule=file, units=units)
    batch = TOKENS if units == SchedulerUnits.tokens else 1
    lrs = [scheduler.get_lr(1e-3, current * batch, 40 * batch) for current in range(40)]
    assert lrs == [lr for _, (lr, _) in expected(file)]


@pytest.mark.parametrize(
    ("units", "duration", "message"),
    [
        (SchedulerUnits.steps, Duration.steps(18), "is 40 iters, and the trainer makes 18"),
        (SchedulerUnits.tokens, Duration.tokens(18 * TOKENS), "is 40960 tokens, and the trainer makes 18432"),
    ],
)
def test_another_length_is_refused(
    file: str, units: SchedulerUnits, duration: Any, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        Run(tmp_path, ScheduleFile(schedule=file, units=units), HEAD, duration=duration).values()


def test_tokens_that_a_schedule_does_not_know_are_refused(tmp_path: Path) -> None:
    scheduler = ScheduleFile(schedule=other_file(tmp_path, 1e-3), units=SchedulerUnits.tokens)
    with pytest.raises(ConfigError, match="clock = iters: is iters, and the trainer counts tokens"):
        Run(tmp_path, scheduler, duration=Duration.tokens(40 * TOKENS)).values()


class TestAnotherScheduler:
    """Going on from a checkpoint of a scheduler of OLMo-core's own."""

    def stop(self, folder: Path) -> None:
        Run(folder, ConstantWithWarmup(warmup=4), stop_at=20).values()

    def test_it_goes_on_where_the_curves_meet(self, tmp_path: Path) -> None:
        self.stop(tmp_path)
        assert Run(tmp_path, ScheduleFile(schedule=other_file(tmp_path, 1e-3))).values() == [[[1e-3, 0.1]]] * 20

    def test_it_is_refused_where_they_do_not(self, tmp_path: Path) -> None:
        self.stop(tmp_path)
        with pytest.raises(StateError, match=r"would jump: after 20 updates it is 0\.001, and the schedule has 0\.002"):
            Run(tmp_path, ScheduleFile(schedule=other_file(tmp_path, 2e-3))).values()

    def test_a_jump_can_be_meant(self, tmp_path: Path) -> None:
        self.stop(tmp_path)
        scheduler = ScheduleFile(schedule=other_file(tmp_path, 2e-3), allow_jump=True)
        assert Run(tmp_path, scheduler).values() == [[[2e-3, 0.1]]] * 20


def test_the_script_of_the_page_runs(tmp_path: Path) -> None:
    printed = pages.run_scripts("use-in-olmo-core.md", tmp_path)
    schedule = schedframe.load(tmp_path / "run.yaml")
    wd = schedule.wd_at(312)
    assert str([(schedule.lr_at(312), 0.0), (schedule.lr_at(312, "head"), wd), (schedule.lr_at(312), wd)]) in printed
