"""``schedframe new``: what it makes is installed by pip, passes its own tests and ruff, and is found by its name."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import schedframe
from schedframe import ConfigError
from schedframe._cli.starter import LICENSES, Starter, start

ROOT = Path(schedframe.__file__).parents[1]
requires_hatchling = pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="needs hatchling")

FILES = {
    "lr": {".gitignore", "LICENSE", "README.md", "pyproject.toml", "schedframe_my_lr.py", "tests"},
    "wd": {".gitignore", "LICENSE", "README.md", "pyproject.toml", "schedframe_my_wd.py", "tests"},
    "hook": {".gitignore", "LICENSE", "README.md", "pyproject.toml", "schedframe_my_hook.py", "tests"},
}


def run(*command: str, cwd: Path, path: Path | None = None) -> str:
    entries = filter(None, (path and str(path), str(ROOT), os.environ.get("PYTHONPATH")))
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(entries)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Path]]:
    """One plugin of each kind, and the folder where pip installed all three."""
    folder = tmp_path_factory.mktemp("started")
    made = {kind: start(Starter(f"my-{kind}", kind, "MIT", "A. Author"), folder) for kind in FILES}
    site = folder / "site"
    install = ("pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(site))
    run(*install, *map(str, made.values()), cwd=folder)
    return site, made


@requires_hatchling
@pytest.mark.parametrize("kind", FILES)
def test_what_is_made_passes_its_own_tests(installed: tuple[Path, dict[str, Path]], kind: str) -> None:
    """A policy check that caps max_lr is installed beside the styles, and says nothing about them."""
    pytest.importorskip("jsonschema")
    site, made = installed
    name = f"my-{kind}"
    assert {entry.name for entry in made[kind].iterdir()} == FILES[kind]
    assert [entry.name for entry in (made[kind] / "tests").iterdir()] == [f"test_schedframe_my_{kind}.py"]
    out = run("pytest", "-q", "-p", "no:cacheprovider", cwd=made[kind], path=site)
    assert " passed" in out
    assert "skipped" not in out
    if kind != "hook":
        page = run("schedframe", "styles", name, cwd=site, path=site)
        assert f"schedframe-my-{kind} 0.1.0" in page
        conformed = run("schedframe", "conform", name, "--kind", kind, cwd=site, path=site)
        assert "18 of 18 checks pass" in conformed


@pytest.mark.parametrize("kind", FILES)
def test_its_tests_are_an_extra_that_every_pip_installs(tmp_path: Path, kind: str) -> None:
    """``pip install --group`` is there from pip 25.1 on; Python 3.11 brings 23 or 24."""
    made = start(Starter(f"my-{kind}", kind, "MIT", "A. Author"), tmp_path)
    assert '[project.optional-dependencies]\ntest = ["schedframe[testing]"]' in (made / "pyproject.toml").read_text()
    assert "pip install -e '.[test]'" in (made / "README.md").read_text()


@pytest.mark.skipif(importlib.util.find_spec("ruff") is None, reason="needs ruff")
@pytest.mark.parametrize("kind", FILES)
def test_what_is_made_passes_ruff(tmp_path: Path, kind: str) -> None:
    made = start(Starter(f"my-{kind}", kind, "Apache-2.0", "its authors"), tmp_path)
    run("ruff", "check", "--no-cache", ".", cwd=made)
    run("ruff", "format", "--no-cache", "--check", ".", cwd=made)


@pytest.mark.parametrize("license", LICENSES)
def test_the_license_is_the_one_that_was_asked_for(tmp_path: Path, license: str) -> None:
    made = start(Starter("mine", "lr", license, "A. Author"), tmp_path)
    assert f'license = "{license}"' in (made / "pyproject.toml").read_text()
    text = (made / "LICENSE").read_text()
    assert {"Apache-2.0": "Apache License", "MIT": "MIT License", "BSD-3-Clause": "BSD 3-Clause"}[license] in text
    assert license == "Apache-2.0" or "A. Author" in text
    assert "@" not in text.replace("@interface", "")


@pytest.mark.parametrize(
    ("name", "kind", "told"),
    [
        ("Rex", "lr", "'Rex' is not a valid name: use lower-case letters, digits and single hyphens"),
        ("a--b", "lr", "'a--b' is not a valid name"),
        ("../up", "lr", "'../up' is not a valid name"),
        ("", "lr", "'' is not a valid name"),
        ("cosine", "lr", "the LR style 'cosine' is built in; choose another name"),
        ("wsd", "lr", "the LR style 'wsd' is built in"),
        ("adamc", "wd", "the WD style 'adamc' is built in"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(tmp_path: Path, name: str, kind: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        start(Starter(name, kind, "MIT", "A"), tmp_path)
    assert told in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_name_of_a_plugin_that_is_installed_is_refused(tmp_path: Path) -> None:
    if "rex" not in schedframe.lr_styles:
        pytest.skip("needs the plugin schedframe-rex")
    with pytest.raises(ConfigError, match=r"'rex' is installed already, from schedframe-rex 0.1.0"):
        start(Starter("rex", "lr", "MIT", "A"), tmp_path)


def test_an_author_that_would_break_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be written into a pyproject.toml"):
        start(Starter("mine", "lr", "MIT", 'x" }]\n[evil]'), tmp_path)


def test_nothing_is_overwritten_and_nothing_is_left_where_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = start(Starter("mine", "lr", "MIT", "A"), tmp_path)
    (made / "README.md").write_text("mine")
    with pytest.raises(ConfigError, match="already exists"):
        start(Starter("mine", "lr", "MIT", "A"), tmp_path)
    assert (made / "README.md").read_text() == "mine"
    shutil.rmtree(made)

    def full(self: Path, *arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ConfigError, match="cannot be written: No space left on device"):
        start(Starter("mine", "lr", "MIT", "A"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_command_tells_what_was_made_and_what_is_next(tmp_path: Path) -> None:
    pytest.importorskip("typer")
    out = run("schedframe", "new", "late-decay", "--kind", "wd", "-o", str(tmp_path), cwd=tmp_path)
    assert out.splitlines()[0] == str(tmp_path / "schedframe-late-decay")
    assert "  schedframe_late_decay.py" in out.splitlines()
    assert out.splitlines()[-1].endswith("&& pytest && schedframe conform late-decay --kind wd")
