"""The mistakes that files make: each is found before anything trains, with its severity and its numbers."""

from pathlib import Path

import pytest

import schedframe
from schedframe._files.config.document import parse_text
from schedframe._schedule.schedule import declare

from ..runs import Optimizer

COSINE = "max_lr: 3e-4\nlr_decay_style: cosine\n"


def found(text: str, code: str) -> str:
    findings = declare(parse_text(Path("run.yaml"), text)).findings()
    return next(str(finding) for finding in findings if finding.code == code)


def test_iterations_that_are_read_as_samples_end_the_schedule_at_once() -> None:
    text = f"train_iters: 100000\nglobal_batch_size: 1024\nlr_decay_steps: 100000\n{COSINE}"
    assert found(text, "SF102") == (
        "run.yaml:3: SF102 warning: lr_decay_steps = 100000: has no unit and is 100000 samples here, 97.7 iterations, "
        "0.098 % of the run; write `100000 iters` if that is meant, else `100000 samples`"
    )
    assert "ends the decay after 0.098 % of the run; the learning rate is 0 from there on" in found(text, "SF203")


def test_a_warmup_in_iterations_that_is_read_as_samples() -> None:
    text = f"train_iters: 100000\nglobal_batch_size: 1024\nlr_warmup_steps: 2000\n{COSINE}"
    assert "is 2000 samples here, 1.95 iterations" in found(text, "SF102")


@pytest.mark.parametrize(
    ("length", "share"),
    [
        ("lr_warmup_steps: 0.1", "10%"),
        ("lr_warmup_steps: .5 iters", "50%"),
        ("lr_decay_style: {style: WSD, wsd_decay_steps: 0.1}", "10%"),
        ("wd_incr_steps: 0.5\nstart_wd: 0.0\nend_wd: 0.1\nwd_incr_style: linear", "50%"),
        ("groups: [{role: r, match: {index: 0}, lr_warmup_steps: 0.2}]", "20%"),
        (
            "lr_decay_style: {style: phases, phases: [{style: constant}, {style: linear, length: 0.3}]}",
            "30%",
        ),
    ],
)
def test_a_fraction_where_a_length_stands_is_an_error(length: str, share: str) -> None:
    text = f"clock: iters\ntrain_iters: 100\nmax_lr: 1e-3\n{length}\n"
    assert f"for that share of lr_decay_steps write {share}" in found(text, "SF101")


def test_a_fraction_for_the_end_of_the_decay_is_a_part_of_the_run() -> None:
    text = "clock: iters\nmax_lr: 1e-3\nlr_decay_steps: 0.9\n"
    assert "for that part of the run write 90% of run" in found(text, "SF101")


@pytest.mark.parametrize("length", ["10%", "0.5%", "1", "0"])
def test_a_percentage_and_a_whole_step_are_no_fractions(length: str) -> None:
    schedule = schedframe.Schedule(clock="iters", train_iters=100, max_lr=1e-3, lr_warmup_steps=length)
    assert "SF101" not in [finding.code for finding in schedule.findings()]


def test_an_error_is_refused_by_the_build() -> None:
    schedule = schedframe.Schedule(clock="iters", train_iters=100, max_lr=1e-3, lr_warmup_steps=0.1)
    with pytest.raises(schedframe.ConfigError, match=r"lr_warmup_steps = 0.1: is less than one step.*\(SF101\)"):
        schedule.build(Optimizer())


def test_a_warning_is_logged_by_the_build(caplog: pytest.LogCaptureFixture) -> None:
    schedule = schedframe.Schedule(clock="iters", train_iters=100, max_lr=3.0)
    schedule.build(Optimizer())
    assert [record.levelname for record in caplog.records if "SF601" in record.getMessage()] == ["WARNING"]


def test_what_a_file_ignores_with_a_reason_is_built() -> None:
    ignore = {"SF101": "a trial of a hundred steps"}
    keys = {"clock": "iters", "train_iters": 100, "max_lr": 1e-3, "lr_warmup_steps": 0.1}
    assert schedframe.Schedule(**keys, ignore=ignore).build(Optimizer())


def test_a_decay_that_outlasts_the_run_names_the_last_learning_rate() -> None:
    text = f"clock: iters\ntrain_iters: 100000\nlr_decay_steps: 200000 iters\n{COSINE}"
    assert "ends after the run, at whose end the learning rate is 0.00015 and min_lr is 0" in found(text, "SF204")


def test_the_decay_without_its_warmup_leaves_the_end_untrained() -> None:
    text = f"clock: iters\ntrain_iters: 220\nlr_warmup_steps: 22\nlr_decay_steps: 198\n{COSINE}"
    assert "leaves the last 10 % of the run at a learning rate of at most 0" in found(text, "SF201")


@pytest.mark.parametrize("style", ["linear", "cosine", "minus_sqrt", "exponential", "quarter-cosine"])
def test_a_curve_that_ends_at_zero_with_the_run_is_right(style: str) -> None:
    schedule = schedframe.Schedule(train_samples="1M", max_lr=3e-4, lr_warmup_steps="1%", lr_decay_style=style)
    assert [str(finding) for finding in schedule.findings() if finding.severity != "note"] == []


def test_findings_of_a_role_name_its_rule() -> None:
    rule = {"role": "router", "match": {"param": "*.router.*"}, "max_lr": 0.5}
    schedule = schedframe.Schedule(train_samples="1M", max_lr=3e-4, groups=[rule])
    (found,) = (finding for finding in schedule.findings() if finding.code == "SF601")
    assert (found.path, found.role) == ("groups.0.max_lr", "router")


def test_a_branch_counts_positions_from_the_start_of_the_run() -> None:
    schedule = schedframe.Schedule(start_step=1000, train_samples=1000, max_lr=3e-4, lr_decay_steps=300)
    (found,) = (finding for finding in schedule.findings() if finding.code == "SF203")
    assert found.step == 1300


def test_select_and_ignore_take_codes_beginnings_and_names() -> None:
    schedule = schedframe.Schedule(train_samples="1M", max_lr=3.0, lr_warmup_steps="30%")
    assert {finding.code for finding in schedule.findings(select=["SF6"])} == {"SF601"}
    assert "SF601" not in {finding.code for finding in schedule.findings(ignore=["implausible-max-lr"])}


def test_an_unknown_rule_is_refused_with_the_nearest_one() -> None:
    schedule = schedframe.Schedule(train_samples="1M", max_lr=1e-3)
    with pytest.raises(schedframe.ConfigError, match="there is no rule 'implausible-max-rl'; did you mean"):
        schedule.findings(select=["implausible-max-rl"])
