"""What comes from outside while training is made a plain finite number, or is refused and changes nothing."""

import copy
import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from schedframe import ConfigError, OptimizerParamScheduler, PluginError, SchedframeError, Schedule, StateError
from schedframe.styles import LRCurve, LRPoint, LRShape, LRStyle, WDCurve, WDPoint, WDStyle
from schedframe.styles.lr import MultiStep

from ..runs import Optimizer

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")

RUN: dict[str, Any] = {
    "init_lr": 0.0,
    "max_lr": 1.0,
    "min_lr": 0.0,
    "lr_warmup_steps": 10,
    "lr_decay_steps": 110,
    "lr_decay_style": "linear",
    "start_wd": 0.1,
    "end_wd": 0.2,
    "wd_incr_steps": 100,
    "wd_incr_style": "linear",
}

WHOLE = {
    "int": 7,
    "float": 7.0,
    "Decimal": Decimal(7),
    "Fraction": Fraction(7),
    "float32 tensor": torch.tensor(7.0),
    "bfloat16 tensor": torch.tensor(7.0, dtype=torch.bfloat16),
    "int32 tensor": torch.tensor(7, dtype=torch.int32),
    "tensor of one": torch.tensor([7]),
    "tensor with a gradient": torch.tensor(7.0, requires_grad=True),
    "array of one": np.array([7]),
    **{kind.__name__: kind(7) for kind in (np.int8, np.uint8, np.int16, np.int32, np.uint32, np.int64, np.uint64)},
    **{kind.__name__: kind(7) for kind in (np.float16, np.float32, np.float64, np.longdouble)},
}

NOT_NUMBERS = {
    "text": "7",
    "bytes": b"7",
    "None": None,
    "True": True,
    "numpy's True": np.bool_(True),
    "a tensor's True": torch.tensor(True),
    "nan": float("nan"),
    "inf": float("inf"),
    "negative": -1,
    "negative tensor": torch.tensor(-1.0),
    "NaN tensor": torch.tensor(float("nan")),
    "decimal NaN": Decimal("NaN"),
    "signaling NaN": Decimal("sNaN"),
    "decimal infinity": Decimal("Infinity"),
    "a decimal beyond floats": Decimal("1e99999999"),
    "a huge int": 10**400,
    "a huge fraction": Fraction(10**400),
    "complex": 1j,
    "several": torch.tensor([1, 2]),
    "none": torch.tensor([]),
    "array of several": np.array([1.0, 2.0]),
    "meta tensor": torch.empty((), device="meta"),
    "list": [7],
    "function": len,
}

each_number = pytest.mark.parametrize("value", WHOLE.values(), ids=WHOLE)


def each_other(*but: str) -> Any:
    """Parametrize with what is no number, but for some."""
    cases = {name: value for name, value in NOT_NUMBERS.items() if name not in but}
    return pytest.mark.parametrize("value", cases.values(), ids=cases)


def build(*groups: dict[str, Any], **changes: Any) -> OptimizerParamScheduler:
    return OptimizerParamScheduler(Optimizer(*groups), **{**RUN, **changes})


def everything(scheduler: OptimizerParamScheduler) -> Any:
    return scheduler.num_steps, scheduler.plan, copy.deepcopy(scheduler.optimizer.param_groups), scheduler.state_dict()


@each_number
def test_an_increment_of_any_kind_is_a_plain_int(value: Any) -> None:
    scheduler = build()
    scheduler.step(value)
    assert (scheduler.num_steps, type(scheduler.num_steps)) == (7, int)
    json.dumps(scheduler.state_dict())


@each_number
def test_a_position_of_any_kind_is_a_plain_int(value: Any) -> None:
    scheduler = build()
    scheduler.num_steps = value
    assert (scheduler.num_steps, type(scheduler.num_steps)) == (7, int)


@each_number
def test_a_saved_position_of_any_kind_is_a_plain_number(value: Any) -> None:
    scheduler = build()
    scheduler.step(7)
    state = {**scheduler.state_dict(), "num_steps": value}
    scheduler.load_state_dict(state)
    assert (scheduler.num_steps, type(scheduler.num_steps)) == (7, int)
    json.dumps(scheduler.state_dict())


