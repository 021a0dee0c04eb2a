"""``schedframe preview --plot``."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = [sys.executable, "-m", "schedframe"]
NO_MATPLOTLIB = "import sys; sys.modules['matplotlib'] = None; from schedframe._cli import main; main()"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run.yaml").write_text(
        "max_lr: 1.0\nlr_decay_steps: 100\nstart_wd: 0.1\nend_wd: 0.2\nwd_incr_style: linear\n"
    )
    return tmp_path


def run(folder: Path, program: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*program, "preview", "run.yaml", *arguments], cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize(("name", "starts"), [("run.png", b"\x89PNG"), ("run.SVG", b"<?xml"), ("run.pdf", b"%PDF")])
def test_a_picture_is_written_as_a_whole(folder: Path, name: str, starts: bytes) -> None:
    pytest.importorskip("matplotlib")
    done = run(folder, PROGRAM, "--plot", name, "--no-chart")
    assert done.returncode == 0, done.stderr
    assert (folder / name).read_bytes().startswith(starts)
    assert sorted(path.name for path in folder.iterdir()) == sorted(["run.yaml", name])


@pytest.mark.parametrize(
    ("target", "says"),
    [("run.txt", "must end in one of .png, .svg, .pdf"), ("no/where.png", "cannot be written: No such file")],
)
def test_a_picture_that_cannot_be_written_is_a_usage_error(folder: Path, target: str, says: str) -> None:
    pytest.importorskip("matplotlib")
    done = run(folder, PROGRAM, "--plot", target)
    assert done.returncode == 2
    assert says in " ".join(done.stderr.split())


def test_without_matplotlib_it_says_what_to_install(folder: Path) -> None:
    done = run(folder, [sys.executable, "-c", NO_MATPLOTLIB], "--plot", "run.png")
    assert done.returncode == 2
    assert done.stderr.strip().endswith("needs matplotlib, which is not installed: pip install 'schedframe[plot]'")
