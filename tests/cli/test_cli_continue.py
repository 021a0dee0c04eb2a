"""``schedframe branch``, ``extend`` and ``rewarm``: files written, what is printed, exit codes."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

import schedframe
from schedframe import Schedule, load

from ..runs import cli

RUN = """\
train_samples: 500M   # the run
max_lr: 3e-4
min_lr: 10%
lr_warmup_steps: 1%
lr_decay_style: {style: WSD, wsd_decay_steps: 10%}
start_wd: 0.1
"""
COSINE = "lr_decay_steps: 5M\nmax_lr: 1e-3\nlr_decay_style: cosine\n"
POSITION = 300_000_000
SCHEDULES = {"run": RUN, "cos": COSINE}


class Optimizer:
    def __init__(self) -> None:
        self.param_groups: list[dict[str, Any]] = [{"params": []}]


def checkpoint_of(schedule: Schedule, step: int) -> str:
    scheduler = schedule.build(Optimizer())
    scheduler.step(step)
    return json.dumps({"iteration": 7, "opt_param_scheduler": scheduler.state_dict()})


@pytest.fixture(autouse=True)
def _in_a_folder_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in SCHEDULES.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    (tmp_path / "ckpt").write_text(checkpoint_of(load(tmp_path / "run.yaml"), POSITION))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)


def schedframe_cli(*arguments: str) -> tuple[int, str, str]:
    return cli(*arguments)


def examples(command: str) -> list[list[str]]:
    _, text, _ = schedframe_cli(command, "--help")
    lines = re.sub(r"\\\n", " ", text.split("Examples:")[1]).strip().splitlines()
    return [shlex.split(line) for line in lines]


@pytest.mark.parametrize("command", ["branch", "extend", "rewarm"])
def test_the_examples_of_help_work(command: str) -> None:
    found = examples(command)
    assert len(found) == 2
    for words in found:
        assert words[:2] == ["schedframe", command]
        assert schedframe_cli(*words[1:])[::2] == (0, "")
        assert load(words[words.index("-o") + 1]).parent.fingerprint == load(words[2]).fingerprint
    assert {name: Path(f"{name}.yaml").read_text() for name in SCHEDULES} == SCHEDULES


def test_branch_prints_what_it_wrote_and_the_values_on_both_sides_of_the_branch_point() -> None:
    code, out, err = schedframe_cli(
        *("branch", "run.yaml", "--checkpoint", "ckpt", "--wsd-decay-steps", "20M", "--output", "new.yaml"),
        *("--lr-wsd-decay-style", "minus_sqrt", "--min-lr", "0"),
    )
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "new.yaml: WSD(wsd_decay_steps=20M, lr_wsd_decay_style=minus_sqrt), max LR 3e-4, min LR 0, no warmup, "
        "decay 20M, from step 300M, weight decay 0.1",
        "step 300_000_000: learning rate 0.0003 before, 0.0003 after",
        "step 300_000_000: weight decay 0.1 before, 0.1 after",
        "added start_step: 300M",
        "changed min_lr: 10% -> 0.0",
        "changed lr_warmup_steps: 1% -> 0",
        "changed train_samples: 500M -> 20M",
        "changed lr_decay_style: {style: WSD, wsd_decay_steps: 10%} -> "
        "{style: WSD, wsd_decay_steps: 20M, lr_wsd_decay_style: minus_sqrt}",
        f"added parent: {{fingerprint: {load('run.yaml').fingerprint}, step: 300M}}",
    ]
    assert load("new.yaml").lr_at(POSITION) == load("run.yaml").lr_at(POSITION)
    assert load("new.yaml").lr_at(POSITION + 20_000_000) == 0.0


def test_json_holds_exact_values() -> None:
    code, out, _ = schedframe_cli(
        *("rewarm", "run.yaml", "--at", "480M", "--lr-warmup-steps", "5M", "--lr-decay-steps", "50M"),
        *("-o", "new.yaml", "--format", "json", "--lr-decay-style", "linear"),
    )
    parent = load("run.yaml").lr_at(480_000_000)
    assert code == 0
    assert json.loads(out) == {
        "file": "new.yaml",
        "operation": "rewarm",
        "step": 480_000_000,
        "before": {"lr": parent, "wd": 0.1},
        "after": {"lr": parent, "wd": 0.1},
        "changes": {
            "start_step": {"before": None, "after": "480M"},
            "init_lr": {"before": None, "after": parent},
            "lr_warmup_steps": {"before": "1%", "after": "5M"},
            "train_samples": {"before": "500M", "after": "50M"},
            "lr_decay_style": {"before": {"style": "WSD", "wsd_decay_steps": "10%"}, "after": "linear"},
            "parent": {
                "before": None,
                "after": {"fingerprint": load("run.yaml").fingerprint, "step": "480M"},
            },
        },
    }


def test_extend_of_a_cosine_is_refused_with_both_learning_rates() -> None:
    words = ("extend", "cos.yaml", "--at", "2500000", "--lr-decay-steps", "10M", "-o", "new.yaml")
    code, out, err = schedframe_cli(*words)
    assert (code, out) == (2, "")
    assert "The learning rate at step 2500000 is 0.0005 and would become 0.0008535533905932737" in err
    assert "(--reshape)" in err
    assert not Path("new.yaml").exists()
    assert schedframe_cli(*words, "--reshape")[0] == 0
    assert load("new.yaml").lr_at(2_500_000) == 0.0008535533905932737


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--wsd-decay-steps", "20M"], "give the step to go on from: one of --at and --checkpoint"),
        (["--wsd-decay-steps", "20M", "--at", "9M", "--checkpoint", "ckpt"], "one of --at and --checkpoint"),
        (
            ["--wsd-decay-steps", "20M", "--at", "1M"],
            "lies in the warmup, not in a stable phase; branch from a later step",
        ),
        (["--wsd-decay-steps", "many", "--at", "9M"], "wsd_decay_steps = 'many': is not a length such as"),
        (["--wsd-decay-steps", "2M", "--at", "9M", "--lr-wsd-decay-style", "{style: [}"], "is not complete YAML"),
        (["--wsd-decay-steps", "2M", "--at", "9M", "--lr-wsd-decay-style", "!x {a: 1}"], "!x"),
        (["--wsd-decay-steps", "2M", "--at", "9M", "--lr-wsd-decay-style", "{style: !x y}"], "without tags"),
        (["--wsd-decay-steps", "20M", "--checkpoint", "gone"], "gone"),
        (["--wsd-decay-steps", "20M", "--checkpoint", "run.yaml"], "run.yaml"),
    ],
)
def test_what_cannot_be_done_is_reported_and_nothing_is_written(words: list[str], text: str) -> None:
    code, out, err = schedframe_cli("branch", "run.yaml", *words, "-o", "new.yaml")
    assert (code, out) == (2, "")
    assert text in " ".join(err.replace("│", " ").split())
    assert not Path("new.yaml").exists()


def test_the_checkpoint_of_another_schedule_is_refused_with_the_table() -> None:
    Path("ckpt").write_text(checkpoint_of(load("cos.yaml"), 40))
    code, _, err = schedframe_cli(
        *("branch", "run.yaml", "--checkpoint", "ckpt", "--wsd-decay-steps", "20M", "-o", "new.yaml")
    )
    assert code == 2
    assert re.search(r"^  max_lr +0.001 +0.0003$", err, re.MULTILINE)


def test_a_file_that_is_there_needs_force_and_the_parent_is_never_replaced() -> None:
    words = ["branch", "run.yaml", "--at", "9M", "--wsd-decay-steps", "20M", "-o"]
    Path("new.yaml").write_text("precious\n")
    assert schedframe_cli(*words, "new.yaml")[0] == 2
    assert Path("new.yaml").read_text() == "precious\n"
    assert schedframe_cli(*words, "new.yaml", "--force")[0] == 0
    assert load("new.yaml").start_step == 9_000_000
    assert schedframe_cli(*words, "run.yaml", "--force")[0] == 2
    assert Path("run.yaml").read_text() == RUN


def test_a_branch_can_be_previewed(capsys: pytest.CaptureFixture[str]) -> None:
    schedframe_cli("branch", "run.yaml", "--at", "300M", "--wsd-decay-steps", "20M", "-o", "new.yaml")
    code, out, _ = schedframe_cli("preview", "new.yaml", "--at", "50%", "--points", "4", "--format", "csv")
    assert code == 0
    steps = [line.split(",")[0] for line in out.splitlines()[1:]]
    assert steps == ["300000000", "305000000", "310000000", "315000000", "320000000", "320000001"]
    code, _, err = schedframe_cli("preview", "new.yaml", "--at", "299M")
    assert code == 2
    assert "lies before start_step" in err


def test_weight_decay_that_is_moving_is_asked_for() -> None:
    Path("run.yaml").write_text(RUN + "end_wd: 0.2\nwd_incr_style: linear\n")
    words = ["branch", "run.yaml", "--at", "250M", "--wsd-decay-steps", "50M", "-o", "new.yaml"]
    code, _, err = schedframe_cli(*words)
    assert code == 2
    assert "Set its end with end_wd (--end-wd): 0.2, or `current` to hold it" in err
    assert schedframe_cli(*words, "--end-wd", "current")[0] == 0
    assert schedframe.load("new.yaml").wd_at(299_000_000) == load("run.yaml").wd_at(250_000_000)
