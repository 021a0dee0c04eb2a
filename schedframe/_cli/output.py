"""JSON on standard output, for programs."""

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

import typer


def print_json(data: Mapping[str, Any]) -> None:
    """Print `data` as JSON, which has no infinities and no NaN: they are the texts ``inf``, ``-inf`` and ``nan``."""
    typer.echo(json.dumps(_as_json(data), indent=2, allow_nan=False))


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _as_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(inner) for inner in value]
    return str(value) if isinstance(value, float) and not isfinite(value) else value
