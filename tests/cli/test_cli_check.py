"""``schedframe check``: good, bad and cut files, exit codes, house rules."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import schedframe

from ..runs import cli

GOOD = "lr_decay_steps: 1M\nmax_lr: 1e-3\nlr_warmup_steps: 2%\nlr_decay_style: cosine\nstart_wd: 0.1\n"
SUMMARY = "cosine, peak 0.001, floor 0, warm-up 20K, decay 1M, weight decay 0.1"
BAD = "max_lr: -1\nlr_decay_stepz: 5\nlr_decay_style: cosin\n"


@pytest.fixture(autouse=True)
def _in_a_folder_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(BAD)
    (tmp_path / "cut.yaml").write_text(GOOD.rstrip("\n"))
    monkeypatch.chdir(tmp_path)


def check(*arguments: str) -> tuple[int, str, str]:
    return cli("check", *arguments)


def error_of(path: str) -> str:
    with pytest.raises(schedframe.ConfigError) as told:
        schedframe.load(path)
    return str(told.value)


def test_a_good_file() -> None:
    assert check("good.yaml") == (0, f"good.yaml: ok\n  {SUMMARY}\n", "")


def test_a_bad_file_with_every_problem() -> None:
    text = error_of("bad.yaml")
    assert "did you mean 'lr_decay_steps'" in text
    assert "did you mean 'cosine'" in text
    assert check("bad.yaml") == (2, "", f"{text}\n")


def test_a_missing_file() -> None:
    assert check("godo.yaml") == (2, "", "godo.yaml: does not exist; did you mean 'good.yaml'?\n")


def test_all_files_are_checked() -> None:
    code, out, err = check("bad.yaml", "good.yaml", "gone.toml")
    assert code == 2
    assert out == f"good.yaml: ok\n  {SUMMARY}\n"
    assert err == f"{error_of('bad.yaml')}\n{error_of('gone.toml')}\n"


def test_a_cut_file_is_noted() -> None:
    note = "cut.yaml: note: does not end in a newline; was it cut?\n"
    assert check("cut.yaml") == (0, f"cut.yaml: ok\n  {SUMMARY}\n", note)


def test_a_cut_file_that_cannot_be_used_is_noted_too() -> None:
    Path("cut.yaml").write_text(GOOD + "end: 1")
    code, out, err = check("cut.yaml")
    assert (code, out) == (2, "")
    assert err == f"{error_of('cut.yaml')}\ncut.yaml: note: does not end in a newline; was it cut?\n"


def test_json_that_can_be_read_was_not_cut() -> None:
    Path("run.json").write_text('{"lr_decay_steps": 100, "max_lr": 1.0}')
    code, _, err = check("run.json")
    assert (code, err) == (0, "")


def test_no_file_is_a_usage_error() -> None:
    code, out, err = check()
    assert (code, out) == (2, "")
    assert "FILE" in err


def test_json() -> None:
    code, out, err = check("good.yaml", "bad.yaml", "cut.yaml", "gone.yaml", "--format", "json")
    assert (code, err) == (2, "")
    good, bad, cut, gone = json.loads(out)["files"]
    assert good == {"file": "good.yaml", "ok": True, "schedule": SUMMARY, "problems": [], "notes": []}
    assert cut == {**good, "file": "cut.yaml", "notes": ["does not end in a newline; was it cut?"]}
    assert (bad["ok"], bad["schedule"]) == (False, None)
    assert [(problem["path"], problem["line"]) for problem in bad["problems"]] == [
        ("lr_decay_steps", None),
        ("max_lr", 1),
        ("lr_decay_stepz", 2),
        ("lr_decay_style", 3),
    ]
    assert gone["problems"][0]["message"] == "does not exist; did you mean 'good.yaml'?"


def test_json_of_good_files_alone() -> None:
    code, out, _ = check("good.yaml", "--format", "json")
    assert code == 0
    assert [file["ok"] for file in json.loads(out)["files"]] == [True]


HOUSE_RULE = """
    import warnings
    import schedframe

    @schedframe.hookimpl
    def schedframe_check(schedule):
        if schedule.max_lr > 1e-4:
            warnings.warn("the cap is new", schedframe.SchedframeWarning)
            return [f"max_lr {schedule.max_lr} is above this cluster's cap of 1e-4"]
"""


def check_with(site: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "schedframe", "check", *arguments],
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_house_rules_count(install: Callable[..., Path]) -> None:
    site = install("house", HOUSE_RULE, hooks={"house": "house_mod"})
    Path("slow.yaml").write_text(GOOD.replace("1e-3", "1e-5"))
    done = check_with(site, "good.yaml", "slow.yaml")
    assert done.returncode == 2
    assert done.stdout == f"slow.yaml: ok\n  {SUMMARY.replace('0.001', '1e-05')}\n"
    assert done.stderr == ("warning: the cap is new\ngood.yaml: max_lr 0.001 is above this cluster's cap of 1e-4\n")


def test_a_broken_house_rule_is_an_error_of_each_file(install: Callable[..., Path]) -> None:
    site = install("house", "1 / 0", hooks={"house": "house_mod"})
    done = check_with(site, "good.yaml", "bad.yaml")
    assert done.returncode == 2
    assert done.stdout == ""
    first, *others = done.stderr.splitlines()
    assert first.startswith("good.yaml: the hook plugin house 1.0 (house_mod) cannot be loaded: ZeroDivisionError")
    assert "\n".join(others) == error_of("bad.yaml")
    listed = json.loads(check_with(site, "good.yaml", "--format", "json").stdout)["files"][0]["problems"]
    assert f"good.yaml: {listed[0]['message']}" == first
