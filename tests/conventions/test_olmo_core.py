"""allenai/OLMo-core:src/test/optim/scheduler_test.py at fa6c501: its numbers, on schedule files.

The tests, which pass with ai2-olmo-core 3.0.0, call ``get_lr(initial_lr, step, t_max)``, so a file is read at the step
itself. OLMo-core's trainer is one update ahead, which `first_update: 1` says; the last test here checks both.
"""

import math
from typing import Any

import pytest

import schedframe

from .cases import Case, Keys, Refused, check, listed, phases, table

TESTS = 45
"""How many cases pytest collects of the file."""


def keys(style: Any, length: int, max_lr: float = 10.0, **others: Any) -> Keys:
    return {"clock": "iters", "train_iters": length, "max_lr": max_lr, "lr_decay_style": style, **others}


def half_cosine_wave(start: float, end: float, part: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2


def with_warmup(style: Any, later: dict[int, float], **others: Any) -> tuple[Case, ...]:
    start = {"lr_warmup_steps": 3000, "init_lr": 4.0, **others}
    return (Case(keys(style, 10_000, **start), {0: 4.0, 1000: 6.0, 3000: 10.0, **later}),)


def wsds(length: int, warmup: int | str, max_lr: float = 1.0, periods: int = 1, **options: Any) -> Keys:
    others = {key: options.pop(key) for key in ("min_lr", "init_lr") if key in options}
    style = {"period_steps": [length] * periods, "first_period": "from-start", "boundaries": "closed", **options}
    return keys(table("wsd-s", **style), length * periods, max_lr, lr_warmup_steps=warmup, **others)


def same_as_sequence(curve: str, share: float) -> tuple[Case, ...]:
    points = (0, 1, 100, 500, 999, 1000, 1001, 2500, 5500, 7500, 9999, 10_000)
    end, expected = 10.0 * share, {}
    for step in points:
        part = (step - 1000) / 9000
        fall = half_cosine_wave(10.0, end, part) if curve == "cosine" else 10.0 - (10.0 - end) * part
        expected[step] = 10.0 * step / 1000 if step < 1000 else fall
    whole = keys(curve, 10_000, lr_warmup_steps=1000, min_lr=end)
    stages = phases({"style": curve, "length": 9000, "to": end})
    return Case(whole, expected), Case(keys(stages, 10_000, lr_warmup_steps=1000), expected)


INVERSE_ROOT_END = 5.0 + 5.0 * math.sqrt(1000 / 2500)
SEQUENCE_END = 0.1 * INVERSE_ROOT_END
TAIL = 10.0 * (8000 / 1000) ** -0.5
AT_OVERRIDE = half_cosine_wave(10.0, 1.0, 5000 / 15_000)
CUT_COSINE = {"style": table("cosine-cycles", cycles=0.5 * 5000 / 15_000), "length": 5000, "to": "10%"}
CONSTANT = {"style": "constant"}


def overridden(curve: str, end: float, middle: float) -> tuple[Case, ...]:
    style = phases({**CONSTANT, "length": 4000}, CUT_COSINE, {"style": curve, "length": 2000, "to": end}, CONSTANT)
    before = {500: 5.0, 4999: 10.0, 9999: half_cosine_wave(10.0, 1.0, 4999 / 15_000)}
    after = {10_000: AT_OVERRIDE, 11_000: middle, 12_000: end, 15_000: end}
    return (Case(keys(style, 20_000, lr_warmup_steps=1000), {**before, **after}),)


WRITTEN: dict[str, tuple[Case, ...]] = {
    "test_constant_with_warmup": with_warmup("constant", {5000: 10.0, 10_000: 10.0}),
    "test_linear_with_warmup": with_warmup("linear", {5000: 10.0 - 8.0 * 2000 / 7000, 10_000: 2.0}, min_lr="20%"),
    "test_inv_sqrt_with_warmup": with_warmup(
        table("power-law", floor="tend"),
        {5000: 2.0 + 8.0 * math.sqrt(3000 / 5000), 10_000: 2.0 + 8.0 * math.sqrt(3000 / 10_000)},
        min_lr="20%",
    ),
    "test_cos_with_warmup_scheduler": with_warmup(
        "cosine", {5000: half_cosine_wave(10.0, 2.0, 2000 / 7000), 10_000: 2.0}, min_lr="20%"
    ),
    "test_sequential_scheduler": (
        Case(
            keys(
                phases(
                    {"style": table("power-law", floor="tend", timescale=1000), "length": 1500, "to": "50%"},
                    {"style": "cosine", "length": 4000, "to": SEQUENCE_END},
                    {"style": "linear", "length": 3000, "to": 0.1 * SEQUENCE_END},
                    CONSTANT,
                ),
                20_000,
                lr_warmup_steps=1000,
            ),
            {
                1000: 10.0,
                4000: half_cosine_wave(INVERSE_ROOT_END, SEQUENCE_END, 1500 / 4000),
                7500: SEQUENCE_END - 0.9 * SEQUENCE_END * 1000 / 3000,
            },
        ),
    ),
    "test_power_lr": (
        Case(
            keys(
                phases(
                    {"style": table("power-law", exponent=-0.5, timescale=1000)}, {"style": "linear", "length": 2000}
                ),
                10_000,
                lr_warmup_steps=1000,
            ),
            {
                0: 0.0,
                500: 5.0,
                1000: 10.0,
                8000: TAIL,
                9000: TAIL / 2,
                10_000: 0.0,
                **{step: 10.0 * (step / 1000) ** -0.5 for step in (2000, 4000, 6000)},
            },
        ),
    ),
    "test_sequential_scheduler_override_decay_linear": overridden("linear", 1.0, AT_OVERRIDE + (1 - AT_OVERRIDE) / 2),
    "test_sequential_scheduler_override_decay_cosine": overridden("cosine", 0.5, 0.5 + (AT_OVERRIDE - 0.5) / 2),
    "test_sequential_scheduler_override_decay_inside_first_segment": (
        Case(
            keys(
                phases({**CONSTANT, "length": 1000}, {"style": "linear", "length": 1000, "to": 2.0}, CONSTANT),
                20_000,
                lr_warmup_steps=1000,
            ),
            {2000: 10.0, 2500: 6.0, 3000: 2.0, 10_000: 2.0},
        ),
    ),
    **{
        f"test_composable_and_sequential_match_when_t_max_aligns[{curve}-{share}]": same_as_sequence(curve, share)
        for curve in ("linear", "cosine")
        for share in (0.0, 0.1)
    },
    "test_composable_scheduler_override_decay_linear": (
        Case(
            keys(
                phases(
                    {"style": "linear", "length": 100, "to": 10.0 - 9.0 * 100 / 900},
                    {"style": "linear", "length": 100, "to": 3.0},
                    CONSTANT,
                ),
                1000,
                lr_warmup_steps=100,
            ),
            {150: 9.5, 200: 9.0, 250: 6.0, 300: 3.0, 800: 3.0},
        ),
    ),
    "test_composable_scheduler_override_decay_cosine": (
        Case(
            keys(phases({**CONSTANT, "length": 100}, {"style": "cosine", "length": 100, "to": "20%"}, CONSTANT), 1000),
            {99: 10.0, 100: 10.0, 150: 6.0, 200: 2.0, 500: 2.0},
        ),
    ),
    "TestWSDSScheduler::test_basic_single_period_with_warmup": (
        Case(
            wsds(1000, 100, decay_steps=200),
            {0: 0.0, 50: 0.5, 100: 1.0, 200: 1.0, 500: 1.0, 799: 1.0, 900: 0.5, 1000: 0.0},
        ),
    ),
    "TestWSDSScheduler::test_multiple_periods_with_reset": (
        Case(wsds(1000, 100, periods=2, decay_steps=200), {1000: 0.0, 1001: 1.0, 1400: 1.0, 2000: 0.0}),
    ),
    "TestWSDSScheduler::test_warmup_fraction": (
        Case(wsds(1000, "10%", decay_share=0.2), {0: 0.0, 100: 1.0, 500: 1.0, 1000: 0.0}),
    ),
    "TestWSDSScheduler::test_decay_fraction": (
        Case(wsds(1000, 50, decay_share=0.3), {50: 1.0, 699: 1.0, 700: 1.0, 701: 299 / 300, 1000: 0.0}),
    ),
    "TestWSDSScheduler::test_no_warmup_in_subsequent_periods": (
        Case(wsds(1000, 100, periods=2, decay_steps=200), {1001: 1.0}),
    ),
    "TestWSDSScheduler::test_beyond_all_periods": (Case(wsds(1000, 100, decay_steps=200), {1001: 0.0, 5000: 0.0}),),
    "TestWSDSScheduler::test_non_zero_decay_min_lr": (
        Case(wsds(1000, 100, decay_steps=200, min_lr=0.1), {1000: 0.1, 1500: 0.1}),
    ),
    "TestWSDSScheduler::test_non_zero_warmup_min_lr": (Case(wsds(1000, 100, decay_steps=200, init_lr=0.1), {0: 0.1}),),
    **{
        f"TestWSDSScheduler::test_variable_period_counts[{count}]": (
            Case(
                wsds(1000, 100, periods=count, decay_steps=200),
                {1000 * number: 0.0 for number in range(1, count + 1)},
            ),
        )
        for count in (1, 2, 5)
    },
    **{
        f"TestWSDSScheduler::test_variable_period_lengths[{length}]": (
            Case(wsds(length, length // 10, decay_steps=length // 5), {0: 0.0, length // 2: 1.0, length: 0.0}),
        )
        for length in (100, 1000, 10_000)
    },
    "test_exponential_scheduler": (
        Case(
            keys(table("range-test", rise="geometric"), 10_000, min_lr=1e-9),
            {step: 1e-9 * (10.0 / 1e-9) ** (step / 10_000) for step in (0, 1000, 5000, 8000, 9000, 10_000)},
        ),
    ),
    "test_exponential_scheduler_integration": (
        Case(
            keys(table("range-test", rise="geometric"), 100, 1.0, min_lr=1e-5),
            listed([1e-5 * (1.0 / 1e-5) ** (step / 100) for step in range(101)]),
        ),
    ),
}
"""Tests of learning rates."""

POWER = table("power-law", exponent=0.5)
REFUSED: dict[str, tuple[Refused, ...]] = {
    "test_power_lr_errors": (Refused(keys(POWER, 1000, lr_warmup_steps=100), "exponent = 0.5: must be below 0"),),
    "TestWSDSScheduler::test_error_empty_period_lengths": (
        Refused(keys(table("wsd-s", period_steps=[]), 1000, 1.0), "period_steps"),
    ),
    "TestWSDSScheduler::test_error_negative_period_length": (
        Refused(keys(table("wsd-s", period_steps=[1000, -500]), 500, 1.0), "period_steps"),
    ),
    "TestWSDSScheduler::test_error_both_decay_specified": (
        Refused(wsds(1000, 100, decay_steps=200, decay_share=0.2), "either decay_share or decay_steps"),
    ),
    "TestWSDSScheduler::test_error_decay_fraction_out_of_range": (
        Refused(wsds(1000, 100, decay_share=-0.1), "decay_share"),
    ),
    "TestWSDSScheduler::test_error_warmup_plus_decay_exceeds_first_period": (
        Refused(wsds(1000, 600, decay_steps=500), "within the warmup of 600 steps"),
    ),
    "TestWSDSScheduler::test_error_decay_exceeds_subsequent_period": (
        Refused(
            keys(table("wsd-s", period_steps=[1000, 500], decay_steps=600), 1500, 1.0),
            "longer than the shortest period",
        ),
    ),
    "test_exponential_scheduler_error": (
        Refused(keys(table("range-test", rise="geometric"), 100, 1.0), "needs min_lr and max_lr above 0"),
        Refused(keys(table("range-test", rise="geometric"), 100, 1.0, min_lr=-1e-9), "min_lr"),
    ),
}
"""Tests of arguments that OLMo-core refuses; of the first, the exponent: a file has one key for a length."""

NOT_WRITTEN = {
    "test_sequential_scheduler_override_decay_t_max_warning": "a warning about an argument of get_lr",
    "test_composable_scheduler_override_decay_validation": "a phase without a target ends at min_lr",
    "TestWSDSScheduler::test_error_both_warmup_specified": "one key has steps and percentages",
    "TestWSDSScheduler::test_error_neither_warmup_specified": "a file without a warmup has none",
    "TestWSDSScheduler::test_error_warmup_fraction_out_of_range": "a run may end within its warmup, with finding SF206",
    "TestWSDSScheduler::test_error_neither_decay_specified": "the decay of wsd-s is a tenth of a period by default",
}


@pytest.mark.parametrize("test", WRITTEN)
def test_a_file_has_the_learning_rates_of_the_test(test: str) -> None:
    for case in WRITTEN[test]:
        check(case)


@pytest.mark.parametrize("test", REFUSED)
def test_a_file_is_refused_where_the_test_expects_an_error(test: str) -> None:
    for case in REFUSED[test]:
        check(case)


def test_every_test_of_the_file_is_accounted_for() -> None:
    assert (len(WRITTEN), len(REFUSED), len(NOT_WRITTEN)) == (31, 8, 6)
    assert len({**WRITTEN, **REFUSED, **NOT_WRITTEN}) == TESTS


def test_the_trainer_is_one_update_ahead_of_the_tests() -> None:
    [case] = WRITTEN["test_cos_with_warmup_scheduler"]
    trained = schedframe.Schedule(**case.keys, first_update=1)
    assert [trained.lr_at(step - 1) for step in (1000, 3000, 5000)] == pytest.approx(
        [case.expected[step] for step in (1000, 3000, 5000)], abs=1e-14
    )
