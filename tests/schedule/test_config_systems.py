"""A schedule in the configuration systems of trainers: their own packages, and what Python has."""

import argparse
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

import schedframe
from schedframe import ConfigError, Schedule

from ..test_plain import EVERYTHING


class TestHydra:
    """``hydra.utils.instantiate`` on what a config of Hydra holds, OmegaConf's containers."""

    def instantiate(self, config: dict[str, Any], **options: Any) -> Any:
        utils, omegaconf = pytest.importorskip("hydra.utils"), pytest.importorskip("omegaconf")
        return utils.instantiate(omegaconf.OmegaConf.create(config), **options)

    @pytest.mark.parametrize("options", [{}, {"_convert_": "all"}, {"_recursive_": False}])
    def test_keys_with_every_table_and_list(self, options: dict[str, Any]) -> None:
        assert self.instantiate({"_target_": "schedframe.Schedule", **EVERYTHING}, **options) == Schedule(**EVERYTHING)

    def test_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "run.yaml").write_text("{max_lr: 1.0, lr_decay_steps: 100}")
        config = {"_target_": "schedframe.load", "path": str(tmp_path / "run.yaml")}
        assert self.instantiate(config) == Schedule(max_lr=1.0, lr_decay_steps=100)

    def test_an_interpolation_and_a_key_of_the_call(self) -> None:
        utils, omegaconf = pytest.importorskip("hydra.utils"), pytest.importorskip("omegaconf")
        config = {"peak": 0.5, "schedule": {"_target_": "schedframe.Schedule", "max_lr": "${peak}"}}
        schedule = utils.instantiate(omegaconf.OmegaConf.create(config).schedule, lr_decay_steps=100)
        assert schedule == Schedule(max_lr=0.5, lr_decay_steps=100)

    def test_what_is_wrong_is_the_cause(self) -> None:
        errors = pytest.importorskip("hydra.errors")
        with pytest.raises(errors.InstantiationException) as caught:
            self.instantiate({"_target_": "schedframe.Schedule", "max_lr": 1.0, "lr_decay_style": "cosin"})
        assert isinstance(caught.value.__cause__, ConfigError)
        assert "did you mean 'cosine'" in str(caught.value.__cause__)


@dataclass
class Config:
    """A user's own class, with some of the keys."""

    max_lr: float = 1e-3
    train_samples: int | None = 1000
    lr_decay_style: Any = field(default_factory=lambda: {"style": "WSD", "wsd_decay_steps": "10%"})
    start_wd: float | None = None


WSD = Schedule(max_lr=1e-3, train_samples=1000, lr_decay_style={"style": "WSD", "wsd_decay_steps": "10%"})


def test_a_dataclass() -> None:
    assert Schedule(**asdict(Config())) == WSD


def test_a_structured_config_of_omegaconf() -> None:
    omegaconf = pytest.importorskip("omegaconf")
    assert Schedule(**omegaconf.OmegaConf.structured(Config)) == WSD


def test_omegaconf_takes_what_a_schedule_gives() -> None:
    omegaconf = pytest.importorskip("omegaconf")
    schedule = Schedule(**EVERYTHING)
    for resolve in (False, True):
        config = omegaconf.OmegaConf.create(schedule.to_dict(resolve=resolve))
        read = omegaconf.OmegaConf.create(omegaconf.OmegaConf.to_yaml(config))
        assert Schedule(**omegaconf.OmegaConf.to_container(read, resolve=True)) == schedule


class TestPydantic:
    class Run(BaseModel):
        """A user's model."""

        model_config = ConfigDict(extra="forbid")
        name: str
        schedule: Schedule

    def test_a_field_takes_keys_or_a_schedule(self) -> None:
        assert self.Run(name="a", schedule=EVERYTHING) == self.Run(name="a", schedule=Schedule(**EVERYTHING))

    def test_what_is_wrong_is_reported_under_the_field(self) -> None:
        with pytest.raises(ValueError, match=r"schedule\n.*max_lr: missing required key: The peak learning rate"):
            self.Run(name="a", schedule={"train_samples": 10})

    def test_a_model_of_the_keys(self) -> None:
        class Keys(BaseModel):
            max_lr: float
            train_samples: int
            lr_decay_style: dict[str, Any]

        keys = Keys(max_lr=1e-3, train_samples=1000, lr_decay_style={"style": "WSD", "wsd_decay_steps": "10%"})
        assert Schedule(**keys.model_dump()) == WSD


class TestArgparse:
    def parsed(self, *words: str, **options: Any) -> argparse.Namespace:
        parser = argparse.ArgumentParser(**options)
        for flag in ("--max-lr", "--min-lr", "--train-samples", "--train-iters", "--lr-decay-style", "--start-wd"):
            parser.add_argument(flag)
        return parser.parse_args(words)

    WORDS = ("--max-lr=3e-4", "--train-samples=500M", "--lr-decay-style=cosine")
    SCHEDULE = Schedule(max_lr=3e-4, train_samples="500M", lr_decay_style="cosine")

    def test_flags_that_are_not_given_are_left_out(self) -> None:
        given = self.parsed(*self.WORDS, argument_default=argparse.SUPPRESS)
        assert Schedule(**vars(given)) == self.SCHEDULE

    def test_a_none_may_stand_for_a_key_without_a_default(self) -> None:
        given = vars(self.parsed(*self.WORDS, "--min-lr=0"))
        assert given["train_iters"] is given["start_wd"] is None
        assert Schedule(**given) == self.SCHEDULE

    def test_and_not_for_another_one(self) -> None:
        with pytest.raises(ConfigError, match="min_lr = None: has no value"):
            Schedule(**vars(self.parsed(*self.WORDS)))


def test_a_file_of_jsonargparse_may_extend_another_where_it_is_a_path(tmp_path: Path) -> None:
    jsonargparse = pytest.importorskip("jsonargparse")
    (tmp_path / "base.toml").write_text("max_lr = 1.0\nlr_decay_steps = 100\n")
    (tmp_path / "run.yaml").write_text("{extends: base.toml, max_lr: 0.5}")

    class Trainer:
        def __init__(self, schedule: Schedule | str | Path) -> None:
            self.schedule = schedule if isinstance(schedule, Schedule) else schedframe.load(schedule)

    parser = jsonargparse.ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(Trainer, "trainer")
    for schedule in (tmp_path / "run.yaml", '{"max_lr": 0.5, "lr_decay_steps": 100}'):
        arguments = parser.parse_args([f"--trainer.schedule={schedule}"])
        assert parser.instantiate(arguments).trainer.schedule == Schedule(max_lr=0.5, lr_decay_steps=100)
