"""`ScheduledLR` as Hydra and torchtune build it, from its dotted path; torchtune is installed by `make adapters`."""

import runpy
from pathlib import Path
from typing import Any

import pytest
import torch

import schedframe
from schedframe import ConfigError, Schedule
from schedframe.adapters.torch import ScheduledLR
from tests.adapters import one_file
from tests.adapters.pages import PAGES, write_scripts

KEYS: dict[str, Any] = {"max_lr": 1e-3, "train_iters": 40, "clock": "iters", "lr_decay_style": "cosine"}
DOTTED = "schedframe.adapters.torch.ScheduledLR"


def sgd() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=1.0)


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(one_file.write_file(tmp_path, "{max_lr: 1e-3, train_iters: 40, clock: iters, lr_decay_style: cosine}"))


def configs(file: str, target: str) -> list[Any]:
    """Return what a config may have for the schedule."""
    return [file, {target: "schedframe.load", "path": file}, {target: "schedframe.Schedule", **KEYS}]


def test_hydra(file: str) -> None:
    utils, omegaconf = pytest.importorskip("hydra.utils"), pytest.importorskip("omegaconf")
    for schedule in configs(file, "_target_"):
        config = omegaconf.OmegaConf.create({"_target_": DOTTED, "schedule": schedule})
        built = utils.instantiate(config, optimizer=sgd(), num_training_steps=40)
        partial = utils.instantiate(config, _partial_=True)
        assert built.schedule == partial(sgd()).schedule == Schedule(**KEYS)


def test_the_script_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("hydra")
    write_scripts(PAGES / "use-a-config-system.md", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert runpy.run_path("train.py")["scheduler"].get_last_lr() == [3e-4]


def test_a_table_alone_says_how_it_becomes_a_schedule() -> None:
    with pytest.raises(
        ConfigError, match=r"is a dict; a table of keys becomes one by schedframe\.Schedule\(\*\*keys\)"
    ):
        ScheduledLR(sgd(), KEYS)  # type: ignore[arg-type]


class TestTorchtune:
    """The call of its recipes: recipes/full_finetune_single_device.py at v0.6.1, ``_setup_lr_scheduler``."""

    def instantiate(self, schedule: Any, optimizer: torch.optim.Optimizer, last_epoch: int = -1, **other: Any) -> Any:
        config, omegaconf = pytest.importorskip("torchtune.config"), pytest.importorskip("omegaconf")
        table = omegaconf.OmegaConf.create({"_component_": DOTTED, "schedule": schedule, **other})
        return config.instantiate(table, optimizer, num_training_steps=40, last_epoch=last_epoch)

    def test_a_resumed_run_goes_on_by_its_number_of_updates(self, file: str) -> None:
        optimizer, resumed = sgd(), sgd()
        scheduler = self.instantiate(file, optimizer)
        for _ in range(15):
            optimizer.step()
            scheduler.step()
        resumed.load_state_dict(optimizer.state_dict())
        went_on = self.instantiate(file, resumed, last_epoch=14)
        assert (went_on.last_epoch, went_on.get_last_lr()) == (15, scheduler.get_last_lr())
        assert went_on.get_last_lr() == [schedframe.load(file).lr_at(15)]

    def test_its_own_function_reads_the_learning_rate(self, file: str) -> None:
        training = pytest.importorskip("torchtune.training")
        optimizer = sgd()
        self.instantiate(file, optimizer)
        assert training.get_lr(optimizer) == 1e-3
