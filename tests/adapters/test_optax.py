"""A schedule as functions of optax."""

from pathlib import Path

import pytest

import schedframe
from schedframe import ConfigError, Schedule
from tests.adapters import one_file, pages

pytest.importorskip("optax", reason="runs in an environment of its own: make adapters")
import jax
import numpy
import optax

from schedframe.adapters.optax import lr_schedule, wd_schedule


@pytest.fixture
def schedule(tmp_path: Path) -> Schedule:
    return schedframe.load(one_file.write_file(tmp_path))


def expected(schedule: Schedule) -> "numpy.ndarray":
    """Return what the Megatron drop-in gives each update: an axis for updates, groups, and the two values."""
    values = one_file.expected(schedule.param_groups(one_file.Net()), schedule)
    return numpy.array(values, dtype=numpy.float32)


@pytest.mark.parametrize(("group", "role"), [(0, None), (0, "default"), (1, "head")])
def test_each_update_gets_the_values_of_the_megatron_drop_in(schedule: Schedule, group: int, role: str | None) -> None:
    functions = [make(schedule, num_training_steps=40, role=role) for make in (lr_schedule, wd_schedule)]
    values = [[function(update) for function in functions] for update in range(40)]
    assert (numpy.array(values) == expected(schedule)[:, group]).all()


def test_it_runs_compiled_for_many_updates_at_once(schedule: Schedule) -> None:
    lrs = jax.jit(jax.vmap(lr_schedule(schedule)))(numpy.arange(40))
    assert (lrs == expected(schedule)[:, 0, 0]).all()


def test_double_precision_is_kept(schedule: Schedule) -> None:
    with jax.enable_x64(True):
        lrs = [float(lr_schedule(schedule)(update)) for update in range(40)]
    assert lrs == [lr for (lr, _), _ in one_file.expected(schedule.param_groups(one_file.Net()), schedule)]


def test_the_last_value_stays(schedule: Schedule) -> None:
    assert lr_schedule(schedule)(1000) == numpy.float32(schedule.min_lr)


def test_before_the_start_of_a_continued_run_it_is_no_number() -> None:
    schedule = Schedule(max_lr=1e-3, train_iters=40, clock="iters", lr_decay_style="linear", start_step=10)
    lr = lr_schedule(schedule)
    assert numpy.isnan(lr(9))
    assert [lr(10), lr(30), lr(50)] == [numpy.float32(schedule.lr_at(update)) for update in (10, 30, 50)]


def test_adamw_takes_both(schedule: Schedule) -> None:
    """Compared with AdamW that gets the same two numbers by hand in each update."""
    params = grads = {"w": numpy.ones(3, dtype=numpy.float32)}
    scheduled = optax.adamw(lr_schedule(schedule), weight_decay=wd_schedule(schedule))
    ours = train(scheduled, params, grads)
    by_hand = optax.inject_hyperparams(optax.adamw)(learning_rate=0.0, weight_decay=0.0)
    theirs = train(by_hand, params, grads, expected(schedule)[:, 0])
    assert numpy.allclose(ours["w"], theirs["w"], rtol=1e-6, atol=0.0)


def test_inject_hyperparams_shows_both(schedule: Schedule) -> None:
    make = optax.inject_hyperparams(optax.adamw)
    optimizer = make(learning_rate=lr_schedule(schedule), weight_decay=wd_schedule(schedule))
    params = {"w": numpy.ones(3, dtype=numpy.float32)}
    state = optimizer.init(params)
    seen = []
    for _ in range(40):
        _, state = jax.jit(optimizer.update)(params, state, params)
        seen.append([state.hyperparams["learning_rate"], state.hyperparams["weight_decay"]])
    assert (numpy.array(seen) == expected(schedule)[:, 0]).all()


def train(optimizer: "optax.GradientTransformation", params: dict, grads: dict, values: object = None) -> dict:
    state = optimizer.init(params)
    for update in range(40):
        if values is not None:
            lr, wd = values[update]
            state.hyperparams.update(learning_rate=lr, weight_decay=wd)
        changes, state = optimizer.update(grads, state, params)
        params = optax.apply_updates(params, changes)
    return params


def test_another_number_of_updates_is_refused(schedule: Schedule) -> None:
    with pytest.raises(ConfigError, match="is 40 updates, and the trainer makes 18"):
        lr_schedule(schedule, num_training_steps=18)


def test_a_run_without_an_end_needs_one() -> None:
    schedule = Schedule(max_lr=1e-3, lr_decay_steps=40, clock="iters", lr_decay_style="linear")
    with pytest.raises(ConfigError, match="train_iters: is missing: give it, or num_training_steps"):
        lr_schedule(schedule)
    assert lr_schedule(schedule, num_training_steps=40)(20) == numpy.float32(5e-4)


def test_weight_decay_that_is_not_scheduled_is_refused() -> None:
    with pytest.raises(ConfigError, match="start_wd: is missing: the schedule has no weight decay"):
        wd_schedule(Schedule(max_lr=1e-3, train_iters=40, clock="iters", lr_decay_style="linear"))


def test_the_script_of_the_page_runs(tmp_path: Path) -> None:
    printed = pages.run_scripts("use-in-jax-and-keras.md", tmp_path, "train_optax.py")
    assert "learning_rate" in printed
