"""The script that tries other frameworks, where there is none: it needs checkouts to say more."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("try_frameworks.py")


@pytest.mark.skipif(importlib.util.find_spec("megatron") is None, reason="needs Megatron Core")
def test_a_framework_that_cannot_be_tried_fails(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, SCRIPT, "--verl", tmp_path], capture_output=True, text=True)
    assert (run.stdout, run.returncode) == ("verl: failed: ModuleNotFoundError: No module named 'verl'\n", 1)
    assert "Traceback" in run.stderr


def test_without_a_checkout_it_says_what_to_give() -> None:
    run = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True)
    assert run.returncode == 2
    assert "give at least one checkout" in run.stderr
