"""NVIDIA/NeMo:tests/core/test_optimizers_schedulers.py at 8cfedd7: what it expects of schedules, on schedule files.

Its tests check the first and the last learning rate and bounds of the others. Here each update is compared with the
formula of NVIDIA/NeMo:nemo/core/optim/lr_scheduler.py at 8cfedd7, and with the bounds of the test.
"""

import math
from collections.abc import Callable
from typing import Any

import pytest

import schedframe

from ..runs import Optimizer
from .cases import Case, Keys, check, listed, phases, table

TESTS = 25
"""How many test functions the file has."""
MAX, MIN, STEPS = 0.1, 1e-3, 10


def case(style: Any, lr: Callable[[int], float], warmup: int = 0, **others: Any) -> Case:
    """Return a run of ten updates, and one past its end; `lr` is what comes after the warmup."""
    start = {"lr_warmup_steps": warmup, "lr_warmup_style": "nemo"} if warmup else {}
    keys = {"clock": "iters", "train_iters": STEPS, "max_lr": MAX, "min_lr": MIN, "lr_decay_style": style}
    rates = [MAX * (n + 1) / (warmup + 1) if warmup and n <= warmup else lr(n) for n in range(STEPS)]
    return Case({**keys, **start, **others}, {**listed(rates), STEPS + 1: MIN})


def long(style: Any, lr: Callable[[int], float], warmup: int = 0) -> Case:
    """Return a run of a hundred updates with the min LR 0.01, and one past its end."""
    start = {"lr_warmup_steps": "10%", "lr_warmup_style": "nemo"} if warmup else {}
    keys = {"clock": "iters", "train_iters": 100, "max_lr": MAX, "min_lr": 0.01, "lr_decay_style": style}
    rates = [MAX * (n + 1) / (warmup + 1) if warmup and n <= warmup else lr(n) for n in range(100)]
    return Case({**keys, **start}, {**listed(rates), 101: 0.01})


def until_the_end(style: Any, warmup: int = 0) -> Keys:
    """Return `style` for the whole run, and the min LR after it."""
    end = {"style": "constant", "from": MIN, "jump": True}
    return {**phases({"style": style, "length": STEPS - warmup}, end), "boundaries": "closed"}


def polynomial(begin: int, power: float) -> Callable[[int], float]:
    return lambda n: MIN + (MAX - MIN) * (1 - (n - begin) / (STEPS - begin)) ** power


def cosine(begin: int, end: int = STEPS) -> Callable[[int], float]:
    return lambda n: MIN + (MAX - MIN) * (1 + math.cos(math.pi * min((n - begin) / (end - begin), 1))) / 2


def noam(warmup: int, steps: int) -> Case:
    lengths = {"clock": "iters", "train_iters": steps, "min_lr": MIN}
    expected = listed([MAX * 16**-0.5 * max(1, n) ** -0.5 for n in range(2 * STEPS)])
    if not warmup:
        style = table("power-law", timescale=1)
        return Case({**lengths, "max_lr": MAX * 16**-0.5, "lr_decay_style": style, "first_update": -1}, expected)
    rising = {n: MAX * 16**-0.5 * max(1, n) * warmup**-1.5 for n in range(warmup)}
    style = table("noam", d_model=16, factor=MAX)
    keys = {**lengths, "lr_warmup_steps": warmup, "lr_warmup_style": "gpt-neox", "lr_decay_style": style}
    return Case(keys, {**expected, **rising})


CUT_SQUARE, CUT_ROOT = table("polynomial", power=2, floor="cut"), table("polynomial", power=0.5, floor="cut")
CUT_MINUS_ROOT = table("minus_sqrt", floor="cut")
PAST = {"lr_decay_steps": STEPS + 2}
CONSTANT = case(until_the_end("constant"), lambda n: MAX, **PAST)
WARM_CONSTANT = case(until_the_end("constant", 5), lambda n: MAX, 5, **PAST)
HELD = {"style": "constant", "length": "20 iters"}
DROPPED = phases({"style": "constant", "length": 1}, {"style": "constant", "from": MIN, "jump": True})
"""With a warmup and no hold_steps, PolynomialHoldDecayAnnealing is at its min LR right after the warmup."""

