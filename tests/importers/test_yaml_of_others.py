"""YAML that other programs read and a schedule file may not have: merge keys, keys given twice, references."""

from pathlib import Path

import pytest

from schedframe import ConfigError

from ..runs import cli
from .imports import imported

MERGED = """\
defaults: &defaults
  learning_rate: 1e-4
  warmup_steps: 5
more: &more {max_steps: 90, warmup_steps: 7}
"""
ARGUMENTS = "lr_scheduler_type: linear\nnum_train_epochs: 1\n"


def test_merge_keys_are_followed_and_own_keys_come_first(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"{MERGED}<<: [*defaults, *more]\nlearning_rate: 2e-4\n{ARGUMENTS}")
    found = imported(tmp_path / "a.yaml")
    assert {key: found.keys[key] for key in ("max_lr", "train_iters", "lr_warmup_steps")} == {
        "max_lr": 2e-4,
        "train_iters": 90,
        "lr_warmup_steps": "5 iters",
    }
    assert {taken.key: taken.lines for taken in found.taken}["max_lr"] == (6,)


def test_a_merge_key_of_what_is_no_table_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"<<: 5\nlearning_rate: 2e-4\n{ARGUMENTS}")
    with pytest.raises(ConfigError, match="line 1: has a merge key '<<' that is no table"):
        imported(tmp_path / "a.yaml")


def test_a_merge_key_is_an_error_in_a_schedule_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.yaml").write_text("clock: iters\ntrain_iters: 9\nmax_lr: 1\n<<: {min_lr: 0.5}\n")
    assert "run.yaml:4: error: has a merge key '<<', which a config cannot have" in cli("check", "run.yaml").out


def test_a_key_that_is_given_twice_is_an_error_where_it_is_read(tmp_path: Path) -> None:
    text = f"save_steps: 5\nsave_steps: 6\nlearning_rate: 1e-4\nmax_steps: 9\n{ARGUMENTS}"
    (tmp_path / "a.yaml").write_text(text)
    assert imported(tmp_path / "a.yaml").keys["max_lr"] == 1e-4
    (tmp_path / "a.yaml").write_text(f"{text}max_steps: 10\nmax_steps: 11\n")
    with pytest.raises(ConfigError, match=r"max_steps: is given twice.*give it with --set max_steps=VALUE"):
        imported(tmp_path / "a.yaml")


def test_a_table_that_is_given_twice_is_an_error_where_a_value_of_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("optimizer: {lr: 1}\noptimizer: {lr: 2}\ntokens: {train_steps: 5}\n")
    with pytest.raises(ConfigError, match="line 2, optimizer: is given twice, first on line 1"):
        imported(tmp_path / "a.yaml", "nanotron")


def test_what_is_given_twice_can_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(f"max_steps: 5\nmax_steps: 6\nlearning_rate: 1e-4\n{ARGUMENTS}")
    done = cli("import", "a.yaml", "--set", "max_steps=7")
    assert (done.code, "train_iters: 7" in done.out) == (0, True), done.err


def test_a_reference_is_the_value_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        f"peak: 3e-4\nrun: {{steps: '${{total}}'}}\ntotal: 80\nlearning_rate: ${{peak}}\nmax_steps: ${{run.steps}}\n"
        f"{ARGUMENTS}"
    )
    found = imported(tmp_path / "a.yaml")
    assert (found.keys["max_lr"], found.keys["train_iters"]) == (3e-4, 80)


@pytest.mark.parametrize(
    ("value", "missing"), [("${LEARNING_RATE}", "LEARNING_RATE"), ("${learning_rate}", "learning_rate"), ("${a}", "b")]
)
def test_a_reference_without_a_value_is_an_error(value: str, missing: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"learning_rate: {value}\nmax_steps: 9\na: ${{b}}\n{ARGUMENTS}")
    with pytest.raises(ConfigError, match=f"line 1, learning_rate.*refers to {missing}, which has no value"):
        imported(tmp_path / "a.yaml")
