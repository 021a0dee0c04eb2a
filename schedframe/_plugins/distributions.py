"""The installed distributions that declare entry points of schedframe, read again when one is installed or removed.

Reading them takes about ten milliseconds among a hundred distributions. They are kept while the folders of ``sys.path``
hold the same ``entry_points.txt`` with the same times, so what is installed while a process runs is found. Nothing is
imported.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import importlib_metadata

from schedframe._version import __version__

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

OURSELVES = "schedframe"
"""The name of our own distribution, and the first word of every entry-point group of ours."""

_KINDS = ("importers", "loss_laws", "lr_styles", "recipes", "wd_styles")
GROUPS = (OURSELVES, *(f"{OURSELVES}.{kind}" for kind in _KINDS))
"""The entry-point groups that are read."""

_ALIKE = 0.85
_METADATA = (".dist-info", ".egg-info")
_OURS = re.compile(rf"\s*{OURSELVES}(?![\w.-])\s*(.*)", re.IGNORECASE)
"""A requirement of schedframe, in any spelling of its name, and what stands after the name."""


def canonical_name(name: str) -> str:
    """Return `name` as PEP 503 compares names: in lower case, with single hyphens."""
    return re.sub(r"[-_.]+", "-", name).lower()


class Distribution:
    """An installed distribution with entry points of schedframe's groups; its metadata is parsed at first use.

    Attributes:
        entry_points: those of schedframe's groups.
    """

    def __init__(self, distribution: Any) -> None:
        """Hold the distribution as importlib finds it."""
        self.entry_points: list[importlib_metadata.EntryPoint] = []
        self._distribution = distribution

    @cached_property
    def _fields(self) -> dict[str, str]:
        return _fields(self._distribution)

    @property
    def name(self) -> str:
        """The name as the metadata spells it; empty if the metadata is missing or unreadable."""
        return self._fields.get("Name", "")

    @property
    def version(self) -> str:
        """The version; empty if the metadata has none."""
        return self._fields.get("Version", "")

    @property
    def summary(self) -> str:
        """The one-line description; empty if the metadata has none."""
        return self._fields.get("Summary", "")

    @cached_property
    def canonical(self) -> str:
        """The name in lower case, with single hyphens."""
        return canonical_name(self.name)

    @cached_property
    def incompatibility(self) -> str:
        """Why the distribution does not admit the running schedframe; empty if it does."""
        for line in _requires(self._distribution):
            named = _OURS.fullmatch(line)
            versions = _required_versions(line, named[1]) if named else None
            if versions is not None and not versions.contains(__version__, prereleases=True):
                return f"it requires schedframe{versions}, and this is schedframe {__version__}"
        return ""


def _required_versions(line: str, rest: str) -> "SpecifierSet | None":
    """Return the versions that a requirement of schedframe admits, or ``None`` where it does not apply.

    Args:
        line: the whole requirement.
        rest: what stands after the name; versions alone are read without the parser of requirements, which takes
            longer to import than all else that a plugin needs.
    """
    if rest[:1] in tuple("<>=!~") and ";" not in rest:
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        try:
            return SpecifierSet(rest)
        except InvalidSpecifier:
            return None
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return None
    applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    return requirement.specifier if applies else None


_kept: tuple[Any, list[Distribution]] = (None, [])


def installed() -> list[Distribution]:
    """Return every distribution with entry points of ours; of one that is installed twice, the first on the path."""
    global _kept
    state, kept = [_state_of(entry) for entry in sys.path], _kept
    if kept[0] != state:
        kept = _kept = (state, _read())
    return kept[1]


def _read() -> list[Distribution]:
    distributions: dict[int, Distribution] = {}
    for point in _entry_points():
        if point.dist is not None and point.group.partition(".")[0] == OURSELVES:
            distributions.setdefault(id(point.dist), Distribution(point.dist)).entry_points.append(point)
    return list(distributions.values())


def _entry_points() -> Iterator[importlib_metadata.EntryPoint]:
    """Yield every entry point; of distributions that cannot be read none, which makes it slower."""
    try:
        yield from importlib_metadata.entry_points()
        return
    except Exception:  # noqa: S110  `unreadable` reports it
        pass
    seen = set()
    for distribution in importlib_metadata.distributions():
        points, fault = _points(distribution)
        name = canonical_name(_fields(distribution).get("Name", ""))
        if not fault and name not in seen:
            seen.add(name)
            yield from points


def _points(distribution: Any) -> tuple[list[importlib_metadata.EntryPoint], str]:
    """Return the entry points of a distribution, and why they cannot be read; empty where they can."""
    try:
        return list(distribution.entry_points), ""
    except Exception as error:
        return [], f"{type(error).__name__}: {error}"


def unreadable() -> Iterator[tuple[str, str]]:
    """Yield the name of each distribution on the path that is skipped because it cannot be read, and the reason."""
    for distribution in importlib_metadata.distributions():
        name = _fields(distribution).get("Name", "")
        place = distribution.locate_file("")
        points, fault = _points(distribution)
        if fault:
            yield name or str(place), f"its entry_points.txt in {place} cannot be read: {fault}; reinstall or remove it"
            continue
        metadata: Any = ()
        try:
            metadata = distribution.metadata or ()
        except FileNotFoundError:
            fault = "there is none" if _are_ours(points) else ""
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
        if not fault and _are_ours(points) and "Name" not in metadata:
            fault = "it has no name"
        if fault:
            names = ", ".join(sorted({point.name for point in points}))
            what = f", of the entry points {names}," if names else ""
            yield (
                str(place),
                f"the METADATA of a distribution there{what} cannot be read: {fault}; reinstall or remove it",
            )


def _are_ours(points: Iterable[importlib_metadata.EntryPoint]) -> bool:
    return any(point.group.partition(".")[0] == OURSELVES for point in points)


def _state_of(entry: str) -> list[tuple[str, object]]:
    """Return what changes when a distribution in one entry of the path is installed, changed or removed."""
    folder = entry or "."
    version = _version_of(folder)
    return [] if version is None else [(file, _version_of(file)) for file in _declaring(folder, version)]


def _version_of(path: str) -> tuple[int, int] | None:
    """Return what changes when the file or folder is replaced or written; ``None`` where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


