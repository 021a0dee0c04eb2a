"""pytorch/pytorch:test/optim/test_lrscheduler.py at 01f9ef3: its numbers, on schedule files.

The optimizer of most tests has two param groups, with the learning rates 0.05 and 0.5, so a test is two files. CyclicLR
and OneCycleLR also cycle momentum, which is not scheduled and not compared. The tests whose names have ``closed_form``
compare two forms of a formula; the file is compared with the formula.
"""

import math
from collections.abc import Sequence
from typing import Any

import pytest

from .cases import Case, Keys, check, listed, phases, table
from .torch_cycles import CYCLES, REFUSED
from .torch_not_written import NOT_WRITTEN

TESTS = 135
"""How many test functions the file has; parametrized ones count once."""


def keys(style: Any, length: int, max_lr: float = 0.05, **others: Any) -> Keys:
    return {"clock": "iters", "train_iters": length, "max_lr": max_lr, "lr_decay_style": style, **others}


def two_groups(style: Any, rates: Sequence[float], within: float = 1e-15, **others: Any) -> tuple[Case, Case]:
    first, second = (keys(style, len(rates), max_lr, **others) for max_lr in (0.05, 0.5))
    return Case(first, listed(rates), within), Case(second, listed([10 * rate for rate in rates]), within * 10)


def each(factor: float, every: int = 1, **options: Any) -> Keys:
    return table("each", factor=factor, every=every, **options)


def product(*styles: Any) -> Keys:
    return table("product", of=list(styles))


def held(factor: str, length: int) -> Keys:
    """Return what ConstantLR is."""
    return phases(
        {"style": "constant", "length": length, "from": factor, "jump": True},
        {"style": "constant", "from": "100%", "jump": True},
    )


def risen(start: str, length: int, end: str = "100%") -> Keys:
    """Return what LinearLR is."""
    rise = {"style": "linear", "length": length, "from": start, "to": end, "jump": True}
    return phases(rise, {"style": "constant"})


