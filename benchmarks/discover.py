"""Finding plugins among 500 installed distributions, a tenth of which have styles, as ratios to a peer.

``import schedframe`` with them on the path against without them, in whole processes that take turns; finding one
style against one bare ``entry_points(group=...)``, in turn in one process.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

DISTRIBUTIONS = 500
PLUGINS = 50
MODULE = """
from typing import Literal
from schedframe.styles import LRCurve


class Style(LRCurve):
    style: Literal["{name}"] = "{name}"

    def coefficient(self, progress: float) -> float:
        return 1.0 - progress
"""
PROSE = "A paragraph of a README, as distributions have it in their metadata.\n" * 100


def install(site: Path) -> None:
    """Write what an installer leaves of each distribution: its metadata, and the module of a plugin."""
    for number in range(DISTRIBUTIONS):
        name = f"bench-dist-{number:03}"
        info = site / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nSummary: x\n\n{PROSE}")
        points = f"[console_scripts]\n{name} = {name.replace('-', '_')}:main\n"
        if number < PLUGINS:
            module = f"bench_style_{number:03}"
            points += f"\n[schedframe.lr_styles]\nstyle-{number:03} = {module}:Style\n"
            (site / f"{module}.py").write_text(MODULE.format(name=f"style-{number:03}"))
        (info / "entry_points.txt").write_text(points)


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def compare(ours: Callable[[], object], theirs: Callable[[], object], pairs: int) -> tuple[float, float, float]:
    """Return the median ratio of the pairs, and the median seconds of each."""
    ours(), theirs()
    measured = [(seconds(ours), seconds(theirs)) for _ in range(pairs)]
    return (
        statistics.median(a / b for a, b in measured),
        statistics.median(a for a, _ in measured),
        statistics.median(b for _, b in measured),
    )


def importing(*path: str) -> Callable[[], object]:
    program = f"import sys; sys.path += {list(path)!r}; import schedframe"
    return lambda: subprocess.run([sys.executable, "-c", program], check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=15, help="alternating pairs per case")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    rows = []

    def row(what: str, limit: float, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
        ratio, a, b = compare(ours, theirs, options.pairs)
        rows.append({"case": what, "ratio": round(ratio, 2), "limit": limit, "ms": round(1e3 * a, 2)})
        rows[-1]["peer_ms"] = round(1e3 * b, 2)

    with tempfile.TemporaryDirectory() as folder:
        install(Path(folder))
        row("import schedframe / import without them", 1.1, importing(folder), importing())
        sys.path.append(folder)
        from importlib_metadata import entry_points

        from schedframe import Schedule, lr_styles

        def bare() -> object:
            return entry_points(group="schedframe.lr_styles")

        def schedule(**keys: object) -> Callable[[], object]:
            return lambda: Schedule(max_lr=1.0, lr_decay_steps=100, **keys)

        row("lr_styles[a plugin's] / entry_points", 3.0, lambda: lr_styles["style-007"], bare)
        row("lr_styles[a built-in] / entry_points", 3.0, lambda: lr_styles["cosine"], bare)
        row("Schedule of a plugin's style / entry_points", 3.0, schedule(lr_decay_style="style-007"), bare)
        row("list(lr_styles) / entry_points", 5.0, lambda: list(lr_styles), bare)
    if options.json:
        print(json.dumps(rows))
    else:
        print(f"{'500 distributions':<45} {'ratio':>6} {'limit':>6} {'ours, ms':>9} {'peer, ms':>9}")
        for each in rows:
            print(f"{each['case']:<45} {each['ratio']:>6} {each['limit']:>6} {each['ms']:>9} {each['peer_ms']:>9}")
    over = [each["case"] for each in rows if each["ratio"] > each["limit"]]
    if over:
        print("above the limit:", "; ".join(over), file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
