"""Finding plugins among 500 installed distributions, a tenth of which have styles, as ratios to a peer.

``import schedframe`` with them on the path against without them, in whole processes that take turns; finding one
style against one bare ``entry_points(group=...)``, in turn in one process.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from table import Table, arguments

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


def importing(*path: str) -> Callable[[], object]:
    program = f"import sys; sys.path += {list(path)!r}; import schedframe"
    return lambda: subprocess.run([sys.executable, "-c", program], check=True)


def main() -> int:
    options = arguments(__doc__, pairs=15)
    table = Table("500 distributions", "ms")

    def row(what: str, limit: float, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
        table.measure(what, limit, ours, theirs, options.pairs)

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
    return table.finish(options.json)


if __name__ == "__main__":
    sys.exit(main())
