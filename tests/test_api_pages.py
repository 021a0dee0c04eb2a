"""The pages of the Python API: they have every public name, each with an example, and the examples run."""

import doctest
import importlib
import importlib.util
import inspect
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = {page.stem: page.read_text() for page in sorted((ROOT / "docs" / "api").glob("*.rst"))}
ENTRY = re.compile(r"^\.\. (?:auto(?!module)|py:)\w+:: (\S+)$", re.MULTILINE)
MODULE = re.compile(r"^\.\. automodule:: (\S+)\n(?!   :no-members:)", re.MULTILINE)
CODE = re.compile(r"^\.\. code-block:: python\n\n((?: .*\n|\n)+)", re.MULTILINE)
LISTED = (
    "schedframe",
    "schedframe.importers",
    "schedframe.lint",
    "schedframe.megatron",
    "schedframe.styles",
    "schedframe.testing",
)
"""Modules whose pages have an entry for each name of ``__all__``."""
WHOLE = ("schedframe.adapters", "schedframe.styles")
"""Packages whose public files are documented as a whole."""
NEEDS = {"adapters": "torch", "testing": "jsonschema"}


def page_of(module: str) -> str:
    return PAGES[module.rpartition(".")[2]]


def examples_of(page: str) -> str:
    """Return the examples of a page and what they print, without its prose and its directives."""
    run = doctest.DocTestParser().get_examples(page)
    return "\n".join([*CODE.findall(page), *(example.source + example.want for example in run)])


def has_example(doc: str) -> bool:
    return ">>> " in doc or "::\n" in doc


@pytest.mark.parametrize("module", LISTED)
def test_a_page_has_every_public_name_of_its_module_once(module: str) -> None:
    entries = sorted(ENTRY.findall(page_of(module)))
    assert entries == sorted(f"{module}.{name}" for name in importlib.import_module(module).__all__)


@pytest.mark.parametrize("package", WHOLE)
def test_a_page_has_every_public_file_of_its_package_once(package: str) -> None:
    files = (ROOT / package.replace(".", "/")).glob("[a-z]*.py")
    assert sorted({*MODULE.findall(page_of(package))} - {package}) == sorted(f"{package}.{file.stem}" for file in files)


@pytest.mark.parametrize("module", LISTED)
def test_every_public_name_has_an_example(module: str) -> None:
    public, examples = importlib.import_module(module), examples_of(page_of(module))
    documented = {name: inspect.getdoc(getattr(public, name)) or "" for name in public.__all__}
    without = {
        name for name, doc in documented.items() if not has_example(doc) and name not in re.findall(r"\w+", examples)
    }
    assert {name for name in without if not name.startswith("check_")} == set()  # those are run as CHECKS


@pytest.mark.parametrize(
    "file", sorted((ROOT / "schedframe" / "adapters").glob("[a-z]*.py")), ids=lambda file: file.stem
)
def test_every_adapter_has_an_example(file: Path) -> None:
    examples = examples_of(PAGES["adapters"])
    assert f"schedframe.adapters.{file.stem} import" in examples or "code-block::" in file.read_text()


@pytest.mark.parametrize("page", [page for page, text in PAGES.items() if ">>> " in text])
def test_the_examples_of_a_page_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if page in NEEDS:
        pytest.importorskip(NEEDS[page])
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    file = ROOT / "docs" / "api" / f"{page}.rst"
    failed, tried = doctest.testfile(str(file), module_relative=False, optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
    assert tried > 0
    assert failed == 0
