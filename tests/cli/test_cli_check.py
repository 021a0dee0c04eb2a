"""``schedframe check``: good, bad, suspect and cut files, folders, formats, exit codes, rules of plugins."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ..runs import Done, cli

GOOD = "lr_decay_steps: 1M\nmax_lr: 1e-3\nlr_warmup_steps: 2%\nlr_decay_style: cosine\nstart_wd: 0.1\n"
SUMMARY = "cosine, max LR 1e-3, min LR 0, warmup 20K, decay 1M, weight decay 0.1"
SUSPECT = "train_iters: 100000\nglobal_batch_size: 1024\nmax_lr: 3e-4\nlr_warmup_steps: 2000\nlr_decay_style: cosine\n"
BAD = "max_lr: -1\nlr_decay_stepz: 5\nlr_decay_style: cosin\n"


@pytest.fixture(autouse=True)
def _in_a_folder_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(BAD)
    (tmp_path / "suspect.yaml").write_text(SUSPECT)
    (tmp_path / "cut.yaml").write_text(GOOD.rstrip("\n"))
    monkeypatch.chdir(tmp_path)


def check(*arguments: str) -> Done:
    return cli("check", *arguments)


def test_a_good_file() -> None:
    assert check("good.yaml") == (0, f"good.yaml: ok\n  {SUMMARY}\n1 note; --notes shows the notes\n", "")


def test_a_bad_file_with_every_problem_on_standard_output() -> None:
    code, out, err = check("bad.yaml")
    assert (code, err) == (2, "")
    assert "bad.yaml:2: error: lr_decay_stepz" in out
    assert "did you mean 'cosine'" in out


def test_a_problem_is_shown_with_its_line() -> None:
    assert "\n2 | lr_decay_stepz: 5\n  | ^^^^^^^^^^^^^^^^^\n" in check("bad.yaml").out


def test_a_missing_file() -> None:
    code, out, err = check("godo.yaml")
    assert (code, err) == (2, "")
    assert out.startswith("godo.yaml: error: does not exist; did you mean 'good.yaml'?\n")


def test_all_files_are_checked() -> None:
    code, out, _ = check("bad.yaml", "good.yaml", "gone.toml")
    assert code == 2
    assert "good.yaml: ok\n" in out
    assert out.splitlines()[-1].startswith("2 of 3 files cannot be loaded, ")


def test_a_cut_file_is_noted() -> None:
    code, out, _ = check("cut.yaml")
    assert code == 0
    assert "cut.yaml: note: does not end with a newline; it may be truncated\n" in out


def test_a_cut_file_that_cannot_be_used_is_noted_too() -> None:
    Path("cut.yaml").write_text(GOOD + "end: 1")
    code, out, _ = check("cut.yaml")
    assert code == 2
    assert "cut.yaml: note: does not end with a newline; it may be truncated\n" in out


def test_json_that_can_be_read_was_not_cut() -> None:
    Path("run.json").write_text('{"lr_decay_steps": 100, "max_lr": 1e-3}')
    code, out, _ = check("run.json")
    assert code == 0
    assert "cut" not in out


# --- findings -------------------------------------------------------------------------------------------------


def test_a_warning_is_exit_code_1() -> None:
    assert check("suspect.yaml").code == 1


def test_a_finding_shows_code_line_caret_and_fix() -> None:
    assert check("suspect.yaml").out.startswith(
        "suspect.yaml:4: SF102 warning: lr_warmup_steps = 2000: has no unit and is 2000 samples here, "
        "1.95 iterations, 0.002 % of the run\n"
        "  |\n4 | lr_warmup_steps: 2000\n  | ^^^^^^^^^^^^^^^^^^^^^\n"
        "  fix: write `2000 iters` if that is meant, else `2000 samples`\n"
    )


def test_notes_are_counted_and_shown_when_asked_for() -> None:
    assert "SF305" not in check("good.yaml").out
    assert "SF305 note" in check("good.yaml", "--notes").out


def test_a_position_is_shown_in_every_known_unit() -> None:
    Path("early.yaml").write_text(SUSPECT.replace("lr_warmup_steps: 2000", "lr_decay_steps: 10000 iters"))
    assert "  at 10.24M samples (10K iters)\n" in check("early.yaml").out


def test_strict_fails_for_notes_too() -> None:
    assert check("good.yaml", "--strict").code == 1


def test_selected_rules_alone_are_used() -> None:
    assert check("suspect.yaml", "--select", "SF2").code == 0
    assert check("suspect.yaml", "--select", "bare-number-of-samples").code == 1


def test_ignored_rules_are_not_used() -> None:
    assert check("suspect.yaml", "--ignore", "SF102").code == 0


def test_an_unknown_rule_is_a_usage_error() -> None:
    code, _, err = check("suspect.yaml", "--select", "SF012")
    assert code == 2
    assert "there is no rule 'SF012'" in err


def test_a_file_ignores_rules_with_a_reason() -> None:
    Path("suspect.yaml").write_text(f"{SUSPECT}ignore: {{SF102: two iterations are enough}}\n")
    assert check("suspect.yaml").code == 0


def test_a_reason_is_needed() -> None:
    Path("suspect.yaml").write_text(f"{SUSPECT}ignore: {{SF102: ''}}\n")
    code, out, _ = check("suspect.yaml")
    assert code == 2
    assert "must give a reason for SF102" in out


# --- folders and standard input -------------------------------------------------------------------------------


def test_a_folder_is_searched_for_schedules() -> None:
    Path("configs", "deep").mkdir(parents=True)
    Path("configs", "deep", "one.yaml").write_text(GOOD)
    Path("configs", "two.toml").write_text('extends = "deep/one.yaml"\n')
    Path("configs", "model.yaml").write_text("hidden_size: 4096\n")
    out = check("configs").out
    assert [line for line in out.splitlines() if line.endswith(": ok")] == [
        "configs/two.toml: ok",
        "configs/deep/one.yaml: ok",
    ]


def test_a_broken_schedule_in_a_folder_is_found() -> None:
    Path("configs").mkdir()
    Path("configs", "broken.yaml").write_text("max_lr: [1e-3\n")
    assert check("configs").code == 2


def test_a_folder_without_schedules_is_an_error() -> None:
    Path("empty").mkdir()
    assert check("empty") == (2, "", "empty: holds no YAML, TOML or JSON file with the key max_lr\n")


def test_without_a_path_the_current_folder_is_searched() -> None:
    assert "bad.yaml:1: error" in check().out


def test_standard_input_is_read() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "schedframe", "check", "-"], input=SUSPECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout.startswith("<stdin>:4: SF102 warning")


# --- formats --------------------------------------------------------------------------------------------------


def test_json() -> None:
    code, out, err = check("good.yaml", "bad.yaml", "cut.yaml", "gone.yaml", "--format", "json")
    assert (code, err) == (2, "")
    good, bad, cut, gone = json.loads(out)["files"]
    assert (good["ok"], good["schedule"], good["notes"]) == (True, SUMMARY, [])
    assert [finding["code"] for finding in good["findings"]] == ["SF305"]
    assert cut["notes"] == ["does not end with a newline; it may be truncated"]
    assert (bad["ok"], bad["schedule"]) == (False, None)
    assert [(finding["path"], finding["line"]) for finding in bad["findings"]] == [
        ("lr_decay_steps", None),
        ("max_lr", 1),
        ("lr_decay_stepz", 2),
        ("lr_decay_style", 3),
    ]
    assert gone["findings"][0]["message"] == "does not exist; did you mean 'good.yaml'?"


def test_json_of_a_finding_has_positions_in_units() -> None:
    Path("early.yaml").write_text(SUSPECT.replace("lr_warmup_steps: 2000", "lr_decay_steps: 10000 iters"))
    (file,) = json.loads(check("early.yaml", "--format", "json").out)["files"]
    found = next(finding for finding in file["findings"] if finding["code"] == "SF203")
    assert (found["step"], found["units"]) == (10_240_000, {"samples": 10_240_000, "iters": 10_000})


def test_github_annotates_the_line() -> None:
    out = check("suspect.yaml", "--format", "github").out
    assert out.startswith(
        "::warning file=suspect.yaml,line=4,title=SF102 bare-number-of-samples::lr_warmup_steps = 2000"
    )
    assert "0.002 %25 of the run" in out


def test_sarif_names_rules_and_lines() -> None:
    sarif = json.loads(check("suspect.yaml", "--format", "sarif").out)
    (run,) = sarif["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} <= rules
    found = next(result for result in run["results"] if result["ruleId"] == "SF102")
    assert found["locations"][0]["physicalLocation"]["region"] == {"startLine": 4}


def test_without_a_terminal_there_are_no_colours() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "schedframe", "check", "suspect.yaml"], capture_output=True, check=False
    )
    assert b"\x1b[" not in done.stdout


# --- policy checks and rules of plugins -------------------------------------------------------------------------

HOUSE_RULE = """
    import warnings
    import schedframe

    @schedframe.hookimpl
    def schedframe_check(schedule):
        if schedule.max_lr > 1e-4:
            warnings.warn("the cap is new", schedframe.SchedframeWarning)
            return [f"max_lr {schedule.max_lr} is above this cluster's cap of 1e-4"]
