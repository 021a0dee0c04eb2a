"""A file that extends another one: whose keys count, where errors point, and what a changed parent means."""

import json
from pathlib import Path

import pytest

import schedframe
from schedframe import ConfigError, Schedule, load
from schedframe._files.config.document import read_text

RUN = """\
train_samples: 5000
max_lr: 3e-4
min_lr: 10%
lr_warmup_steps: 100
lr_decay_style: {style: WSD, wsd_decay_steps: 500, lr_wsd_decay_style: cosine}
groups:
  - {role: router, match: {param: "*.router.*"}, lr_mult: 0.1}
"""
KEYS = {
    "train_samples": 5000,
    "max_lr": 3e-4,
    "min_lr": "10%",
    "lr_warmup_steps": 100,
    "lr_decay_style": {"style": "WSD", "wsd_decay_steps": 500, "lr_wsd_decay_style": "cosine"},
    "groups": [{"role": "router", "match": {"param": "*.router.*"}, "lr_mult": 0.1}],
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text(RUN)
    return tmp_path


def child(text: str, name: str = "child.yaml") -> str:
    Path(name).parent.mkdir(exist_ok=True, parents=True)
    Path(name).write_text(text)
    return name


def refusal(file: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(file)
    return str(caught.value)


def test_its_keys_replace_the_others_at_the_top_level() -> None:
    schedule = load(child("extends: run.yaml\nmax_lr: 1e-3\nlr_decay_style: cosine\n"))
    assert schedule == Schedule(**{**KEYS, "max_lr": 1e-3, "lr_decay_style": "cosine"})


def test_a_list_is_replaced_whole() -> None:
    rule = "{role: bias, match: {param: '*.bias'}, wd_mult: 0.0}"
    assert [rule.role for rule in load(child(f"extends: run.yaml\ngroups: [{rule}]\n")).groups] == ["bias"]


def test_null_takes_a_key_away() -> None:
    schedule = load(child("extends: run.yaml\nlr_warmup_steps: null\ngroups:\n"))
    assert (schedule.lr_warmup_steps, schedule.groups) == (0, ())


def test_a_key_that_is_not_there_cannot_be_taken_away() -> None:
    assert refusal(child("extends: run.yaml\nlr_warmup_step: null\n")) == (
        "child.yaml: line 2, lr_warmup_step = null: removes a key that the extended file does not have; "
        "did you mean 'lr_warmup_steps'?"
    )


@pytest.mark.parametrize("parent", ["yaml", "toml", "json"])
@pytest.mark.parametrize("own", ["yaml", "toml", "json"])
def test_each_format_extends_each(parent: str, own: str) -> None:
    texts = {
        "yaml": "extends: {0}\nmin_lr: 0\n",
        "toml": "extends = '{0}'\nmin_lr = 0\n",
        "json": '{{"extends": "{0}", "min_lr": 0}}',
    }
    parents = {
        "yaml": "max_lr: 1\nlr_decay_steps: 10\nmin_lr: 0.5\n",
        "toml": "max_lr = 1\nlr_decay_steps = 10\nmin_lr = 0.5\n",
        "json": '{"max_lr": 1, "lr_decay_steps": 10, "min_lr": 0.5}',
    }
    Path(f"parent.{parent}").write_text(parents[parent])
    assert load(child(texts[own].format(f"parent.{parent}"), f"own.{own}")) == Schedule(max_lr=1, lr_decay_steps=10)


def test_a_path_is_relative_to_the_file_that_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    child("extends: ../run.yaml\nmax_lr: 1\n", "a/first.yaml")
    second = child("extends: ../a/first.yaml\nmin_lr: 0\n", "b/second.yaml")
    monkeypatch.chdir("/")
    assert load(tmp_path / second) == Schedule(**{**KEYS, "max_lr": 1, "min_lr": 0})


def test_an_absolute_path_works(tmp_path: Path) -> None:
    assert load(child(f"extends: {tmp_path / 'run.yaml'}\n")) == Schedule(**KEYS)


def test_the_parent_need_not_be_a_schedule_by_itself() -> None:
    child("max_lr: 1\n", "base.yaml")
    assert load(child("extends: base.yaml\nlr_decay_steps: 10\n")) == Schedule(max_lr=1, lr_decay_steps=10)


def chain(length: int) -> str:
    child("max_lr: 1\nlr_decay_steps: 10\n", "0.yaml")
    for number in range(1, length):
        child(f"extends: {number - 1}.yaml\n", f"{number}.yaml")
    return f"{length - 1}.yaml"


def test_a_chain_has_at_most_eight_files() -> None:
    assert load(chain(8)).max_lr == 1
    assert refusal(chain(9)) == (
        "8.yaml: line 1 of 1.yaml, extends = '0.yaml': makes a chain of more than 8 files; join some of them"
    )


def test_a_circle_is_an_error() -> None:
    child("extends: b.yaml\n", "a.yaml")
    child("extends: a.yaml\n", "b.yaml")
    assert refusal("a.yaml") == (
        "a.yaml: line 1 of b.yaml, extends = 'a.yaml': is circular: a.yaml extends b.yaml extends a.yaml"
    )
    child("\nextends: ./self.yaml\n", "self.yaml")
    assert refusal("self.yaml") == (
        "self.yaml: line 2, extends = './self.yaml': is circular: self.yaml extends self.yaml"
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("runs.yaml", "runs.yaml does not exist; did you mean 'run.yaml'?"),
        ("run.txt", "run.txt has an unknown suffix '.txt'; use one of .yaml, .yml, .toml, .json"),
        ("3", "must be the path of a config file, relative to this one"),
        ("[run.yaml]", "must be the path of a config file, relative to this one"),
        ("' '", "must be the path of a config file, relative to this one"),
    ],
)
def test_what_cannot_be_extended_is_refused_at_the_key(value: str, message: str) -> None:
    text = refusal(child(f"max_lr: 1\nextends: {value}\n"))
    assert text.startswith("child.yaml: line 2, extends = ")
    assert text.endswith(f": {message}")


@pytest.mark.parametrize("name", ["a\0b.yaml", "\ud800.yaml", "loop.yaml"])
def test_a_path_that_no_file_can_have_is_refused_at_the_key(name: str) -> None:
    Path("loop.yaml").symlink_to("loop.yaml")
    assert f"{name} cannot be read: " in refusal(child(json.dumps({"extends": name}), "child.json"))


def test_every_error_names_the_file_and_the_line_where_the_key_stands() -> None:
    child("max_lr: fast\nlr_decay_steps: 100\nlr_decay_style:\n  style: polynomial\n  pwoer: 2\n", "base.yaml")
    child("extends: base.yaml\nmin_lr: 10%\nstart_wd: -1\n", "middle.yaml")
    assert refusal(child("extends: middle.yaml\nlr_warmup_steps: -200\n")).splitlines() == [
        "child.yaml has 5 problems:",
        "  line 2, lr_warmup_steps = -200: must not be negative",
        "  line 1 of base.yaml, max_lr = 'fast': is not a number",
        "  line 5 of base.yaml, lr_decay_style.pwoer = 2: is not an option of 'polynomial'; did you mean 'power'?",
        "  line 2 of middle.yaml, min_lr = '10%': is a percentage of max_lr, which is missing or wrong",
        "  line 3 of middle.yaml, start_wd = -1: must not be negative",
        "The options of 'polynomial': power, k",
    ]


def test_a_value_that_was_replaced_is_no_problem_any_more() -> None:
    child("max_lr: fast\nmax_lr: 3\nlr_decay_steps: 100\n", "base.yaml")
    text = refusal(child("extends: base.yaml\nmax_lr: 1\n"))
    assert text == "child.yaml: line 2 of base.yaml, max_lr: is given twice, first on line 1; keep one"


def test_a_broken_parent_names_its_line() -> None:
    child("max_lr: [1\nlr_decay_steps: 2\n", "base.yaml")
    text = refusal(child("extends: base.yaml\n"))
    assert text.startswith("child.yaml: line 2 of base.yaml: is not complete YAML")


def test_a_key_that_is_missing_everywhere_is_reported() -> None:
    assert "max_lr: missing required key" in refusal(child("extends: run.yaml\nmax_lr: null\n"))


def test_a_program_cannot_extend_a_file() -> None:
    with pytest.raises(ConfigError, match=r"extends: is only for files: read them with schedframe.load"):
        Schedule(extends="run.yaml", max_lr=1)


def branched(**changes: str) -> str:
    schedframe.branch(load("run.yaml"), 1000, wsd_decay_steps=200).write("branch.yaml")
    for old, new in changes.items():
        Path("run.yaml").write_text(Path("run.yaml").read_text().replace(f"{old}: ", f"{old}: {new} # "))
    return "branch.yaml"


def test_a_parent_that_was_changed_since_is_reported_with_what_to_do() -> None:
    before = load("run.yaml").fingerprint
    file = branched(max_lr="4e-4")
    assert refusal(file) == (
        f"branch.yaml: line 8, parent.fingerprint = '{before}': is not the fingerprint of run.yaml, which is "
        f"{load('run.yaml').fingerprint}: that file was changed after this one was made from it. Restore it, or write "
        f"this file again (schedframe branch, extend or rewarm)"
    )


def test_a_change_that_changes_no_curve_is_not_reported() -> None:
    file = branched()
    Path("run.yaml").write_text("# a comment\n" + RUN.replace("3e-4", "0.0003") + "resume: checkpoint\n")
    assert load(file).start_step == 1000


def test_a_changed_grandparent_is_reported_too() -> None:
    schedframe.rewarm(load(branched()), 1200, lr_warmup_steps=10, lr_decay_steps=400).write("longer.yaml")
    assert load("longer.yaml").train_samples == 400
    Path("run.yaml").write_text(RUN.replace("3e-4", "4e-4"))
    assert refusal("longer.yaml").startswith("branch.yaml: line 8, parent.fingerprint = ")


def test_a_file_without_parent_follows_its_base() -> None:
    file = child("extends: run.yaml\nmin_lr: 0\n")
    Path("run.yaml").write_text(RUN.replace("3e-4", "4e-4"))
    assert load(file).max_lr == 4e-4


def test_one_that_takes_over_its_parents_parent_is_not_compared() -> None:
    file = child(f"extends: {branched()}\nmin_lr: 0\n")
    assert load(file).parent == load("branch.yaml").parent


def test_a_parent_whose_init_lr_a_checkpoint_decides_is_not_compared(optimizer) -> None:
    """Its fingerprint is known only beside the checkpoint."""
    child("max_lr: 1\nlr_decay_steps: 100\nlr_decay_style: constant\n", "old.yaml")
    schedframe.rewarm(load("old.yaml"), 50, lr_warmup_steps=10, lr_decay_steps=100).write("new.yaml")
    Path("new.yaml").write_text(Path("new.yaml").read_text().replace("init_lr: 1.0", "init_lr: current"))
    old, new = load("old.yaml").build(optimizer()), load("new.yaml").build(optimizer())
    old.step(50)
    new.load_state_dict(old.state_dict())
    new.step(20)
    schedframe.branch(load("new.yaml"), new.state_dict(), wsd_decay_steps=10).write("branch.yaml")
    assert load("branch.yaml").start_step == 70


def test_check_reads_such_files() -> None:
    from typer.testing import CliRunner

    from schedframe._cli.app import app

    done = CliRunner().invoke(app, ["check", branched(max_lr="fast"), "--format", "json"])
    (found,) = json.loads(done.stdout)["files"]
    assert done.exit_code == 2
    assert (found["findings"][0]["file"], found["findings"][0]["line"]) == ("run.yaml", 2)


def test_a_text_extends_what_it_may() -> None:
    document = read_text(Path("new.yaml"), "extends: run.yaml\nmax_lr: 1e-3\n", {Path("run.yaml")})
    assert (document.data["max_lr"], document.data["lr_warmup_steps"], document.extends) == (
        1e-3,
        100,
        (Path("run.yaml"),),
    )


@pytest.mark.parametrize("name", ["run.yaml", "../run.yaml", "a/../run.yaml", "/etc/passwd", "gone.yaml"])
def test_a_text_that_extends_what_it_may_not_reads_nothing(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_text(Path("new.yaml"), f"max_lr: 1\nextends: {name}\n", {Path("other.yaml")})
    (problem,) = caught.value.problems
    assert (problem.line, problem.path) == (2, "extends")
    assert problem.message.startswith("is not read: the file did not extend it when it was opened")
