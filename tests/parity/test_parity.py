"""Equal bit for bit to the class of the installed Megatron Core, with no tolerance."""

import random
import warnings
from typing import Any

import pytest
from hypothesis import given, settings

from schedframe import OptimizerParamScheduler, SchedframeWarning

from .strategies import LR_STYLES, TAILS, WD_STYLES, Optimizer, arguments, boundaries, groups, seeds

pytestmark = pytest.mark.no_cover


def both(megatron: Any, draw: random.Random, run: dict[str, Any]) -> tuple[Any, Any]:
    """Build Megatron's scheduler and ours on equal groups."""
    start = groups(draw, run)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SchedframeWarning)
        return megatron.OptimizerParamScheduler(Optimizer(start), **run), OptimizerParamScheduler(
            Optimizer(start), **run
        )


def assert_equal(theirs: Any, ours: Any) -> int:
    """Compare everything that is visible; return how many numbers were compared."""
    assert ours.num_steps == theirs.num_steps
    assert ours.optimizer.param_groups == theirs.optimizer.param_groups
    for group in theirs.optimizer.param_groups:
        assert ours.get_lr(group) == theirs.get_lr(group) == group["lr"]
        assert ours.get_wd(group) == theirs.get_wd(group)
    assert ours.get_wd() == theirs.get_wd()
    return 2 * len(theirs.optimizer.param_groups)


