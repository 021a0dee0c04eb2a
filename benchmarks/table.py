"""What the benchmarks share: alternating pairs, a table of ratios with their limits, JSON, and the exit code."""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable


def arguments(description: str | None, pairs: int) -> argparse.Namespace:
    """Return the command line's ``pairs`` and ``json``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--pairs", type=int, default=pairs, help="alternating pairs per case")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


class Table:
    """Ratios to a peer: the median over pairs that alternate, so that a drift of the machine's speed cancels out."""

    def __init__(self, title: str, unit: str) -> None:
        """Head the table with `title`, and print times in `unit`, ``s`` or ``ms``."""
        self.title = title
        self.unit = unit
        self.rows: list[dict] = []

    def measure(
        self, case: str, limit: float, ours: Callable[[], object], peer: Callable[[], object], pairs: int
    ) -> None:
        """Run both once, then `pairs` times in turn, and add a row."""
        ours(), peer()
        measured = [(seconds(ours), seconds(peer)) for _ in range(pairs)]
        scale, digits = (1e3, 2) if self.unit == "ms" else (1, 3)
        times = (round(scale * statistics.median(each), digits) for each in zip(*measured, strict=True))
        row = {"case": case, "ratio": round(statistics.median(a / b for a, b in measured), 2), "limit": limit}
        self.rows.append(row | dict(zip((self.unit, f"peer_{self.unit}"), times, strict=True)))

    def print(self) -> None:
        """Print the rows as text."""
        width = max(len(text) for text in (self.title, *(row["case"] for row in self.rows)))
        print(f"{self.title:<{width}} {'ratio':>6} {'limit':>6} {f'ours, {self.unit}':>9} {f'peer, {self.unit}':>9}")
        for case, ratio, limit, ours, peer in map(dict.values, self.rows):
            print(f"{case:<{width}} {ratio:>6} {limit:>6} {ours:>9} {peer:>9}")

    def over(self) -> bool:
        """Return whether a ratio is above its limit, and name each that is on stderr."""
        over = [row["case"] for row in self.rows if row["ratio"] > row["limit"]]
        if over:
            print("above the limit:", "; ".join(over), file=sys.stderr)
        return bool(over)

    def finish(self, as_json: bool) -> int:
        """Print the rows, and return the exit code: 1 if a ratio is above its limit."""
        if as_json:
            print(json.dumps(self.rows))
        else:
            self.print()
        return int(self.over())
