"""``python -m schedframe.megatron --dry-run``: Megatron's own parser, without GPU, Triton and Transformer Engine."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from schedframe import Schedule
from schedframe._files.config.document import read

from .megatron_lm import HERE, MODEL, TINY, environment, wheel

FILE = "max_lr: 3e-4\nmin_lr: 10%\nlr_warmup_steps: 2000\nlr_decay_style: {style: WSD, wsd_decay_steps: 10%}\n"
RUN = ["--train-iters=100000", "--global-batch-size=1024", "--seq-length=4096"]
WSD = ["--lr-decay-style=WSD", "--lr-wsd-decay-style=minus_sqrt", "--lr-wsd-decay-iters=10"]
BY_FLAGS = ["--lr=1e-3", "--min-lr=1e-4", "--train-iters=100", "--lr-warmup-iters=4", *WSD]
RULE = "train_samples: 400\ngroups: [{role: router, match: {param: '*.router.*'}, lr_mult: 0.1}]\n"
LARGE = "--num-layers 96 --tensor-model-parallel-size 8 --pipeline-model-parallel-size 16 --sequence-parallel --bf16"

DryRun = Callable[[str], dict[str, Any]]


def without_gpu(version: str, wheels: Path) -> dict[str, str]:
    """Return the environment of a machine on which a run could not start."""
    settings = environment(wheel(version, wheels))
    settings["PYTHONPATH"] = settings["PYTHONPATH"].replace(str(HERE / "on_cpu"), str(HERE / "on_311"))
    return {name: value for name, value in settings.items() if name not in ("COLUMNS", "TORCHDYNAMO_DISABLE")}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("schedules") / "run.yaml"
    path.write_text(FILE)
    return path


@pytest.fixture(scope="module")
def runs(wheels: Path, file: Path) -> DryRun:
    """The dry runs of each version, by version and name."""
    ruled = file.with_name("rules.yaml")
    ruled.write_text(f"max_lr: 1e-3\n{RULE}")
    budget = file.with_name("budget.yaml")
    budget.write_text(f"{FILE}train_tokens: 500B\n")
    yaml = file.with_name("megatron.yaml")
    yaml.write_text(
        "train_iters: 100000\ntrain_samples: null\nglobal_batch_size: 1024\nseq_length: 4096\nweight_decay: 0.01\n"
    )
    by_file = ["--schedule", str(file)]
    lines = {
        "file": [*by_file, *RUN],
        "flags": [*MODEL, *BY_FLAGS],
        "rules": [*MODEL, "--schedule", str(ruled)],
        "large": [*LARGE.split(), *by_file, *RUN],
        "other flags": [*by_file, *RUN, "--lr-warmup-iter=5", "--mine", "x"],
        "rounded": ["--schedule", str(budget), *RUN[1:]],
        "two run lengths": [*by_file, *RUN, "--train-samples=70000000"],
        "nothing": [],
        "half": ["--lr=1e-3", *RUN, "--weight-decay-incr-style=linear", "--start-weight-decay=0.1"],
        "contradiction": [*by_file, *RUN, "--min-lr=1e-6"],
        "yaml": [*by_file, "--yaml-cfg", str(yaml)],
        "no yaml": [*by_file, "--yaml-cfg", "nowhere.yaml"],
        "unknown style": ["--lr-decay-style=cosin"],
    }

    def of_version(version: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, str(HERE / "dry_runs.py"), str(TINY)],
            input=json.dumps(list(lines.values())),
            env=without_gpu(version, wheels),
            text=True,
            capture_output=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        outcomes = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return dict(zip(lines, outcomes, strict=True))

    return cache(of_version)


@pytest.fixture(params=["0.17.1", "0.18.2", "0.19.2"])
def dry(request: pytest.FixtureRequest, runs: DryRun) -> dict[str, Any]:
    return runs(request.param)


def test_the_schedule_of_a_file_and_flags_is_shown_with_every_unit(dry, file):
    shown = dry["file"]
    keys = {"train_iters": 100_000, "global_batch_size": 1024, "seq_length": 4096, "start_wd": 0.01}
    schedule = Schedule(**{**read(file).data, **keys})
    assert shown["err"] == ""
    assert shown["out"].startswith(f"{file}: {schedule.summary()}\n")
    row = next(line.split() for line in shown["out"].splitlines() if "warmup end" in line)
    assert row == ["2,000", "warmup", "end", "2", "8.192M", "3e-4", "0.01", "3e-6", "333,333"]


def test_a_bare_number_of_samples_in_a_run_of_iterations_is_found_with_its_line(dry, file):
    finding = f"{file}:3: SF102 warning: lr_warmup_steps = 2000: has no unit and is 2000 samples here, 1.95 iterations"
    assert dry["file"]["code"] == 1
    assert finding in dry["file"]["out"]


def test_the_schedule_of_flags_alone_is_shown(dry):
    style = {"style": "WSD", "wsd_decay_steps": 40, "lr_wsd_decay_style": "minus_sqrt"}
    keys = {"max_lr": 1e-3, "min_lr": 1e-4, "lr_warmup_steps": 16, "lr_decay_steps": 400, "start_wd": 0.01}
    assert dry["flags"]["code"] == 0
    assert dry["flags"]["out"].startswith(f"the flags: {Schedule(**keys, lr_decay_style=style).summary()}\n")


def test_every_role_is_in_the_table(dry):
    assert "\nrouter " in dry["rules"]["out"]


def test_a_line_for_many_ranks_needs_none(dry):
    assert dry["large"] == dry["file"]


def test_megatrons_yaml_says_the_same(dry):
    warning, _, shown = dry["yaml"]["out"].partition("\n")
    assert warning.startswith("warning using experimental yaml arguments")
    assert shown == dry["file"]["out"]


def test_flags_that_are_not_megatrons_are_a_note(dry):
    assert (
        "\nnote: not among Megatron's flags: --lr-warmup-iter, --mine; the script may add them, the schedule does not "
        "use them\n"
    ) in dry["other flags"]["out"]


def test_a_rounded_run_is_a_note(dry):
    note = "\nnote: the run is 122070312.5 samples, and Megatron trains whole ones: 122070312\n"
    assert note in dry["rounded"]["out"]


def test_what_cannot_run_is_refused_with_2(dry):
    names = ("nothing", "half", "contradiction", "two run lengths", "unknown style", "no yaml")
    assert {name: dry[name]["code"] for name in names} == dict.fromkeys(names, 2)


def test_everything_that_is_missing_is_named(dry):
    assert dry["nothing"]["err"] == (
        "schedframe: the flags has 3 problems:\n"
        "  --lr: is missing; give it, or --schedule FILE\n"
        "  --train-iters: is missing; give it, or --train-samples\n"
        "  --global-batch-size: is missing; without it the batch depends on the number of ranks\n"
    )
    assert dry["half"]["err"] == (
        "schedframe: the flags: --end-weight-decay: is missing; --weight-decay-incr-style linear needs it\n"
    )


def test_a_contradiction_is_reported_as_in_a_run(dry, file):
    assert dry["contradiction"]["err"] == (
        f"schedframe: {file}: line 2, min_lr = 3e-05: --min-lr 1e-06 on the command line gives 1e-06; leave one of the "
        "two out\n"
    )


WITH_HELP = "0.17.1"
"""0.18.2 and 0.19.2 cannot print their own help: an unescaped percent sign in it is no format."""


def test_the_help_of_the_script_lists_the_installed_styles(wheels):
    command = [sys.executable, "-m", "schedframe.megatron", "--dry-run", TINY, "--help"]
    done = subprocess.run(command, env=without_gpu(WITH_HELP, wheels), text=True, capture_output=True, timeout=300)
    words = " ".join(done.stdout.split())
    assert done.returncode == 0, done.stderr
    assert " rex, " in words.partition("Learning-rate style, one of those installed: WSD, ")[2].partition(".")[0]


def test_python_m_shows_it_and_does_not_run_the_script(wheels, file, tmp_path):
    script = tmp_path / "train.py"
    script.write_text("raise SystemExit('the script ran')\n")
    command = [sys.executable, "-m", "schedframe.megatron", "--dry-run", script, "--schedule", file, *RUN]
    done = subprocess.run(
        command, env=without_gpu("0.19.2", wheels), text=True, capture_output=True, timeout=300, cwd=os.sep
    )
    assert (done.returncode, done.stdout.count("warmup end")) == (1, 1), done.stderr
    assert "the script ran" not in done.stderr
