"""The README as a reader uses it: every block runs, in the order of the page."""

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from inspect import signature
from pathlib import Path

import pytest

import schedframe

from ..environments import ROOT, Environment

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?:<!-- file: (?P<file>\S+) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)\n```", re.DOTALL)
BLOCKS = list(BLOCK.finditer(README))
COMMAND = re.compile(r"^\$ (?P<command>(?P<name>\w+).*?)(?: {2,}#.*)?$", re.MULTILINE)
COMMANDS = [found for block in BLOCKS if block["kind"] == "console" for found in COMMAND.finditer(block["text"])]
LOOP = """\
import torch

model = torch.nn.Linear(4, 4)
optimizer = torch.optim.AdamW(model.parameters())
batches = torch.randn(5, 2, 4)
{block}
groups = optimizer.param_groups
"""
TRAINER = """\
import torch
from transformers import Trainer, TrainingArguments

class Net(torch.nn.Linear):
    def forward(self, x, labels):
        return {{"loss": (super().forward(x) - labels).square().mean()}}

model = Net(4, 2)
data = [{{"x": torch.randn(4), "labels": torch.randn(2)}} for _ in range(10)]
quiet = {{"use_cpu": True, "report_to": "none", "disable_tqdm": True}}
args = TrainingArguments("out", max_steps=5, per_device_train_batch_size=2, weight_decay=0.1, **quiet)
{block}
groups = trainer.optimizer.param_groups
"""
FILE = "train_iters: 5\nclock: iters\nmax_lr: 1e-3\nmin_lr: 10%\nlr_decay_style: cosine\nstart_wd: 0.2\n"


def texts(kind: str) -> list[str]:
    return [block["text"] for block in BLOCKS if block["kind"] == kind]


def commands(*names: str) -> list[list[str]]:
    return [shlex.split(found["command"]) for found in COMMANDS if found["name"] in names]


def groups_after(program: str, folder: Path) -> list[tuple[float, float]]:
    """Run `program` beside a small run.yaml, and return learning rate and weight decay of its `groups`."""
    (folder / "run.yaml").write_text(FILE)
    shown = "import json\nprint(json.dumps([(group['lr'], group['weight_decay']) for group in groups]))\n"
    (folder / "train.py").write_text(program + shown)
    done = subprocess.run([sys.executable, "train.py"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [(lr, wd) for lr, wd in json.loads(done.stdout.splitlines()[-1])]


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 140


def test_every_block_is_of_a_kind_that_a_test_runs() -> None:
    assert {block["kind"] for block in BLOCKS} == {"yaml", "console", "python", "diff"}
    assert [block["file"] for block in BLOCKS if block["kind"] == "yaml"] == ["run.yaml"]
    assert (len(texts("python")), len(texts("diff"))) == (2, 1)
    assert {found["name"] for found in COMMANDS} == {"pip", "schedframe", "git", "make", "torchrun"}


def test_what_preview_prints_is_current() -> None:
    pytest.importorskip("typer")
    spec = importlib.util.spec_from_file_location("make_readme", ROOT / "docs" / "make_readme.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.made() == README, "run python docs/make_readme.py"


def test_the_schedule_has_no_findings_but_notes(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(*texts("yaml"))
    assert {finding.severity for finding in schedframe.load(tmp_path / "run.yaml").findings()} <= {"note"}


def test_what_is_installed_works_in_the_order_of_the_page(tmp_path: Path) -> None:
    for name in ("hatchling", "matplotlib", "typer"):
        pytest.importorskip(name)
    environment = Environment(tmp_path / "environment")
    index, folder = tmp_path / "index", tmp_path / "folder"
    environment.build(index, ROOT, ROOT / "plugins" / "schedframe-rex")
    folder.mkdir()
    (folder / "run.yaml").write_text(*texts("yaml"))
    for command in commands("pip", "schedframe"):
        done = environment.run(*command, cwd=folder, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(index), PIP_QUIET="1")
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert {path.name for path in folder.iterdir()} == {"run.yaml", "wsd.svg", "schedframe-late-decay"}


def test_a_clone_has_what_is_made_there(tmp_path: Path) -> None:
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("needs git, and a checkout")
    (clone,) = (command[-1] for command in commands("git"))
    here = {"GIT_CONFIG_KEY_0": f"url.{ROOT.as_uri()}.insteadOf", "GIT_CONFIG_VALUE_0": clone, "GIT_CONFIG_COUNT": "1"}
    for command in commands("git", "make"):
        only_listed = {**os.environ, **here, "MAKEFLAGS": "n"}
        done = subprocess.run(command, cwd=tmp_path, env=only_listed, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_the_loop_has_the_values_of_the_file(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    block, _ = texts("python")
    assert groups_after(LOOP.format(block=block), tmp_path) == [(1e-4, 0.2)]


def test_the_trainer_has_the_values_of_the_file(tmp_path: Path) -> None:
    for name in ("torch", "transformers", "accelerate"):
        pytest.importorskip(name)
    _, block = texts("python")
    assert groups_after(TRAINER.format(block=block), tmp_path) == [(1e-4, 0.2), (1e-4, 0.0)]


def test_megatrons_arguments_are_those_of_the_class_of_the_new_import_line() -> None:
    pytest.importorskip("megatron.core")
    classes = []
    for line in texts("diff")[0].splitlines():
        names: dict[str, type] = {}
        exec(line[1:], names)
        classes.append(names["OptimizerParamScheduler"])
    theirs, ours = (list(signature(named).parameters) for named in classes)
    assert ours[: len(theirs)] == theirs
