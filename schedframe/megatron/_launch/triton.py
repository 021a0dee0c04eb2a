"""A stand-in for Triton, which Megatron Core imports at its start, for kernels that a dry run does not call."""

import importlib.util
import os
import sys
from contextlib import suppress
from types import ModuleType
from typing import Any


def stand_in_for_triton() -> None:
    """Let Megatron Core be imported without Triton, as 0.18 and later cannot be."""
    if "triton" in sys.modules or importlib.util.find_spec("triton") is not None:
        return
    os.environ["TORCHDYNAMO_DISABLE"] = "1"
    with suppress(ImportError):
        from torch.utils._triton import has_triton_package

        has_triton_package()  # torch remembers that it is not there, and asks nothing of the stand-in
    triton, language = _StandIn("triton"), _StandIn("triton.language")
    triton.__dict__.update(language=language, __version__="0")
    sys.modules.update({"triton": triton, "triton.language": language})


class _Unused:
    """What a module of Triton has: a type in an annotation of a kernel, a decorator, or the kernel that it made."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take whatever a decorator takes."""

    def __call__(self, *arguments: Any, **options: Any) -> "_Unused":
        """Return what a decorator with options makes of a kernel."""
        return self


class _StandIn(ModuleType):
    def __getattr__(self, name: str) -> type[_Unused]:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Unused
