"""pytorch/torchtitan:tests/unit_tests/test_lr_scheduler.py at 0353a25: its numbers, on schedule files.

torchtitan cuts a warmup to the run, and a decay to what the warmup leaves of it; a file has the lengths that it trains
with. `AS_GIVEN` has the numbers of the last test as it gives them, which are refused.
"""

from typing import Any

import pytest

from .cases import Case, Refused, check, listed, table

TESTS = 8


def case(style: Any, factors: list[float], warmup: int, **others: Any) -> Case:
    start = {"lr_warmup_steps": warmup, "lr_warmup_style": "torchtitan"}
    keys = {"clock": "iters", "train_iters": 10, "max_lr": 0.1, "lr_decay_style": style, **start, **others}
    return Case(keys, listed([0.1 * factor for factor in factors]))


def wsd(length: str) -> dict[str, Any]:
    return table("WSD", wsd_decay_steps=length, lr_wsd_decay_style="linear")


FALL = [1.0, 0.8, 0.6, 0.4, 0.2]
WRITTEN = {
    "test_linear_warmup_decay": case("linear", [0.5, 1.0, *(left / 8 for left in range(8, 0, -1))], 2),
    "test_warmup_stable_decay": case(wsd("50%"), [0.5, 1.0, 1.0, 1.0, 1.0, *FALL], 2),
    "test_min_lr": Case(case("linear", [], 2, min_lr="20%").keys, {10: 0.02}),
    "test_warmup_exceeds_training": case("linear", [0.2, 0.4, 0.6, 0.8, 1.0], 5, train_iters=5),
    "test_warmup_stable_only": case("constant", [0.5] + [1.0] * 9, 2),
    "test_warmup_plus_decay_exceeds_training": case(wsd("5 iters"), [0.2, 0.4, 0.6, 0.8, 1.0, *FALL], 5),
}
AS_GIVEN = Refused(case(wsd("80%"), [], 5).keys, "wsd_decay_steps")
NOT_WRITTEN = {
    "test_optimizer_package_import_path": "it is about an import",
    "test_legacy_import_path": "it is about an import",
}


@pytest.mark.parametrize("test", WRITTEN)
def test_a_file_has_the_learning_rates_of_the_test(test: str) -> None:
    check(WRITTEN[test])


def test_a_decay_that_does_not_fit_after_the_warmup_is_refused() -> None:
    check(AS_GIVEN)


def test_every_test_of_the_file_is_accounted_for() -> None:
    assert (len(WRITTEN), len(NOT_WRITTEN)) == (6, 2)
    assert len({**WRITTEN, **NOT_WRITTEN}) == TESTS