def compare_run(megatron: Any, seed: int, **fixed: Any) -> int:
    draw = random.Random(seed)
    run = arguments(draw)
    run.update(fixed)
    if run["wd_incr_style"] == "constant":
        run["end_wd"] = run["start_wd"]
    theirs, ours = both(megatron, draw, run)
    compared = assert_equal(theirs, ours)
    for at in boundaries(run):
        for scheduler in (theirs, ours):
            scheduler.num_steps = at
            scheduler.step(0)
        compared += assert_equal(theirs, ours)
    for scheduler in (theirs, ours):
        scheduler.num_steps = 0
    for _ in range(40):
        increment = draw.choice([0, 1, 7, draw.randint(0, run["lr_decay_steps"] // 3 + 1)])
        theirs.step(increment)
        ours.step(increment)
        compared += assert_equal(theirs, ours)
    return compared


@pytest.mark.parametrize("wd_style", WD_STYLES)
@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("lr_style", LR_STYLES)
def test_every_style_equals_megatrons_on_random_runs(megatron: Any, lr_style: str, tail: str, wd_style: str) -> None:
    compared = sum(
        compare_run(megatron, seed, lr_decay_style=lr_style, lr_wsd_decay_style=tail, wd_incr_style=wd_style)
        for seed in range(11)
    )
    assert compared > 1_700  # in each of 60 combinations: more than 102,000 points


@settings(max_examples=80, deadline=None)
@given(seed=seeds)
def test_hypothesis_finds_no_run_that_differs(megatron: Any, seed: int) -> None:
    assert compare_run(megatron, seed) > 0


@pytest.mark.parametrize("wd_style", WD_STYLES)
@pytest.mark.parametrize("lr_style", LR_STYLES)
def test_a_short_run_is_equal_at_every_single_step(megatron: Any, lr_style: str, wd_style: str) -> None:
    run = {
        "init_lr": 1e-7,
        "max_lr": 3e-4,
        "min_lr": 3e-5,
        "lr_warmup_steps": 0.01 * 300,
        "lr_decay_steps": 300,
        "lr_decay_style": lr_style,
        "start_wd": 0.1,
        "end_wd": 0.1 if wd_style == "constant" else 0.4,
        "wd_incr_steps": 250,
        "wd_incr_style": wd_style,
        "wsd_decay_steps": 60,
        "lr_wsd_decay_style": "minus_sqrt",
    }
    theirs, ours = both(megatron, random.Random(1), run)
    for _ in range(330):
        theirs.step(1)
        ours.step(1)
        assert_equal(theirs, ours)


def refused(build: Any) -> bool:
    """Say whether a constructor raises, whatever it raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SchedframeWarning)
            build()
    except Exception:
        return True
    return False


@pytest.mark.parametrize(
    "change",
    [
        {"min_lr": -0.1},
        {"min_lr": 2.0},
        {"init_lr": 2.0},
        {"max_lr": float("nan")},
        {"init_lr": float("nan")},
        {"lr_decay_steps": 0},
        {"lr_warmup_steps": 100},
        {"lr_decay_style": "WSD", "wsd_decay_steps": None},
        {"start_wd": -0.1},
        {"start_wd": None},
        {"use_checkpoint_opt_param_scheduler": True, "override_opt_param_scheduler": True},
        {"wd_incr_style": "linaer", "end_wd": 0.2},
        {"wd_incr_style": "constant", "end_wd": 0.2},
        {"wd_incr_style": "linear", "wd_incr_steps": 0},
    ],
    ids=str,
)
def test_what_megatron_refuses_is_refused(megatron: Any, change: dict[str, Any]) -> None:
    run = {
        "init_lr": 0.0,
        "max_lr": 1.0,
        "min_lr": 0.1,
        "lr_warmup_steps": 10,
        "lr_decay_steps": 100,
        "lr_decay_style": "linear",
        "start_wd": 0.1,
        "end_wd": 0.1,
        "wd_incr_steps": 100,
        "wd_incr_style": "constant",
    }
    assert not refused(lambda: megatron.OptimizerParamScheduler(Optimizer([{}]), **run))
    assert not refused(lambda: OptimizerParamScheduler(Optimizer([{}]), **run))
    run.update(change)
    assert refused(lambda: megatron.OptimizerParamScheduler(Optimizer([{}]), **run))
    assert refused(lambda: OptimizerParamScheduler(Optimizer([{}]), **run))


def test_the_constructor_takes_the_same_arguments_in_the_same_order(megatron: Any) -> None:
    import inspect

    theirs = inspect.signature(megatron.OptimizerParamScheduler.__init__).parameters
    ours = inspect.signature(OptimizerParamScheduler.__init__).parameters
    assert list(ours)[: len(theirs)] == list(theirs)
    assert {name: ours[name].default for name in theirs} == {name: p.default for name, p in theirs.items()}
    assert {ours[name].kind for name in set(ours) - set(theirs)} == {inspect.Parameter.KEYWORD_ONLY}


def test_every_attribute_of_megatrons_is_there_with_the_same_value(megatron: Any) -> None:
    for seed in range(15):
        draw = random.Random(seed)
        theirs, ours = both(megatron, draw, arguments(draw))
        for name, value in vars(theirs).items():
            if name != "optimizer":
                assert getattr(ours, name) == value, name


@pytest.mark.parametrize("attribute", ["max_lr", "min_lr", "init_lr", "lr_warmup_steps", "lr_decay_steps"])
def test_an_assigned_attribute_acts_at_the_next_step_as_with_megatron(megatron: Any, attribute: str) -> None:
    for seed in range(8):
        draw = random.Random(seed)
        run = arguments(draw)
        theirs, ours = both(megatron, draw, run)
        for scheduler in (theirs, ours):
            setattr(scheduler, attribute, run[attribute] * 0.5)
            scheduler.step(5)
        assert_equal(theirs, ours)


def test_assigned_styles_act_at_the_next_step_as_with_megatron(megatron: Any) -> None:
    draw = random.Random(3)
    run = {**arguments(draw), "lr_warmup_steps": 0, "lr_decay_steps": 1000, "lr_decay_style": "linear"}
    theirs, ours = both(megatron, draw, run)
    for change in (
        {"lr_decay_style": "cosine"},
        {"lr_decay_style": "WSD", "wsd_decay_steps": 900, "lr_wsd_decay_style": "cosine"},
        {"wsd_decay_steps": 500},
        {"lr_wsd_decay_style": "minus_sqrt"},
        {"start_wd": 0.0, "end_wd": 0.5, "wd_incr_style": "linear"},
    ):
        for scheduler in (theirs, ours):
            for name in sorted(change, key=["wsd_decay_steps", "lr_wsd_decay_style", "lr_decay_style"].count):
                setattr(scheduler, name, change[name])
            for name in ("wsd_decay_steps", "lr_wsd_decay_style"):
                if name in change:
                    setattr(scheduler, name, change[name])
            scheduler.step(111)
        assert_equal(theirs, ours)
