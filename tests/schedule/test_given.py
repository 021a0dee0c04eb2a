"""A schedule on the command line of a program that jsonargparse makes."""

from pathlib import Path
from typing import Any

import pytest

import schedframe
from schedframe import ConfigError, Schedule

jsonargparse = pytest.importorskip("jsonargparse")


def parsed(*arguments: str) -> Any:
    parser = jsonargparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("--schedule", type=Schedule)
    return parser.instantiate(parser.parse_args(arguments)).schedule


def test_each_key_is_an_argument_that_takes_what_a_config_takes() -> None:
    words = "max_lr=3e-4 train_samples=500M lr_warmup_steps=1% min_lr=10% lr_decay_style=cosine".split()
    keys = dict(word.split("=") for word in words)
    assert parsed(*(f"--schedule.{word}" for word in words)) == Schedule(**keys)


def test_a_file_is_taken_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("max_lr: 0.1\nlr_decay_steps: 100\nlr_decay_style: {style: WSD, wsd_decay_steps: 10%}\n")
    assert parsed(f"--schedule={file}") == schedframe.load(file)


def test_a_table_and_one_key_are_joined() -> None:
    table = '{"max_lr": 1.0, "lr_decay_steps": 100, "groups": [{"role": "a", "match": {"index": 0}, "lr_mult": 0.5}]}'
    assert parsed(f"--schedule={table}", "--schedule.max_lr=2.0").lr_at(0, "a") == 1.0


def test_a_class_that_takes_a_schedule_takes_its_keys() -> None:
    class Trainer:
        def __init__(self, schedule: Schedule, steps: int = 1):
            self.schedule = schedule

    parser = jsonargparse.ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(Trainer, "trainer")
    arguments = ["--trainer.schedule.max_lr=1.0", "--trainer.schedule.lr_decay_steps=100"]
    trainer = parser.instantiate(parser.parse_args(arguments)).trainer
    assert trainer.schedule == Schedule(max_lr=1.0, lr_decay_steps=100)


def test_what_is_wrong_is_reported_as_ever() -> None:
    with pytest.raises(ConfigError, match="lr_decay_style = 'cosin': there is no LR style 'cosin'; did you mean"):
        parsed("--schedule.max_lr=1.0", "--schedule.lr_decay_steps=100", "--schedule.lr_decay_style=cosin")


def test_without_an_end_it_says_what_is_missing() -> None:
    with pytest.raises(ConfigError, match="lr_decay_steps: missing required key: Where the decay ends"):
        parsed("--schedule.max_lr=1.0")