@lru_cache(maxsize=64)
def _declaring(folder: str, version: object) -> list[str]:
    """Return the files in `folder` that declare entry points; of an archive its own path.

    The listing is kept until the `version` of the folder changes, as importlib keeps its own.
    """
    try:
        names = os.listdir(folder)
    except OSError:
        return [folder]
    return [os.path.join(folder, name, "entry_points.txt") for name in names if name.lower().endswith(_METADATA)]


def seen_twice() -> Iterator[str]:
    """Yield a sentence for each distribution that is on the path more than once and has entry points of ours.

    Only the first on the path is read, so a stale one hides the entry points of the other.
    """
    copies: dict[str, list[Any]] = {}
    for distribution in importlib_metadata.distributions():
        copies.setdefault(canonical_name(_fields(distribution).get("Name", "")), []).append(distribution)
    for name, same in copies.items():
        if name and same[1:] and any(_are_ours(_points(copy)[0]) for copy in same):
            places = ", ".join(str(copy.locate_file("")) for copy in same)
            yield f"{name} is on the path {len(same)} times ({places}); only the first is read, reinstall it"


class Misspelt(NamedTuple):
    """An entry point in a group that is spelled almost as one of ours, and is not read."""

    distribution: Distribution
    entry_point: importlib_metadata.EntryPoint
    group: str

    @property
    def fault(self) -> str:
        """What is wrong, as a sentence."""
        return f"its entry-point group is spelled {self.entry_point.group}; write {self.group}, and reinstall it"


def misspelt() -> Iterator[Misspelt]:
    """Yield the entry points of installed distributions that are in a misspelt group of ours."""
    for point in _entry_points():
        if point.dist is not None and point.group not in GROUPS:
            near = get_close_matches(point.group.lower(), GROUPS, n=1, cutoff=_ALIKE)
            if near:
                yield Misspelt(Distribution(point.dist), point, near[0])


def _requires(distribution: Any) -> list[str]:
    """Return what a distribution requires; nothing where its metadata cannot be read."""
    try:
        return list(distribution.requires or ())
    except Exception:
        return []


def _fields(distribution: Any) -> dict[str, str]:
    """Return the name, version and summary that the metadata has; nothing if it is half removed or not text."""
    try:
        metadata = distribution.metadata
    except Exception:
        return {}
    known = ("Name", "Version", "Summary")
    return {} if metadata is None else {key: str(metadata[key]) for key in known if key in metadata}
