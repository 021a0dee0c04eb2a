"""The launcher as it is called: ``python -m``, ``torchrun -m``, and ``install()`` in a script of one's own."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from schedframe import Schedule

from .megatron_lm import MODEL, TINY, Ran, environment, printed, wheel

README = Path(__file__).parents[2] / "README.md"
VERSION = "0.17.1"
FILE = "max_lr: 1e-3\nlr_warmup_steps: 2 iters\nlr_decay_style: {style: rex, beta: 0.8}\ntrain_iters: 3\n"
SAYS = "schedframe 0.1.0: rex(beta=0.8) from schedframe-rex 0.1.0"
MODULE = ["-m", "schedframe.megatron"]

MINE = """\
from typing import Literal
import schedframe
from schedframe.styles import LRCurve
@schedframe.lr_styles.register
class Mine(LRCurve):
    style: Literal['mine'] = 'mine'
    def coefficient(self, progress):
        return 1.0 - progress
"""

Call = Callable[..., Ran]


@pytest.fixture
def place(wheels: Path) -> Path:
    return wheel(VERSION, wheels)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text(FILE)
    return path


def start(*command: str | Path, place: Path | None, **more: str) -> "subprocess.Popen[str]":
    settings = environment(*([] if place is None else [place]), **more)
    return subprocess.Popen(
        [sys.executable, *map(str, command)],
        env=settings,
        text=True,
        encoding="utf-8",
        errors="replace",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def finish(process: "subprocess.Popen[str]") -> Ran:
    text, _ = process.communicate(timeout=300)
    return Ran(text, process.returncode)


def test_python_m_runs_a_script(place, file):
    ran = finish(start(*MODULE, TINY, *MODEL, "--schedule", file, place=place))
    assert ran.code == 0, ran.text
    assert len(ran.rows) == 3
    assert ran.said == [SAYS]


@pytest.mark.usefixtures("file")
def test_the_command_of_the_readme_trains(place, tmp_path, monkeypatch):
    (line,) = re.findall(r"^\$ torchrun (.*) \.\.\.$", README.read_text(encoding="utf-8"), re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    shutil.copy(TINY, "pretrain_gpt.py")
    torchrun = ["-m", "torch.distributed.run", *line.split()]
    ran = finish(start(*torchrun, *MODEL, place=place, PET_STANDALONE="1"))
    assert ran.code == 0, ran.text
    assert (len(ran.rows), ran.said) == (3, [SAYS])


def test_the_same_script_alone_takes_five_decay_styles(place):
    ran = finish(start(TINY, *MODEL, "--lr-decay-style=rex", place=place))
    assert ran.code == 2
    (choices,) = re.findall(r"--lr-decay-style: invalid choice: 'rex' \(choose from (.*)\)", ran.text)
    assert len(choices.split(", ")) == 5


def test_a_style_of_ones_own_needs_no_packaging(place, tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text(MINE)
    flags = ["--lr-decay-style=mine", "--lr=1e-3", "--train-iters=3"]
    ran = finish(start(*MODULE, "--import", mine, TINY, *MODEL, *flags, place=place))
    assert ran.code == 0, ran.text
    (said,) = ran.said
    assert said.startswith(f"schedframe 0.1.0: mine from {mine} (sha256 ")


def test_torchrun_runs_two_ranks_and_one_of_them_prints(place, file):
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    ran = finish(start(*torchrun, *MODULE, TINY, *MODEL, "--schedule", file, place=place))
    assert ran.code == 0, ran.text
    assert len(ran.rows) == 3
    assert ran.text.count(SAYS) == 1


@pytest.mark.parametrize("flags", [[], ["--no-verify-ranks"]], ids=["verified", "not verified"])
def test_ranks_with_different_files_are_refused(place, file, tmp_path, flags):
    other = tmp_path / "other.yaml"
    other.write_text(FILE.replace("0.8", "0.7"))
    ranks = [
        start(
            *(*MODULE, TINY, *MODEL, "--schedule", path, *flags),
            place=place,
            WORLD_SIZE="2",
            RANK=str(rank),
            LOCAL_RANK=str(rank),
            MASTER_PORT=str(20000 + (os.getpid() + 5000) % 10000),
        )
        for rank, path in enumerate((file, other))
    ]
    for ran in map(finish, ranks):
        if flags:
            assert ran.code == 0, ran.text
        else:
            assert ran.code == 2, ran.text
            assert "rex(beta=0.8)" in ran.text
            assert "rex(beta=0.7)" in ran.text
            assert not ran.rows


def test_a_script_of_ones_own_installs_it(place, file, tmp_path):
    script = tmp_path / "train.py"
    script.write_text(
        "import runpy, sys\n"
        "from schedframe.megatron import install\n"
        "install()\n"
        "install()\n"
        f"runpy.run_path({str(TINY)!r}, run_name='__main__')\n"
    )
    ran = finish(start(script, *MODEL, "--schedule", file, place=place))
    assert ran.code == 0, ran.text
    assert ran.said == [SAYS]


def test_a_megatron_that_lacks_what_is_replaced_is_an_error(place, tmp_path):
    shutil.copytree(place / "megatron", tmp_path / "megatron")
    arguments = tmp_path / "megatron" / "training" / "arguments.py"
    arguments.write_text(arguments.read_text().replace("add_megatron_arguments", "add_all_arguments"))
    ran = finish(start(*MODULE, TINY, place=tmp_path))
    assert ran.code == 2
    assert ran.text.splitlines()[-1] == (
        "schedframe: Megatron-LM 0.17.1 has no megatron.training.arguments.add_megatron_arguments, which schedframe "
        "0.1.0 looks for: it knows Megatron-LM 0.14 to 0.19. A newer schedframe may know this one"
    )


def test_without_megatron_lm_it_says_how_to_get_it(tmp_path):
    script = tmp_path / "train.py"
    script.write_text("")
    ran = finish(start(*MODULE, script, place=None))
    assert ran.code == 2
    assert "schedframe: Megatron-LM cannot be imported: megatron.training" in ran.text
    assert "run this with the script of a Megatron-LM checkout" in ran.text


def test_a_script_that_is_not_there_is_reported():
    ran = finish(start(*MODULE, "pretrain_gtp.py", place=None))
    assert (ran.code, ran.text) == (2, "schedframe: there is no script pretrain_gtp.py\n")


def test_help_has_examples():
    ran = finish(start(*MODULE, "--help", place=None))
    assert ran.code == 0
    assert "torchrun --nproc-per-node 8 -m schedframe.megatron pretrain_gpt.py --schedule run.yaml" in ran.text


def test_help_lists_the_styles_that_are_installed_and_imported(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    ran = finish(start(*MODULE, "--import", tmp_path / "mine.py", "--help", place=None))
    listed = " ".join(ran.text.partition("learning rate: ")[2].partition("weight decay: ")[0].split()).split(", ")
    assert {"WSD", "cosine", "rex", "mine"} <= set(listed)


def test_megatrons_own_yaml_counts_as_its_flags(place, file, tmp_path):
    for name, lr in (("same", 0.001), ("other", 0.002)):
        (tmp_path / f"{name}.yaml").write_text(
            f"lr: {lr}\nglobal_batch_size: 4\ntrain_iters: null\nenable_msc: false\nweight_decay: 0.1\n"
            "min_lr: 0.0\nlr_warmup_iters: 0\nlr_warmup_samples: 0\noverride_opt_param_scheduler: false\n"
        )
    script = tmp_path / "parse.py"
    script.write_text(
        "import sys\n"
        "from megatron.training.arguments import parse_args\n"
        "args = parse_args()\n"
        "names = ('lr', 'train_iters', 'lr_warmup_iters', 'lr_decay_style', 'weight_decay', 'schedule')\n"
        "print(*(getattr(args, name) for name in names))\n"
    )
    flags = ["--lr=7", "--schedule", file, "--yaml-cfg"]
    same = finish(start(*MODULE, script, *flags, tmp_path / "same.yaml", place=place))
    assert same.code == 0, same.text
    assert same.text.splitlines()[-1] == f"0.001 3 2 rex 0.1 {file}"
    other = finish(start(*MODULE, script, *flags, tmp_path / "other.yaml", place=place))
    assert other.code == 2
    assert other.text.splitlines()[-1] == (
        f"schedframe: {file}: line 1, max_lr = 0.001: --lr 0.002 in {tmp_path / 'other.yaml'} gives 0.002; leave one "
        f"of the two out"
    )


def test_a_run_by_samples_with_a_ramp_of_its_batches(place, tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text(
        "max_lr: 1e-3\nlr_warmup_steps: 2 iters\ntrain_samples: 16\n"
        "lr_decay_style: {style: WSD, wsd_decay_steps: 2 iters, lr_wsd_decay_style: rex}\n"
    )
    ramp = ["--rampup-batch-size", "2", "2", "4"]
    ran = finish(start(*MODULE, TINY, *MODEL, *ramp, "--schedule", file, place=place))
    assert ran.code == 0, ran.text
    schedule = Schedule(
        max_lr=1e-3,
        lr_decay_steps=16,
        lr_warmup_steps="2 iters",
        lr_decay_style={"style": "WSD", "wsd_decay_steps": "2 iters", "lr_wsd_decay_style": "rex"},
        global_batch_size=4,
        rampup_batch_size=[2, 2, 4],
    )
    assert ran.rates == printed(schedule, [2, 4, 8, 12, 16])
    wsd = "WSD(wsd_decay_steps=8, lr_wsd_decay_style=rex(beta=0.5))"
    assert ran.said == [f"schedframe 0.1.0: {wsd} from schedframe 0.1.0, rex from schedframe-rex 0.1.0"]
