"""The template of copier makes what ``schedframe new`` makes, and brings its changes into a plugin that was edited."""

import subprocess
from pathlib import Path

import copier
import pytest

from release.plugin_template import write
from schedframe._cli.starter import LICENSES, Starter, start


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def commit(folder: Path, tag: str | None = None) -> None:
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "a change")
    if tag:
        git(folder, "tag", tag)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template") / "template"
    write(folder)
    commit(folder, "v0.1.0")
    return folder


def files(folder: Path) -> dict[str, str]:
    found = [path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts]
    return {str(path.relative_to(folder)): path.read_text() for path in found if path.name != ".copier-answers.yml"}


@pytest.mark.parametrize(("kind", "license"), [*(("lr", each) for each in LICENSES), ("wd", "MIT"), ("hook", "MIT")])
def test_copier_makes_what_the_command_makes(template: Path, tmp_path: Path, kind: str, license: str) -> None:
    answers = {"name": "late-cosine", "kind": kind, "license": license, "author": "A. Author"}
    copier.run_copy(str(template), tmp_path / "copied", data=answers, quiet=True)
    made = start(Starter("late-cosine", kind, license, "A. Author"), tmp_path)
    assert files(tmp_path / "copied") == files(made)


@pytest.mark.parametrize("name", ["Rex", "a--b", "../up", ""])
def test_copier_refuses_a_name_that_the_command_refuses(template: Path, tmp_path: Path, name: str) -> None:
    answers = {"name": name, "kind": "lr", "license": "MIT", "author": "A"}
    with pytest.raises(ValueError, match="use lower-case letters, digits and single hyphens"):
        copier.run_copy(str(template), tmp_path / "copied", data=answers, quiet=True)


def test_a_plugin_that_was_edited_takes_the_changes_of_a_later_template(template: Path, tmp_path: Path) -> None:
    plugin = tmp_path / "plugin"
    answers = {"name": "late-cosine", "kind": "lr", "license": "MIT", "author": "A"}
    copier.run_copy(str(template), plugin, data=answers, quiet=True)
    module = plugin / "schedframe_late_cosine.py"
    module.write_text(module.read_text().replace("1.0 - progress**self.power", "(1.0 - progress) ** self.power"))
    commit(plugin)

    project = template / "lr" / "pyproject.toml.jinja"
    project.write_text(project.read_text().replace("line-length = 120", "line-length = 100"))
    commit(template, "v0.2.0")
    copier.run_update(plugin, defaults=True, overwrite=True, quiet=True)
    assert "line-length = 100" in (plugin / "pyproject.toml").read_text()
    assert "(1.0 - progress) ** self.power" in module.read_text()
