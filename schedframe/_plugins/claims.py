"""Which entry points of installed distributions may be used: ``SCHEDFRAME_ALLOW`` and ``SCHEDFRAME_BLOCK``.

Only metadata is read; nothing is imported.
"""

import os
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, cast

import importlib_metadata

from schedframe._errors import PluginError
from schedframe._plugins.distributions import OURSELVES, Distribution, canonical_name, installed
from schedframe._plugins.source import Source

T = TypeVar("T")


@dataclass(frozen=True)
class Claim:
    """One entry point of one installed distribution.

    Attributes:
        entry_point: the entry point; `load` imports it.
        distribution: the distribution that declares it.
        blocked: which variable keeps the distribution out, as a sentence; empty if it may be used.
    """

    entry_point: importlib_metadata.EntryPoint
    distribution: Distribution
    blocked: str

    @property
    def source(self) -> Source:
        """Where what it declares comes from."""
        point, distribution = self.entry_point, self.distribution
        return Source(point.name, point.value, distribution.name, distribution.version)

    def __str__(self) -> str:
        """``schedframe-rex 0.1.0 (schedframe_rex:Rex)``."""
        return str(self.source)


class _Snapshot:
    """The installed distributions and both variables, each read at its first use and then kept."""

    def __init__(self) -> None:
        self.known: dict[Hashable, Any] = {}

    @cached_property
    def distributions(self) -> list[Distribution]:
        return installed()

    @cached_property
    def allowed_and_blocked(self) -> tuple[frozenset[str] | None, frozenset[str] | None]:
        return _listed("SCHEDFRAME_ALLOW"), _listed("SCHEDFRAME_BLOCK")


_current: ContextVar[_Snapshot | None] = ContextVar("_current", default=None)


@contextmanager
def snapshot() -> Iterator[None]:
    """Within the block, read the installed distributions, ``SCHEDFRAME_ALLOW`` and ``SCHEDFRAME_BLOCK`` at most once.

    Outside of such a block every call of `claims` reads them again. A block within a block uses the outer one's.
    """
    if _current.get() is not None:
        yield
        return
    token = _current.set(_Snapshot())
    try:
        yield
    finally:
        _current.reset(token)


def recall(key: Hashable, find: Callable[[], T]) -> T:
    """Return what ``find()`` returns; within a `snapshot`, what it returned there for `key` before."""
    now = _current.get() or _Snapshot()
    if key not in now.known:
        now.known[key] = find()
    return cast("T", now.known[key])


def claims(group: str, name: str | None = None) -> list[Claim]:
    """Return what installed distributions other than schedframe itself declare in `group`, blocked ones too.

    Args:
        group: the entry-point group.
        name: only entry points of this name, which reads the metadata of no other distribution.

    Raises:
        PluginError: ``SCHEDFRAME_ALLOW`` or ``SCHEDFRAME_BLOCK`` names a distribution that is not installed.
    """
    now = _current.get() or _Snapshot()
    allowed, blocked = now.allowed_and_blocked
    result = []
    for distribution in now.distributions:
        for point in distribution.entry_points:
            if point.group == group and name in (None, point.name) and distribution.canonical not in ("", OURSELVES):
                why = ""
                if distribution.canonical in (blocked or ()):
                    why = "SCHEDFRAME_BLOCK blocks it"
                elif allowed is not None and distribution.canonical not in allowed:
                    why = "SCHEDFRAME_ALLOW does not list it"
                result.append(Claim(point, distribution, why))
    return result


def _listed(variable: str) -> frozenset[str] | None:
    """Return the canonical names of the distributions that `variable` lists; ``None`` if it is not set."""
    text = os.environ.get(variable)
    if text is None:
        return None
    names = frozenset(canonical_name(name.strip()) for name in text.split(",") if name.strip())
    for name in sorted(names - {OURSELVES}):
        try:
            importlib_metadata.distribution(name)
        except importlib_metadata.PackageNotFoundError:
            raise PluginError(
                f"{variable} names {name!r}, which is not installed; correct it, or install the distribution"
            ) from None
    return names
