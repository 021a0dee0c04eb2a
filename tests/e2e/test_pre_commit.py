"""The hook for pre-commit, run by pre-commit on a repository of configs."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..environments import ROOT

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pre_commit") is None or not (ROOT / ".git").exists(),
    reason="needs pre-commit and a clone",
)

SUSPECT = "train_iters: 100000\nglobal_batch_size: 1024\nmax_lr: 3e-4\nlr_warmup_steps: 2000\n"


def test_the_hook_checks_the_schedules_of_a_repository(tmp_path: Path) -> None:
    clone, configs = tmp_path / "schedframe", tmp_path / "configs"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    subprocess.run(["git", "init", "--quiet", configs], check=True)
    (configs / "run.yaml").write_text(SUSPECT)
    (configs / "model.yaml").write_text("hidden_size: 4096\n")
    subprocess.run(["git", "add", "."], cwd=configs, check=True)
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "try-repo", clone, "schedframe-check", "--all-files"],
        cwd=configs,
        env={**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "run.yaml:4: SF102 warning" in done.stdout
    assert "model.yaml" not in done.stdout
