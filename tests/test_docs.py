"""Every page's blocks are real: files load, Python runs, commands exit with 0, generated pages are current."""

import ast
import importlib.util
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import schedframe
from schedframe._files.config.document import read
from schedframe._schedule.groups import FIELDS
from schedframe._schedule.keys import Keys

from .pages import FENCE, NOT_RUN_HERE, commands, python_of, write_files

ROOT = Path(__file__).parent.parent
STORIES = [ROOT / "README.md", ROOT / "docs" / "tutorial" / "first-style.md"]
"""Their blocks run in order, in an environment of their own: tests/e2e/test_readme.py, test_first_style.py."""
EVERY_PAGE = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in EVERY_PAGE if page not in STORIES]
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
NEEDS = re.compile(r"^\s*(?:import|from) (torch|transformers|accelerate)\b", re.MULTILINE)

requires_cli = pytest.mark.skipif(importlib.util.find_spec("typer") is None, reason="needs the extra cli")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", [page for page in PAGES if python_of(page)], ids=name_of)
def test_the_python_of_a_page_runs_from_top_to_bottom(page: Path, tmp_path: Path) -> None:
    program = python_of(page)
    for module in NEEDS.findall(program):
        pytest.importorskip(module)
    write_files(page, tmp_path)
    script = tmp_path / "page.py"
    script.write_text(program)
    run = subprocess.run([sys.executable, "-W", "error", script], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_line_that_opens_a_block_names_its_language_alone(page: Path) -> None:
    assert re.findall(r"^ *`{3,}\w+[^\w\n].*$", page.read_text(), re.MULTILINE) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_mark_of_a_block_is_a_known_one(page: Path) -> None:
    assert {block["mark"] for block in FENCE.finditer(page.read_text())} <= {None, "file", *NOT_RUN_HERE}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_schedules_of_a_page_load(page: Path, tmp_path: Path) -> None:
    for file in write_files(page, tmp_path):
        if file.stem != "wrong":
            assert schedframe.load(file).max_lr > 0


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_nothing_is_worse_than_a_note_in_the_schedules_of_a_page(page: Path, tmp_path: Path) -> None:
    for file in write_files(page, tmp_path):
        if file.stem not in ("wrong", "suspect"):
            assert [str(found) for found in schedframe.load(file).findings() if found.severity != "note"] == []


@requires_cli
@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=name_of)
def test_the_commands_of_a_page_work(page: Path, tmp_path: Path) -> None:
    write_files(page, tmp_path)
    for command in commands(page):
        words = [sys.executable, "-m", "schedframe", *shlex.split(command)[1:]]
        run = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
        assert run.returncode == 0, f"{command}\n{run.stderr}"


@pytest.mark.parametrize("page", EVERY_PAGE, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), target


def made() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs" / "make_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("key", Keys.model_fields)
def test_every_key_has_an_example_that_loads_and_says_something(key: str, tmp_path: Path) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(made().examples()[key])
    schedule = schedframe.load(file)
    assert key in schedule.model_fields_set
    assert getattr(schedule, key) != Keys.model_fields[key].default


@pytest.mark.parametrize("key", FIELDS)
def test_every_key_of_a_rule_has_an_example_that_loads_and_changes_something(key: str, tmp_path: Path) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(made().rule_examples()[key])
    (rule,) = schedframe.load(file).groups
    assert set(rule.sets()) >= {*FIELDS[key], *({key} & {"lr_mult", "wd_mult"})}


def test_the_generated_pages_are_current() -> None:
    module = made()
    for file, text in module.pages().items():
        read = json.loads if file.endswith(".json") else str  # pydantic writes 0 or 0.0, by its version
        assert read((ROOT / "docs" / "reference" / file).read_text()) == read(text), "run python docs/make_reference.py"


def text_of(page: str) -> str:
    return (ROOT / "docs" / page).read_text()


def test_every_error_is_in_the_reference() -> None:
    from schedframe import _errors

    for name, value in vars(_errors).items():
        if isinstance(value, type) and issubclass(value, (Exception, Warning)) and value.__module__ == _errors.__name__:
            assert name in text_of("reference/errors.md")
            assert name in _errors.__doc__


def test_every_variable_is_in_the_reference() -> None:
    source = "".join(file.read_text() for file in (ROOT / "schedframe").rglob("*.py"))
    for variable in set(re.findall(r"SCHEDFRAME_[A-Z]+", source)):
        assert f"`{variable}`" in text_of("reference/environment.md")


def test_every_hook_is_in_the_reference_with_its_arguments() -> None:
    import inspect

    from schedframe._plugins.hooks import HOOKS

    for name, hook in HOOKS.items():
        assert f"`{name}({', '.join(inspect.signature(hook).parameters)})`" in text_of("reference/hooks.md")


def test_every_page_is_in_the_site_once() -> None:
    docs = ROOT / "docs"
    listed = re.findall(r"^   (?:[^\n<]+ <)?([\w/-]+)>?$", text_of("index.rst"), re.MULTILINE)
    pages = [page.relative_to(docs).with_suffix("") for page in docs.rglob("*.md") if not page.name.startswith("_")]
    assert sorted(listed) == sorted([*map(str, pages), "api/index"])


VERSIONS = {"Python": "PYTHONS", "pydantic": "PYDANTIC", "Megatron Core": "MEGATRON", "PyTorch": "TORCH"}
"""The rows of what is promised, and the names of the versions in noxfile.py."""


def test_the_promised_versions_are_those_that_nox_runs() -> None:
    values = {
        ast.unparse(node.targets[0]): ast.literal_eval(node.value)
        for node in ast.parse((ROOT / "noxfile.py").read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in VERSIONS.values()
    }
    rows = re.findall(r"^\| ([\w ]+) \| ([\d., ]+)", text_of("explanation/what-is-promised.md"), re.MULTILINE)
    promised = {name: tuple(re.findall(r"[\d.]+\d", versions)) for name, versions in rows}
    assert promised == {name: tuple(values[key]) for name, key in VERSIONS.items()}


def test_the_oldest_promised_versions_are_those_that_may_be_installed() -> None:
    document = read(ROOT / "pyproject.toml").data
    project, groups = document["project"], document["dependency-groups"]
    required = [*project["dependencies"], *project["optional-dependencies"]["torch"], *groups["megatron"]]
    text = text_of("explanation/what-is-promised.md")
    assert f"| Python | {project['requires-python'].removeprefix('>=')}, " in text
    for name, row in {"pydantic": "pydantic", "torch": "PyTorch"}.items():
        (oldest,) = {re.search(r">=([\d.]+)", line)[1] for line in required if re.match(rf"{name}\b", line)}
        assert f"| {row} | {oldest}.0, " in text


def test_no_page_mentions_a_machine() -> None:
    for page in EVERY_PAGE:
        assert not re.search(r"(?<![\w.])/(home|root|tmp|Users)/", page.read_text())


@requires_cli
def test_every_option_of_every_command_is_in_the_reference() -> None:
    from schedframe._cli.app import COMMANDS

    sections = dict(re.findall(r"^## `schedframe (\w+)(.*?)(?=^## |\Z)", text_of("reference/cli.md"), re.M | re.S))
    assert sections.keys() == COMMANDS.keys()
    for command, section in sections.items():
        run = subprocess.run([sys.executable, "-m", "schedframe", command, "--help"], capture_output=True, text=True)
        options = re.findall(r"^  (?:-\w, )?(--[\w-]+)", run.stdout, re.MULTILINE)
        assert "--help" in options
        assert {option for option in options if option not in section} == {"--help"}, command
