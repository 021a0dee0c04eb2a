"""The entry points of the installed distributions, read again when something was installed or removed.

To read them all takes ten milliseconds among a hundred distributions, and a schedule looks up several names. So they
are kept as long as no folder of ``sys.path`` has other metadata than before, which a few hundred calls of ``stat``
tell: what is installed while a process runs is seen.
"""

import os
import sys
from typing import Any

import importlib_metadata

_METADATA = (".dist-info", ".egg-info")

_kept: tuple[Any, importlib_metadata.EntryPoints] | None = None


def entry_points() -> importlib_metadata.EntryPoints:
    """Return every entry point of a group of ours; of a distribution installed twice, the first on the path."""
    global _kept
    now = [_seen_in(entry) for entry in sys.path]
    kept = _kept
    if kept is None or kept[0] != now:
        ours = (point for point in importlib_metadata.entry_points() if point.group.partition(".")[0] == "schedframe")
        kept = _kept = (now, importlib_metadata.EntryPoints(ours))
    return kept[1]


def _seen_in(entry: str) -> Any:
    """What tells whether the distributions in one entry of the path are those that were there before."""
    try:
        with os.scandir(entry or ".") as found:
            metadata = [file.path for file in found if file.name.lower().endswith(_METADATA)]
    except OSError:
        return entry, _changed(entry)  # an archive, or nothing at all
    return entry, [(path, _changed(f"{path}{os.sep}entry_points.txt")) for path in metadata]


def _changed(path: str) -> int | None:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None
