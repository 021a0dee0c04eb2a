"""Sources that are broken, or written to do harm: each is refused with a message, nothing is run or written."""

import json
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from schedframe.importers import importers

from ..runs import cli

HEAD = "torchrun pretrain_gpt.py --train-iters 100 --global-batch-size 8 "
HF = "learning_rate: 1e-4\nlr_scheduler_type: cosine\nmax_steps: 100\n"
TITAN = '[job]\nname = "a"\n[training]\nsteps = 100\n[optimizer]\nlr = 1e-3\n'
TOUCH = "touch TOUCHED"

SCRIPTS = {
    "a command in a value": HEAD + f"--lr $({TOUCH})",
    "a command in backquotes": HEAD + f"--lr `{TOUCH}`",
    "a command in a variable": f"LR=$({TOUCH})\n{HEAD}--lr $LR",
    "a command in an array": f"A=(--lr $({TOUCH}))\n{HEAD}" + '"${A[@]}"',
    "a command in a default": HEAD + "--lr ${LR:-$(" + TOUCH + ")}",
    "a command in arithmetic": HEAD + f"--lr 1e-4 --lr-warmup-iters $(( $({TOUCH}) + 1 ))",
    "Python in arithmetic": HEAD + "--lr 1e-4 --lr-warmup-iters $((__import__('os').system('touch TOUCHED')))",
    "a call in arithmetic": HEAD + "--lr 1e-4 --lr-warmup-iters $((exit(1)))",
    "a power without end": HEAD + "--lr 1e-4 --lr-warmup-iters $((9**9**9**9))",
    "a division by zero": HEAD + "--lr 1e-4 --lr-warmup-iters $((1/0))",
    "a process substitution": HEAD + f"--lr <({TOUCH})",
    "eval": f'eval "{TOUCH}"\n{HEAD}--lr $LR',
    "source": f"source ./evil.sh\n{HEAD}--lr $LR",
    "a quote that is open": HEAD + "--lr '1e-4",
    "a double quote that is open": HEAD + '--lr "1e-4',
    "a backquote that is open": HEAD + "--lr `x",
    "an expansion that is open": HEAD + "--lr ${LR",
    "a substitution that is open": HEAD + "--lr $(cat",
    "arithmetic that is open": HEAD + "--lr $((1 + 2",
    "an array that is open": f"A=(--lr 1e-4\n{HEAD}",
    "a here-document that is open": f"cat <<EOF\n{HEAD}--lr 1e-4\n",
    "no value": HEAD + "--lr",
    "a flag as a value": HEAD + "--lr --fp16",
    "words after the value": HEAD + "--lr 1e-4 --min-lr 1e-5 --lr-decay-style",
    "a number in words": HEAD + "--lr 3e-4x",
    "not a number": HEAD + "--lr nan",
    "infinity": HEAD + "--lr inf",
    "a negative rate": HEAD + "--lr -1e-4",
    "a fraction of an iteration": HEAD + "--lr 1e-4 --lr-warmup-iters 1.5",
    "a negative length": HEAD + "--lr 1e-4 --lr-warmup-iters -5",
    "a number of many digits": HEAD + "--lr 1e-4 --lr-warmup-iters " + "9" * 5000,
    "a warmup as long as the run": HEAD + "--lr 1e-4 --lr-warmup-iters 100",
    "a warmup of more than all": HEAD + "--lr 1e-4 --lr-warmup-fraction 1.5",
    "a min LR above the max LR": HEAD + "--lr 1e-4 --min-lr 1e-3",
    "a substring": f"LR=1e-4xx\n{HEAD}--lr " + "${LR%xx}",
    "an indirect variable": f"NAME=LR\nLR=1e-4\n{HEAD}--lr " + "${!NAME}",
    "a variable of a loop": f"for LR in 1e-4 3e-4; do\n{HEAD}--lr $LR\ndone",
    "a variable of a condition": f"[ $A ] && LR=1e-4\n{HEAD}--lr $LR",
    "a variable that is read": f"LR=1e-4\nread LR\n{HEAD}--lr $LR",
    "a variable that arithmetic changes": f"W=5\n(( W = W * 2 ))\n{HEAD}--lr 1e-4 --lr-warmup-iters $W",
    "a variable of the environment": HEAD + "--lr $HOME",
    "an argument of the script": HEAD + "--lr $1",
    "no command": "echo hello --lr 1e-4\n",
    "nothing": "",
    "a script in Python": "import os\nos.system('touch TOUCHED')\n",
    "doubling": "A=xxxxxxxxxx\n" + "".join("A=$A$A$A$A$A$A$A$A\n" for _ in range(12)) + HEAD + "--lr $A",
    "expansions in expansions": HEAD + "--lr " + "${A:-" * 200 + "1" + "}" * 200,
    "a null byte": HEAD + "--lr 1e-4\0",
}

