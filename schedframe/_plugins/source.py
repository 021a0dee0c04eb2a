"""Where a style comes from: a distribution, a file that was imported, or a class of the running program."""

import os
import sys
from dataclasses import dataclass, field, replace
from typing import Any

from schedframe._plugins.python_file import PythonFile, digest_of


@dataclass(frozen=True)
class Source:
    """Where a style comes from.

    Attributes:
        name: the style's name.
        target: ``module:Class``; of a file that was imported as a file, ``my_styles.py:Class``.
        distribution: the installed distribution; ``None`` for a class that a program registered or passed.
        version: the distribution's version.
        path: of a registered class the Python file that it is in, on this machine; ``None`` where it is in none.
        sha256: the digest of that file as it was when the class was registered.
    """

    name: str
    target: str
    distribution: str | None = None
    version: str | None = None
    path: str | None = field(default=None, compare=False)
    sha256: str | None = None

    def __str__(self) -> str:
        """``schedframe-rex 0.1.0 (schedframe_rex:Rex)``, ``/a/file.py (sha256 0123456789ab…)``, or the class alone."""
        if self.distribution:
            return f"{self.distribution} {self.version} ({self.target})"
        return f"{self.path or self.module} ({self.digest})" if self.sha256 else self.target

    @property
    def module(self) -> str:
        """The module of `target`, or the name of the file."""
        return self.target.rpartition(":")[0]

    @property
    def digest(self) -> str:
        """The beginning of the file's digest, ``sha256 0123456789ab…``; empty where there is no file."""
        return f"sha256 {self.sha256[:12]}…" if self.sha256 else ""

    @property
    def identity(self) -> str:
        """What is equal where the same code is meant: of a registered class its file's digest, wherever that lies."""
        return f"{self.target.rpartition(':')[2]} (sha256 {self.sha256})" if self.sha256 else str(self)


def source_of_class(style: Any) -> Source:
    """Return the source of a class by its module and name alone."""
    return Source(name_of(style), f"{getattr(style, '__module__', '?')}:{getattr(style, '__qualname__', style)}")


def source_in_file(style: Any) -> Source:
    """Return the source of a class that no distribution declares, with the Python file that it is in, if any."""
    source = source_of_class(style)
    spec = getattr(sys.modules.get(source.module), "__spec__", None)
    path: str = getattr(spec, "origin", None) or ""
    loader: Any = getattr(spec, "loader", None)
    is_named_file = isinstance(loader, PythonFile)
    if not hasattr(loader, "get_data") or not (path.endswith(".py") or is_named_file):
        return source
    try:
        sha256 = digest_of(loader.get_data(path))
    except OSError:
        return source
    module = os.path.basename(path) if is_named_file else source.module
    return replace(source, target=f"{module}:{source.target.rpartition(':')[2]}", path=path, sha256=sha256)


def name_of(style: Any) -> str:
    """Return the default of the field ``style`` of a class; empty if it has none."""
    field = getattr(style, "model_fields", {}).get("style") if isinstance(style, type) else None
    return field.default if field is not None and isinstance(field.default, str) else ""
