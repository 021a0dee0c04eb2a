"""What logs have beside their schedule: right logs are silent, and each fault has its first iteration and its cause."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

import schedframe
from schedframe import LogError, Schedule
from schedframe._tools.audit.audit import Verdict, audit

from ...logs import KEYS, lines, of, write

RUN = Schedule(**KEYS)
TEN = range(10, 1001, 10)
OLD = Schedule(**{**KEYS, "max_lr": 1e-3, "min_lr": 2e-4})
LONG = Schedule(**{**KEYS, "lr_decay_steps": "1500 iters"})
QUICK = Schedule(**{**KEYS, "lr_warmup_steps": "50 iters"})


def verdict(folder: Path, schedule: Schedule, text: Iterable[str], **options: Any) -> Verdict:
    (found,) = audit(schedule, [write(folder / "a.log", text)], **options).verdicts
    return found


Rate = Callable[[int], float]
FAULTS: dict[str, tuple[Rate, dict[str, Any], int, str, str]] = {
    "one step less": (lambda n: of(RUN, n - 1), {}, 10, "off-by-one", "one step less than the run has updates"),
    "one step more": (lambda n: of(RUN, n + 1), {}, 10, "off-by-one", "one step more than the run has updates"),
    "factor 2": (lambda n: 2 * of(RUN, n), {}, 10, "factor", "a factor of 2"),
    "a world size": (lambda n: of(RUN, n) / 8, {}, 10, "factor", "a factor of 1/8"),
    "not stepped": (lambda n: of(RUN, min(n, 400)), {}, 410, "not-stepped", "the value stays 2.325e-4"),
    "skipped": (lambda n: of(RUN, n - 3 * (n >= 500)), {}, 500, "steps-skipped", "3 steps skipped"),
    "skipped, as logged": (
        lambda n: of(RUN, n - 2 * (n >= 300) - (n >= 600)),
        {"skipped": lambda n: 2 * (n == 300) + (n == 600)},
        300,
        "steps-skipped",
        "3 updates skipped, as the log has it (first at iteration 300)",
    ),
    "state not loaded": (lambda n: of(RUN, n - 400 * (n > 400)), {}, 410, "not-restored", "restarted at 0"),
    "other checkpoint": (lambda n: of(RUN, n - 100 * (n > 400)), {}, 410, "resumed-elsewhere", "100 iterations behind"),
    "ahead": (lambda n: of(RUN, n + 50 * (n > 400)), {}, 410, "resumed-elsewhere", "50 iterations ahead of the run"),
    "old bounds": (
        lambda n: of(OLD if n > 400 else RUN, n), {}, 410, "old-bounds", "max_lr 1e-3 and min_lr 2e-4",
    ),
    "old length": (
        lambda n: of(LONG if n > 400 else RUN, n), {}, 410, "other-decay", "1.5K iterations instead of 1K",
    ),
    "other warmup": (lambda n: of(QUICK, n), {}, 10, "other-warmup", "50 iterations instead of 100"),
    "iterations as samples": (RUN.lr_at, {}, 10, "other-unit", "given iters, but the file counts samples"),
    "every rank steps": (lambda n: of(RUN, 4 * n), {}, 10, "other-unit", "advances 4 times as fast"),
    "other batch size": (lambda n: RUN.lr_at(4 * n), {"size": 4}, 10, "batch-size", "40 consumed at iteration 10"),
}  # fmt: skip


@pytest.mark.parametrize("digits", [6, 3])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_has_its_first_iteration_and_its_cause(tmp_path: Path, fault: str, digits: int) -> None:
    rate, options, first, cause, words = FAULTS[fault]
    found = verdict(tmp_path, RUN, lines(rate, TEN, digits=digits, **options))
    assert (found.first.iteration, found.cause.name) == (first, cause)
    assert words in found.cause.sentence


def test_a_ramp_that_did_not_happen_is_named(tmp_path: Path) -> None:
    ramped = Schedule(**{**KEYS, "rampup_batch_size": [2, 2, 1000]})
    found = verdict(tmp_path, ramped, lines(lambda n: ramped.lr_at(8 * n), TEN, size=8))
    assert found.cause.name == "batch-size"


def test_the_rate_of_another_role_is_named(tmp_path: Path) -> None:
    grouped = Schedule(**KEYS, groups=[{"role": "router", "match": {"param": "*router*"}, "max_lr": 1e-4}])
    text = list(lines(lambda n: grouped.lr_at(8 * n, "router"), TEN))
    assert "compare with --role router" in verdict(tmp_path, grouped, text).cause.sentence
    assert not verdict(tmp_path, grouped, text, role="router").different


def test_what_no_cause_explains_is_unknown(tmp_path: Path) -> None:
    found = verdict(tmp_path, RUN, lines(lambda n: of(RUN, n) * (1 + n % 70 / 100), TEN))
    assert found.cause.name == "unknown"


def test_a_restart_before_the_first_difference_is_a_resume(tmp_path: Path) -> None:
    text = [*lines(lambda n: of(RUN, n), range(10, 431, 10)), *lines(lambda n: of(RUN, n - 20), range(410, 1001, 10))]
    found = audit(RUN, [write(tmp_path / "a.log", text)])
    assert found.verdicts[0].cause.name == "resumed-elsewhere"
    assert [(restart.before, restart.iteration) for restart in found.restarts] == [(430, 410)]


STYLES: dict[str, dict[str, Any]] = {
    "cosine": {},
    "WSD": {"lr_decay_style": {"style": "WSD", "wsd_decay_steps": "200 iters"}},
    "linear": {"lr_decay_style": "linear"},
    "inverse-square-root": {"lr_decay_style": "inverse-square-root"},
    "ramped": {"rampup_batch_size": [2, 2, 1000]},
    "iterations": {"clock": "iters"},
    "tokens": {"clock": "tokens", "seq_length": 1024},
    "ramped iterations": {"clock": "iters", "rampup_batch_size": [2, 2, 1000]},
    "ramped tokens": {"clock": "tokens", "seq_length": 1024, "rampup_batch_size": [2, 2, 1000]},
    "groups": {"groups": [{"role": "router", "match": {"param": "*router*"}, "lr_mult": 0.1}]},
}


@pytest.mark.parametrize("every", [1, 10, 100])
@pytest.mark.parametrize("digits", [6, 4, 3])
@pytest.mark.parametrize("style", STYLES)
def test_a_right_log_is_silent(tmp_path: Path, style: str, digits: int, every: int) -> None:
    schedule = Schedule(**{**KEYS, **STYLES[style]})
    found = verdict(tmp_path, schedule, lines(lambda n: of(schedule, n), range(every, 1001, every), digits=digits))
    assert (found.different, found.compared) == (0, 1000 // every)


@pytest.mark.parametrize("style", STYLES)
def test_a_log_of_another_rate_is_not(tmp_path: Path, style: str) -> None:
    schedule = Schedule(**{**KEYS, **STYLES[style]})
    found = verdict(tmp_path, schedule, lines(lambda n: of(schedule, n) * 1.01, TEN))
    assert (found.different, found.first.iteration) == (100, 10)


def test_every_difference_of_a_long_log_is_found(tmp_path: Path) -> None:
    wrong = [1, 700, 1023, 1024, 1025, 2000, 2900]
    long = Schedule(**{**KEYS, "train_iters": 3000, "min_lr": 0})
    text = lines(lambda n: of(long, n) * (1.00001 if n in wrong else 1), range(1, 3001))
    (comparison,) = audit(long, [write(tmp_path / "a.log", text)]).comparisons
    assert [difference.iteration for difference in comparison.differences()] == wrong


def test_restarts_of_a_long_log_are_found(tmp_path: Path) -> None:
    text = [*lines(lambda n: of(RUN, n), range(1, 901)), *lines(lambda n: of(RUN, n), range(701, 1001))]
    found = audit(RUN, [write(tmp_path / name, text) for name in ("a.log", "b.log")])
    assert [(restart.path.name, *restart[1:]) for restart in found.restarts] == [
        ("a.log", 900, 701),
        ("b.log", 1000, 1),
        ("b.log", 900, 701),
    ]
    assert (found.verdicts[0].compared, found.verdicts[0].repeated) == (1000, 1400)


def test_the_last_value_of_an_iteration_counts(tmp_path: Path) -> None:
    text = [*lines(lambda n: 1.0, range(10, 501, 10)), *lines(lambda n: of(RUN, n), TEN)]
    found = verdict(tmp_path, RUN, text)
    assert (found.different, found.compared, found.repeated) == (0, 100, 50)


def test_the_samples_of_the_log_stand_in_for_a_batch_size(tmp_path: Path) -> None:
    keys = {**KEYS, "lr_warmup_steps": 800, "train_samples": 8000}
    del keys["global_batch_size"], keys["train_iters"]
    schedule = Schedule(**keys)
    assert not verdict(tmp_path, schedule, lines(lambda n: schedule.lr_at(8 * n), TEN)).different


def test_iterations_that_cannot_be_converted_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ["step,lr", "1,0.5"])
    with pytest.raises(LogError, match="give global_batch_size in its file"):
        audit(Schedule(max_lr=1.0, lr_decay_steps=100), [path])


def test_a_log_without_a_rate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        LogError, match="no iteration with a learning rate or a weight decay was found; schedframe reads"
    ):
        audit(RUN, [write(tmp_path / "a.log", ["hello"])])


def test_an_update_may_be_logged_with_its_own_rate(tmp_path: Path) -> None:
    rows = [json.dumps({"step": n, "lr": of(RUN, n - 1)}) for n in range(1, 1001)]
    (found,) = audit(RUN, [write(tmp_path / "a.jsonl", rows)]).verdicts
    assert (found.different, found.shown) == (0, "own")


def test_weight_decay_is_compared_where_it_is_logged(tmp_path: Path) -> None:
    schedule = Schedule(**KEYS, start_wd=0.1, end_wd=0.2, wd_incr_style="linear", wd_incr_steps="1000 iters")
    rows = [json.dumps({"iteration": n, "lr": of(schedule, n), "wd": schedule.wd_at(8 * n) * 2}) for n in TEN]
    lr, wd = schedframe.audit(schedule, [write(tmp_path / "a.jsonl", rows)]).verdicts
    assert (lr.different, wd.different, wd.cause.sentence[:13]) == (0, 100, "a factor of 2")


def test_trimmed_zeros_are_no_rounding(tmp_path: Path) -> None:
    rows = ["step,lr", *(f"{n},{of(RUN, n)!r}" for n in TEN), "1001,0.00003"]
    (found,) = audit(RUN, [write(tmp_path / "a.csv", rows)]).verdicts
    assert found.different == 0
    assert found.digits > 15


def test_values_before_the_start_of_a_branch_are_noted(tmp_path: Path) -> None:
    branch = Schedule(**{**KEYS, "train_iters": 600, "lr_warmup_steps": 0}, start_step=4000)
    found = audit(branch, [write(tmp_path / "a.log", lines(lambda n: of(branch, max(n, 500)), TEN))])
    assert (found.verdicts[0].compared, found.verdicts[0].different) == (51, 0)
    assert found.notes == ["49 iterations lie before start_step and were not compared"]


def test_few_digits_are_noted(tmp_path: Path) -> None:
    found = audit(RUN, [write(tmp_path / "a.csv", ["step,lr", *(f"{n},{of(RUN, n):.5f}" for n in TEN)])])
    assert (found.differs, found.notes) == (False, ["lr is logged with 2 digits: smaller differences are not detected"])


def test_the_trainer_of_transformers_logs_the_rate_of_each_update_itself() -> None:
    """Its cosine schedule of 60 steps with 10 of warmup, as transformers 5.24.0 wrote it."""
    schedule = Schedule(max_lr=1e-3, lr_decay_style="cosine", lr_warmup_steps=10, lr_decay_steps=60, clock="iters")
    (found,) = audit(schedule, [Path(__file__).with_name("trainer_state.json")]).verdicts
    assert (found.compared, found.different, found.shown) == (12, 0, "own")


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_rate_that_is_no_finite_number_is_noted(tmp_path: Path, value: str) -> None:
    text = [*lines(lambda n: of(RUN, n), TEN), *lines(lambda n: float(value), [1010])]
    found = audit(RUN, [write(tmp_path / "a.log", text)])
    assert not found.differs
    assert "1 values were not compared, because they are not finite" in found.notes[0]
