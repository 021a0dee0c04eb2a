"""The time that whole processes take, as ratios to a peer measured in turn with them.

``import schedframe`` against ``import pydantic``; ``schedframe --help`` and ``schedframe check FILE`` against importing
the libraries that they stand on, and the latter also against the least use of them (one model validated, one text
composed, the entry points of all distributions read) and against loading the file in a program; ``schedframe plot``
against importing matplotlib's figures; ``schedframe preview FILE`` against importing Megatron Core's scheduler module.
The page and ``schedframe diff`` are measured against ``schedframe check`` of the same file, of a run with a ramp of the
batch size, phases, weight decay that follows the learning rate, and three roles.
Byte code is cached, as after an installation.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from table import Table, arguments

SCHEDULE = """\
train_samples: 500M
max_lr: 3e-4
min_lr: 10%
lr_warmup_steps: 1%
lr_decay_style: {style: WSD, wsd_decay_steps: 10%, lr_wsd_decay_style: minus_sqrt}
start_wd: 0.1
"""
MOE = Path(__file__, "../../tests/schedules/moe.yaml").resolve().read_text()
LIBRARIES = """\
import importlib_metadata, pluggy, rich, ruamel.yaml, typer
from pydantic import BaseModel, Field

class Keys(BaseModel):
    max_lr: float = Field(gt=0)

Keys(**ruamel.yaml.YAML(typ="safe", pure=True).load("max_lr: 1"))
importlib_metadata.entry_points()
"""
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def process(*arguments: str, code: int = 0) -> Callable[[], object]:
    """Return what runs Python with `arguments`, and fails unless it ends with `code`."""
    command = [sys.executable, *arguments]

    def run() -> None:
        done = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode != code:
            raise subprocess.CalledProcessError(done.returncode, command)

    return run


def importing(modules: str) -> Callable[[], object]:
    return process("-c", f"import {modules}")


def cli(*arguments: str, code: int = 0) -> Callable[[], object]:
    return process("-m", "schedframe", *arguments, code=code)


def main() -> int:
    options = arguments(__doc__, pairs=15)
    table = Table("whole processes", "s")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "run.yaml")
        file.write_text(SCHEDULE)
        moe, other = Path(folder, "moe.yaml"), Path(folder, "other.yaml")
        moe.write_text(MOE)
        other.write_text(MOE.replace("max_lr: 3e-4", "max_lr: 2.5e-4"))
        table.measure(
            "import schedframe / import pydantic", 1.6, importing("schedframe"), importing("pydantic"), options.pairs
        )
        table.measure(
            "schedframe --help / import typer, rich", 1.4, cli("--help"), importing("typer, rich"), options.pairs
        )
        table.measure(
            "schedframe check FILE / import ruamel, typer, pydantic",
            1.9,
            cli("check", str(file)),
            importing("ruamel.yaml, typer, rich; from pydantic import BaseModel"),
            options.pairs,
        )
        table.measure(
            "schedframe check FILE / its libraries, used once",
            1.35,
            cli("check", str(file)),
            process("-c", LIBRARIES),
            options.pairs,
        )
        table.measure(
            "schedframe check FILE / schedframe.load(FILE)",
            1.6,
            cli("check", str(file)),
            process("-c", f"import schedframe; schedframe.load({str(file)!r})"),
            options.pairs,
        )
        table.measure(
            "schedframe plot FILE -o x.html / schedframe check FILE",
            1.5,
            cli("plot", str(moe), "-o", str(Path(folder, "x.html"))),
            cli("check", str(moe)),
            options.pairs,
        )
        table.measure(
            "schedframe diff A B / schedframe check A",
            1.5,
            cli("diff", str(moe), str(other), code=1),
            cli("check", str(moe)),
            options.pairs,
        )
        table.measure(
            "schedframe plot FILE -o x.png / import matplotlib.figure",
            2.0,
            cli("plot", str(file), "-o", str(Path(folder, "x.png"))),
            importing("matplotlib.figure"),
            max(3, options.pairs // 3),
        )
        table.measure(
            "schedframe preview FILE / import Megatron's scheduler",
            0.25,
            cli("preview", str(file)),
            importing("megatron.core.optimizer_param_scheduler"),
            max(3, options.pairs // 3),
        )
    return table.finish(options.json)


if __name__ == "__main__":
    sys.exit(main())
