"""Dry runs of many command lines in one process, on a machine without a GPU.

The command lines come as JSON on stdin: lists of arguments. For each a JSON line says what was printed, and the code.

    python dry_runs.py SCRIPT < lines.json
"""

import contextlib
import io
import json
import sys
from typing import Any

from schedframe._cli import dry_run


def dry(script: str, line: list[str]) -> dict[str, Any]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = dry_run(script, line)
        except SystemExit as stop:  # of argparse
            code = stop.code
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}


def main(script: str) -> None:
    for line in json.load(sys.stdin):
        print(json.dumps(dry(script, line)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