TABLES = {
    "yaml": {
        "a tag that makes an object": HF + "x: !!python/object/apply:os.system ['touch TOUCHED']\n",
        "a tag that makes a name": HF + "x: !!python/name:os.system\n",
        "an alias without its anchor": HF + "x: *nothing\n",
        "aliases in aliases": "a: &a [x, x]\n"
        + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20))
        + HF,
        "a key twice": HF + "learning_rate: 1e-3\n",
        "a merge key of no table": HF + "<<: 5\n",
        "a bomb of merge keys": HF
        + "a0: &a0 {k: 1}\n"
        + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}], k{n}: 1}}\n" for n in range(1, 9)),
        "two documents": HF + "---\n" + HF,
        "no table": "- learning_rate: 1e-4\n",
        "a list for a rate": HF.replace("1e-4", "[1e-4]"),
        "a table for a length": HF.replace("100", "{value: 100}"),
        "a text for options": HF + "lr_scheduler_kwargs: num_cycles=2\n",
        "a rate of no number": HF.replace("1e-4", ".nan"),
        "a length of no number": HF.replace("100", "many"),
        "deep": HF + "x: " + "[" * 200 + "]" * 200 + "\n",
        "cut": HF + "x: {a: [1, 2",
        "interpolation": HF.replace("1e-4", "${oc.env:LR}"),
        "another schedule": "schedule: a\nsteps: 3\n",
    },
    "toml": {
        "cut": TITAN + "[lr_scheduler\n",
        "a key twice": TITAN + "lr = 2\n",
        "an unknown key of the schedule": TITAN + "[lr_scheduler]\nwarm_steps = 3\n",
        "an unknown curve": TITAN + '[lr_scheduler]\ndecay_type = "exp"\n',
        "a share above 1": TITAN + "[lr_scheduler]\ndecay_ratio = 1.5\n",
        "a table for a length": TITAN + "[lr_scheduler.warmup_steps]\na = 1\n",
        "a negative warmup": TITAN + "[lr_scheduler]\nwarmup_steps = -1\n",
    },
    "json": {
        "cut": '{"learning_rate": 1e-4, "lr_scheduler_type": ',
        "no table": '[{"learning_rate": 1e-4}]',
        "infinity": '{"learning_rate": Infinity, "lr_scheduler_type": "cosine", "max_steps": 9}',
        "a large number": '{"learning_rate": 1e-4, "lr_scheduler_type": "cosine", "max_steps": ' + "9" * 500 + "}",
        "deep": '{"a":' * 400 + "1" + "}" * 400,
        "a key without end": json.dumps({"k" * 5000: 1, "learning_rate": 1e-4, "max_steps": 3}),
    },
}

CASES = {
    **{f"script: {name}": ("train.sh", text) for name, text in SCRIPTS.items()},
    **{
        f"{suffix}: {name}": (f"config.{suffix}", text)
        for suffix, texts in TABLES.items()
        for name, text in texts.items()
    },
}


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.sh").write_text(f"{TOUCH}\nLR=1e-4\n")


