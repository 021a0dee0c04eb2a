"""The pictures of the documentation, and the chart in it, are what its commands draw."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ..environments import ROOT

DOCS = ROOT / "docs"
PICTURES = DOCS / "pictures"
MADE_WITH = re.compile(r"Matplotlib v[\d.]+")
DRAW = "import sys, pathlib, make_pictures; make_pictures.draw(pathlib.Path(sys.argv[1]))"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the page, and the pictures, as the script makes them in a process of its own."""
    for module in ("typer", "matplotlib", "schedframe_rex"):
        pytest.importorskip(module)
    folder = tmp_path_factory.mktemp("pictures")
    done = subprocess.run([sys.executable, "-c", DRAW, folder], cwd=DOCS, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_pictures_are_current(drawn: Path) -> None:
    assert sorted(picture.name for picture in drawn.glob("*.svg")) == sorted(
        picture.name for picture in PICTURES.glob("*.svg")
    )
    for picture in drawn.glob("*.svg"):
        now, kept = picture.read_text(), (PICTURES / picture.name).read_text()
        if MADE_WITH.findall(now) != MADE_WITH.findall(kept):
            pytest.skip("they are drawn by another version of matplotlib")
        assert now == kept, "run python docs/make_pictures.py"


def test_the_chart_is_current(drawn: Path) -> None:
    command = ["schedframe", "plot", "run.yaml", "--what", "lr"]
    done = subprocess.run([sys.executable, "-m", *command], cwd=drawn, capture_output=True, encoding="utf-8")
    block = f"$ {' '.join(command)}\n{done.stdout.rstrip()}\n"
    assert block in (DOCS / "how-to" / "see-a-schedule.md").read_text("utf-8")


def test_the_screenshots_are_small() -> None:
    for name in ("page-light.png", "page-dark.png"):
        assert (PICTURES / name).stat().st_size < 120 * 1024