@each_other()
def test_an_increment_that_is_none_is_refused_and_changes_nothing(value: Any) -> None:
    scheduler = build()
    scheduler.step(50)
    before = everything(scheduler)
    with pytest.raises(StateError, match="increment = "):
        scheduler.step(value)
    assert everything(scheduler) == before


@each_other()
def test_a_position_that_is_none_is_refused_and_changes_nothing(value: Any) -> None:
    scheduler = build()
    scheduler.step(50)
    before = everything(scheduler)
    with pytest.raises(StateError, match="num_steps = "):
        scheduler.num_steps = value
    assert everything(scheduler) == before


@pytest.mark.parametrize("kind", [torch.float32, torch.int32], ids=str)
def test_narrow_numbers_never_take_the_position_over(kind: Any) -> None:
    scheduler = build(lr_decay_steps=10**12, lr_decay_style="constant")
    scheduler.num_steps = 2**31 - 1
    for _ in range(3):
        scheduler.step(torch.tensor(1, dtype=kind))
    assert scheduler.num_steps == 2**31 + 2


def test_a_step_backwards_says_what_moves_a_scheduler() -> None:
    with pytest.raises(StateError, match="increment = -5 must not be negative; nothing was changed"):
        build().step(-5)


@pytest.mark.parametrize(("position", "increment"), [(2**54 + 1, 1.5), (50, 1e-300), (2**60, 1e-3)])
def test_an_increment_that_rounding_would_lose_is_refused(position: int, increment: float) -> None:
    scheduler = build()
    scheduler.num_steps = position
    with pytest.raises(StateError, match=f"is lost in rounding at the position {position}; nothing was changed"):
        scheduler.step(increment)


def test_a_step_without_increment_is_one_iteration() -> None:
    scheduler = build(clock="iters")
    scheduler.step()
    assert scheduler.num_steps == 1


@pytest.mark.parametrize("clock", ["samples", "tokens"])
def test_a_step_without_increment_is_a_type_error_where_it_is_no_iteration(clock: str) -> None:
    with pytest.raises(TypeError, match=f"needs increment, how many {clock} the batch has"):
        build(clock=clock).step()


NUMBERS = ("init_lr", "max_lr", "min_lr", "lr_warmup_steps", "lr_decay_steps", "start_wd", "end_wd", "wd_incr_steps")


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [Decimal(7), torch.tensor(7.0), np.int32(7)], ids=repr)
def test_an_assigned_number_of_any_kind_is_a_plain_one(name: str, value: Any) -> None:
    scheduler = build()
    setattr(scheduler, name, value)
    assert getattr(scheduler, name) == 7
    assert type(getattr(scheduler, name)) in (int, float)


@each_other("None")
@pytest.mark.parametrize("name", [*NUMBERS, "start_step"])
def test_an_assigned_value_that_is_no_number_is_refused_and_changes_nothing(name: str, value: Any) -> None:
    scheduler = build()
    before = everything(scheduler)
    with pytest.raises(ConfigError, match=f"OptimizerParamScheduler: {name} = "):
        setattr(scheduler, name, value)
    assert everything(scheduler) == before


@pytest.mark.parametrize("name", ["clock", "lr_style", "wd_style", "lr_warmup_style", "groups"])
def test_an_assigned_value_of_another_kind_is_refused(name: str) -> None:
    scheduler = build()
    with pytest.raises(ConfigError, match=f"OptimizerParamScheduler: {name} = 5"):
        setattr(scheduler, name, 5)


@each_number
@pytest.mark.parametrize("name", ["max_lr", "lr_decay_steps"])
def test_an_argument_of_any_kind_is_a_plain_number(name: str, value: Any) -> None:
    scheduler = build(**{"lr_warmup_steps": 1, name: value})
    assert getattr(scheduler, name) == 7
    json.dumps(scheduler.state_dict())


@each_other()
def test_an_argument_that_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError, match="start_wd = "):
        build(start_wd=value)


BOUNDS = ("max_lr", "min_lr", "start_wd", "end_wd", "wd_mult")


