"""Cyclical schedulers of pytorch/pytorch:test/optim/test_lrscheduler.py at 01f9ef3, and arguments that are refused."""

import math
from collections.abc import Sequence
from typing import Any

from .cases import Case, Keys, Refused, listed, phases, table

SMALL = 1e-10


def keys(style: Any, length: int, max_lr: float, **others: Any) -> Keys:
    return {"clock": "iters", "train_iters": length, "max_lr": max_lr, "lr_decay_style": style, **others}


def swings(style: Any, rates: Sequence[float], *shifts: float) -> tuple[Case, ...]:
    """Return a cycle between 1 and 5 for each param group, each shifted by a number."""
    return tuple(
        Case(keys(style, len(rates), 5.0 + shift, min_lr=1.0 + shift), listed([rate + shift for rate in rates]))
        for shift in shifts or (0.0,)
    )


def decaying(up: int, down: int, parts: Sequence[float], *bounds: tuple[float, float]) -> tuple[Case, ...]:
    """Return the mode exp_range with gamma 0.9, between bounds for each param group."""
    triangle = table("triangular", up_steps=up, down_steps=down)
    style = table("product", of=[triangle, table("each", factor=0.9, every=1)])
    return tuple(
        Case(
            keys(style, len(parts), high, min_lr=low),
            listed([low + part * (high - low) * 0.9**update for update, part in enumerate(parts)]),
        )
        for low, high in bounds
    )


def restarts(mult: int, updates: Sequence[float]) -> tuple[Case, ...]:
    """Return CosineAnnealingWarmRestarts(T_0=10) for both param groups; updates may be parts of one."""
    style = table("cosine-restarts", period_steps=10, period_mult=mult)
    parts = {}
    for update in updates:
        begin, length = 0.0, 10
        while update - begin >= length:
            begin, length = begin + length, length * mult
        parts[update] = (1 + math.cos(math.pi * (update - begin) / length)) / 2
    return tuple(
        Case(
            keys(style, 200, max_lr, min_lr=SMALL),
            {update: SMALL + (max_lr - SMALL) * part for update, part in parts.items()},
        )
        for max_lr in (0.05, 0.5)
    )


def one_cycle(rates: Sequence[float], **options: Any) -> tuple[Case, ...]:
    return (Case(keys(table("one-cycle", **options), 10, 25.0), listed(rates), 1e-13),)


UP_AND_DOWN = [1.0, 2.0, 3.0, 4.0, 5.0, 4.0, 3.0, 2.0, 1.0, 2.0, 3.0]
HALVED = [*UP_AND_DOWN[:9], 1.5, 2.0, 2.5, 3.0, 2.5, 2.0, 1.5, 1.0, 1.25, 1.5, 1.75, 2.0, 1.75]
SLOWLY_DOWN = [1.0, 2.0, 3.0, 4.0, 5.0, 13 / 3, 11 / 3, 3.0, 7 / 3, 5 / 3, 1.0]
HALVED_SLOWLY_DOWN = [
    *(1.0, 3.0, 5.0, 13 / 3, 11 / 3, 3.0, 7 / 3, 5 / 3),
    *(1.0, 2.0, 3.0, 8 / 3, 7 / 3, 2.0, 5 / 3, 4 / 3),
    *(1.0, 1.5, 2.0, 11 / 6, 10 / 6, 1.5, 8 / 6, 7 / 6),
]
TRIANGLE, HALVING = table("triangular", up_steps=4), table("triangular", up_steps=4, peak_mult=0.5)
PARTS = [0.0, 0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25, 0.0, 0.25, 0.5, 0.75, 1.0]
SLOW_PARTS = [0.0, 0.5, 1.0, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0.0, 0.5, 1.0, 5 / 6, 4 / 6]
ON_LINES = [1.0, 13.0, 25.0, 21.5, 18.0, 14.5, 11.0, 7.5, 4.0, 0.5]
ON_WAVES = [1.0, 13.0, *(0.5 + 24.5 / 2 * (1 + math.cos(math.pi * part / 7)) for part in range(8))]
OUT_OF_ORDER = {
    1: (0, 1, 2, 3, 4, 5, 12, 27, 3, 4, 5, 6, 13),
    2: (0, 1, 2, 3, 4, 5, 25, 32, 33, 34, 80, 81, 3),
    3: (0, 0.1, 0.2, 0.3, 1.3, 2.3, 17.5, 18.5, 19.5, 29.5, 30.5, 31.5, 50),
}

