"""mosaicml/composer:tests/optim/test_scheduler.py at 02c872e: the table of ``test_scheduler_init``, on schedule files.

The run has 1000 epochs of 1000 batches, and the base learning rate is 1, so that a learning rate is composer's factor.
The scale schedule ratio has no word: the file has lengths that are scaled already. With ``scale_warmup`` composer
scales the rise of the warmup, and the decay still begins where the whole warmup ends. The table reads the schedule at
the time itself; composer's trainer is one update behind, which `first_update: -1` says.
"""

from fractions import Fraction
from typing import Any

import pytest

import schedframe

from .cases import Case, Keys, check, phases, table

ROWS = 46
"""How many rows the table has."""
ROUNDED = 1e-3
"""The tolerance of the test, for rows whose times are rounded."""


def steps(time: str, ratio: float = 1.0) -> str:
    """Return a length of composer, ``ba``, ``ep`` or ``dur``, as one of a schedule file."""
    number, unit = Fraction(time.rstrip("abdepru")), time.lstrip("0123456789.")
    if unit == "dur":
        return f"{float(100 * number)}% of run"
    scaled = int(number * Fraction(str(ratio)))
    return f"{scaled} {'iters' if unit == 'ba' else 'epochs'}"


def row(style: Any, lrs: dict[int, float], ratio: float = 1.0, within: float = 1e-12, **others: Any) -> Case:
    run = {"clock": "iters", "train_iters": int(1_000_000 * ratio), "global_batch_size": 1, "dataset_samples": 1000}
    return Case({**run, "max_lr": 1.0, "lr_decay_style": style, **others}, lrs, within)


def stairs(every: str, factor: float, ratio: float = 1.0) -> Keys:
    return table("each", factor=factor, every=steps(every, ratio), stairs=True)


def falls(factor: float, *milestones: str, ratio: float = 1.0) -> Keys:
    multipliers = [factor**number for number in range(1, len(milestones) + 1)]
    at = [steps(time, ratio).removesuffix(" of run") for time in milestones]
    return table("multi-step", milestones=at, multipliers=multipliers)


def restarts(period: str, mult: float = 1.0, ratio: float = 1.0) -> Keys:
    return table("cosine-restarts", period_steps=steps(period, ratio), period_mult=mult)


def warm(time: str, ratio: float = 1.0) -> Keys:
    return {"lr_warmup_steps": steps(time, ratio)}


RISE, SQUARE = table("range-test"), table("polynomial", power=2)
HALVES = {0: 1.0, 333_333: 0.75, 500_000: 0.5, 666_667: 0.25, 1_000_000: 0.0}
MIXED = ("100ba", "1ep", "0.01dur")
ALL_WARMUP = {0: 0.0, 100_000: 0.1, 1_000_000: 1.0}
TO_THREE = {0: 0.0, 250_000: 1.5, 500_000: 3.0, 500_500: 3.0, 501_000: 3.0, 502_000: 3.0}
NINE_TENTHS = {0: 0.0, 4500: 0.5, 9000: 1.0, 9500: 0.75, 10_000: 0.5}

