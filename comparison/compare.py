"""Runs schedules of other frameworks by their own code and compares each with its schedule file, update by update.

``python comparison/compare.py NAME...`` runs the frameworks named, such as ``pytorch``, in an environment that has
them, and writes ``comparison/measured/NAME.json``. Frameworks that are no distribution are read from a checkout in
the folder that ``SCHEDFRAME_SOURCES`` names. ``python docs/make_comparison.py`` writes the page.
"""

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

from case import Framework, measure

FOLDER = Path(__file__).parent
ALLOWED = 1e-14
"""The largest difference that counts as none, as a share of the highest learning rate."""


def names() -> list[str]:
    """Return the modules of frameworks."""
    return sorted(file.stem for file in (FOLDER / "frameworks").glob("[!_]*.py"))


def compare(name: str) -> dict[str, Any]:
    """Return what was measured of the framework in the module `name`."""
    framework: Framework = importlib.import_module(f"frameworks.{name}").FRAMEWORK
    return {
        "name": framework.name,
        "source": framework.source,
        "rows": [measure(case) for case in framework.cases],
        "not_written": framework.not_written,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frameworks", nargs="+", metavar="NAME", choices=names(), help=", ".join(names()))
    wrong = 0
    for name in parser.parse_args().frameworks:
        measured = compare(name)
        for row in measured["rows"]:
            plain, *others = (file["difference"] for file in row["files"].values())
            best = min([plain, *others])
            wrong += best > ALLOWED
            print(f"{plain:8.1e} {best:8.1e}  {measured['name']}  {row['name']}")
        (FOLDER / "measured" / f"{name}.json").write_text(json.dumps(measured, indent=1) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
