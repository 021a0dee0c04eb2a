"""``schedframe plugins`` and ``schedframe schema``: what is installed, and whether it works."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..runs import cli

Install = Callable[..., Path]

STYLE = """\
from typing import Literal
from schedframe.styles import LRCurve


class S(LRCurve):
    style: Literal[{name!r}] = {name!r}

    def coefficient(self, progress):
        return 1.0 - progress
"""


def run(*arguments: str) -> tuple[int, str, str]:
    return cli(*arguments)


def rows() -> tuple[int, dict[tuple[str, str], dict[str, Any]]]:
    code, out, _ = run("plugins", "--format", "json")
    found = json.loads(out)["plugins"]
    return code, {(row["distribution"], row["adds"]): row for row in found}


def add(install: Install, name: str, style: str, module: str | None = None, **options: Any) -> None:
    target = f"{name.replace('-', '_')}_mod:S"
    install(name, module or STYLE.format(name=style), lr_styles={style: target}, path=name, **options)


@pytest.fixture(autouse=True)
def _few_distributions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plugins of this repository that are installed here do not count."""
    monkeypatch.setenv("COLUMNS", "200")


def test_each_state_is_reported_with_its_cause(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    add(install, "x-good", "good-one")
    add(install, "x-raises", "raising", "raise RuntimeError('no such luck')")
    add(install, "x-new", "too-new", requires="schedframe>=99")
    add(install, "x-first", "wanted-twice")
    add(install, "x-second", "wanted-twice")
    add(install, "x-blocked", "kept-out", "raise SystemExit('imported although it is blocked')")
    install("x-hooks", "import schedframe\n", hooks={"h": "x_hooks_mod"}, path="hooks")
    install("x-wrong", STYLE.format(name="x"), hooks={"h": "x_wrong_mod:Missing"}, path="wrong")
    monkeypatch.setenv("SCHEDFRAME_BLOCK", "x-blocked")
    code, found = rows()
    assert code == 1
    states = {key: row["state"] for key, row in found.items() if key[0].startswith("x-")}
    assert states == {
        ("x-good", "LR good-one"): "ok",
        ("x-raises", "LR raising"): "broken",
        ("x-new", "LR too-new"): "incompatible",
        ("x-first", "LR wanted-twice"): "clashing",
        ("x-second", "LR wanted-twice"): "clashing",
        ("x-blocked", "LR kept-out"): "blocked",
        ("x-hooks", "hooks"): "ok",
        ("x-wrong", "hooks"): "broken",
    }
    assert "RuntimeError: no such luck" in found["x-raises", "LR raising"]["cause"]
    assert "it requires schedframe>=99" in found["x-new", "LR too-new"]["cause"]
    assert "is provided more than once: x-first 1.0" in found["x-first", "LR wanted-twice"]["cause"]
    assert "SCHEDFRAME_BLOCK=x-wrong" in found["x-wrong", "hooks"]["cause"]
    code, out, _ = run("plugins")
    assert code == 1
    assert "x-raises, LR raising: " in out


def test_a_stale_copy_on_the_path_is_reported(install: Install) -> None:
    add(install, "x-twice", "doubled")
    install("x-twice", "", version="0.9", path="older")
    code, found = rows()
    assert code == 1
    assert any(row["state"] == "stale" and "x-twice is on the path 2 times" in row["cause"] for row in found.values())


@pytest.mark.parametrize("group", ["schedframe.lr_style", "schedframes.lr_styles", "schedframe_lr_styles"])
def test_a_misspelt_group_is_reported(install: Install, group: str) -> None:
    install("x-lost", STYLE.format(name="lost"), groups={group: {"lost": "x_lost_mod:S"}})
    code, found = rows()
    assert code == 1
    row = found["x-lost", "LR lost"]
    assert row["state"] == "broken"
    assert row["cause"] == f"its entry-point group is spelled {group}; write schedframe.lr_styles, and reinstall it"


def test_groups_of_others_are_no_misspelt_ones(install: Install) -> None:
    install("x-other", "", groups={"schedframe.models": {"lost": "x"}, "scheduler.lr_styles": {"lost": "x"}})
    assert not any(distribution == "x-other" for distribution, _ in rows()[1])


def test_all_good_is_exit_code_0(install: Install) -> None:
    add(install, "x-good", "good-one")
    code, found = rows()
    assert code == 0
    assert found["x-good", "LR good-one"] == {
        "distribution": "x-good",
        "version": "1.0",
        "adds": "LR good-one",
        "state": "ok",
        "cause": "",
    }


def test_the_schema_leaves_out_what_is_broken_and_tells_it(install: Install) -> None:
    add(install, "x-good", "good-one")
    add(install, "x-raises", "raising", "raise RuntimeError('no such luck')")
    code, out, err = run("schema")
    assert code == 1
    made = json.loads(out)
    assert "LR good-one" in made["$defs"]
    assert "LR raising" not in made["$defs"]
    assert "no such luck" in err
    code, out, err = run("schema", "--builtin")
    assert (code, err) == (0, "")
    committed = Path(__file__).parents[2] / "docs" / "reference" / "schedframe.schema.json"
    assert json.loads(out)["$defs"].keys() == json.loads(committed.read_text())["$defs"].keys()


def test_json_is_short_for_the_format(install: Install) -> None:
    add(install, "x-good", "good-one")
    assert run("plugins", "--json") == run("plugins", "--format", "json")


LAW = """
import numpy
from schedframe.foresight import LossLaw, Prior

class Flat(LossLaw):
    name, formula, source = "flat", "L0", "none"
    priors, coefficients = {"a": Prior(0.5, 0.3)}, ("L0",)

    def columns(self, parameters, grid, reference):
        return numpy.ones((len(grid.asked), 1))
"""


@pytest.mark.parametrize(("target", "state"), [("x_laws_mod:Flat", "ok"), ("x_laws_mod:numpy", "broken")])
def test_laws_of_the_loss_are_listed_and_tried(install: Install, target: str, state: str) -> None:
    install("x-laws", LAW, groups={"schedframe.loss_laws": {"flat": target}})
    assert rows()[1]["x-laws", "law flat"]["state"] == state


@pytest.mark.parametrize(
    ("target", "file", "state"),
    [
        ("x_runs.data", "one.schedule.yaml", "ok"),
        ("x_runs.other", "one.schedule.yaml", "broken"),
        ("x_runs.data", "one.yaml", "broken"),
        ("../x_runs/data", "one.schedule.yaml", "broken"),
    ],
)
def test_recipes_are_listed_and_looked_for(install: Install, target: str, file: str, state: str) -> None:
    site = install("x-runs", "raise SystemExit('imported')", groups={"schedframe.recipes": {"runs": target}})
    folder = site / "x_runs" / "data"
    folder.mkdir(parents=True)
    (folder / file).write_text("max_lr: 1\n")
    (row,) = (row for row in rows()[1].values() if row["distribution"] == "x-runs")  # its recipes, or all of it
    assert row["state"] == state
    assert ("cannot be used" in row["cause"] or "cannot be read" in row["cause"]) == (state == "broken")


def test_recipes_in_a_group_that_is_misspelt_are_reported(install: Install) -> None:
    install("x-runs", "raise SystemExit('imported')", groups={"schedframe.recipe": {"runs": "x_runs.data"}})
    row = rows()[1]["x-runs", "recipes runs"]
    assert (row["state"], "write schedframe.recipes" in row["cause"]) == ("broken", True)
