"""The loss of a run, from every format of log."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

from schedframe import ForesightError, LogError
from schedframe.foresight import fit, log_of, loss_laws, read

from ..logs import lines, write
from .conftest import COSINE


def test_megatrons_lines_have_loss_and_learning_rate(tmp_path: Path) -> None:
    log = read(write(tmp_path / "a.log", lines(lambda n: n / 1000, [10, 20])))
    assert (log.steps.tolist(), log.loss.tolist(), log.lr.tolist()) == ([10, 20], [2.345678] * 2, [0.01, 0.02])


def test_the_columns_can_be_named(tmp_path: Path) -> None:
    log = read(write(tmp_path / "a.csv", ["update,val_loss", "5,3.5"]), loss="val_loss", step="update")
    assert (log.steps.tolist(), log.loss.tolist(), log.lr) == ([5], [3.5], None)


def test_loss_and_learning_rate_can_stand_in_records_of_their_own(tmp_path: Path) -> None:
    rows = [{"step": 1, "train/loss": 3.0}, {"step": 1, "train/lr": 0.5}]
    assert read(write(tmp_path / "a.jsonl", map(json.dumps, rows))).lr.tolist() == [0.5]


def test_the_last_value_of_an_update_counts(tmp_path: Path) -> None:
    log = read(write(tmp_path / "a.csv", ["step,loss", "1,4", "2,3.5", "3,9", "2,3.4", "3,3"]))
    assert (log.steps.tolist(), log.loss.tolist()) == ([1, 2, 3], [4, 3.4, 3])


def test_losses_that_are_no_finite_numbers_are_counted(tmp_path: Path) -> None:
    log = read(write(tmp_path / "a.csv", ["step,loss", "1,4", "2,nan", "3,inf", "4,none"]))
    assert (len(log), log.unreadable) == (1, 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (["step,accuracy", "1,0.5"], "no update with the number 'loss' was found in it as CSV; name its columns"),
        (["step,loss", "1,nan"], "no update with a finite loss was found"),
        ([""], "no update with the number 'loss'"),
    ],
)
def test_a_log_without_losses_is_refused(tmp_path: Path, text: list[str], words: str) -> None:
    with pytest.raises(LogError, match=words):
        read(write(tmp_path / "a.csv", text))


def test_columns_of_other_lengths_are_refused() -> None:
    with pytest.raises(LogError, match="must be columns of one length"):
        log_of([1, 2], [3.0])


PIECES = (
    b"step,loss\n1,3\n2,nan\n",
    b'{"step": 1, "loss": 3}\n',
    b'{"step": 1e400, "loss": "x"}\n',
    b" iteration 5/ 10 | lm loss: 1.2E+00 |\n",
    b"\x00\xff\xfe\x80",
    b"brain.Event:2",
    b'{"log_history": [{"step": 1, "loss": -1e308}, {"step": 2, "loss": 1e308}]}',
    b"step,loss,loss\n1,2,3\n",
    b"99999999999999999999,1\n",
    b"[" * 3000,
)


@pytest.mark.parametrize("seed", range(1000))
def test_a_random_log_is_read_or_refused_with_a_message(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    content = b"".join(
        rng.choice(PIECES) if rng.random() < 0.7 else rng.randbytes(rng.randrange(200)) for _ in range(rng.randrange(9))
    )
    path = tmp_path / rng.choice(["a.log", "a.csv", "a.jsonl", "a.json", "events.tfevents.1"])
    path.write_bytes(content)
    try:
        fit([(read(path), COSINE)])
    except (LogError, ForesightError) as error:
        said = str(error)
    assert str(path) in said


def values(rng: np.random.Generator, count: int) -> np.ndarray:
    """Losses of some kind."""
    kinds = (
        lambda: np.full(count, 3.0),
        lambda: 3.0 + rng.normal(0, 1e-9, count),
        lambda: np.abs(rng.standard_cauchy(count)),
        lambda: np.full(count, 1e308),
        lambda: np.full(count, 5e-324),
        lambda: rng.choice([np.nan, np.inf, 1.0, -1.0], count),
        lambda: np.linspace(4, 3, count) + rng.normal(0, 0.01, count),
        lambda: np.linspace(3, 4, count),
        lambda: np.exp(rng.normal(0, 300, count).clip(-700, 700)),
    )
    return kinds[rng.integers(len(kinds))]()


@pytest.mark.parametrize("seed", range(150))
def test_random_losses_are_fitted_or_refused_with_a_message(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.choice([1, 2, 5, 12, 50, 300]))
    steps = rng.uniform(0, rng.choice([100, 10_000, 20_000]), count)
    try:
        found = fit([(log_of(steps, values(rng, count), name="train.log"), COSINE)], rng.choice(list(loss_laws)))
    except (LogError, ForesightError) as error:
        assert "train.log" in str(error)  # noqa: PT017
    else:
        assert np.isfinite(found.vector).all()