CYCLES: dict[str, tuple[Case, ...]] = {
    "test_cycle_lr_triangular_mode_one_lr": swings(TRIANGLE, UP_AND_DOWN),
    "test_cycle_lr_triangular_mode_one_lr_no_momentum": swings(TRIANGLE, UP_AND_DOWN),
    "test_cycle_lr_with_momentumless_optimizer": swings(TRIANGLE, UP_AND_DOWN),
    "test_cycle_lr_triangular2_mode_one_lr": swings(HALVING, HALVED),
    "test_cycle_lr_exp_range_mode_one_lr": decaying(4, 4, PARTS, (1.0, 5.0)),
    "test_cycle_lr_triangular_mode": swings(TRIANGLE, UP_AND_DOWN, 0.0, 1.0),
    "test_cycle_lr_triangular2_mode": swings(HALVING, HALVED, 0.0, 2.0),
    "test_cycle_lr_exp_range_mode": decaying(4, 4, PARTS, (1.0, 5.0), (5.0, 12.0)),
    "test_cycle_lr_triangular_mode_step_size_up_down": swings(
        table("triangular", up_steps=4, down_steps=6), SLOWLY_DOWN
    ),
    "test_cycle_lr_triangular2_mode_step_size_up_down": swings(
        table("triangular", up_steps=2, down_steps=6, peak_mult=0.5), HALVED_SLOWLY_DOWN, 0.0, 2.0
    ),
    "test_cycle_lr_exp_range_mode_step_size_up_down": decaying(2, 6, SLOW_PARTS, (1.0, 5.0)),
    **{
        test: one_cycle(ON_LINES, final_div_factor=2, shape="linear")
        for test in ("test_onecycle_lr_linear_annealing", "test_cycle_lr_with_adam")
    },
    "test_onecycle_lr_linear_annealing_three_phases": one_cycle(
        [1.0, 9.0, 17.0, 25.0, 17.0, 9.0, 1.0, 0.75, 0.5, 0.25],
        final_div_factor=4,
        shape="linear",
        pct_start=0.4,
        three_phase=True,
    ),
    **{
        test: one_cycle(ON_WAVES, final_div_factor=2)
        for test in ("test_onecycle_lr_cosine_annealing", "test_onecycle_lr_legacy_state_dict")
    },
    "test_CosineAnnealingWarmRestarts_lr1": tuple(case for mult in (1, 2, 4) for case in restarts(mult, range(100))),
    "test_CosineAnnealingWarmRestarts_lr2": tuple(
        case for mult in (1, 2, 4) for case in restarts(mult, [tenth / 10 for tenth in range(300)])
    ),
    "test_CosineAnnealingWarmRestarts_lr3": tuple(
        case for mult, updates in OUT_OF_ORDER.items() for case in restarts(mult, updates)
    ),
}

REFUSED: dict[str, tuple[Refused, ...]] = {
    "test_linearlr_start_factor_limits2": (
        Refused(keys("constant", 10, 0.05, lr_warmup_steps=4, init_lr="110%"), "init_lr"),
    ),
    "test_cycle_lr_invalid_mode": (Refused(keys(table("CATS", up_steps=4), 10, 1.0), "CATS"),),
    "test_onecycle_lr_invalid_anneal_strategy": (Refused(keys(table("one-cycle", shape="CATS"), 10, 1e-3), "CATS"),),
    "test_onecycle_lr_invalid_pct_start": (Refused(keys(table("one-cycle", pct_start=1.1), 10, 1e-3), "pct_start"),),
    "test_onecycle_lr_cannot_calculate_total_steps": (
        Refused({"clock": "iters", "max_lr": 1e-3, "lr_decay_style": "one-cycle"}, "lr_decay_steps"),
    ),
    "test_swalr_hypers": (
        Refused(keys(phases({"style": "CATS", "length": 10}, {"style": "constant"}), 20, 1.0), "CATS"),
        Refused(keys(phases({"style": "cosine", "length": -1}, {"style": "constant"}), 20, 1.0), "length"),
    ),
}
"""Tests of arguments that torch refuses."""
