"""Tries our scheduler in the frameworks that build Megatron's class themselves, with their own functions.

    python tests/frameworks/try_frameworks.py --verl ~/verl --slime ~/slime:~/Megatron-LM

Each option takes what to put on the path: the checkout, and where the framework needs more than the installed
``megatron-core``, a checkout of Megatron-LM. One line for each framework says what was seen, or what failed, whose
traceback goes to stderr. Exit code 1 where one failed. The frameworks' own requirements must be installed, but for
those that only a GPU needs.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
FRAMEWORKS = ("megatron-bridge", "verl", "slime", "ms-swift", "automodel")


def main() -> int:
    """Try each framework that is given, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in FRAMEWORKS:
        parser.add_argument(f"--{name}", metavar="PATH[:PATH]", help="what to put on the path")
    given = {name.replace("_", "-"): path for name, path in vars(parser.parse_args()).items() if path}
    if not given:
        parser.error("give at least one checkout")
    failures = [name for name, path in given.items() if not tries(name, path)]
    return 1 if failures else 0


def tries(name: str, path: str) -> bool:
    """Try one framework in a process of its own, print its line, and return whether it was good."""
    examples = ROOT / "docs" / "examples" / "train_gpt"
    program = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("one.py")), name]
    with tempfile.TemporaryDirectory() as folder:
        paths = {"PYTHONPATH": os.pathsep.join([path, str(ROOT), str(examples)]), "TMPDIR": folder}
        run = subprocess.run(program, env={**os.environ, **paths}, capture_output=True, text=True)
    good = run.returncode == 0
    said = (run.stdout if good else run.stderr).strip().splitlines() or [f"exit code {run.returncode}"]
    print(f"{name}: {'ok' if good else 'failed'}: {said[-1]}", flush=True)
    if not good:
        sys.stderr.write(run.stderr)
    return good


if __name__ == "__main__":
    sys.exit(main())
