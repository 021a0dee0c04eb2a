"""How the front end comes into a distribution, and its own tests."""

import json
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from ..environments import ROOT, Environment

pytest.importorskip("hatchling")
BUILD = """
import sys
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

target, version, project = sys.argv[1:]
builder = {"sdist": SdistBuilder, "wheel": WheelBuilder}[target](project)
list(builder.build(directory=".", versions=[version]))
"""
BUILT = "schedframe/_tools/views/page/built"
NOT_BUILT = "the pages of `schedframe plot` and `design` are not built: Node.js with npm is not installed"


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


def build(
    environment: Environment, project: Path, target: str = "wheel", version: str = "standard", **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Build a distribution where no Node.js is."""
    return environment.run(
        "python", "-c", BUILD, target, version, str(project), PATH=str(environment.bin), COLUMNS="200", **variables
    )


def names(environment: Environment) -> set[str]:
    return set(zipfile.ZipFile(next(environment.folder.glob("*.whl"))).namelist())


@pytest.mark.parametrize("target", ["sdist", "wheel"])
def test_a_distribution_that_must_have_the_page_is_refused_without_it(
    environment: Environment, checkout: Path, target: str
) -> None:
    required = {"SCHEDFRAME_PAGE": "required"} if target == "wheel" else {}
    done = build(environment, checkout, target, **required)
    assert (done.returncode != 0, NOT_BUILT in done.stderr) == (True, True)


@pytest.mark.parametrize("version", ["standard", "editable"])
def test_an_install_from_a_checkout_needs_no_node(environment: Environment, checkout: Path, version: str) -> None:
    done = build(environment, checkout, version=version)
    assert (done.returncode, NOT_BUILT in done.stdout + done.stderr) == (0, True)


def test_a_source_distribution_carries_the_page_and_its_licence_into_a_wheel(
    environment: Environment, checkout: Path, tmp_path: Path
) -> None:
    if not (ROOT / BUILT / "page.js").is_file():
        pytest.skip("the page is not built: it needs Node.js, and then `make frontend`")
    shutil.copytree(ROOT / BUILT, checkout / BUILT)
    assert build(environment, checkout, "sdist").returncode == 0
    with tarfile.open(next(environment.folder.glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path, filter="data")
    done = build(environment, next(tmp_path.glob("schedframe-*")), SCHEDFRAME_PAGE="required")
    assert done.returncode == 0, done.stderr
    files = ("page.js", "page.css", "design.js", "design.css", "LICENSES.txt")
    assert {f"{BUILT}/{name}" for name in files} <= names(environment)


def test_the_licence_of_every_library_in_the_pages_is_there() -> None:
    licences = ROOT / BUILT / "LICENSES.txt"
    if not licences.is_file():
        pytest.skip("the pages are not built: they need Node.js, and then `make frontend`")
    libraries = json.loads((ROOT / "frontend" / "package.json").read_text())["dependencies"]
    sections = licences.read_text().split("\n\n")
    for name, version in libraries.items():
        at = next(index for index, section in enumerate(sections) if section.startswith(f"{name} {version}, https://"))
        assert "Permission is hereby granted" in "".join(sections[at + 1 : at + 4]), name


def test_the_tests_of_the_front_end_pass() -> None:
    npm = shutil.which("npm")
    if npm is None or not (ROOT / "frontend" / "node_modules").is_dir():
        pytest.skip("the front end's libraries are not installed: they need Node.js, and then `make frontend`")
    done = subprocess.run([npm, "test"], cwd=ROOT / "frontend", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