@each_number
@pytest.mark.parametrize("key", ["max_lr", "wd_mult"])
def test_a_groups_bound_of_any_kind_is_a_plain_number(key: str, value: Any) -> None:
    group = {"max_lr": 8.0, "default_config": False, key: value}
    scheduler = build(group)
    assert type(scheduler.optimizer.param_groups[0][key]) in (int, float)
    scheduler.step(60)
    assert {type(scheduler.optimizer.param_groups[0][name]) for name in ("lr", "weight_decay")} == {float}


@each_other("None")
def test_a_groups_bound_that_is_no_number_is_refused_by_a_build(value: Any) -> None:
    schedule = Schedule(max_lr=1.0, lr_decay_steps=100, start_wd=0.1)
    with pytest.raises(ConfigError, match=r"param_groups\[1\].min_lr = "):
        schedule.build(Optimizer({}, {"max_lr": 1.0, "min_lr": value}))
    with pytest.raises(ConfigError, match=r"param_groups\[1\].min_lr = "):
        build({}, {"min_lr": value})


@each_other("None", "True", "numpy's True", "a tensor's True")  # None is no bound, and True computes as 1
@pytest.mark.parametrize("key", BOUNDS)
def test_a_groups_bound_that_is_no_number_is_refused_by_a_step_and_changes_nothing(key: str, value: Any) -> None:
    scheduler = build({}, {"default_config": False}, {})
    scheduler.step(50)
    groups = scheduler.optimizer.param_groups
    groups[1][key] = value
    before = [(group["lr"], group["weight_decay"]) for group in groups]
    with pytest.raises(StateError, match=rf"param_groups\[1\].{key} = .*; no param group was changed"):
        scheduler.step(1)
    assert [(group["lr"], group["weight_decay"]) for group in groups] == before
    assert scheduler.num_steps == 50


@pytest.mark.parametrize("key", BOUNDS)
@pytest.mark.parametrize("value", [Decimal(7), torch.tensor(7.0), np.int32(7), np.float64(7)], ids=repr)
def test_a_groups_bound_of_any_kind_may_be_set_between_steps(key: str, value: Any) -> None:
    groups = {"default_config": True}, {"max_lr": 8.0, "default_config": False}
    scheduler, plain = build(*groups), build(*groups)
    scheduler.optimizer.param_groups[1][key] = value
    plain.optimizer.param_groups[1][key] = 7
    for each in (scheduler, plain):
        each.step(60)
    written = [[(g["lr"], g["weight_decay"]) for g in each.optimizer.param_groups] for each in (scheduler, plain)]
    assert written[0] == written[1]
    assert {type(value) for pair in written[0] for value in pair} == {float}


class _Spike(LRCurve):
    style: str = "spike"
    height: Any = 2.0

    def coefficient(self, progress: float) -> float:
        return self.height if progress == 0.3 else 0.5


class _SpikeShape(LRShape):
    style: str = "spike-shape"
    height: Any = 2.0

    def coefficient_at(self, step: float, warmup_steps: float, decay_steps: float) -> float:
        return self.height if step == 40 else 0.5


class _SpikeStyle(LRStyle):
    style: str = "spike-style"
    height: Any = 2.0

    def lr(self, point: LRPoint) -> float:
        return point.max_lr * (self.height if point.step == 40 else 0.5)


SPIKES = (_Spike, _SpikeShape, _SpikeStyle)


@pytest.mark.parametrize(("height", "fault"), [(1.001, "above"), (2.0, "above"), (-0.5, "which is negative")])
@pytest.mark.parametrize("style", SPIKES)
def test_a_learning_rate_outside_its_bounds_between_the_points_that_a_load_tries_is_refused(
    style: Any, height: float, fault: str
) -> None:
    scheduler = build({}, {"max_lr": 5.0, "default_config": False}, lr_decay_style=style(height=height))
    scheduler.step(39)
    before = everything(scheduler)
    with pytest.raises(PluginError, match=f"at step 40.*{fault}.*no param group was changed"):
        scheduler.step(1)
    assert everything(scheduler) == before


