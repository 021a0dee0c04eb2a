"""Writes the page that compares schedules of other frameworks with schedule files, from what was measured.

``python comparison/compare.py NAME`` measures a framework; ``python docs/make_comparison.py`` writes the page.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "comparison.md"
ALLOWED = 1e-14
"""The largest difference that counts as none, as a share of the highest learning rate."""

_HEAD = """\
# Schedules of other frameworks

Each of these schedules was run with the code of its framework, and the learning rate at every update was compared with
that of a schedule file. The file has the framework's own numbers, and a key where the framework has another convention
([Match the conventions of another framework](../how-to/match-a-framework.md)). The difference is the largest of all
updates, as a share of the highest learning rate. Floating-point arithmetic alone gives differences below 1e-14.

The column with the file leaves out `clock: iters`. Some styles are those of
[plugins](../how-to/choose-plugins.md). `comparison/` in the repository has the code that runs the frameworks.
"""


def frameworks() -> list[dict[str, Any]]:
    """Return what was measured, by the name of the framework."""
    files = sorted((ROOT / "comparison" / "measured").glob("*.json"))
    return sorted((json.loads(file.read_text()) for file in files), key=lambda each: each["name"].lower())


def best(row: dict[str, Any]) -> dict[str, Any]:
    """Return the file of `row` that differs least, with its difference."""
    return min(row["files"].values(), key=lambda file: file["difference"])


def page() -> str:
    """Return the text of the page."""
    measured = frameworks()
    parts = [_HEAD, "\n".join(_summary(measured))]
    parts += ["\n".join(_framework(each)) for each in measured]
    return "\n".join(parts)


def _summary(measured: list[dict[str, Any]]) -> Iterator[str]:
    yield "| framework | tested with | schedules | same with the framework's numbers | same | largest difference |"
    yield "|---|---|---|---|---|---|"
    rows = [row for each in measured for row in each["rows"]]
    for each in measured:
        link = f"[{each['name']}](#{_anchor(each['name'])})"
        yield f"| {link} | {each['source']} | {_counts(each['rows'])} |"
    yield f"| all | | {_counts(rows)} |\n"


def _counts(rows: list[dict[str, Any]]) -> str:
    plain = sum(row["files"]["plain"]["difference"] <= ALLOWED for row in rows)
    same = [best(row)["difference"] for row in rows]
    return f"{len(rows)} | {plain} | {sum(each <= ALLOWED for each in same)} | {_short(max(same))}"


def _framework(each: dict[str, Any]) -> Iterator[str]:
    yield f"## {each['name']}\n\nWith {each['source']}.\n"
    yield "| schedule | updates | file | difference |\n|---|---|---|---|"
    for row in each["rows"]:
        shown = best(row)
        note = f"<br>{row['note']}" if row["note"] else ""
        file = "<br>".join(f"`{key}: {_flow(value)}`" for key, value in shown["keys"].items() if key != "clock")
        yield f"| {row['name']}{note} | {row['updates']} | {file} | {_short(shown['difference'])} |"
    if each["not_written"]:
        yield "\nNot written as files:\n"
        yield from (f"- {name}: {reason}" for name, reason in each["not_written"].items())
    yield ""


def _short(difference: float) -> str:
    return "0" if difference == 0 else f"{difference:.0e}"


def _anchor(name: str) -> str:
    return "".join(each if each.isalnum() or each in "-_" else "-" if each == " " else "" for each in name.lower())


def _flow(value: Any) -> str:
    """Return `value` in the flow style of YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return value if isinstance(value, str) else json.dumps(value)


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"wrote {PAGE}")
