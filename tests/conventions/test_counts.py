"""The page says how many of the frameworks' own tests have a schedule file."""

from collections.abc import Sized
from pathlib import Path

import pytest

from . import (
    test_composer,
    test_megatron,
    test_nemo,
    test_olmo_core,
    test_torch,
    test_torchtitan,
    test_transformers,
)

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "match-a-framework.md"
NOTHING: tuple[str, ...] = ()
COUNTED: dict[str, tuple[Sized, Sized, Sized]] = {
    "OLMo-core": (test_olmo_core.WRITTEN, test_olmo_core.REFUSED, test_olmo_core.NOT_WRITTEN),
    "PyTorch": (test_torch.WRITTEN, test_torch.REFUSED, test_torch.NOT_WRITTEN),
    "Composer": (test_composer.WRITTEN, NOTHING, NOTHING),
    "transformers": (test_transformers.WRITTEN, NOTHING, test_transformers.NOT_WRITTEN),
    "torchtitan": (test_torchtitan.WRITTEN, NOTHING, test_torchtitan.NOT_WRITTEN),
    "NeMo": (test_nemo.WRITTEN, NOTHING, test_nemo.NOT_WRITTEN),
    "Megatron Core": (range(test_megatron.TESTS), NOTHING, NOTHING),
}


@pytest.mark.parametrize("framework", COUNTED)
def test_the_page_has_the_counts(framework: str) -> None:
    counts = [len(part) for part in COUNTED[framework]]
    [row] = [line for line in PAGE.read_text().splitlines() if line.startswith(f"| {framework} `")]
    assert row.endswith(f"| {sum(counts)} | {' | '.join(map(str, counts))} |")
