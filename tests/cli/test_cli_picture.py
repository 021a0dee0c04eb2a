"""``schedframe plot``, and ``schedframe preview --plot``."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import schedframe

from ..runs import Optimizer

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
    assert "needs matplotlib, which is not installed: pip install 'schedframe[plot]'\n" in done.stderr


def plot(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, "plot", *arguments], cwd=folder, capture_output=True, text=True)


def test_plot_says_what_it_wrote(folder: Path) -> None:
    pytest.importorskip("matplotlib")
    done = plot(folder, "run.yaml", "-o", "run.png")
    assert (done.returncode, done.stdout) == (0, "wrote run.png: lr and wd of run.yaml over samples\n")
    assert (folder / "run.png").read_bytes().startswith(b"\x89PNG")


def test_plot_overlays_files(folder: Path) -> None:
    pytest.importorskip("matplotlib")
    (folder / "other.yaml").write_text("max_lr: 0.5\nlr_decay_steps: 200\n")
    done = plot(folder, "run.yaml", "other.yaml", "-o", "both.svg", "--what", "lr")
    assert done.stdout == "wrote both.svg: lr of run.yaml, other.yaml over samples\n"


def test_plot_marks_the_position_of_a_checkpoint(folder: Path) -> None:
    pytest.importorskip("matplotlib")
    schedule = schedframe.load(folder / "run.yaml")
    scheduler = schedule.build(Optimizer())
    scheduler.step(40)
    (folder / "state.json").write_text(json.dumps(scheduler.state_dict()))
    assert plot(folder, "run.yaml", "-o", "run.svg", "--checkpoint", "state.json").returncode == 0
    assert "checkpoint" in (folder / "run.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--what", "lr,momentum"], "'momentum' is not one of lr, wd, lrwd, cumulative"),
        (["--x", "tokens"], "the unit 'tokens' is not known"),
    ],
)
def test_plot_refuses_what_it_cannot_draw(folder: Path, arguments: list[str], says: str) -> None:
    done = plot(folder, "run.yaml", "-o", "run.png", *arguments)
    assert done.returncode == 2
    assert says in " ".join(done.stderr.replace("│", " ").split())


def test_plot_draws_in_the_terminal_what_preview_draws(folder: Path) -> None:
    _, _, chart = run(folder, PROGRAM).stdout.partition("\n\n")[2].partition("\n\n")
    drawn = plot(folder, "run.yaml")
    assert (drawn.returncode, drawn.stdout) == (0, f"run.yaml\n\n{chart}")


def test_plot_draws_powers_of_ten_on_a_logarithmic_axis(folder: Path) -> None:
    (folder / "log.yaml").write_text("max_lr: 1e-2\nmin_lr: 1e-5\nlr_decay_steps: 100\nlr_decay_style: exponential\n")
    shown = plot(folder, "log.yaml", "--log").stdout
    assert [line.split("┤")[0].strip() for line in shown.splitlines() if "┤" in line] == [
        "0.01",
        "1e-3",
        "1e-4",
        "1e-5",
    ]


def test_plot_points_at_the_position_of_a_checkpoint(folder: Path) -> None:
    scheduler = schedframe.load(folder / "run.yaml").build(Optimizer())
    scheduler.step(40)
    (folder / "state.json").write_text(json.dumps(scheduler.state_dict()))
    assert "^ checkpoint" in plot(folder, "run.yaml", "--checkpoint", "state.json").stdout
