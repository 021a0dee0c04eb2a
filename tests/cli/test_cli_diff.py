"""``schedframe diff``: what it prints, and its exit codes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ..runs import FILE, SCHEDULES, cli

HERE = Path(__file__).parent


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text(FILE)
    Path("same.yaml").write_text(FILE.replace("10%", "3e-5"))
    Path("other.yaml").write_text(FILE.replace("wsd_decay_steps: 500", "wsd_decay_steps: 1000"))
    return tmp_path


def test_curves_that_differ_end_in_1(folder: Path) -> None:
    done = cli("diff", "run.yaml", "other.yaml", columns=80)
    assert (done.code, done.err) == (1, "")
    assert done.out.splitlines() == [
        "run.yaml, other.yaml: the curves differ",
        "",
        "key                             run.yaml  other.yaml",
        "────────────────────────────────────────────────────",
        "lr_decay_style.wsd_decay_steps  500       1000",
        "",
        "learning rate, default",
        "─" * 80,
        "  first difference at   4.001K samples",
        "  largest gap           1.52e-4",
        "    at                  4.58K samples",
        "    run.yaml            2.83301e-4",
        "    other.yaml          1.31427e-4 (-53.6 %)",
        "  area between          0.0675 learning rate * samples, 4.76 % of the area under",
        "                        run.yaml",
        "",
        "weight decay, default: equal",
    ]


def test_equal_curves_end_in_0_whatever_the_keys_are(folder: Path) -> None:
    done = cli("diff", "run.yaml", "same.yaml")
    assert done.code == 0
    assert done.out.splitlines()[0] == (
        "run.yaml, same.yaml: the curves are equal from 0 samples to 5K samples; 1 key differs"
    )
    assert done.out.splitlines()[-1].split() == ["min_lr", "10%", "(3e-05)", "3e-05"]


def test_one_schedule_is_equal_to_itself(folder: Path) -> None:
    done = cli("diff", "run.yaml", "run.yaml")
    assert (done.code, done.out.strip().endswith("; the keys are equal too")) == (0, True)


@pytest.mark.parametrize("other", ["none.yaml", "none"])
def test_what_cannot_be_read_ends_in_2(folder: Path, other: str) -> None:
    done = cli("diff", "run.yaml", other)
    assert (done.code, done.out) == (2, "")
    assert other in done.err


def test_json_holds_exact_values(folder: Path) -> None:
    done = cli("diff", "run.yaml", "other.yaml", "--format", "json")
    data = json.loads(done.out)
    assert (done.code, data["differs"], data["notes"]) == (1, True, [])
    assert data["curves"][0]["first"]["a"] == {"samples": 4001}


def test_markdown_is_made_of_tables(folder: Path) -> None:
    done = cli("diff", "run.yaml", "other.yaml", "--format", "markdown")
    assert done.out.splitlines() == [
        "**`run.yaml`, `other.yaml`**: the curves differ",
        "",
        "| key | `run.yaml` | `other.yaml` |",
        "|---|---|---|",
        "| `lr_decay_style.wsd_decay_steps` | 500 | 1000 |",
        "",
        "| curve | first difference at | largest gap | at | area between |",
        "|---|---|---|---|---|",
        "| learning rate, default | 4.001K samples | 1.52e-4 (2.83301e-4 and 1.31427e-4) | 4.58K samples | 4.76 % |",
        "| weight decay, default | equal |  |  |  |",
    ]


def test_a_picture_shows_both(folder: Path) -> None:
    pytest.importorskip("matplotlib")
    done = cli("diff", "run.yaml", "other.yaml", "-o", "both.svg")
    assert done.out.endswith("\nwrote both.svg\n")
    assert all(f"<!-- {name} -->" in Path("both.svg").read_text() for name in ("run.yaml", "other.yaml"))


@pytest.fixture
def two(folder: Path) -> None:
    for name in ("run.yaml", "moe.yaml"):
        shutil.copy(SCHEDULES / name, folder)


@pytest.mark.usefixtures("two")
def test_two_schedules_at_80_columns() -> None:
    environment = {**os.environ, "COLUMNS": "80", "LC_ALL": "C", "NO_COLOR": "1"}
    words = [sys.executable, "-m", "schedframe", "diff", "run.yaml", "moe.yaml"]
    done = subprocess.run(words, capture_output=True, env=environment)
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.decode() == (HERE / "diff_of_run_and_moe.txt").read_text()
    assert max(map(len, done.stdout.decode().splitlines())) <= 80


@pytest.mark.usefixtures("two")
def test_a_pipe_has_no_colours_and_no_wrapped_lines() -> None:
    lines = cli("diff", "run.yaml", "moe.yaml").out.splitlines()
    assert not any("\x1b" in line or line.endswith(" ") for line in lines)
    assert "    at                  122_070_313 samples, 147.4K iters, 500B tokens" in lines
    assert any(line.endswith("68.4 % of the area under run.yaml") for line in lines)
