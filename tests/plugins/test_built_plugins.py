"""Every package in plugins/: built as a wheel, installed beside core's wheel, found, and used from there alone."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import schedframe
from schedframe._files.config.document import read
from schedframe.testing import CHECKS

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
WITHOUT_OPTIONS = ("rex", "tanh", "k-decay", "chebyshev", "mirror-cosine", "exponential-to", "half-life", "harmonic")

STYLES = {"schedframe.lr_styles": "LR", "schedframe.wd_styles": "WD"}
"""The entry-point groups of styles, and what kind of style each has."""

pytestmark = pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="needs hatchling")


def metadata(plugin: Path) -> dict[str, Any]:
    return read(plugin / "pyproject.toml").data["project"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with core and every plugin, each from its wheel."""
    folder = tmp_path_factory.mktemp("wheels")
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    build = (*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder))
    subprocess.run([*build, str(ROOT), *map(str, PLUGINS)], check=True, capture_output=True, cwd=folder)
    wheels = sorted(map(str, folder.glob("*.whl")))
    assert len(wheels) == len(PLUGINS) + 1
    target = folder / "site"
    subprocess.run(
        [*pip, "install", "--no-deps", "--no-index", "--target", str(target), *wheels], check=True, cwd=folder
    )
    return target


def run(site: Path, *arguments: str) -> str:
    """Run the command line of the wheels; the checkout is on no path."""
    program = f"import sys; sys.path.insert(0, {str(site)!r}); from schedframe._cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=site,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_style_of_every_plugin_is_found_and_loads(site: Path) -> None:
    listed = {(row["kind"], row["name"]): row for row in json.loads(run(site, "styles", "--format", "json"))["styles"]}
    for plugin in PLUGINS:
        project = metadata(plugin)
        for group, kind in STYLES.items():
            for name, target in project["entry-points"].get(group, {}).items():
                row = listed[kind, name]
                assert (row["distribution"], row["target"]) == (project["name"], target)
                assert not row["fault"]
                assert "Formula:" in run(site, "styles", name)


def test_every_recipe_of_every_plugin_is_found_and_can_be_used(site: Path) -> None:
    listed = {row["name"]: row["provider"] for row in json.loads(run(site, "recipes", "--format", "json"))["recipes"]}
    found = {file: plugin.name for plugin in PLUGINS for file in plugin.glob("schedframe_*/**/*.schedule.yaml")}
    assert len(found) >= 3
    for file, plugin in found.items():
        name = file.name.removesuffix(".schedule.yaml")
        assert listed[name].split()[0] == plugin
        run(site, "check", f"recipe:{name}")
        assert f"`{name}`" in (ROOT / "plugins" / plugin / "README.md").read_text()


def test_styles_that_need_no_options_conform(site: Path) -> None:
    pytest.importorskip("jsonschema")
    out = run(site, "conform", *WITHOUT_OPTIONS)
    assert out.count(f"{len(CHECKS)} of {len(CHECKS)} checks pass") == len(WITHOUT_OPTIONS)


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_a_plugin_has_what_its_users_need(plugin: Path) -> None:
    project = metadata(plugin)
    assert project["name"] == plugin.name
    assert project["dependencies"][0] == "schedframe>=0.1,<1"
    assert (plugin / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    readme = (plugin / "README.md").read_text()
    assert f"pip install {plugin.name}" in readme
    for group in STYLES:
        for name in project["entry-points"].get(group, {}):
            assert f"`{name}`" in readme or f"style: {name}" in readme
    if "schedframe" not in project["entry-points"]:
        assert "](curve.png)" in readme
        assert (plugin / "curve.png").read_bytes().startswith(b"\x89PNG")
        keys = read(plugin / "example.yaml").data
        assert keys.keys() >= {"max_lr", "lr_decay_style"}


@pytest.mark.parametrize("plugin", [path for path in PLUGINS if (path / "example.yaml").exists()], ids=lambda p: p.name)
def test_the_example_is_in_the_readme_and_runs_on_the_wheel(site: Path, plugin: Path) -> None:
    example = plugin / "example.yaml"
    run(site, "check", str(example))
    if plugin.name != "schedframe-rex":
        assert example.read_text() in (plugin / "README.md").read_text()


def test_the_version_of_core_is_in_every_range() -> None:
    from packaging.requirements import Requirement

    for plugin in PLUGINS:
        own = Requirement(metadata(plugin)["dependencies"][0])
        assert own.specifier.contains(schedframe.__version__, prereleases=True)
