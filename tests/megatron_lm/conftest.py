"""Megatron-LM's training loop, from PyPI's wheels."""

from pathlib import Path

import pytest

pytest.importorskip("torch")

collect_ignore = [
    "cpu.py",
    "dry_runs.py",
    "on_311",
    "on_cpu",
    "pretrain_tiny.py",
    "runs.py",
    "try_checkout.py",
    "validate.py",
]


@pytest.fixture(scope="session")
def wheels(request: pytest.FixtureRequest) -> Path:
    """The folder in which wheels are kept from one session to the next, within pytest's cache.

    ``make clean`` and ``pytest --cache-clear`` empty it.
    """
    return request.config.cache.mkdir("megatron-wheels")