WRITTEN = {
    "step 10ba": row(stairs("10ba", 0.1), {5: 1.0, 15: 0.1, 35: 0.001}),
    "step 0.002dur": row(stairs("0.002dur", 0.8), {1000: 1.0, 3000: 0.8, 7000: 0.512}),
    "step 1ep": row(stairs("1ep", 0.5), {500: 1.0, 1500: 0.5, 3500: 0.125}),
    "step 10ba, ratio 0.5": row(stairs("10ba", 0.5, 0.5), {3: 1.0, 8: 0.5, 18: 0.125}, 0.5),
    "multi step": row(falls(0.1, "10ba", "30ba", "70ba"), {5: 1.0, 20: 0.1, 50: 0.01, 100: 0.001}),
    "multi step, mixed": row(falls(0.5, *MIXED), {50: 1.0, 500: 0.5, 5000: 0.25, 50_000: 0.125}),
    "multi step, mixed, ratio 4": row(
        falls(0.5, *MIXED, ratio=4.0), {200: 1.0, 2000: 0.5, 20_000: 0.25, 200_000: 0.125}, 4.0
    ),
    "linear": row("linear", {100_000: 0.9, 200_000: 0.8, 400_000: 0.6}),
    "linear, up to 2": row(RISE, {100_000: 0.2, 200_000: 0.4, 400_000: 0.8}, max_lr=2.0),
    "linear, up in 0.25dur": row(RISE, {100_000: 0.4, 200_000: 0.8, 400_000: 1.0}, lr_decay_steps=steps("0.25dur")),
    "linear, up in 0.25dur, ratio 2": row(
        RISE, {100_000: 0.2, 200_000: 0.4, 400_000: 0.8}, 2.0, lr_decay_steps=steps("0.25dur")
    ),
    "exponential": row(table("each", factor=0.5, every=steps("1ep")), {1000: 0.5, 2000: 0.25, 4000: 0.0625}),
    "exponential, ratio 2": row(
        table("each", factor=0.5, every=steps("1ep", 2.0)), {2000: 0.5, 4000: 0.25, 8000: 0.0625}, 2.0
    ),
    "cosine": row("cosine", HALVES, within=ROUNDED),
    "cosine 30ba": row(
        "cosine",
        {0: 1.0, 10: 0.875, 15: 0.75, 20: 0.625, 30: 0.5, 50: 0.5},
        lr_decay_steps=steps("30ba"),
        min_lr="50%",
    ),
    "cosine 30ba, ratio 0.2": row(
        "cosine",
        {0: 1.0, 2: 0.875, 3: 0.75, 4: 0.625, 6: 0.5, 10: 0.5},
        0.2,
        lr_decay_steps=steps("30ba", 0.2),
        min_lr="50%",
    ),
    "restarts 30ba": row(restarts("30ba"), {0: 1.0, 10: 0.75, 15: 0.5, 20: 0.25, 30: 1.0, 40: 0.75}),
    "restarts 0.003dur, mult 1.5": row(
        restarts("0.003dur", 1.5), {0: 1.0, 1000: 0.75, 3000: 1.0, 4500: 0.75, 7500: 1.0, 14_250: 1.0}
    ),
    "restarts 30ep, mult 2, ratio 0.5": row(
        restarts("30ep", 2.0, 0.5), {0: 1.0, 5000: 0.875, 15_000: 1.0, 25_000: 0.875}, 0.5, min_lr="50%"
    ),
    "polynomial": row(SQUARE, {0: 1.0, 100_000: 0.81, 200_000: 0.64, 500_000: 0.25}),
    "polynomial 100ba": row(
        SQUARE, {0: 1.0, 10: 0.905, 20: 0.82, 50: 0.625}, lr_decay_steps=steps("100ba"), min_lr="50%"
    ),
    "polynomial 100ba, ratio 0.5": row(
        SQUARE, {0: 1.0, 10: 0.82, 20: 0.68, 50: 0.5}, 0.5, lr_decay_steps=steps("100ba", 0.5), min_lr="50%"
    ),
    "multi step, warmup": row(falls(0.1, "20ba", "40ba"), {0: 0.0, 5: 0.5, 15: 1.0, 25: 0.1, 45: 0.01}, **warm("10ba")),
    "multi step, warmup, ratio 0.5": row(
        falls(0.5, "2ep", "4ep", ratio=0.5), {0: 0.0, 5: 0.5, 15: 1.0, 1500: 0.5, 2500: 0.25}, 0.5, **warm("10ba")
    ),
    "multi step, scaled warmup, ratio 0.5": row(
        falls(0.5, "2ep", "4ep", ratio=0.5),
        {0: 0.0, 5: 1.0, 15: 1.0, 1500: 0.5, 2500: 0.25},
        0.5,
        **warm("10ba", 0.5),
    ),
    "multi step, no milestones": row("constant", ALL_WARMUP, **warm("1000ep")),
    "constant": row("constant", {0: 0.0, 250_000: 0.5, 500_000: 1.0, 750_000: 1.0, 1_000_000: 1.0}, **warm("500ep")),
    "constant 3": row("constant", TO_THREE, max_lr=3.0, **warm("500ep")),
    "constant 3, again": row("constant", TO_THREE, max_lr=3.0, **warm("500ep")),
    "constant, warmup 0.0005dur": row("constant", {0: 0.0, 250: 0.5, 500: 1.0, 499_750: 1.0}, **warm("0.0005dur")),
    "constant 3, 501000ep, ratio 0.5": row(
        "constant", TO_THREE, 0.5, max_lr=3.0, lr_decay_steps=steps("501000ep", 0.5), **warm("500ep")
    ),
    "constant, all warmup": row("constant", ALL_WARMUP, **warm("1000ep")),
    "linear, warmup": row(
        "linear", {0: 0.0, 250_000: 0.5, 500_000: 1.0, 750_000: 0.5, 1_000_000: 0.0}, **warm("500ep")
    ),
    "linear 3 to 2, 1002ep, ratio 0.5": row(
        "linear",
        {0: 0.0, 250_000: 1.5, 500_000: 3.0, 500_500: 2.5, 501_000: 2.0, 502_000: 2.0},
        0.5,
        max_lr=3.0,
        min_lr=2.0,
        lr_decay_steps=steps("1002ep", 0.5),
        **warm("500ep"),
    ),
    "linear, warmup 0.0005dur": row(
        "linear", {0: 0.0, 250: 0.5, 500: 1.0, 499_750: 0.5}, within=ROUNDED, **warm("0.0005dur")
    ),
    "linear, warmup 500ba, ratio 0.5": row(
        "linear", {0: 0.0, 250: 0.5, 500: 1.0, 249_875: 0.5}, 0.5, ROUNDED, **warm("500ba")
    ),
    "linear, scaled warmup 500ba, ratio 0.5": row(
        phases({"style": "constant", "length": "250 iters"}, {"style": "linear"}),
        {0: 0.0, 125: 0.5, 250: 1.0, 249_875: 0.5},
        0.5,
        ROUNDED,
        **warm("500ba", 0.5),
    ),
    "linear, all warmup": row("linear", ALL_WARMUP, **warm("1000ep")),
    "cosine, warmup 0.9dur": row(
        "cosine",
        {0: 0.0, 450_000: 0.5, 900_000: 1.0, 933_333: 0.75, 950_000: 0.5, 1_000_000: 0.0},
        within=ROUNDED,
        **warm("0.9dur"),
    ),
    **{
        f"cosine, {how} 0.9dur, ratio 0.01": row(
            "cosine", {**NINE_TENTHS, 9333: 0.875}, 0.01, ROUNDED, min_lr="50%", **warm("0.9dur")
        )
        for how in ("warmup", "scaled warmup")
    },
    "cosine, all warmup": row("cosine", ALL_WARMUP, **warm("1000ep")),
    "polynomial, warmup 0.9dur": row(
        SQUARE,
        {0: 0.0, 450_000: 0.5, 900_000: 1.0, 913_397: 0.75, 929_289: 0.5, 1_000_000: 0.0},
        within=ROUNDED,
        **warm("0.9dur"),
    ),
    **{
        f"polynomial, {how} 0.9dur, ratio 0.01": row(
            SQUARE,
            {0: 0.0, 4500: 0.5, 9000: 1.0, 9134: 0.875, 9293: 0.75, 10_000: 0.5},
            0.01,
            ROUNDED,
            min_lr="50%",
            **warm("0.9dur"),
        )
        for how in ("warmup", "scaled warmup")
    },
    "polynomial, all warmup": row(SQUARE, ALL_WARMUP, **warm("1000ep")),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_file_has_the_factors_of_the_row(name: str) -> None:
    check(WRITTEN[name])


def test_every_row_of_the_table_is_written() -> None:
    assert len(WRITTEN) == ROWS


def test_the_trainer_is_one_update_behind_the_table() -> None:
    trained = schedframe.Schedule(**WRITTEN["multi step, warmup"].keys, first_update=-1)
    assert [trained.lr_at(update) for update in (0, 1, 6, 26)] == pytest.approx([0.0, 0.0, 0.5, 0.1])
