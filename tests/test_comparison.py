"""What was measured of other frameworks' schedules still holds for the files, and the page says it."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

import schedframe

ROOT = Path(__file__).parents[1]
MEASURED = sorted((ROOT / "comparison" / "measured").glob("*.json"))
ROWS = [(file.stem, row) for file in MEASURED for row in json.loads(file.read_text())["rows"]]
ALLOWED = 1e-14
ROUNDING = {"CosineAnnealingLR(T_max=30), which goes on past T_max"}
"""Frameworks' schedules whose own arithmetic loses more digits than that, near a learning rate of 0."""


def difference(keys: dict[str, Any], rates: dict[str, float]) -> float:
    """Return the largest difference from what the framework's code gave, as a share of the highest of it."""
    schedule = schedframe.Schedule(**keys)
    return max(abs(schedule.lr_at(int(update)) - rate) for update, rate in rates.items()) / max(
        map(abs, rates.values())
    )


def test_the_page_is_current() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "make_comparison.py"))
    assert made["PAGE"].read_text() == made["page"](), "run python docs/make_comparison.py"


def test_every_framework_was_measured() -> None:
    modules = {file.stem for file in (ROOT / "comparison" / "frameworks").glob("[!_]*.py")}
    assert {file.stem for file in MEASURED} == modules


@pytest.mark.parametrize(("framework", "row"), ROWS, ids=lambda part: part if isinstance(part, str) else part["name"])
def test_a_file_has_the_learning_rates_of_the_framework(framework: str, row: dict[str, Any]) -> None:
    best = min(row["files"].values(), key=lambda file: file["difference"])
    assert difference(best["keys"], row["rates"]) <= max(best["difference"], ALLOWED)
    assert best["difference"] <= (1e-13 if row["name"] in ROUNDING else ALLOWED)


def test_the_numbers_of_the_framework_are_enough_in_nine_of_ten() -> None:
    plain = [row["files"]["plain"]["difference"] <= ALLOWED for _, row in ROWS]
    assert sum(plain) >= 0.9 * len(plain)


def test_the_readme_has_the_number_of_frameworks() -> None:
    assert f"lists schedules of {len(MEASURED)} frameworks" in (ROOT / "README.md").read_text()
