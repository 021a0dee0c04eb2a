"""The time of one ``load_state_dict()`` and of one ``schedframe.load``, as ratios to a peer in the same process.

Each figure is the median of alternating pairs.

The peer of ``load_state_dict()`` is Megatron Core's class: WSD with ``minus_sqrt`` and cosine weight decay; half of the
groups have bounds of their own. Megatron's load reads ten keys and steps; ours also compares the schedules, restores
the groups' bounds and reports what it did.

The peer of ``schedframe.load``, for files in tests/schedules, is composing the same text with ruamel.yaml.
"""

import json
import logging
import statistics
import sys
import warnings
from functools import partial
from pathlib import Path

from ruamel.yaml import YAML
from step import Megatron, Ours, scheduler
from table import Table, arguments, seconds

import schedframe

SCHEDULES = Path(__file__).parents[1] / "tests" / "schedules"
MILLISECONDS = {1: None, 100: 1.0, 1000: None}
RATIOS = {"run.yaml": 2.5, "moe.yaml": 2.5}
"""Limits. A load also makes one `stat` of each installed distribution, which is a quarter of it with 200 of them."""


def measured(groups: int, pairs: int) -> tuple[float, float]:
    """Return the median milliseconds of one of our loads, and the median ratio ours / Megatron."""
    both = [scheduler(cls, groups, groups > 1, 50_000) for cls in (Ours, Megatron)]
    ours, theirs = (partial(one.load_state_dict, one.state_dict()) for one in both)
    seconds(ours), seconds(theirs)
    times, ratios = [], []
    for _ in range(pairs):
        both[1].num_steps = 0  # Megatron's load adds
        a, b = seconds(ours), seconds(theirs)
        times.append(a * 1e3)
        ratios.append(a / b)
    return statistics.median(times), statistics.median(ratios)


def compose(text: str) -> object:
    return YAML(typ="safe", pure=True).compose(text)


def measure_files(pairs: int) -> Table:
    """Return the ratios of loading two files to composing their text."""
    table = Table("schedframe.load() / composing the YAML", "ms")
    for name, limit in RATIOS.items():
        file = SCHEDULES / name
        text = file.read_text(encoding="utf-8")
        table.measure(name, limit, partial(schedframe.load, file), partial(compose, text), pairs)
    return table


def main() -> int:
    options = arguments(__doc__, pairs=201)
    warnings.simplefilter("ignore", schedframe.SchedframeWarning)
    logging.getLogger("schedframe").setLevel(logging.ERROR)
    rows = []
    for groups, limit in MILLISECONDS.items():
        milliseconds, ratio = measured(groups, options.pairs)
        rows.append({"groups": groups, "ms": round(milliseconds, 3), "limit_ms": limit, "ratio": round(ratio, 2)})
    files = measure_files(options.pairs)
    if options.json:
        print(json.dumps([*rows, *files.rows]))
    else:
        print(f"{'load_state_dict()':<20} {'ours, ms':>9} {'limit':>6} {'ours/Megatron':>14}")
        for row in rows:
            limit = "" if row["limit_ms"] is None else row["limit_ms"]
            print(f"G={row['groups']:<18} {row['ms']:>9} {limit:>6} {row['ratio']:>14}")
        print()
        files.print()
    too_slow = any(row["limit_ms"] is not None and row["ms"] > row["limit_ms"] for row in rows)
    return int(files.over() or too_slow)


if __name__ == "__main__":
    sys.exit(main())
