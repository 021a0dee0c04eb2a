"""The product speaks with the terms of docs/explanation/glossary.md: no other word for the same thing is in it."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schedframe._cli.app import COMMANDS, app

ROOT = Path(__file__).parents[1]
GLOSSARY = ROOT / "docs" / "explanation" / "glossary.md"
PAGES = sorted(
    path
    for folder in ("docs", "plugins")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".md", ".rst") and path != GLOSSARY and "_build" not in path.parts
) + [ROOT / name for name in ("README.md", "CONTRIBUTING.md")]
STARTERS = sorted((ROOT / "schedframe" / "_cli" / "starter").rglob("*.txt"))
MODULES = sorted(
    path
    for folder in ("schedframe", "plugins")
    for path in (ROOT / folder).rglob("*.py")
    if "tests" not in path.relative_to(ROOT / folder).parts and "build" not in path.relative_to(ROOT).parts
)
ALLOWED = {
    "floor": r"^floor$|`+floor`+|\bfloor: |\bfloor\(|: floor,|or floor$|floor=",
    "anneal": r"^anneal$|anneal_steps|`+anneal`+|anneal: |anneal, with|anneal start|name: anneal"
    r"|(an|exponential|the|and) anneal\b",
    "annealing": r"Learning Rate Annealing|CosineAnnealing\w*",
}
"""Where a word is meant as such: the key `floor` of a style, a function, the phase of a paper, a title."""


@cache
def banned() -> tuple[str, ...]:
    """Return the words of the glossary's column "instead of"."""
    rows = [line.split("|") for line in GLOSSARY.read_text("utf-8").splitlines() if line.startswith("| ")]
    return tuple(word.strip() for row in rows[2:] for word in row[3].split(",") if word.strip())


@cache
def pattern() -> re.Pattern[str]:
    """Return what finds the words, whatever white space is between their parts."""
    words = sorted(banned(), key=len, reverse=True)
    joined = "|".join("[ -]".join(map(re.escape, word.split())) for word in words)
    return re.compile(rf"(?<![\w`./-])({joined})(?![\w`-])", re.I)


def found_in(text: str) -> list[str]:
    """Return the banned words of `text`, each with what is around it."""
    flat = re.sub(r"\s+", " ", text)
    hits = []
    for hit in pattern().finditer(flat):
        word, around = hit[1].lower(), flat[max(0, hit.start() - 30) : hit.end() + 30]
        if not re.search(ALLOWED.get(word, r"(?!)"), around):
            hits.append(f"{word!r} in {around!r}")
    return hits


def texts(module: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts of a module with their lines: messages, helps, docstrings, names that a user sees."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def test_the_glossary_bans_words() -> None:
    assert {"floor", "warm-up", "float for float", "in words", "said"} <= set(banned())
    assert found_in("the warm-up ends at the floor, as it is said") == [
        "'warm-up' in 'the warm-up ends at the floor, as it is s'",
        "'floor' in 'the warm-up ends at the floor, as it is said'",
        "'said' in 'p ends at the floor, as it is said'",
    ]
    assert found_in("the house\nrules are kept, float-for-float") == [
        "'house rules' in 'the house rules are kept, float-for-float'",
        "'float-for-float' in 'the house rules are kept, float-for-float'",
    ]


@pytest.mark.parametrize("page", [*PAGES, *STARTERS], ids=lambda page: page.relative_to(ROOT).as_posix())
def test_pages_use_the_terms_of_the_glossary(page: Path) -> None:
    assert found_in(page.read_text("utf-8")) == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.relative_to(ROOT).as_posix())
def test_texts_of_the_code_use_the_terms_of_the_glossary(module: Path) -> None:
    assert [f"line {line}: {hit}" for line, text in texts(module) for hit in found_in(text)] == []


@pytest.mark.parametrize(
    "command", [[], *([name] for name in COMMANDS)], ids=lambda command: " ".join(command) or "all"
)
def test_helps_use_the_terms_of_the_glossary(command: list[str]) -> None:
    printed = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200"})
    assert printed.exit_code == 0
    assert len(printed.output.split()) > 20
    assert found_in(re.sub(r"[│╭╮╰╯─]", " ", printed.output)) == []
