"""``schedframe --version --verbose``: the environment, for a bug report."""

import os
import platform
from collections.abc import Iterable, Iterator

import importlib_metadata

from schedframe._plugins.distributions import GROUPS, Distribution, installed
from schedframe._version import __version__

_LIBRARIES = (
    "pydantic",
    "ruamel.yaml",
    "typer",
    "rich",
    "plotext",
    "matplotlib",
    "starlette",
    "torch",
    "megatron-core",
    "transformers",
    "accelerate",
    "lightning",
    "deepspeed",
)
_ADDS = dict(zip(GROUPS, ("hooks", "importer {}", "law {}", "LR {}", "recipes {}", "WD {}"), strict=True))
_VARIABLES = "SCHEDFRAME_"


def report() -> str:
    """Return versions of schedframe, Python, plugins and libraries, and the platform, one in a line.

    They are read from the metadata of installed distributions: no plugin and no library is imported. Of environment
    variables it has the names alone, because their values may be private.
    """
    return "\n".join(
        [
            f"schedframe {__version__}",
            f"Python {platform.python_version()} ({platform.python_implementation()})",
            platform.platform(),
            *_section("plugins", map(_plugin, sorted(installed(), key=lambda each: each.canonical))),
            *_section("libraries", _libraries()),
            *_section("variables", sorted(name for name in os.environ if name.startswith(_VARIABLES))),
        ]
    )


def _section(title: str, lines: Iterable[str]) -> list[str]:
    found = list(lines)
    return [f"{title}:", *(f"  {line}" for line in found)] if found else [f"{title}: none"]


def _plugin(plugin: Distribution) -> str:
    """Return a plugin's version and what it adds."""
    adds = [_ADDS[point.group].format(point.name) for point in plugin.entry_points if point.group in _ADDS]
    fault = f" (incompatible: {plugin.incompatibility})" if plugin.incompatibility else ""
    return f"{plugin.name} {plugin.version}: {', '.join(adds)}{fault}"


def _libraries() -> Iterator[str]:
    for name in _LIBRARIES:
        try:
            yield f"{name} {importlib_metadata.version(name)}"
        except importlib_metadata.PackageNotFoundError:
            yield f"{name} is not installed"
