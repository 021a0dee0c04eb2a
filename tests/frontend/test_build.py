"""How the front end comes into a distribution, and its own tests."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from ..environments import ROOT, Environment

pytest.importorskip("hatchling")
BUILD = """
import sys
from hatchling.builders.wheel import WheelBuilder

list(WheelBuilder(sys.argv[1]).build(directory=".", versions=["VERSION"]))
"""
BUILT = "schedframe/_tools/views/page/built"


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path / "environment")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the checkout in which nothing is built."""
    copy = tmp_path / "checkout"
    for name in ("schedframe", "frontend"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("built", "node_modules", "__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    return copy


def wheel(
    environment: Environment, checkout: Path, version: str = "standard", **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Build a wheel where no Node.js is."""
    build = BUILD.replace("VERSION", version)
    return environment.run("python", "-c", build, str(checkout), PATH=str(environment.bin), **variables)


def names(environment: Environment) -> set[str]:
    return set(zipfile.ZipFile(next(environment.folder.glob("*.whl"))).namelist())


def test_a_wheel_without_the_page_is_refused_in_a_sentence(environment: Environment, checkout: Path) -> None:
    done = wheel(environment, checkout)
    assert done.returncode != 0
    assert "Node.js with npm is not installed. Install it (18 or later) and run `make frontend`" in done.stderr


def test_a_wheel_without_the_page_is_built_where_that_is_asked_for(environment: Environment, checkout: Path) -> None:
    done = wheel(environment, checkout, SCHEDFRAME_PAGE="optional")
    assert done.returncode == 0, done.stderr
    assert "schedframe/__init__.py" in names(environment)


def test_a_wheel_has_the_page_that_was_built_and_its_licence(environment: Environment, checkout: Path) -> None:
    if not (ROOT / BUILT / "page.js").is_file():
        pytest.skip("the page is not built: it needs Node.js, and then `make frontend`")
    shutil.copytree(ROOT / BUILT, checkout / BUILT)
    done = wheel(environment, checkout)
    assert done.returncode == 0, done.stderr
    assert {f"{BUILT}/{name}" for name in ("page.js", "page.css", "LICENSES.txt")} <= names(environment)


def test_an_install_in_place_needs_no_node(environment: Environment, checkout: Path) -> None:
    done = wheel(environment, checkout, version="editable")
    assert done.returncode == 0, done.stderr
    assert "the page of `schedframe plot` is not built" in done.stdout + done.stderr


def test_the_tests_of_the_front_end_pass() -> None:
    npm = shutil.which("npm")
    if npm is None or not (ROOT / "frontend" / "node_modules").is_dir():
        pytest.skip("the front end's libraries are not installed: they need Node.js, and then `make frontend`")
    done = subprocess.run([npm, "test"], cwd=ROOT / "frontend", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
