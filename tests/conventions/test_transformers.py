"""huggingface/transformers:tests/optimization/test_optimization.py at 7471452: its numbers, on schedule files.

``test_schedulers`` is a table of seven schedules, each run once, and once more with its state saved and loaded.
Schedules that transformers added later are compared with its code in ``comparison/frameworks/transformers.py``.
"""

from typing import Any

import pytest

import schedframe

from ..runs import Optimizer
from .cases import Case, check, listed, table

TESTS = 3
SCHEDULES = 7
WARM = {"lr_warmup_steps": 2}


def case(style: Any, rates: list[float], **others: Any) -> Case:
    keys = {"clock": "iters", "train_iters": 10, "max_lr": 10.0, "lr_decay_style": style, **others}
    return Case(keys, listed(rates), 1e-2)


WRITTEN = {
    "get_constant_schedule": case("constant", [10.0] * 10),
    "get_constant_schedule_with_warmup": case("constant", [0.0, 2.5, 5.0, 7.5] + [10.0] * 6, lr_warmup_steps=4),
    "get_linear_schedule_with_warmup": case("linear", [0.0, 5.0, 10.0, 8.75, 7.5, 6.25, 5.0, 3.75, 2.5, 1.25], **WARM),
    "get_cosine_schedule_with_warmup": case(
        "cosine", [0.0, 5.0, 10.0, 9.61, 8.53, 6.91, 5.0, 3.08, 1.46, 0.38], **WARM
    ),
    "get_cosine_with_hard_restarts_schedule_with_warmup": case(
        table("cosine-restarts", cycles=2), [0.0, 5.0, 10.0, 8.53, 5.0, 1.46, 10.0, 8.53, 5.0, 1.46], **WARM
    ),
    "get_polynomial_decay_schedule_with_warmup": case(
        table("polynomial", power=2.0),
        [0.0, 5.0, 10.0, 7.656, 5.625, 3.906, 2.5, 1.406, 0.625, 0.156],
        min_lr=1e-7,
        **WARM,
    ),
    "get_inverse_sqrt_schedule": case(
        "inverse-square-root", [0.0, 5.0, 10.0, 8.165, 7.071, 6.325, 5.774, 5.345, 5.0, 4.714], **WARM
    ),
}
NOT_WRITTEN = {"test_adam_w": "it is about an optimizer", "test_adafactor": "it is about an optimizer"}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_file_has_the_learning_rates_of_the_test(name: str) -> None:
    check(WRITTEN[name])


@pytest.mark.parametrize("name", WRITTEN)
def test_a_state_that_is_saved_and_loaded_changes_nothing(name: str) -> None:
    schedule = schedframe.Schedule(**WRITTEN[name].keys)
    optimizer = Optimizer()
    scheduler = schedule.build(optimizer)
    rates = []
    for update in range(10):
        rates.append(optimizer.param_groups[0]["lr"])
        scheduler.step(1)
        if update == 5:
            state = scheduler.state_dict()
            scheduler = schedule.build(optimizer)
            scheduler.load_state_dict(state)
    assert rates == [schedule.lr_at(update) for update in range(10)]


def test_every_schedule_of_the_file_is_accounted_for() -> None:
    assert (len(WRITTEN), len(NOT_WRITTEN)) == (SCHEDULES, TESTS - 1)