WRITTEN: dict[str, tuple[Case, ...]] = {
    "test_WarmupPolicy": (CONSTANT, WARM_CONSTANT),
    "test_WarmupHoldPolicy": (CONSTANT, WARM_CONSTANT),
    "test_WarmupAnnealing": (case("linear", polynomial(0, 1)), case("linear", polynomial(5, 1), 5), WARM_CONSTANT),
    "test_SquareAnnealing": (
        case(CUT_SQUARE, lambda n: max(MIN, MAX * (1 - n / 10) ** 2)),
        case(CUT_SQUARE, lambda n: max(MIN, MAX * (1 - (n - 5) / 5) ** 2), 5),
    ),
    "test_SquareRootAnnealing": (
        case(CUT_ROOT, lambda n: MAX * (1 - n / 10) ** 0.5),
        case(
            CUT_ROOT,
            lambda n: MAX * (n + 1) / 6 if n <= 5 else MAX * (1 - n / 10) ** 0.5,
            lr_warmup_steps=6,
            lr_warmup_style="torchtitan",
            decay_from=0,
        ),
    ),
    "test_CosineAnnealing": (
        case("cosine", cosine(0)),
        case("cosine", cosine(5), 5),
        case("cosine", lambda n: MAX * n / 3 if n < 3 else cosine(3, 8)(n), lr_warmup_steps=3, lr_decay_steps=8),
    ),
    "test_NoamAnnealing": tuple(noam(warmup, steps) for warmup in (0, 5) for steps in (STEPS, 2 * STEPS)),
    "test_PolynomialDecayAnnealing": (
        case(table("polynomial", power=2), polynomial(0, 2)),
        case("polynomial", polynomial(5, 1), 5),
    ),
    "test_PolynomialHoldDecayAnnealing": (
        case(table("polynomial", power=2), polynomial(0, 2)),
        case(DROPPED, lambda n: MIN, 5),
        case(
            phases({"style": "constant", "length": 3}, {"style": table("polynomial", power=2)}),
            lambda n: MAX if n < 8 else polynomial(8, 2)(n),
            5,
        ),
    ),
    "test_InverseSquareRootAnnealing": (
        case(until_the_end(table("power-law", timescale=1)), lambda n: MAX * (n + 1) ** -0.5, **PAST),
        case(until_the_end(table("power-law", timescale=6), 5), lambda n: MAX * ((n + 1) / 6) ** -0.5, 5, **PAST),
    ),
    "test_WarmupHoldAnnealOneMinusSquareRoot": (
        long(CUT_MINUS_ROOT, lambda n: max(0.01, MAX * (1 - (n / 100) ** 0.5))),
        long(
            phases(HELD, {"style": CUT_MINUS_ROOT}),
            lambda n: MAX if n < 30 else max(0.01, MAX * (1 - ((n - 30) / 70) ** 0.5)),
            10,
        ),
    ),
    "test_WarmupHoldAnnealLinear": (
        long("linear", lambda n: MAX - 0.09 * n / 100),
        long(phases(HELD, {"style": "linear"}), lambda n: MAX if n < 30 else MAX - 0.09 * (n - 30) / 70, 10),
    ),
    "test_CosineAnnealing_with_noop_steps": (case("cosine", cosine(0)),),
}
NOT_WRITTEN = {
    **{f"test_{name}_optimizer": "it is about optimizers" for name in ("get", "register")},
    **{
        f"test_optim_config_parse_{how}": "it is about optimizers" for how in ("bypass", "arg_by_name", "arg_by_target")
    },
    **{f"test_{name}_scheduler": "it is about NeMo's registry" for name in ("get", "register")},
    **{f"test_sched_config_parse_{how}": "it is about NeMo's config" for how in ("simple", "from_cls")},
    "test_sched_config_parse_reduce_on_plateau": "it follows a metric",
    "test_max_step_computation": "it is about the length of a run of Lightning",
    "test_max_step_computation_with_sched_no_ops": "it is about the length of a run of Lightning",
}


@pytest.mark.parametrize("test", WRITTEN)
def test_a_file_has_the_learning_rates_of_the_test(test: str) -> None:
    for each in WRITTEN[test]:
        check(each)


@pytest.mark.parametrize("test", [test for test in WRITTEN if test != "test_NoamAnnealing"])
def test_a_file_keeps_the_bounds_of_the_test(test: str) -> None:
    for each in WRITTEN[test]:
        schedule, steps, low = schedframe.Schedule(**each.keys), each.keys["train_iters"], each.keys["min_lr"]
        warms = bool(each.keys.get("lr_warmup_steps"))
        assert schedule.lr_at(0) < MAX if warms else schedule.lr_at(0) == MAX
        assert all(schedule.lr_at(n) <= MAX + 1e-16 for n in range(steps))
        assert schedule.lr_at(steps + 1) == low


def test_a_skipped_update_does_not_count() -> None:
    [each] = WRITTEN["test_CosineAnnealing_with_noop_steps"]
    schedule, optimizer = schedframe.Schedule(**each.keys), Optimizer()
    scheduler = schedule.build(optimizer)
    for update in range(STEPS):
        if update % 2:
            scheduler.step(1)
    scheduler.step(1)
    assert optimizer.param_groups[0]["lr"] == schedule.lr_at(6) > MIN


def test_every_test_of_the_file_is_accounted_for() -> None:
    assert (len(WRITTEN), len(NOT_WRITTEN)) == (13, 12)
    assert len({**WRITTEN, **NOT_WRITTEN}) == TESTS
