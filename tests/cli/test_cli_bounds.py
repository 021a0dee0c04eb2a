"""What commands do at the ends of floats, and with plugins that end the program, print, or have no finite landmark."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import schedframe
from schedframe import ConfigError, Schedule

from ..runs import cli

ROOT = Path(schedframe.__file__).parents[1]
GOOD = "max_lr: 1\nlr_decay_steps: 100\n"
CONTINUE = {
    "branch": "branch run.yaml --at 50 --wsd-decay-steps 10 -o new.yaml",
    "extend": "extend run.yaml --at 50 --lr-decay-steps 200 -o new.yaml",
    "rewarm": "rewarm run.yaml --at 100 --lr-warmup-steps 10 --lr-decay-steps 100 -o new.yaml",
}
COMMANDS = (
    *("check run.yaml", "check run.yaml --format json", "resolve run.yaml", *CONTINUE.values()),
    *("preview run.yaml", "preview run.yaml --format json", "preview run.yaml --points 9 --format csv"),
)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("max_lr", ["5e-324", "1e-308", "1e100"])
def test_every_command_takes_the_least_and_the_largest_rate(max_lr, command):
    text = f"max_lr: {max_lr}\nlr_decay_steps: 100\nlr_decay_style: constant\nend_wd: 1e-200\n"
    Path("run.yaml").write_text(text)
    code, out, err = cli(*command.split())
    assert code == ("check" in command), err  # the linter warns
    if "json" in command:
        json.loads(out, parse_constant=refuse_constant)


def test_a_time_constant_beyond_all_floats_is_a_text_in_json():
    Path("run.yaml").write_text("max_lr: 1e-160\nlr_decay_steps: 100\nlr_decay_style: constant\nend_wd: 1e-160\n")
    _, out, _ = cli("preview", "run.yaml", "--format", "json")
    assert json.loads(out, parse_constant=refuse_constant)["points"][0]["time_constant"] == "inf"


STYLE = """
import sys
from typing import Literal
import pydantic
import schedframe
from schedframe.styles import LRCurve, LRPoint, LRStyle

{before}


@schedframe.lr_styles.register
class Leaves(LRStyle):
    style: Literal["leaves"] = "leaves"

    @pydantic.model_validator(mode="after")
    def check(self):
        {validator}
        return self

    def lr(self, point):
        {formula}
        return point.max_lr

    def landmarks(self, warmup_steps, decay_steps):
        return {{"a mark": {landmark}}}

    def faults(self, warmup_steps, decay_steps):
        {faults}
        return iter(())
"""
SOUND = {"before": "", "validator": "pass", "formula": "pass", "landmark": "warmup_steps + 1", "faults": "pass"}
LEAVES: list[dict[str, str]] = [
    *({place: f"sys.exit({code})"} for place in SOUND for code in "01"),
    *({"landmark": mark} for mark in ("float('inf')", "float('nan')", "None", "'text'")),
    *({place: "raise RuntimeError('no')"} for place in ("validator", "formula", "faults")),
]  # fmt: skip


@pytest.mark.parametrize("change", LEAVES, ids=lambda change: " ".join([*change, *change.values()]))
def test_a_style_that_ends_the_program_or_fails_is_an_error_of_the_file(change):
    Path("styles.py").write_text(STYLE.format(**{**SOUND, **change}))
    Path("run.yaml").write_text(f"{GOOD}lr_decay_style: leaves\n")
    command = [sys.executable, "-m", "schedframe", "check", "run.yaml", "--import", "./styles.py"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    said = done.stdout + done.stderr
    assert done.returncode == 2
    assert "leaves" in said or "styles.py" in said
    assert "Traceback" not in said


def test_a_sound_style_is_ok():
    Path("styles.py").write_text(STYLE.format(**SOUND))
    Path("run.yaml").write_text(f"{GOOD}lr_decay_style: leaves\n")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "schedframe", "check", "run.yaml", "--import", "./styles.py"]
    assert subprocess.run([*command, "--ignore", "SF"], env=env, capture_output=True, timeout=120).returncode == 0


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_a_file_that_is_replaced_keeps_its_permissions(mode):
    Path("run.yaml").write_text(f"{GOOD}lr_decay_style: constant\n")
    Path("new.yaml").touch()
    Path("new.yaml").chmod(mode)
    assert cli(*CONTINUE["branch"].split(), "--force")[0] == 0
    assert stat.S_IMODE(Path("new.yaml").stat().st_mode) == mode


@pytest.mark.parametrize(
    "optimizer", [None, [], [None], 7, object()], ids=["none", "empty", "list", "number", "object"]
)
def test_what_is_no_optimizer_is_refused(optimizer):
    with pytest.raises(ConfigError, match="must be an optimizer, whose param_groups are scheduled, or a list of them"):
        Schedule(max_lr=1, lr_decay_steps=100).build(optimizer)