def step_by(factor: float, length: int, start: float = 0.05, count: int = 10) -> list[float]:
    return [start * factor ** (update // length) for update in range(count)]


def line(start: float, end: float, length: int, count: int = 10) -> list[float]:
    """Return the factors of LinearLR."""
    return [start + min(update, length) * (end - start) / length for update in range(count)]


def times(rates: Sequence[float], factors: Sequence[float]) -> list[float]:
    return [rate * factor for rate, factor in zip(rates, factors, strict=True)]


def cosine(length: int, count: int = 10, max_lr: float = 0.05) -> list[float]:
    return [1e-10 + (max_lr - 1e-10) * (1 + math.cos(math.pi * n / length)) / 2 for n in range(count)]


STAIRS = each(0.1, 3, stairs=True)
MILESTONES = table("multi-step", milestones=["2 iters", "5 iters", "9 iters"], multipliers=[0.1, 0.01, 0.001])
OF_MILESTONES = [1.0] * 2 + [0.1] * 3 + [0.01] * 4 + [0.001]
OF_STAIRS = step_by(0.1, 3, 1.0)
FALL = [0.05 * 0.9**update for update in range(10)]
POLYNOMIAL = [(1.0 - update / 5) ** 0.9 * 0.05 for update in range(5)] + [0.0] * 5


PLAIN: dict[str, tuple[Case, ...]] = {
    "test_step_lr": two_groups(STAIRS, step_by(0.1, 3)),
    "test_get_last_lr_step_lr": (Case(keys(STAIRS, 10, 0.1), listed(step_by(0.1, 3, 0.1))),),
    "test_get_last_lr_multi_step_lr": two_groups(MILESTONES, times([0.05] * 10, OF_MILESTONES)),
    "test_multi_step_lr": two_groups(MILESTONES, times([0.05] * 10, OF_MILESTONES)),
    "test_multi_step_lr_with_epoch": two_groups(MILESTONES, times([0.05] * 10, OF_MILESTONES)),
    **{
        test: two_groups(
            "constant", [0.025] * 5 + [0.05] * 5, init_lr="50%", lr_warmup_steps=5, lr_warmup_style="constant"
        )
        for test in ("test_get_last_lr_constantlr", "test_constantlr", "test_constantlr_with_epoch")
    },
    "test_get_last_lr_linearlr": two_groups(risen("25%", 4, "60%"), times([0.05] * 10, line(0.25, 0.6, 4))),
    **{
        test: two_groups("constant", times([0.05] * 10, line(0.5, 1.0, 4)), init_lr="50%", lr_warmup_steps=4)
        for test in ("test_linearlr", "test_linearlr_with_epoch")
    },
    "test_exp_lr": two_groups(each(0.9), FALL),
    "test_poly_lr": two_groups(table("polynomial", power=0.9), POLYNOMIAL, lr_decay_steps=5),
    "test_cos_anneal_lr": two_groups("cosine", cosine(10), 1e-9, min_lr=1e-10),
    "test_closed_form_step_lr": two_groups(STAIRS, step_by(0.1, 3, count=20)),
    "test_closed_form_linearlr": (
        Case(keys(risen("33.3333333333333333%", 4, "70%"), 20), listed(times([0.05] * 20, line(1 / 3, 0.7, 4, 20)))),
    ),
    "test_closed_form_constantlr": (
        Case(keys(held("33.3333333333333333%", 4), 20), listed([0.05 / 3] * 4 + [0.05] * 16)),
    ),
    "test_closed_form_multi_step_lr": two_groups(MILESTONES, [*times([0.05] * 10, OF_MILESTONES), *[0.00005] * 10]),
    "test_closed_form_exp_lr": two_groups(each(0.9), [0.05 * 0.9**update for update in range(20)]),
    "test_closed_form_poly_lr": two_groups(table("polynomial", power=0.9), POLYNOMIAL + [0.0] * 10, lr_decay_steps=5),
    "test_closed_form_cos_anneal_lr": two_groups(
        table("cosine-cycles", cycles=0.5 * 20 / 5), cosine(5, 20), 1e-9, min_lr=1e-10
    ),
    "test_lambda_lr": (
        Case(keys(each(0.9), 10), listed(FALL)),
        Case(keys(each(0.8), 10, 0.4), listed([0.4 * 0.8**update for update in range(10)])),
    ),
    "test_multiplicative_lr": (
        Case(keys(each(0.9), 10), listed(FALL)),
        Case(keys(each(0.8), 10, 0.4), listed([0.4 * 0.8**update for update in range(10)])),
    ),
}

SEQUENCE = phases(
    {"style": each(0.8), "length": 3, "from": "100%", "jump": True},
    {"style": each(0.1, 2, stairs=True), "from": "100%", "jump": True},
)
SEQUENCE_RATES = [0.005] * 3 + [0.05, 0.04, 0.032] + [0.05, 0.05, 0.005, 0.005, 0.0005, 0.0005]
TENTH = {"style": "constant", "from": "10%", "jump": True}
TENTH_RISE = {"style": "linear", "from": "10%", "to": "100%", "jump": True}
HELD_FIRST = {"lr_warmup_steps": 3, "lr_warmup_style": "constant", "init_lr": "10%"}


def averaged(curve: str, length: int, averaged_lrs: Sequence[float]) -> tuple[Case, ...]:
    """Return SWALR after five updates of MultiplicativeLR."""
    cases = []
    for max_lr, end in zip((0.05, 0.5), averaged_lrs, strict=True):
        falling = [max_lr * 0.9**update for update in range(6)]
        shares = [min((update + 1) / length, 1.0) for update in range(9)]
        kept = [(1 + math.cos(math.pi * share)) / 2 if curve == "cosine" else 1 - share for share in shares]
        rates = falling + [falling[-1] * part + end * (1 - part) for part in kept]
        style = phases(
            {"style": each(0.9), "length": 5}, {"style": curve, "length": length, "to": end}, {"style": "constant"}
        )
        cases.append(Case(keys(style, 15, max_lr), listed(rates)))
    return tuple(cases)


SEQUENCES: dict[str, tuple[Case, ...]] = {
    "test_sequentiallr1": (
        Case(
            keys(
                phases(
                    {"style": each(0.8), "length": 3},
                    {"style": each(0.1, 4, stairs=True), "from": "100%", "jump": True},
                ),
                19,
            ),
            listed([0.05, 0.04, 0.032, *step_by(0.1, 4, count=16)]),
        ),
    ),
    "test_sequentiallr2": (Case(keys(each(0.9), 13, **HELD_FIRST), listed([0.005] * 3 + FALL)),),
    "test_sequentiallr3": (Case(keys(SEQUENCE, 12, **HELD_FIRST), listed(SEQUENCE_RATES)),),
    "test_sequentiallr4": (
        Case(
            keys(
                phases(
                    {"style": "constant", "length": 10},
                    {"style": "constant", "length": 5, "from": "10%", "jump": True},
                    {"style": "constant", "from": "100%", "jump": True},
                ),
                20,
                0.1,
            ),
            {0: 0.1},
        ),
    ),
    "test_sequentiallr5": (
        Case(
            keys(
                phases(
                    {"style": product(phases(TENTH_RISE), phases(TENTH)), "length": 5},
                    {"style": "constant", "length": 5, "from": "50%", "jump": True},
                ),
                10,
            ),
            listed([0.0005, 0.0014, 0.0023, 0.0032, 0.0041] + [0.025] * 5),
        ),
    ),
    "test_get_last_lr_sequentiallr": two_groups(SEQUENCE, SEQUENCE_RATES, **HELD_FIRST),
    "test_sequentiallr_does_not_alias_lr_and_initial_lr": (
        Case(
            keys(
                phases(
                    {"style": "linear", "length": 4, "from": "10%", "to": "80%", "jump": True},
                    {"style": "linear", "length": 4, "to": "10%"},
                ),
                8,
                2.0,
            ),
            listed([0.2, 0.55, 0.9, 1.25, 1.6, 1.25, 0.9, 0.55]),
        ),
    ),
    "test_swalr_no_anneal": tuple(
        Case(
            keys(
                phases({"style": "constant", "length": 6}, {"style": "constant", "from": 0.01, "jump": True}),
                10,
                max_lr,
            ),
            listed([max_lr] * 6 + [0.01] * 4),
        )
        for max_lr in (0.05, 0.5)
    ),
    "test_swalr_cosine_anneal_after_multiplicative": averaged("cosine", 5, (0.01, 0.01)),
    "test_swalr_linear_anneal_after_multiplicative": averaged("linear", 4, (0.01, 0.02)),
}

LATE_MILESTONES = table("multi-step", milestones=["4 iters", "8 iters", "10 iters"], multipliers=[0.1, 0.01, 0.001])
CHAIN = product(risen("40%", 3), LATE_MILESTONES)
PRODUCTS: dict[str, tuple[Case, ...]] = {
    "test_chained_lr2_get_last_lr_before_step": two_groups(CHAIN, [0.02, 0.03, 0.04, 0.05]),
    "test_chained_lr1": (Case(keys(STAIRS, 10), listed(step_by(0.1, 3))),),
    "test_chained_lr2": (
        Case(keys("constant", 10, init_lr="40%", lr_warmup_steps=3), listed([0.02, 0.03, 0.04] + [0.05] * 7)),
    ),
    "test_chained_lr3": (Case(keys(CHAIN, 12), listed([0.02, 0.03, 0.04, 0.05] + [0.005] * 4 + [0.0005] * 2)),),
    "test_chained_lr4": (
        Case(
            keys(product(each(0.9), held("20%", 4), STAIRS), 9),
            listed(times(FALL[:9], [0.2] * 3 + [0.02] + [0.1] * 2 + [0.01] * 3)),
        ),
    ),
    "test_chained_lr5": two_groups(
        product(table("polynomial", power=0.9), phases(TENTH)), [0.1 * rate for rate in POLYNOMIAL], lr_decay_steps=5
    ),
    "test_compound_step_and_multistep_lr": (
        Case(
            keys(product(STAIRS, MILESTONES), 10),
            listed([0.05] * 2 + [0.005] + [5e-4] * 2 + [5e-5] + [5e-6] * 3 + [5e-8]),
        ),
    ),
    "test_compound_step_and_exp_lr": two_groups(product(STAIRS, each(0.9)), times(FALL, OF_STAIRS)),
    "test_compound_exp_and_multistep_lr": two_groups(product(MILESTONES, each(0.9)), times(FALL, OF_MILESTONES)),
    "test_compound_exp_and_linearlr": two_groups(
        product(risen("40%", 4, "90%"), each(0.9)), times(FALL, line(0.4, 0.9, 4))
    ),
    "test_compound_step_and_constantlr": two_groups(
        product(STAIRS, held("40%", 4)), [0.02] * 3 + [0.002] + [0.005] * 2 + [0.0005] * 3 + [0.00005]
    ),
    "test_compound_linearlr_and_multistep_lr": two_groups(
        product(MILESTONES, risen("40%", 4)), times(times([0.05] * 10, OF_MILESTONES), line(0.4, 1.0, 4))
    ),
    **{
        f"test_compound_cosanneal_and_{name}": two_groups(
            product("cosine", style), times(cosine(10), factors), 1e-9, min_lr=1e-10
        )
        for name, style, factors in (
            ("step_lr", STAIRS, OF_STAIRS),
            ("multistep_lr", MILESTONES, OF_MILESTONES),
            ("linearlr", risen("40%", 4), line(0.4, 1.0, 4)),
            ("exp_lr", each(0.1), [0.1**update for update in range(10)]),
        )
    },
}

WRITTEN = {**PLAIN, **SEQUENCES, **PRODUCTS, **CYCLES}


@pytest.mark.parametrize("test", WRITTEN)
def test_a_file_has_the_learning_rates_of_the_test(test: str) -> None:
    for case in WRITTEN[test]:
        check(case)


@pytest.mark.parametrize("test", REFUSED)
def test_a_file_is_refused_where_the_test_expects_an_error(test: str) -> None:
    for case in REFUSED[test]:
        check(case)


def test_every_test_of_the_file_is_accounted_for() -> None:
    assert (len(WRITTEN), len(REFUSED), len(NOT_WRITTEN)) == (68, 6, 61)
    assert len({**WRITTEN, **REFUSED, **NOT_WRITTEN}) == TESTS