def test_there_are_at_least_60() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_with_a_message_and_nothing_runs(name: str, tmp_path: Path) -> None:
    file, text = CASES[name]
    (tmp_path / file).write_text(text)
    before = sorted(os.listdir(tmp_path))
    done = cli("import", file, "-o", "new.yaml")
    assert done.code == 2, done
    assert done.err.startswith((file, "--")), done.err
    assert "Traceback" not in done.err
    assert "Error" not in done.err, done.err
    assert "bug" not in done.err
    assert len(done.err) < 2000
    assert sorted(os.listdir(tmp_path)) == before


NO_LINE = re.compile(r"nothing|no command|no table|Python|null byte|another schedule|cut|deep|a key without end|two")


@pytest.mark.parametrize("name", [name for name in CASES if not NO_LINE.search(name)])
def test_the_message_has_the_line_or_the_option(name: str, tmp_path: Path) -> None:
    file, text = CASES[name]
    (tmp_path / file).write_text(text)
    assert re.search(r"line \d+", cli("import", file).err), name


@pytest.mark.parametrize("command", ["check", "preview", "plot", "diff"])
def test_the_other_commands_run_nothing_either(command: str, tmp_path: Path) -> None:
    (tmp_path / "train.sh").write_text(SCRIPTS["a command in a value"])
    others = {"plot": ["-o", "x.html"], "diff": ["train.sh"]}
    done = cli(command, "train.sh", *others.get(command, []))
    assert done.code == 2
    assert "no command is run" in done.out + done.err
    assert sorted(os.listdir(tmp_path)) == ["evil.sh", "train.sh"]


class Evil:
    """Runs a command where it is unpickled."""

    def __reduce__(self) -> Any:
        return os.system, (TOUCH,)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04",
        b"PK\x03\x04" + b"\0" * 100,
        b"\x80\x04.",
        b"\x80\x02]q\0.",
        pickle.dumps(Evil()),
        pickle.dumps([1, 2]),
        pickle.dumps({"learning_rate": 1}),
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xfe\x00",
        b"\x7fELF",
    ],
)
def test_a_file_that_is_no_training_args_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "training_args.bin").write_bytes(content)
    done = cli("import", "training_args.bin")
    assert (done.code, done.err.startswith("training_args.bin: ")) == (2, True), done
    assert sorted(os.listdir(tmp_path)) == ["evil.sh", "training_args.bin"]


def test_an_object_that_would_run_code_is_data(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs torch")
    torch.save(Evil(), tmp_path / "training_args.bin")
    done = cli("import", "training_args.bin")
    assert done.code == 2
    assert not (tmp_path / "TOUCHED").exists()


def test_nothing_of_the_environment_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEAK", "1e-4")
    (tmp_path / "train.sh").write_text(HEAD + "--lr $PEAK\n")
    assert "give it with --set PEAK=VALUE" in cli("import", "train.sh").err
    assert cli("import", "train.sh", "--set", "PEAK=1e-4").code == 0


def test_a_source_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "train.sh").write_text(HEAD + "--lr 1e-4\n")
    (tmp_path / "run.yaml").write_text("kept")
    assert cli("import", "train.sh", "-o", "train.sh").code == 2
    assert cli("import", "train.sh", "-o", "run.yaml").code == 2
    assert (tmp_path / "run.yaml").read_text() == "kept"
    assert (tmp_path / "train.sh").read_text() == HEAD + "--lr 1e-4\n"


def test_no_importer_imports_its_framework() -> None:
    names = ("transformers", "torch", "megatron", "torchtitan", "yaml", "deepspeed", "olmo_core")
    program = "from schedframe.importers import importers; list(importers.values()); import sys"
    program = f"{program}; print(*set({names!r}) & sys.modules.keys())"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
    assert len(importers) >= 9
