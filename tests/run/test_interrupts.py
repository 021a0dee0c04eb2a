"""An interrupt at any moment of a step or a load leaves everything as it was, or everything done."""

import copy
import sys
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import Any

import pytest

from schedframe import OptimizerParamScheduler, Schedule

from ..runs import Optimizer

ROOT = __file__.rpartition("tests")[0] + "schedframe"
RULES = [{"role": "router", "match": {"key": {"kind": "router"}}, "lr_mult": 0.5, "lr_decay_style": "cosine"}]
LOAD_STRIDE = 97
"""A load has tens of thousands of instructions, most of them in reading; those that write are tried more closely."""

RUNS: dict[str, dict[str, Any]] = {"plain": {}, "rules": {"groups": RULES}}


class Interrupt(BaseException):
    """What Ctrl-C or a signal's handler raises."""


def interrupted(call: Callable[[], object], at: int) -> bool:
    """Call `call`, and raise at the instruction `at` of schedframe's; return whether it came so far.

    Context variables that an interrupt leaves set are those of a context of its own.
    """
    left = at

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.startswith(ROOT):
            return None
        frame.f_trace_opcodes = True
        if event in ("opcode", "line", "return"):
            left -= 1
            if left == 0:
                raise Interrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        copy_context().run(call)
    except Interrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def build(name: str, max_lr: float, tensors: bool = False) -> OptimizerParamScheduler:
    groups: list[dict[str, Any]] = [
        {"default_config": True},
        {"max_lr": 9.0, "default_config": False},
        {"kind": "router"},
    ]
    if tensors:
        torch = pytest.importorskip("torch")
        for group in groups:
            group["lr"] = torch.tensor(0.0, dtype=torch.float64)
    schedule = Schedule(
        max_lr=max_lr,
        lr_decay_steps=100,
        start_wd=0.1,
        end_wd=0.2,
        wd_incr_style="linear",
        resume="checkpoint",
        **RUNS[name],
    )
    return schedule.build(Optimizer(*groups))


def everything(scheduler: OptimizerParamScheduler) -> Any:
    groups = copy.deepcopy(scheduler.optimizer.param_groups)
    scheduler.step(0)
    assert scheduler.optimizer.param_groups == groups, "the groups do not hold the values of the position"
    return scheduler.state_dict(), groups


Make = Callable[[], tuple[OptimizerParamScheduler, Callable[[], object]]]


def moments(make: Make, stride: int) -> Iterator[OptimizerParamScheduler]:
    """Yield a scheduler for every instruction at which its call was interrupted, and last one whose call was not."""
    at, came_so_far = 1, True
    while came_so_far:
        scheduler, call = make()
        came_so_far = interrupted(call, at)
        yield scheduler
        at += stride


def assert_all_or_nothing(make: Make, look: Callable[[OptimizerParamScheduler], Any], stride: int) -> None:
    before = look(make()[0])
    scheduler, call = make()
    call()
    after = look(scheduler)
    assert after != before
    seen = list(map(look, moments(make, stride)))
    assert all(each in (before, after) for each in seen)
    assert (seen[0], seen[-1]) == (before, after)


@pytest.mark.parametrize("tensors", [False, True], ids=["floats", "tensors"])
@pytest.mark.parametrize("name", RUNS)
def test_a_step_is_taken_wholly_or_not_at_all(name: str, tensors: bool) -> None:
    def make() -> tuple[OptimizerParamScheduler, Callable[[], object]]:
        scheduler = build(name, 1.0, tensors)
        scheduler.step(50)
        return scheduler, lambda: scheduler.step(7)

    assert_all_or_nothing(make, everything, stride=3)


@pytest.mark.parametrize("tensors", [False, True], ids=["floats", "tensors"])
@pytest.mark.parametrize("name", RUNS)
def test_a_load_is_done_wholly_or_not_at_all(name: str, tensors: bool) -> None:
    saved = build(name, 2.0)
    saved.step(30)
    state = saved.state_dict()

    def make() -> tuple[OptimizerParamScheduler, Callable[[], object]]:
        scheduler = build(name, 1.0, tensors)
        scheduler.step(50)
        return scheduler, lambda: scheduler.load_state_dict(state)

    assert_all_or_nothing(make, everything, stride=LOAD_STRIDE)


@pytest.mark.parametrize("name", RUNS)
def test_the_part_of_a_load_that_writes_is_done_wholly_or_not_at_all(name: str) -> None:
    def make() -> tuple[OptimizerParamScheduler, Callable[[], object]]:
        scheduler = build(name, 1.0)
        scheduler.step(50)
        scheduler.optimizer.param_groups[1].update(max_lr=3.0, lr=5.0)
        scheduler.optimizer.param_groups[2]["min_lr"] = 0.25
        return scheduler, scheduler.restore_bounds

    assert_all_or_nothing(make, lambda scheduler: copy.deepcopy(scheduler.optimizer.param_groups), stride=2)
