"""Warnings about what happens to param groups beside the scheduler: another writer, factors that nobody reads."""

import copy
import pickle
import warnings
from typing import Any

import pytest

from schedframe import OptimizerParamScheduler, SchedframeWarning, Schedule

from ..runs import Optimizer

torch = pytest.importorskip("torch")

SCHEDULE = Schedule(max_lr=1.0, lr_decay_steps=1000, lr_decay_style="linear", start_wd=0.1)


def adam(lr: Any = 0.5, **group: Any) -> Any:
    return torch.optim.AdamW([{"params": [torch.nn.Parameter(torch.ones(1))], **group}], lr=lr, foreach=False)


def told(*steps: Any) -> list[str]:
    """Call `steps` and return the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SchedframeWarning)
        for step in steps:
            step()
    return [str(warning.message) for warning in caught if warning.category is SchedframeWarning]


def steps(scheduler: OptimizerParamScheduler, count: int = 5) -> list[Any]:
    return [lambda: scheduler.step(1)] * count


def test_a_second_scheduler_is_reported_once_by_each() -> None:
    optimizer = Optimizer()
    first, second = SCHEDULE.build(optimizer), Schedule(max_lr=0.5, lr_decay_steps=1000).build(optimizer)
    messages = told(*[lambda: first.step(1), lambda: second.step(1)] * 100)
    assert len(messages) == 2
    assert messages[0].startswith("param_groups[0] has lr = 0.5, and the step before wrote 1.0: something else writes")


def test_torchs_scheduler_on_the_same_optimizer_is_reported() -> None:
    optimizer = adam()
    torchs = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 0.9**epoch)
    scheduler = SCHEDULE.build(optimizer)
    optimizer.step()
    assert len(told(*[lambda: scheduler.step(1), torchs.step] * 100)) == 1


@pytest.mark.parametrize("lr", [0.5, torch.tensor(0.5)], ids=["float", "tensor"])
def test_a_line_that_sets_lr_is_reported(lr: Any) -> None:
    optimizer = adam(lr)
    scheduler = SCHEDULE.build(optimizer)

    def scale() -> None:
        optimizer.param_groups[0]["lr"] *= 0.5

    assert len(told(*[lambda: scheduler.step(1), scale] * 3)) == 1


def test_a_writer_that_comes_late_is_reported_within_64_steps() -> None:
    optimizer = Optimizer({"default_config": True}, {"default_config": True})
    scheduler = SCHEDULE.build(optimizer)
    assert told(*steps(scheduler, 300)) == []
    late = told(*[lambda: optimizer.param_groups[1].update(lr=7.0), lambda: scheduler.step(1)] * 64)
    assert [message[:15] for message in late] == ["param_groups[1]"]


def test_the_warning_points_at_the_step() -> None:
    scheduler = SCHEDULE.build(Optimizer())
    scheduler.optimizer.param_groups[0]["lr"] = 7.0
    with pytest.warns(SchedframeWarning) as caught:
        scheduler.step(1)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("lr", [0.5, torch.tensor(0.5), torch.tensor(0.5, dtype=torch.bfloat16)], ids=str)
def test_a_run_by_itself_gets_no_report(lr: Any) -> None:
    scheduler = SCHEDULE.build(adam(lr))
    assert told(*steps(scheduler, 300)) == []


def test_assigned_attributes_and_positions_get_no_report() -> None:
    scheduler = SCHEDULE.build(Optimizer())

    def assign() -> None:
        scheduler.max_lr *= 0.9
        scheduler.num_steps += 10
        scheduler.step(0)

    assert told(*[assign, lambda: scheduler.step(1)] * 50) == []


@pytest.mark.parametrize("optimizer_first", [True, False])
def test_loading_optimizer_and_scheduler_in_any_order_gets_no_report(optimizer_first: bool) -> None:
    optimizer, scheduler = saved = adam(), None
    scheduler = SCHEDULE.build(optimizer)
    scheduler.step(500)
    saved = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
    optimizer = adam()
    scheduler = SCHEDULE.build(optimizer)
    loads = [lambda: optimizer.load_state_dict(saved[0]), lambda: scheduler.load_state_dict(saved[1])]
    assert told(*loads[:: 1 if optimizer_first else -1], *steps(scheduler)) == []


def test_an_optimizers_load_alone_gets_no_report() -> None:
    optimizer = adam(0.125)
    saved = copy.deepcopy(optimizer.state_dict())
    scheduler = SCHEDULE.build(optimizer)
    assert told(lambda: optimizer.load_state_dict(saved), *steps(scheduler)) == []


def test_a_copy_watches_its_own_optimizer() -> None:
    scheduler = SCHEDULE.build(adam())
    scheduler.step(1)
    for other in (copy.deepcopy(scheduler), pickle.loads(pickle.dumps(scheduler))):
        scheduler.step(1)
        assert told(*steps(other)) == []


FACTORS = [
    *("lr_scale", "lr_mul", "lr_factor", "lr_multiplier", "lr_ratio", "lrscale", "learning_rate_scale", "lr_mult"),
    *("wd_scale", "wd_mul", "wd_factor", "weight_decay_mult", "weight_decay_scale", "decay_mult"),
]


@pytest.mark.parametrize("key", FACTORS)
def test_a_key_that_looks_like_a_factor_is_reported_with_the_name_that_is_meant(key: str) -> None:
    [message] = told(lambda: SCHEDULE.build(Optimizer({"default_config": True, key: 0.5})))
    assert message.startswith(f"param_groups[0] has {key} = 0.5, which is ignored")
    assert ("wd_mult" if key.startswith(("wd", "weight", "decay")) else "max_lr") in message


@pytest.mark.parametrize(
    "key", ["wd_mult", "lr", "lr_decay", "initial_lr", "momentum", "betas", "scale", "eps", "foreach"]
)
def test_other_keys_get_no_report(key: str) -> None:
    assert told(lambda: SCHEDULE.build(Optimizer({"default_config": True, key: 0.5}))) == []


@pytest.mark.parametrize("value", [1, 1.0, None, "half", [0.5]], ids=str)
def test_a_factor_of_one_or_none_gets_no_report(value: Any) -> None:
    assert told(lambda: SCHEDULE.build(Optimizer({"lr_scale": value}))) == []


def test_a_factor_of_a_group_that_is_added_is_reported_once() -> None:
    optimizer = adam()
    scheduler = SCHEDULE.build(optimizer)
    scheduler.step(1)
    optimizer.add_param_group({"params": [torch.nn.Parameter(torch.ones(1))], "lr_scale": 0.5})
    [message] = told(*steps(scheduler, 100))
    assert message.startswith("param_groups[1] has lr_scale = 0.5, which is ignored")
