"""Recipes of plugins, those in a wheel, and recipe:NAME where a file is read."""

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import schedframe
from schedframe import ConfigError
from schedframe._recipes.installed import SUFFIX, recipe_files
from schedframe._tools.recipes import recipe, recipes

Install = Callable[..., Path]

ROOT = Path(__file__).parents[2]
BUILD = """
import sys
from hatchling.builders.wheel import WheelBuilder
list(WheelBuilder(sys.argv[1]).build(directory="."))
"""
FILE = """\
# title: Acme 1B
# year: 2026
# sources:
#   - the run book of Acme
# unsaid: []
train_iters: 1000
clock: iters
max_lr: 1e-3
"""


def plugin(install: Install, name: str, text: str = FILE, recipe: str = "acme-1b", target: str | None = None) -> Path:
    """Install a distribution with one recipe; its package would fail if it were imported."""
    package = name.replace("-", "_")
    groups = {"schedframe.recipes": {name: target or f"{package}.runs"}}
    site = install(name, "raise SystemExit('imported')\n", groups=groups, path=name)
    folder = site / package / "runs"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise SystemExit('imported')\n")
    (folder / f"{recipe}{SUFFIX}").write_text(text)
    return folder


def test_a_plugin_adds_recipes_and_is_not_imported(install: Install) -> None:
    plugin(install, "x-acme")
    assert schedframe.load("recipe:acme-1b").max_lr == 1e-3
    found = recipe("acme-1b")
    assert (found.provider, found.title, found.sources) == ("x-acme 1.0", "Acme 1B", ("the run book of Acme",))
    assert "acme-1b" in [each.name for each in recipes()[0]]


def test_a_blocked_plugin_adds_none(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin(install, "x-acme")
    monkeypatch.setenv("SCHEDFRAME_BLOCK", "x-acme")
    assert "acme-1b" not in [file.name for file in recipe_files()]
    with pytest.raises(ConfigError, match="is not an installed recipe"):
        schedframe.load("recipe:acme-1b")


def test_a_name_that_two_have_is_refused_and_both_are_named(install: Install) -> None:
    plugin(install, "x-acme", recipe="kimi-k2")
    with pytest.raises(ConfigError, match=r"kimi-k2: is provided more than once: schedframe \S+, x-acme 1\.0;"):
        schedframe.load("recipe:kimi-k2")
    found, errors = recipes()
    assert "kimi-k2" not in [each.name for each in found]
    assert len(errors) == 1


def test_an_unknown_name_is_answered_with_a_close_one() -> None:
    with pytest.raises(ConfigError, match="recipe:deepsek-v3: is not an installed recipe; did you mean 'deepseek-v3'"):
        schedframe.load("recipe:deepsek-v3")


@pytest.mark.parametrize("name", ["", "../secret", "a/b", "x" * 5000, "\0"])
def test_what_is_no_name_is_never_a_path(name: str) -> None:
    with pytest.raises(ConfigError, match="is not an installed recipe"):
        schedframe.load(f"recipe:{name}")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (FILE.replace("# title: Acme 1B\n", ""), "must begin with a comment that is YAML and has title, year"),
        ("max_lr: 1\ntrain_iters: 10\nclock: iters\n", "must begin with a comment"),
        (FILE.replace("2026", "soon"), "year = 'soon': of the comment at its top must be a whole number"),
        (FILE.replace("[]", "{a: 1}"), "unsaid = .* must be a list of texts"),
        (FILE.replace("[]", "["), "has a comment at its top that is not complete YAML"),
        (FILE.replace("train_iters", "lr_decay_steps"), "has no length of the run"),
        (FILE.replace("max_lr", "max_rl"), "did you mean 'max_lr'"),
    ],
)
def test_a_broken_recipe_is_reported_and_hides_no_other(install: Install, text: str, fault: str) -> None:
    plugin(install, "x-acme", text)
    with pytest.raises(ConfigError, match=fault):
        recipe("acme-1b")
    found, (error,) = recipes()
    assert "acme-1b" in str(error)
    assert "kimi-k2" in [each.name for each in found]


def test_a_file_extends_a_recipe(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("extends: recipe:llama-2-7b\nmax_lr: 1e-4\n")
    schedule = schedframe.load(file)
    assert (schedule.max_lr, schedule.min_lr, schedule.train_tokens) == (1e-4, 1e-5, 2e12)
    file.write_text("extends: recipe:llama-2-7c\nmax_lr: 1e-4\n")
    with pytest.raises(ConfigError, match=r"line 1.* is not an installed recipe; did you mean 'llama-2-7b'"):
        schedframe.load(file)


def test_what_extends_a_recipe_names_it_in_errors(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("extends: recipe:llama-2-7b\nseq_length: null\n")
    with pytest.raises(ConfigError) as raised:
        schedframe.load(file)
    assert "of recipe:llama-2-7b" in str(raised.value)


def test_a_wheel_has_every_recipe(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    subprocess.run([sys.executable, "-c", BUILD, str(ROOT)], cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    prefix = "schedframe/_recipes/published/"
    packed = {name.removeprefix(prefix) for name in zipfile.ZipFile(wheel).namelist() if name.startswith(prefix)}
    assert packed == {file.path.name for file in recipe_files() if file.provider.startswith("schedframe ")}