"""

RULE = """
    import schedframe
    from schedframe.lint import Found, rule

    @rule("ACME01", "pilot-run", "warning")
    def find_pilot_runs(context):
        if context.end < 20_000_000:
            yield Found("lr_decay_steps", "is shorter than a pilot run", "give it 20M steps")

    @schedframe.hookimpl
    def schedframe_rules():
        return [find_pilot_runs]
"""


def check_with(site: Path, *arguments: str) -> subprocess.CompletedProcess:
    path = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH"))))
    return subprocess.run(
        [sys.executable, "-m", "schedframe", "check", *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_failed_policy_check_is_an_error_with_the_name_of_its_plugin(install: Callable[..., Path]) -> None:
    site = install("house", HOUSE_RULE, hooks={"house": "house_mod"})
    done = check_with(site, "good.yaml")
    assert done.returncode == 1
    assert "SF001 error: max_lr 0.001 is above this cluster's cap of 1e-4\n  a rule of house 1.0" in done.stdout
    assert done.stderr == "warning: the cap is new\n"


def test_a_policy_check_that_is_kept_is_silent(install: Callable[..., Path]) -> None:
    site = install("house", HOUSE_RULE, hooks={"house": "house_mod"})
    Path("slow.yaml").write_text(GOOD.replace("1e-3", "1e-5"))
    assert check_with(site, "slow.yaml").returncode == 0


def test_a_file_cannot_ignore_a_policy_check(install: Callable[..., Path]) -> None:
    site = install("house", HOUSE_RULE, hooks={"house": "house_mod"})
    Path("good.yaml").write_text(f"{GOOD}ignore: {{SF001: we know better}}\n")
    assert check_with(site, "good.yaml").returncode == 1


def test_a_hook_plugin_that_cannot_be_loaded_is_named(install: Callable[..., Path]) -> None:
    site = install("house", "1 / 0", hooks={"house": "house_mod"})
    done = check_with(site, "good.yaml")
    assert done.returncode == 2
    assert "the hook plugin house 1.0 (house_mod) cannot be loaded: ZeroDivisionError" in done.stderr


def test_a_plugin_adds_a_rule(install: Callable[..., Path]) -> None:
    site = install("acme", RULE, hooks={"acme": "acme_mod"})
    done = check_with(site, "good.yaml")
    assert done.returncode == 1
    assert "good.yaml:1: ACME01 warning: lr_decay_steps = '1M': is shorter than a pilot run\n" in done.stdout


def test_a_rule_of_a_plugin_can_be_ignored_in_the_file(install: Callable[..., Path]) -> None:
    site = install("acme", RULE, hooks={"acme": "acme_mod"})
    Path("good.yaml").write_text(f"{GOOD}ignore: {{pilot-run: a trial}}\n")
    assert check_with(site, "good.yaml").returncode == 0


def test_a_rule_may_not_take_a_code_of_schedframe(install: Callable[..., Path]) -> None:
    site = install("acme", RULE.replace("ACME01", "SF101"), hooks={"acme": "acme_mod"})
    done = check_with(site, "good.yaml")
    assert done.returncode == 2
    assert "the rule SF101 of acme 1.0" in done.stderr
