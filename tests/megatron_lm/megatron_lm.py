"""Megatron-LM as it is installed or checked out, and what its runs print."""

import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schedframe import Schedule

HERE = Path(__file__).parent
TINY = HERE / "pretrain_tiny.py"

MODEL = (
    "--tokenizer-type NullTokenizer --vocab-size 127 --transformer-impl local --num-layers 1 --hidden-size 32 "
    "--num-attention-heads 4 --seq-length 32 --max-position-embeddings 32 --micro-batch-size 2 --global-batch-size 4 "
    "--distributed-backend gloo --use-cpu-initialization --no-masked-softmax-fusion --no-gradient-accumulation-fusion "
    "--no-bias-gelu-fusion --no-bias-dropout-fusion --no-rope-fusion --attention-backend unfused --log-interval 1 "
    "--eval-iters 0 --eval-interval 1000 --no-persist-layer-norm --normalization RMSNorm --disable-bias-linear "
    "--num-workers 0 --hidden-dropout 0 --attention-dropout 0 --no-check-for-nan-in-loss-and-grad "
    "--no-create-attention-mask-in-dataloader"
).split()

_ROW = re.compile(r"iteration\s+(\d+)/.*?learning rate: (\S+) .*?lm loss: (\S+)")


@dataclass(frozen=True)
class Run:
    """One run of a script.

    Attributes:
        name: of its log.
        launched: through ``schedframe.megatron``; else as it is.
        arguments: Megatron's, beside the model's.
        environment: its own variables.
    """

    name: str
    launched: bool
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ran:
    """What a run printed."""

    text: str
    code: int

    @property
    def rows(self) -> list[tuple[str, str, str]]:
        """Iteration, learning rate and loss of each iteration, as printed."""
        return _ROW.findall(self.text)

    @property
    def rates(self) -> list[str]:
        """The learning rate of each iteration, as printed."""
        return [rate for _, rate, _ in self.rows]

    @property
    def said(self) -> list[str]:
        """The lines that schedframe printed."""
        return [line for line in self.text.splitlines() if line.startswith("schedframe")]


def environment(*path: Path, makes: bool = False, **more: str) -> dict[str, str]:
    """Return the environment in which Megatron-LM, which lies in `path`, runs on the CPU.

    Args:
        path: goes first into Python's path.
        makes: Megatron-LM compiles its data sets' helpers at its start; its wheels have no makefile for it.
        more: other variables.
    """
    tools = [] if makes else [str(HERE / "no_make")]
    given = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*map(str, path), str(HERE / "on_cpu"), *given]),
        "PATH": os.pathsep.join([*tools, os.environ["PATH"]]),
        "PYTHONWARNINGS": "ignore",
        "TORCHDYNAMO_DISABLE": "1",
        "CUDA_DEVICE_MAX_CONNECTIONS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
        "MASTER_ADDR": "localhost",
        "MASTER_PORT": str(20000 + os.getpid() % 10000),
        "WORLD_SIZE": "1",
        "RANK": "0",
        "LOCAL_RANK": "0",
        **more,
    }


def run_all(
    runs: Iterable[Run],
    folder: Path,
    script: Path,
    settings: Mapping[str, str],
    model: Sequence[str] = MODEL,
    python: str = sys.executable,
) -> dict[str, Ran]:
    """Run one after the other, and return what each printed, by name."""
    said = [{**vars(run), "arguments": [*model, *run.arguments]} for run in runs]
    done = subprocess.run(
        [python, str(HERE / "runs.py"), str(folder), str(script)],
        input=json.dumps(said, default=dict),
        env=dict(settings),
        text=True,
        capture_output=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr
    return {run["name"]: read(folder / f"{run['name']}.log") for run in said}


def read(log: Path) -> Ran:
    text, _, code = log.read_text(encoding="utf-8", errors="replace").rstrip().rpartition("\nexit code ")
    return Ran(text, int(code))


def saved_groups(checkpoint: Path, settings: Mapping[str, str], python: str = sys.executable) -> list[dict[str, Any]]:
    """Return the optimizer's param groups in the newest ``torch`` checkpoint under `checkpoint`, without parameters."""
    newest = max(checkpoint.glob("iter_*/mp_rank_00/model_optim_rng.pt"))
    program = (
        "import json, sys, torch\n"
        "saved = torch.load(sys.argv[1], weights_only=False, map_location='cpu')['optimizer']\n"
        "groups = saved.get('param_groups') or saved['optimizer']['param_groups']\n"
        "print(json.dumps([{k: v for k, v in g.items() if isinstance(v, (int, float, bool, type(None)))} "
        "for g in groups]))"
    )
    command = [python, "-c", program, str(newest)]
    done = subprocess.run(command, env=dict(settings), text=True, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def printed(schedule: Schedule, steps: Iterable[float]) -> list[str]:
    """Return the learning rates that Megatron prints at `steps`, which are floats of 32 bits there."""
    return [f"{rate:.6E}" for rate in array("f", map(schedule.lr_at, steps))]


def version_of(checkout: Path) -> tuple[int, ...]:
    """Return the version that the file of a checkout says."""
    text = (checkout / "megatron" / "core" / "package_info.py").read_text(encoding="utf-8")
    return tuple(int(found) for found in re.findall(r"^(?:MAJOR|MINOR|PATCH) = (\d+)", text, re.MULTILINE))


def wheel(version: str, folder: Path) -> Path:
    """Return where the wheel of megatron-core `version` lies unpacked under `folder`, from PyPI the first time.

    Any number of processes may ask at once: each downloads into a folder of its own, and the first to finish renames
    its files to the final place. An interrupted download leaves nothing under that name.

    Wheels from 0.17 on hold ``megatron.training``. They are for Python 3.12, and run on 3.11 without what they compile.
    """
    place = folder / version
    if not place.is_dir():
        with tempfile.TemporaryDirectory(prefix=f"download-{version}-", dir=folder) as download:
            unpacked = _download(version, Path(download))
            try:
                unpacked.rename(place)
            except OSError:
                if not place.is_dir():  # else another process was faster
                    raise
    return place


def _download(version: str, folder: Path) -> Path:
    """Download the wheel of megatron-core `version` into `folder`, and return where it is unpacked there."""
    platforms = [f"--platform=manylinux_2_{glibc}_x86_64" for glibc in (28, 24, 17)]
    chosen = ["--no-deps", "--only-binary=:all:", "--python-version=3.12", *platforms]
    command = [sys.executable, "-m", "pip", "download", "-q", *chosen, f"--dest={folder}"]
    subprocess.run([*command, f"megatron-core=={version}"], check=True, timeout=300)
    (archive,) = folder.glob("*.whl")
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder / "unpacked")
    return folder / "unpacked"
