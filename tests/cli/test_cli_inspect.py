"""``schedframe inspect``: what a checkpoint holds, what resuming would do, what it never does."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from schedframe import Schedule, __version__, branch, load
from schedframe._cli.app import app

from ..states import as_written

RUN = """\
train_samples: 5000
max_lr: 3e-4
min_lr: 10%
lr_warmup_steps: 2%
lr_decay_style: {style: WSD, wsd_decay_steps: 10%, lr_wsd_decay_style: minus_sqrt}
start_wd: 0.1
"""
GROUPS = [{"max_lr": 3e-4, "min_lr": 3e-5, "default_config": True}, {"max_lr": 5.0, "min_lr": 0.5}]


def state_of(schedule: Schedule, step: int, **changes: Any) -> dict[str, Any]:
    scheduler = schedule.build(SimpleNamespace(param_groups=[]))
    scheduler.step(step)
    return {**scheduler.state_dict(), **changes}


def write(name: str, state: dict[str, Any]) -> None:
    optimizer = {"optimizer": {"param_groups": [{**group, "lr": 3e-4, "params": [0]} for group in GROUPS]}}
    Path(name).write_text(json.dumps({"iteration": 250, "opt_param_scheduler": state, "optimizer": optimizer}))


def without_ours(state: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in state.items() if key != "schedframe"}


@pytest.fixture(autouse=True)
def _in_a_folder_of_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    Path("run.yaml").write_text(RUN)
    Path("lower.yaml").write_text(RUN.replace("3e-4", "2e-4"))
    write("checkpoints", state_of(load("run.yaml"), 4750))
    write("stock.json", without_ours(state_of(load("run.yaml"), 4750)))


def inspect(*arguments: str) -> tuple[int, list[str], str]:
    result = CliRunner().invoke(app, ["inspect", *arguments])
    return result.exit_code, [" ".join(line.split()) for line in result.stdout.splitlines()], result.stderr


def data(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["inspect", *arguments, "--format", "json"])
    assert result.stderr == ""
    return json.loads(result.stdout)


def test_the_examples_of_help_work() -> None:
    write("model_optim_rng.pt", state_of(load("run.yaml"), 10))
    help_text = CliRunner().invoke(app, ["inspect", "--help"]).stdout
    found = [shlex.split(line) for line in help_text.split("Examples:")[1].strip().splitlines()]
    assert len(found) == 3
    for words in found:
        assert CliRunner().invoke(app, words[1:]).exit_code == 0


def test_a_checkpoint_alone() -> None:
    code, out, err = inspect("checkpoints")
    lr = load("run.yaml").lr_at(4750)
    assert (code, err) == (0, "")
    assert out[:11] == [
        "file checkpoints (json, opt_param_scheduler)",
        "position step 4_750, iteration 250",
        f"learning rate {lr}",
        "weight decay 0.1",
        "schedule WSD(wsd_decay_steps=500, lr_wsd_decay_style=minus_sqrt), max LR 3e-4, min LR 3e-5, warmup 100, "
        "decay 5K, weight decay 0.1",
        "written by schedframe",
        f"fingerprint {load('run.yaml').fingerprint}",
        f"lr_style WSD from schedframe {__version__} (schedframe.styles.lr:WSD)",
        f"lr_style.lr_wsd_decay_style minus_sqrt from schedframe {__version__} (schedframe.styles.lr:MinusSqrt)",
        f"wd_style constant from schedframe {__version__} (schedframe.styles.wd:WDConstant)",
        "",
    ]
    header, _, *rows = out[11:]
    shown = [dict(zip(header.split()[2:], row.split()[1:])) for row in rows]  # noqa: B905
    assert shown[0] == {"lr": "0.0003", "max_lr": "0.0003", "min_lr": "3e-05", "default_config": "True"}


def test_beside_a_schedule_with_what_every_policy_would_do() -> None:
    code, out, _ = inspect("checkpoints", "--with", "lower.yaml")
    run, lower = load("run.yaml").lr_at(4750), load("lower.yaml").lr_at(4750)
    assert code == 1
    start = out.index("differs checkpoint lower.yaml")
    assert out[start + 2 :] == [
        "max_lr 0.0003 0.0002",
        "min_lr 3e-05 2e-05",
        "",
        "resume learning rate weight decay",
        out[start + 6],
        "strict (of the file) refused, because they differ",
        f"checkpoint {run} 0.1",
        f"override {lower} 0.1",
    ]


def test_what_the_policy_of_the_file_accepts_is_exit_code_0() -> None:
    Path("lower.yaml").write_text(f"{RUN.replace('3e-4', '2e-4')}resume: override\n")
    assert inspect("checkpoints", "--with", "lower.yaml")[0] == 0


def test_beside_its_own_schedule_all_policies_agree() -> None:
    code, out, _ = inspect("checkpoints", "--with", "run.yaml")
    lr = load("run.yaml").lr_at(4750)
    assert code == 0
    assert "run.yaml has the same schedule as the checkpoint" in out
    assert out[-3:] == [f"strict (of the file) {lr} 0.1", f"checkpoint {lr} 0.1", f"override {lr} 0.1"]


def test_beside_a_branch_of_its_schedule() -> None:
    write("stable", state_of(load("run.yaml"), 1000))
    branch(load("run.yaml"), 1000, wsd_decay_steps=100).write("branch.yaml")
    told = data("stable", "--with", "branch.yaml")["with"]["policies"]
    assert told["strict"] == {"lr": 3e-4, "wd": 0.1, "from_parent": True}
    refused = data("checkpoints", "--with", "branch.yaml")["with"]["policies"]["strict"]["refused"]
    assert "This schedule continues" in refused


def test_json_holds_exact_values() -> None:
    told = data("checkpoints", "--with", "lower.yaml")
    assert told["lr"] == load("run.yaml").lr_at(4750)
    assert (told["num_steps"], told["iteration"], told["written_by"]) == (4750, 250, "schedframe")
    assert told["groups"] == [{**GROUPS[0], "lr": 3e-4}, {**GROUPS[1], "lr": 3e-4}]
    assert told["schedule"]["lr_decay_style"]["wsd_decay_steps"] == 500
    assert told["with"]["differences"][0] == {"key": "max_lr", "checkpoint": "0.0003", "file": "0.0002"}
    assert told["with"]["policies"]["override"]["lr"] == load("lower.yaml").lr_at(4750)


def test_a_checkpoint_of_megatrons_class() -> None:
    code, out, _ = inspect("stock.json")
    assert code == 0
    unknown = (
        "unknown: the style is WSD, and Megatron does not save its cooldown; --with FILE takes what is missing from"
    )
    assert out[2] == f"learning rate {unknown} a schedule"
    assert "written by Megatron's class, or one like it" in out
    code, out, _ = inspect("stock.json", "--with", "run.yaml")
    assert out[2] == f"learning rate {load('run.yaml').lr_at(4750)}"
    assert out[-1].startswith(
        "note: the checkpoint does not specify init_lr (0.0) and the options of lr_decay_style (WSD"
    )


def test_megatrons_cosine_needs_no_file_after_the_warmup() -> None:
    Path("cosine.yaml").write_text(RUN.replace("lr_decay_style:", "lr_decay_style: cosine #"))
    for step, known in ((4000, True), (50, False)):
        write("stock.json", without_ours(state_of(load("cosine.yaml"), step)))
        assert data("stock.json")["lr"] == (load("cosine.yaml").lr_at(step) if known else None)
    assert "init_lr" in data("stock.json")["unknown"]


def test_a_style_that_is_not_installed_is_shown_all_the_same() -> None:
    state = state_of(load("run.yaml"), 4750)
    lr_style = {**json.loads(state["schedframe"])["lr_style"], "lr_wsd_decay_style": {"style": "nowhere"}}
    source = {"name": "nowhere", "target": "gone:Gone", "distribution": "gone", "version": "1.2"}
    write("checkpoints", as_written(state, lr_style=lr_style, sources={"lr_style.lr_wsd_decay_style": source}))
    code, out, _ = inspect("checkpoints")
    assert code == 0
    assert "lr_style.lr_wsd_decay_style nowhere from gone 1.2 (gone:Gone)" in out
    assert "it was written with gone 1.2 (gone:Gone): pip install 'gone==1.2'" in out[2]


def test_a_state_that_was_edited_says_so() -> None:
    write("checkpoints", state_of(load("run.yaml"), 4750, max_lr=1.0))
    _, out, _ = inspect("checkpoints", "--with", "run.yaml")
    assert any(
        line.startswith("written by the key 'schedframe' of the scheduler state does not belong") for line in out
    )
    assert any(line.startswith("strict (of the file) refused: the key 'schedframe'") for line in out)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ('{"a": 1}', "scheduler"),
        ('{"max_lr": 1, "num_steps": 3', "JSON"),
        ('{"max_lr": 1, "num_steps": 3}', "the scheduler state has no 'lr_warmup_steps'"),
    ],
)
def test_what_is_no_checkpoint_is_reported_with_exit_code_2(text: str, told: str) -> None:
    Path("broken.json").write_text(text)
    code, out, err = inspect("broken.json")
    assert (code, out) == (2, [])
    assert told in err


def test_a_real_torch_save_is_read_without_torch() -> None:
    torch = pytest.importorskip("torch")
    torch.save({"iteration": 9, "opt_param_scheduler": state_of(load("run.yaml"), 40), "model": torch.ones(9)}, "ck.pt")
    program = (
        "import sys; from schedframe._cli.app import app\n"
        "try: app(['inspect', 'ck.pt', '--with', 'run.yaml'])\n"
        "except SystemExit as stop: print(stop.code, 'torch' in sys.modules, 'pickle' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "learning rate" in run.stdout
    assert run.stdout.splitlines()[-1].startswith("0 False")


RULES = """\
groups:
- {role: slow, match: {index: 0}, lr_mult: 0.1}
- {role: bent, match: {index: 1}, lr_decay_style: {style: polynomial, power: 2}}
"""


def test_rules_for_param_groups_are_reported() -> None:
    Path("rules.yaml").write_text(RUN + RULES)
    Path("others.yaml").write_text(RUN + RULES.replace("0.1", "0.2"))
    schedule = load("rules.yaml")
    scheduler = schedule.build(SimpleNamespace(param_groups=[{}, {}]))
    scheduler.step(4750)
    write("ruled", scheduler.state_dict())
    code, lines, _ = inspect("ruled", "--with", "others.yaml")
    assert code == 1
    wd = schedule.wd_at(4750)
    assert f"role slow learning rate {schedule.lr_at(4750, 'slow')}, weight decay {wd}" in lines
    assert f"role bent learning rate {schedule.lr_at(4750, 'bent')}, weight decay {wd}" in lines
    assert any(line.startswith("groups.bent.lr_style polynomial from schedframe") for line in lines)
    assert "groups.slow.max_lr 3e-05 6e-05" in lines
    said = data("ruled")
    assert said["roles"]["slow"] == {"lr": schedule.lr_at(4750, "slow"), "wd": wd}
    assert [rule["role"] for rule in said["schedule"]["groups"]] == ["slow", "bent"]
    assert said["sources"]["groups.bent.lr_style"].startswith("schedframe")
