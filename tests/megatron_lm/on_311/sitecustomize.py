"""Python imports this at every start where this folder is in PYTHONPATH: what Megatron Core 0.18 misses on 3.11."""

import sys
import typing

import typing_extensions

if sys.version_info < (3, 12):
    typing.override = typing_extensions.override  # type: ignore[attr-defined]
