"""Runs of one Megatron-LM script, each in a process of its own that is forked where Megatron has been imported.

The runs come as JSON on stdin: a list of ``{"name", "launched", "arguments", "environment"}``; what each prints goes
into FOLDER/NAME.log, with its exit code in the last line.

    python runs.py FOLDER SCRIPT < runs.json
"""

import importlib
import json
import os
import runpy
import sys
import traceback
from pathlib import Path
from typing import Any


def main(folder: str, script: str) -> None:
    sys.path.insert(0, str(Path(script).parent.resolve()))
    importlib.import_module("megatron.training.training")
    importlib.import_module("cpu").resume_without_transformer_engine()
    for run in json.load(sys.stdin):
        child = os.fork()
        if child == 0:
            _become(run, Path(folder), script)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        with (Path(folder) / f"{run['name']}.log").open("a") as log:
            log.write(f"\nexit code {status}\n")


def _become(run: dict[str, Any], folder: Path, script: str) -> None:
    """Be the process of one run."""
    log = os.open(folder / f"{run['name']}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(run.get("environment", {}))
    code: Any = 0
    try:
        if run["launched"]:
            sys.argv = ["schedframe.megatron", script, *run["arguments"]]
            runpy.run_module("schedframe.megatron", run_name="__main__")
        else:
            sys.argv = [script, *run["arguments"]]
            runpy.run_path(script, run_name="__main__")
    except SystemExit as stop:
        code = stop.code
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
