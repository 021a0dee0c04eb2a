"""The demonstration, docs/examples/train_gpt, run as a user runs it: real Megatron Core, a plugin's style, a file."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import pytest

import schedframe
from schedframe import foresight

DEMO = Path(__file__).parents[2] / "docs" / "examples" / "train_gpt"
tomllib = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
SHIPPED = (DEMO / "schedule.yaml").read_text()
NEEDED = ("megatron", "plotext", "rich", "schedframe_rex", "torch")

pytestmark = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in NEEDED), reason=f"needs {', '.join(NEEDED)}"
)


class Run(NamedTuple):
    code: int
    output: str
    errors: str


def python(*arguments: object, **environment: str) -> Run:
    command = [sys.executable, *map(str, arguments)]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("SCHEDFRAME_")}
    settings = {**clean, "OMP_NUM_THREADS": "1", "COLUMNS": "100", "PYTHONPATH": str(DEMO), **environment}
    done = subprocess.run(command, env=settings, capture_output=True, text=True, encoding="utf-8", timeout=300)
    return Run(done.returncode, done.stdout, done.stderr)


def written(folder: Path, *changes: tuple[str, str]) -> Path:
    """The shipped schedule with some words replaced."""
    text = SHIPPED
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "schedule.yaml"
    path.write_text(text)
    return path


def assert_held_as_declared(history: list[dict], schedule: schedframe.Schedule, batch: int) -> None:
    assert [row["step"] for row in history] == list(range(0, len(history) * batch, batch))
    for row in history:
        assert [group["wd_mult"] for group in row["groups"]] == [1.0, 0.0]
        for group in row["groups"]:
            assert group["lr"] == schedule.lr_at(row["step"])
            assert group["weight_decay"] == schedule.wd_at(row["step"]) * group["wd_mult"]


def proofs(run: Run) -> list[str]:
    """The lines below the first heading at the end."""
    return run.output.partition("What this run proves\n")[2].partition("\n\n")[0].splitlines()


@pytest.fixture(scope="module")
def cosine(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run, list[dict]]:
    """A run of ten updates on the shipped file, with `cosine` where it says `rex`."""
    folder = tmp_path_factory.mktemp("cosine")
    schedule = written(folder, ("rex", "cosine"), ("4800", "160"))
    written_to = ("--json", folder / "history.json", "--log", folder / "loss.jsonl", "--interval", 5)
    run = python(DEMO / "train_gpt.py", "--schedule", schedule, *written_to)
    assert run.code == 0, run.errors
    return schedule, run, json.loads((folder / "history.json").read_text())["history"]


def test_trains_on_a_style_from_a_plugin(tmp_path):
    path = written(tmp_path, ("style: rex  ", "style: {style: rex, beta: 0.7}  "), ("4800", "640"))
    run = python(DEMO / "train_gpt.py", "--schedule", path, "--json", tmp_path / "history.json")
    assert run.code == 0, run.errors
    assert "Warning" not in run.errors

    document = json.loads((tmp_path / "history.json").read_text())
    assert document["lr_style"] == "schedframe-rex 0.1.0 (schedframe_rex:Rex)"
    history, schedule = document["history"], schedframe.load(path)
    assert len(history) == 640 // 16 + 1
    assert_held_as_declared(history, schedule, 16)
    assert history[0]["groups"][0]["lr"] == 0.0
    assert history[-1]["groups"][0]["lr"] == pytest.approx(3e-4)
    assert history[-1]["groups"][0]["weight_decay"] == 0.1
    assert history[0]["loss"] == pytest.approx(5.57, abs=0.1)
    assert history[-1]["loss"] < 3.5

    for said in ("40/40", "warmup end", "learning rate by step", "weight decay by step", "loss by step"):
        assert said in run.output
    assert "from schedframe-rex 0.1.0 (schedframe_rex:Rex)" in run.output
    assert [" ".join(line.split()) for line in proofs(run)] == [
        "values lr and weight_decay of 2 param groups equal the file's at 41 steps",
        "checkpoint resumed at iteration 26, 14 updates are bit-for-bit identical",
        "style rex is from schedframe-rex 0.1.0, with no fork of Megatron",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.json", "schedule.yaml"]


def test_one_word_in_the_file_is_all_it_takes_to_train_on_cosine(cosine):
    path, run, history = cosine
    assert "Cosine(style='cosine') from schedframe" in run.output
    assert len(history) == 11
    assert_held_as_declared(history, schedframe.load(path), 16)
    rex = schedframe.load(written(path.parent, ("4800", "160")))
    assert history[5]["groups"][0]["lr"] != rex.lr_at(80)


def test_its_log_has_the_mean_loss_of_each_interval(cosine):
    path, _, history = cosine
    log = foresight.read(path.parent / "loss.jsonl")
    assert log.steps.tolist() == [5, 10]
    assert log.loss.tolist() == [
        pytest.approx(mean(row["loss"] for row in history[last - 4 : last + 1]), abs=1e-4) for last in (5, 10)
    ]


def test_two_ranks_have_the_schedule_of_one(cosine, tmp_path):
    _, _, alone = cosine
    path = written(tmp_path, ("rex", "cosine"), ("4800", "160"))
    run = python(
        *("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"),
        *(DEMO / "train_gpt.py", "--schedule", path, "--json", tmp_path / "history.json"),
    )
    assert run.code == 0, run.errors
    assert run.output.count("What this run proves") == 1
    assert "equal the file's at 11 steps" in run.output
    together = json.loads((tmp_path / "history.json").read_text())["history"]
    assert [(row["step"], row["groups"]) for row in together] == [(row["step"], row["groups"]) for row in alone]
    assert [row["loss"] for row in together] == pytest.approx([row["loss"] for row in alone], rel=1e-3)


def test_it_ends_with_what_to_do_next(cosine):
    path, run, _ = cosine
    _, _, steps = run.output.partition("\nWhat to do next\n")
    change, see, use = (line.split(maxsplit=2)[2] for line in steps.splitlines())
    assert str(path) in change
    command, *arguments = see.split()
    assert python("-m", "schedframe", *arguments).code == 0
    assert Path(command).name == "schedframe"
    assert use.startswith("https://")


def test_a_checkpoint_that_is_not_loaded_whole_is_found(tmp_path):
    script = f"""
        import gpt, train_gpt, training

        def load(parts, file):
            parts.model.load_state_dict(gpt.torch.load(file)["model"])
            parts.opt_param_scheduler.step(96)

        training.Parts.load = load
        raise SystemExit(train_gpt.main(["--schedule", {str(written(tmp_path, ("4800", "160")))!r}]))
        """
    run = python("-c", textwrap.dedent(script))
    assert run.code == 1
    assert proofs(run)[1].split(maxsplit=1)[1].startswith("4 differences; expected: resumed at iteration 6")
    assert run.errors.startswith("at iteration 7 the resumed run had Row(iteration=7")
    assert "What to do next" not in run.output


def test_make_installs_no_linters_for_it(tmp_path):
    if shutil.which("make") is None:
        pytest.skip("needs make")
    make = ["make", "--dry-run", "demo", f"VENV={tmp_path / 'none'}"]
    commands = subprocess.run(make, cwd=DEMO.parents[2], capture_output=True, text=True, check=True).stdout
    assert re.findall(r"--group (\w+)", commands) == ["demo"]
    groups = tomllib.loads((DEMO.parents[2] / "pyproject.toml").read_text())["dependency-groups"]
    assert groups["demo"] == [{"include-group": "megatron"}]


def test_param_groups_that_contradict_the_file_are_refused_or_found():
    script = f"""
        import json
        import gpt, history, schedframe, training

        schedule = schedframe.load({str(DEMO / "schedule.yaml")!r})
        said = {{}}
        with gpt.distributed(seed=1):
            model = gpt.build_model(256, layers=1, hidden=16, heads=2, length=8)
            for name, bounds in {{"lr": (1e-3, schedule.min_lr), "min_lr": (schedule.max_lr, 1e-5)}}.items():
                try:
                    schedule.build(gpt.build_optimizer(model, *bounds, weight_decay=0.1))
                except schedframe.ConfigError as error:
                    said[name] = str(error)

            optimizer, scheduler = training.build_optimizer(model, schedule)
            optimizer.param_groups[1]["max_lr"] = 1e-3
            scheduler.step(480)
            rows = [history.Row(30, 480, 0.0, history.held(optimizer.param_groups))]
            said["found"] = list(history.deviations(rows, schedule))
        print(json.dumps(said))
        """
    run = python("-c", textwrap.dedent(script))
    assert run.code == 0, run.errors
    said = json.loads(run.output)
    for name, key, theirs, ours in (("lr", "max_lr", 0.001, 0.003), ("min_lr", "min_lr", 1e-05, 0.0003)):
        assert f"param_groups[0, 1] have {key} = {theirs}, from OptimizerConfig.{name}" in said[name]
        assert f"{key} = {ours}" in said[name]
        assert "schedule.yaml: line" in said[name]
    (found,) = said["found"]
    assert found.startswith("at step 480 param_groups[1] held lr = 0.0009")
    assert f"the schedule has {schedframe.load(DEMO / 'schedule.yaml').lr_at(480)}" in found


def test_without_the_plugin_it_says_so_in_a_sentence():
    run = python(DEMO / "train_gpt.py", SCHEDFRAME_BLOCK="schedframe-rex")
    assert (run.code, run.output) == (2, "")
    assert "schedule.yaml: line 7, lr_decay_style = 'rex': the LR style 'rex' comes from schedframe-rex" in run.errors
    assert "SCHEDFRAME_BLOCK blocks it" in run.errors
    assert "Traceback" not in run.errors


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([("rex", "rexx")], "there is no LR style 'rexx'; did you mean 'rex'?"),
        ([("train_samples", "lr_decay_steps")], "train_samples: is missing: it is the length of the run"),
        ([("4800", "15")], "train_samples = 15: is less than one batch, 16"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_before_megatron_is_imported(changes, said, tmp_path):
    run = python("-X", "importtime", DEMO / "train_gpt.py", "--schedule", written(tmp_path, *changes))
    assert run.code == 2
    assert said in run.errors
    assert "Traceback" not in run.errors
    assert "megatron" not in run.errors.replace("megatron_on_cpu", "")


def test_options_that_cannot_be_used_are_refused(tmp_path):
    for options in (["--batch", "0"], ["--hidden", "60"], ["--json", tmp_path / "none" / "history.json"]):
        run = python(DEMO / "train_gpt.py", *options)
        assert run.code == 2
        assert "train_gpt.py: error: " in run.errors