@pytest.mark.parametrize("style", SPIKES)
def test_asking_for_one_groups_learning_rate_refuses_the_same(style: Any) -> None:
    scheduler = build(lr_decay_style=style())
    scheduler.num_steps = 40
    with pytest.raises(PluginError, match=r"at step 40, which is above the max LR, 1.0"):
        scheduler.get_lr({})


@pytest.mark.parametrize("height", [1.0 + 4e-16, -1e-17])
@pytest.mark.parametrize("style", SPIKES)
def test_what_floating_point_rounds_is_no_fault(style: Any, height: float) -> None:
    scheduler = build(lr_decay_style=style(height=height))
    scheduler.step(40)
    assert scheduler.optimizer.param_groups[0]["lr"] == height


@pytest.mark.parametrize("style", SPIKES)
def test_a_style_that_is_above_max_lr_where_a_load_tries_it_is_refused_by_the_load(style: Any) -> None:
    class Above(style):  # type: ignore[misc]
        style: str = "above"
        height: Any = 1.0

        def lr(self, point: LRPoint) -> float:
            return 2.0 * point.max_lr

    with pytest.raises(ConfigError, match=r"gives 2.0 at step 10, which is above the max LR, 1.0"):
        build(lr_decay_style=Above())


@pytest.mark.parametrize("value", ["0.5", None, 1j, [0.5]], ids=str)
@pytest.mark.parametrize("style", SPIKES)
def test_what_a_style_gives_instead_of_a_number_is_refused(style: Any, value: Any) -> None:
    scheduler = build(lr_decay_style=style(height=value))
    scheduler.step(39)
    before = everything(scheduler)
    with pytest.raises(PluginError, match=r"at step 40.*no param group was changed"):
        scheduler.step(1)
    assert everything(scheduler) == before


class _WDSpike(WDCurve):
    style: str = "wd-spike"

    def coefficient(self, progress: float) -> float:
        return -2.0 if progress == 0.4 else progress


class _WDSpikeStyle(WDStyle):
    style: str = "wd-spike-style"

    def wd(self, point: WDPoint) -> float:
        return -0.1 if point.step == 40 else 0.1


@pytest.mark.parametrize("style", [_WDSpike(), _WDSpikeStyle()], ids=["curve", "style"])
def test_a_negative_weight_decay_is_refused(style: Any) -> None:
    scheduler = build(wd_incr_style=style)
    scheduler.step(39)
    before = everything(scheduler)
    with pytest.raises(PluginError, match="at step 40, which is negative; no param group was changed"):
        scheduler.step(1)
    assert everything(scheduler) == before


def test_a_style_that_raises_is_a_plugin_error_with_its_cause() -> None:
    class Breaks(LRCurve):
        style: str = "breaks"

        def coefficient(self, progress: float) -> float:
            return 1 / (progress - 0.3)

    scheduler = build(lr_decay_style=_Spike())
    scheduler.lr_style = Breaks()
    with pytest.raises(PluginError, match="fails at step 40: ZeroDivisionError") as caught:
        scheduler.step(40)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("multipliers", [("31.6%", "10%"), ("31.6 %", 0.1), (0.316, Decimal("0.1"))], ids=str)
def test_multipliers_may_be_percentages(multipliers: Any) -> None:
    assert MultiStep(milestones=(0.8, 0.9), multipliers=multipliers).multipliers == (0.316, 0.1)


@pytest.mark.parametrize(
    ("multiplier", "fault"),
    [
        (31.6, "multipliers.0 = 31.6: is above 1; did you mean '31.6%'?"),
        ("250%", "multipliers.0 = '250%': is above 100%"),
        (-0.1, "multipliers.0 = -0.1: must not be negative"),
        ("half", "multipliers.0 = 'half': is not a number or a percentage"),
        (True, "multipliers.0 = True: is not a number or a percentage"),
    ],
)
def test_a_multiplier_that_is_no_share_is_refused(multiplier: Any, fault: str) -> None:
    with pytest.raises(SchedframeError) as caught:
        build(lr_decay_style={"style": "multi-step", "milestones": [0.8], "multipliers": [multiplier]})
    assert fault in str(caught.value)
