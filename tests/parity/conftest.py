"""Real Megatron Core's class, beside ours."""

import warnings
from typing import Any

import pytest

pytest.importorskip("torch")
with warnings.catch_warnings():
    # Megatron says at import that Transformer Engine and Apex are not installed.
    warnings.simplefilter("ignore")
    pytest.importorskip("megatron.core.optimizer_param_scheduler")


@pytest.fixture(scope="session")
def megatron() -> Any:
    """Return Megatron's module."""
    import megatron.core.optimizer_param_scheduler as module

    return module
