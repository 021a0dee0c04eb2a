"""``schedframe import``, the commands that take a source directly, and importers of other distributions."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from schedframe import PluginError, load
from schedframe._tools.views.page.html import is_built
from schedframe.importers import importers

from ..runs import cli

SCRIPT = """\
torchrun pretrain_gpt.py --lr 3e-4 --min-lr 3e-5 --lr-decay-style cosine \\
    --lr-warmup-iters 20 --train-iters 400 --global-batch-size 8 --weight-decay 0.1
"""
ARGUMENTS = '{"learning_rate": 2e-5, "lr_scheduler_type": "cosine", "warmup_ratio": 0.1, "num_train_epochs": 3}'
PLUGIN = """
from schedframe.importers import Importer

def convert(draft):
    draft.put("clock", "iters")
    draft.put("train_iters", draft.count("acme.updates"), "acme.updates")
    draft.put("max_lr", draft.number("acme.peak"), "acme.peak")
    if draft.source.has("acme.crash"):
        raise RuntimeError("boom")

ACME = Importer("acme", "Acme 1.0", lambda source: source.has("acme.peak"), convert)
OTHER = Importer("other", "Acme 1.0", lambda source: False, convert)
"""


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.sh").write_text(SCRIPT)
    (tmp_path / "args.json").write_text(ARGUMENTS)


def test_it_prints_a_file_whose_comments_name_lines_and_assumptions() -> None:
    done = cli("import", "train.sh")
    assert done.code == 0
    assert done.out.startswith("# Imported from train.sh, a config of Megatron-LM core_v0.16.1, by schedframe ")
    assert "# max_lr: lr (line 1)\n" in done.out
    assert "# lr_warmup_steps: lr_warmup_iters (line 2)\n" in done.out
    assert "# - lr_warmup_init is not given, and is 0.0 by default in Megatron-LM core_v0.16.1.\n" in done.out
    assert "max_lr: 0.0003\n" in done.out


@pytest.mark.parametrize("suffix", ["yaml", "toml", "json"])
def test_it_writes_every_format(suffix: str, tmp_path: Path) -> None:
    done = cli("import", "train.sh", "-o", f"run.{suffix}")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"wrote run.{suffix}, from a config of Megatron-LM")
    assert "assumed: lr_warmup_init is not given" in done.out
    schedule = load(tmp_path / f"run.{suffix}")
    assert (schedule.max_lr, schedule.train_steps, schedule.start_wd) == (3e-4, 3200, 0.1)


def test_the_report_has_keys_lines_and_assumptions() -> None:
    report = json.loads(cli("import", "train.sh", "--format", "json").out)
    assert (report["importer"], report["schedule"]["max_lr"]) == ("megatron", 3e-4)
    assert {"key": "max_lr", "from": ["lr"], "lines": [1]} in report["taken"]
    assert report["assumed"]


def test_what_is_missing_is_asked_for_and_given() -> None:
    assert "give it with --train-iters" in cli("import", "args.json").err
    report = json.loads(cli("import", "args.json", "--train-iters", 300, "--format", "json").out)
    assert report["schedule"]["lr_warmup_steps"] == "30 iters"
    assert "train_iters is given with --train-iters" in report["assumed"]


def test_what_the_source_has_is_not_given_again() -> None:
    done = cli("import", "train.sh", "--train-iters", 5)
    assert (done.code, done.err) == (
        2,
        "--train-iters: is given, and train.sh has train_iters on line 2; use --set train_iters=VALUE\n",
    )
    assert "is not needed for this source" in cli("import", "train.sh", "--seq-length", 5).err


def test_values_are_set_by_their_path() -> None:
    report = json.loads(cli("import", "train.sh", "--set", "lr=1e-3", "--format", "json").out)
    assert report["schedule"]["max_lr"] == 1e-3
    report = json.loads(cli("import", "args.json", "--set", "max_steps=50", "--format", "json").out)
    assert report["schedule"]["train_iters"] == 50
    for wrong, words in (("lr", "must be KEY=VALUE"), ("lrr=3", "is no flag of a schedule"), ("=3", "must be KEY")):
        done = cli("import", "train.sh", "--set", wrong)
        assert (done.code, words in done.err) == (2, True), done.err


def test_an_importer_is_chosen_by_name() -> None:
    assert (
        "there is no importer 'megatrn'; did you mean 'megatron'?" in cli("import", "train.sh", "--from", "megatrn").err
    )
    assert cli("import", "train.sh", "--from", "hf").code == 2
    assert cli("import", "train.sh", "--from", "megatron").code == 0


def test_other_commands_take_sources(tmp_path: Path) -> None:
    assert cli("import", "train.sh", "-o", "run.yaml").code == 0
    same = cli("diff", "train.sh", "run.yaml")
    assert (same.code, "the curves are equal" in same.out) == (0, True)
    assert "cosine, max LR 3e-4" in cli("check", "train.sh").out
    assert "warmup end" in cli("preview", "train.sh").out
    assert cli("plot", "train.sh", "--no-open").code == 0


def test_the_page_of_a_source_has_the_text_of_its_schedule_file(tmp_path: Path) -> None:
    if not is_built():
        pytest.skip("the page is not built: it needs Node.js, and then `make frontend`")
    assert cli("plot", "train.sh", "-o", "page.html").code == 0
    assert "Imported from train.sh" in (tmp_path / "page.html").read_text()


def test_a_finding_has_the_line_of_the_source(tmp_path: Path) -> None:
    (tmp_path / "hot.sh").write_text(SCRIPT.replace("--lr 3e-4", "--lr 3e-1"))
    done = cli("check", "hot.sh", "--format", "github")
    assert done.code == 1
    assert "file=hot.sh,line=1," in done.out


def test_a_schedule_file_is_read_as_before(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("max_lr: 3e-4\nlr: 3\n")
    assert "line 2, lr" in cli("preview", "wrong.yaml").err.replace("\n  ", " ")
    (tmp_path / "none.txt").write_text("hello\n")
    assert "has an unknown suffix '.txt'" in cli("preview", "none.txt").err
    assert "does not exist" in cli("preview", "gone.yaml").err


def test_a_distribution_adds_an_importer(install, tmp_path: Path) -> None:
    install("acme-schedules", PLUGIN, groups={"schedframe.importers": {"acme": "acme_schedules_mod:ACME"}})
    assert "acme" in importers
    (tmp_path / "acme.yaml").write_text("acme:\n  peak: 1e-3\n  updates: 50\n")
    report = json.loads(cli("import", "acme.yaml", "--format", "json").out)
    assert (report["importer"], report["schedule"]["train_iters"]) == ("acme", 50)
    assert cli("preview", "acme.yaml").code == 0
    assert "importer acme" in cli("plugins").out
    (tmp_path / "acme.yaml").write_text("acme:\n  peak: 1e-3\n  updates: 50\n  crash: true\n")
    done = cli("import", "acme.yaml")
    assert (done.code, "the importer 'acme' fails: RuntimeError: boom" in done.err) == (2, True)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("acme_schedules_mod:OTHER", "its name is 'other'"),
        ("acme_schedules_mod:convert", "it is no"),
        ("none:X", "none"),
    ],
)
def test_what_is_no_importer_is_refused_with_its_distribution(install, target: str, words: str) -> None:
    install("acme-schedules", PLUGIN, groups={"schedframe.importers": {"acme": target}})
    with pytest.raises(PluginError, match=f"the importer 'acme' from acme-schedules 1.0 .*{words}"):
        importers["acme"]


def test_a_command_that_takes_a_source_directly_names_the_one_with_options(tmp_path: Path) -> None:
    (tmp_path / "train.sh").write_text(SCRIPT.replace("--train-iters 400", ""))
    done = cli("preview", "train.sh")
    assert (done.code, "give it with --train-iters\n`schedframe import` writes" in done.err) == (2, True)
    assert "nothing.sh: does not exist" in cli("preview", "nothing.sh").err


def test_a_schedule_file_is_read_without_the_importers(tmp_path: Path) -> None:
    program = "import sys; from pathlib import Path; from schedframe._cli.opening import open_document"
    program += "; open_document(Path(sys.argv[1])); print('schedframe.importers' in sys.modules)"
    found = []
    for name, text in {"run.yaml": "max_lr: 1\ntrain_samples: 5\n", "args.json": '{"learning_rate": 1}'}.items():
        (tmp_path / name).write_text(text)
        words = [sys.executable, "-c", program, str(tmp_path / name)]
        found.append(subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip())
    assert found == ["False", "True"]
