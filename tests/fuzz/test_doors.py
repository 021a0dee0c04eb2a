"""Random increments, positions, attributes and bounds: each is used as a plain number, or refused and changes nothing.

The number of sequences is multiplied by the environment variable ``SCHEDFRAME_FUZZ``.
"""

import contextlib
import json
import math
import os
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schedframe import OptimizerParamScheduler, SchedframeError

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")

pytestmark = pytest.mark.no_cover

TIMES = int(os.environ.get("SCHEDFRAME_FUZZ", "1"))

RUN: dict[str, Any] = {
    "init_lr": 0.0,
    "max_lr": 1.0,
    "min_lr": 0.0,
    "lr_warmup_steps": 10,
    "lr_decay_steps": 1000,
    "start_wd": 0.1,
    "end_wd": 0.2,
    "wd_incr_steps": 1000,
    "wsd_decay_steps": 100,
    "lr_wsd_decay_style": "minus_sqrt",
}
ATTRIBUTES = ("init_lr", "max_lr", "min_lr", "lr_warmup_steps", "lr_decay_steps", "start_wd", "end_wd", "wd_incr_steps")
BOUNDS = ("max_lr", "min_lr", "start_wd", "end_wd", "wd_mult")
MULTI_STEP = {"style": "multi-step", "milestones": [0.5], "multipliers": ["31.6%"]}
LR_STYLES = ("linear", "cosine", "WSD", "constant", "inverse-square-root", "geometric", "power-law", MULTI_STEP)
WD_STYLES = ("linear", "cosine", "geometric", {"style": "adamc", "base": "linear"}, "minus_sqrt")

INTEGERS = (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64)
FLOATS = (np.float16, np.float32, np.float64, np.longdouble)
DTYPES = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
FLOAT_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)

sizes = st.one_of(st.integers(0, 120), st.floats(0, 2), st.floats(0, 1e4))
anything = st.one_of(st.integers(), st.floats(), st.integers(-3, 3), st.sampled_from([10**400, 2**63, 1e100, 1e101]))
numbers = st.one_of(
    sizes,
    sizes,
    anything,
    st.builds(lambda kind, number: kind(number), st.sampled_from(INTEGERS), st.integers(0, 127)),
    st.builds(lambda kind, number: kind(number), st.sampled_from(FLOATS), st.floats(width=16)),
    st.builds(lambda dtype, number: torch.tensor(number, dtype=dtype), st.sampled_from(DTYPES), st.integers(0, 127)),
    st.builds(
        lambda dtype, number: torch.tensor(number, dtype=dtype), st.sampled_from(FLOAT_DTYPES), st.floats(width=16)
    ),
    st.builds(lambda number: np.array([number]), sizes),
    st.decimals(),
    st.fractions(),
)
others = st.sampled_from([None, True, False, "", "7", "nan", b"7", 1j, [], [7], {}, len, torch.ones(2), np.ones(2)])
values = st.one_of(numbers, numbers, numbers, others)
acts = st.one_of(
    st.tuples(st.just("step"), st.none(), values),
    st.tuples(st.just("step"), st.none(), st.integers(0, 300)),
    st.tuples(st.just("assign"), st.sampled_from([*ATTRIBUTES, "start_step", "num_steps"]), values),
    st.tuples(st.just("bound"), st.sampled_from(BOUNDS), values.filter(lambda value: not isinstance(value, bool))),
    st.tuples(st.just("assign"), st.just("lr_decay_style"), st.sampled_from(LR_STYLES)),
    st.tuples(st.just("assign"), st.just("wd_incr_style"), st.sampled_from(WD_STYLES)),
)


def build(lr_style: Any, wd_style: Any) -> OptimizerParamScheduler:
    own = {"max_lr": 5.0, "min_lr": 0.5, "default_config": False}
    optimizer = SimpleNamespace(param_groups=[{"default_config": True}, own, {"wd_mult": 0.5}])
    run = {**RUN, "min_lr": 0.1} if lr_style == "geometric" else RUN
    return OptimizerParamScheduler(optimizer, **run, lr_decay_style=lr_style, wd_incr_style=wd_style)


def everything(scheduler: OptimizerParamScheduler) -> Any:
    groups = [(group["lr"], group["weight_decay"]) for group in scheduler.optimizer.param_groups]
    return scheduler.num_steps, scheduler.plan, groups, scheduler.state_dict()


def act(scheduler: OptimizerParamScheduler, kind: str, name: str | None, value: Any) -> None:
    """Do one thing; a `SchedframeError` is let through."""
    if kind == "step":
        scheduler.step(value)
    elif kind == "assign":
        setattr(scheduler, str(name), value)
    else:
        scheduler.optimizer.param_groups[1][name] = value


def plain(wd_mult: Any) -> float:
    if wd_mult is None:
        return 1.0
    return float(wd_mult.item() if hasattr(wd_mult, "item") else wd_mult)


def assert_on_the_curve(scheduler: OptimizerParamScheduler) -> None:
    """Each group holds the schedule's values at the position, as plain finite floats of at least 0."""
    for group in scheduler.optimizer.param_groups:
        wd = scheduler.get_wd(group)
        expected = {"lr": float(scheduler.get_lr(group))}
        if wd is not None:
            expected["weight_decay"] = wd * plain(group.get("wd_mult"))
        for key, value in expected.items():
            assert (group[key], type(group[key])) == (value, float)
            assert 0 <= group[key] < math.inf


def assert_plain(scheduler: OptimizerParamScheduler, state: dict[str, Any]) -> None:
    assert json.loads(json.dumps(state, allow_nan=False))["num_steps"] == scheduler.num_steps
    for name in (*ATTRIBUTES, "start_step", "num_steps"):
        assert type(getattr(scheduler, name)) in (int, float, type(None))


@settings(max_examples=150 * TIMES, suppress_health_check=list(HealthCheck))
@given(
    lr_style=st.sampled_from(LR_STYLES),
    wd_style=st.sampled_from(WD_STYLES),
    sequence=st.lists(acts, min_size=5, max_size=20),
)
def test_whatever_comes_is_used_as_a_plain_number_or_changes_nothing(
    lr_style: Any, wd_style: Any, sequence: list[Any]
) -> None:
    scheduler = build(lr_style, wd_style)
    before = everything(scheduler)
    for kind, name, value in sequence:
        try:
            act(scheduler, kind, name, value)
        except SchedframeError:
            assert everything(scheduler) == before
            continue
        if kind == "step":
            assert_on_the_curve(scheduler)
            assert scheduler.num_steps > before[0] or value == 0
        before = everything(scheduler)
        assert_plain(scheduler, before[-1])
    with contextlib.suppress(SchedframeError):
        scheduler.step(0)
        assert_on_the_curve(scheduler)
