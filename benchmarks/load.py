"""The time of one ``load_state_dict()``, and its ratio to Megatron Core's class, side by side in one process.

WSD with ``minus_sqrt`` and cosine weight decay; half of the groups have bounds of their own. Each figure is the
median of alternating pairs. Megatron's load reads ten keys and steps; ours also compares the schedules, puts back
the groups' bounds and tells what it did.
"""

import argparse
import json
import logging
import statistics
import sys
import time
import warnings

from step import Megatron, Ours, scheduler

import schedframe

MILLISECONDS = {1: None, 100: 1.0, 1000: None}


def seconds(load, state) -> float:
    start = time.perf_counter()
    load(state)
    return time.perf_counter() - start


def measured(groups: int, pairs: int) -> tuple[float, float]:
    """Return the median milliseconds of one of our loads, and the median ratio ours / Megatron."""
    both = [scheduler(cls, groups, groups > 1, 50_000) for cls in (Ours, Megatron)]
    (ours, state), (theirs, their_state) = ((one.load_state_dict, one.state_dict()) for one in both)
    seconds(ours, state), seconds(theirs, their_state)
    times, ratios = [], []
    for _ in range(pairs):
        both[1].num_steps = 0  # Megatron's load adds
        a, b = seconds(ours, state), seconds(theirs, their_state)
        times.append(a * 1e3)
        ratios.append(a / b)
    return statistics.median(times), statistics.median(ratios)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=201, help="alternating pairs per case")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    warnings.simplefilter("ignore", schedframe.SchedframeWarning)
    logging.getLogger("schedframe").setLevel(logging.ERROR)
    rows = []
    for groups, limit in MILLISECONDS.items():
        milliseconds, ratio = measured(groups, options.pairs)
        rows.append({"groups": groups, "ms": round(milliseconds, 3), "limit_ms": limit, "ratio": round(ratio, 2)})
    if options.json:
        print(json.dumps(rows))
    else:
        print(f"{'load_state_dict()':<20} {'ours, ms':>9} {'limit':>6} {'ours/Megatron':>14}")
        for row in rows:
            limit = "" if row["limit_ms"] is None else row["limit_ms"]
            print(f"G={row['groups']:<18} {row['ms']:>9} {limit:>6} {row['ratio']:>14}")
    return 1 if any(row["limit_ms"] is not None and row["ms"] > row["limit_ms"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
