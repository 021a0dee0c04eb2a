"""Which installed distributions may add to schedframe: discovery, ``SCHEDFRAME_ALLOW``, ``SCHEDFRAME_BLOCK``.

Everything here reads metadata; nothing is imported.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import importlib_metadata
from packaging.utils import canonicalize_name

from schedframe._errors import PluginError
from schedframe._plugins.entry_points import entry_points
from schedframe._version import __version__

STYLE_GROUPS = ("schedframe.lr_styles", "schedframe.wd_styles")
HOOK_GROUP = "schedframe"
_OURSELVES = "schedframe"


@dataclass(frozen=True)
class Claim:
    """One entry point of one installed distribution.

    Attributes:
        entry_point: the entry point; `load` imports it.
        distribution: the distribution's name, as its metadata spells it.
        version: the distribution's version; empty where its metadata have none.
        summary: the distribution's own one-line description; empty where it has none.
        blocked: the sentence that says which variable keeps it out; empty where it may be used.
    """

    entry_point: importlib_metadata.EntryPoint
    distribution: str
    version: str
    summary: str
    blocked: str

    def __str__(self) -> str:
        """``schedframe-rex 0.1.0 (schedframe_rex:Rex)``."""
        return f"{self.distribution} {self.version} ({self.entry_point.value})"


def claims(group: str, name: str | None = None) -> list[Claim]:
    """Return what installed distributions other than schedframe itself declare in `group`, blocked ones too.

    Args:
        group: the entry-point group.
        name: only entry points of this name, which reads the metadata of no other distribution.

    Raises:
        PluginError: ``SCHEDFRAME_ALLOW`` or ``SCHEDFRAME_BLOCK`` names a distribution that is not installed.
    """
    allow, block = _listed("SCHEDFRAME_ALLOW"), _listed("SCHEDFRAME_BLOCK")
    wanted = {"group": group} if name is None else {"group": group, "name": name}
    found = []
    for distribution, points in _by_distribution(entry_points().select(**wanted)):
        fields = _fields(distribution)
        canonical = canonicalize_name(fields.get("Name", ""))
        if canonical in ("", _OURSELVES):
            continue
        blocked = ""
        if block is not None and canonical in block:
            blocked = "SCHEDFRAME_BLOCK blocks it"
        elif allow is not None and canonical not in allow:
            blocked = "SCHEDFRAME_ALLOW does not list it"
        about = (fields["Name"], fields.get("Version", ""), fields.get("Summary", ""))
        found += [Claim(point, *about, blocked) for point in points]
    return found


def _by_distribution(
    points: Iterable[importlib_metadata.EntryPoint],
) -> Iterator[tuple[Any, list[importlib_metadata.EntryPoint]]]:
    """Yield each distribution once: reading its name parses its metadata."""
    grouped: dict[int, list[importlib_metadata.EntryPoint]] = {}
    for point in points:
        grouped.setdefault(id(point.dist), []).append(point)
    for same in grouped.values():
        if same[0].dist is not None:
            yield same[0].dist, same


def incompatibility(claim: Claim) -> str:
    """Say why `claim`'s distribution does not admit the running schedframe; empty where it does."""
    from packaging.requirements import InvalidRequirement, Requirement

    distribution = claim.entry_point.dist
    for line in (distribution.requires if distribution else None) or ():
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if canonicalize_name(requirement.name) != _OURSELVES:
            continue
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if applies and not requirement.specifier.contains(__version__, prereleases=True):
            return f"it requires schedframe{requirement.specifier}, and this is schedframe {__version__}"
    return ""


def seen_twice() -> Iterator[str]:
    """Yield a sentence for each distribution that is on the path more than once and declares anything of ours.

    Only the first on the path is read, so a stale one hides the entry points of the other.
    """
    groups = {*STYLE_GROUPS, HOOK_GROUP}
    copies: dict[str, list[Any]] = {}
    for distribution in importlib_metadata.distributions():
        copies.setdefault(canonicalize_name(_fields(distribution).get("Name", "")), []).append(distribution)
    for name, same in copies.items():
        if name and len(same) > 1 and any(point.group in groups for copy in same for point in copy.entry_points):
            places = ", ".join(str(copy.locate_file("")) for copy in same)
            yield f"{name} is on the path {len(same)} times ({places}); only the first is read, reinstall it"


def _fields(distribution: Any) -> dict[str, str]:
    """Its name, version and summary, as far as it says them; nothing where it is half removed or no text."""
    try:
        metadata = distribution.metadata
    except (FileNotFoundError, UnicodeDecodeError):
        return {}
    known = ("Name", "Version", "Summary")
    return {} if metadata is None else {key: str(metadata[key]) for key in known if key in metadata}


def _listed(variable: str) -> frozenset[str] | None:
    """The distributions that `variable` lists, canonical; ``None`` where it is not set."""
    text = os.environ.get(variable)
    if text is None:
        return None
    names = frozenset(canonicalize_name(name.strip()) for name in text.split(",") if name.strip())
    for name in sorted(names - {_OURSELVES}):
        try:
            importlib_metadata.distribution(name)
        except importlib_metadata.PackageNotFoundError:
            raise PluginError(
                f"{variable} names {name!r}, which is not installed; correct it, or install the distribution"
            ) from None
    return names
