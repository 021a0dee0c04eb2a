"""Where each iteration lies, against Megatron's own calculators of the batch size."""

from argparse import Namespace
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from megatron.core import num_microbatches_calculator as calculators

from schedframe import Schedule
from schedframe._units.batches import constant, ramped, stepped
from schedframe.megatron._launch.fill import fill, unreached
from schedframe.megatron._versions import takes_ramps

from ..runs import Optimizer


def consumed_by(calculator, iterations):
    """Samples that are consumed after each iteration, as Megatron's training loop counts them."""
    consumed, counts = 0, [0]
    for _ in range(iterations):
        calculator.update(consumed, consistency_check=False)
        consumed += calculator.get_current_running_global_batch_size()
        counts.append(consumed)
    return counts


def megatron_ramp(start, increment, samples, size, *, micro=1, data_parallel=1, decrease=False):
    return calculators.RampupBatchsizeNumMicroBatchesCalculator(
        size, micro, data_parallel, decrease, 1, start, increment, samples
    )


ramps_up = pytest.mark.skipif(not takes_ramps(), reason="Megatron Core ignores a ramp-up from 0.18 on")
ramps = st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 20_000), st.integers(1, 30))


@ramps_up
@given(ramp=ramps)
def test_a_ramp_is_megatrons_at_every_iteration(ramp):
    start, increment, samples, increments = ramp
    size = start + increments * increment
    sizes = ramped(start, increment, samples, size)
    iterations = min(2 * samples // start + 20, 3000)
    counts = consumed_by(megatron_ramp(start, increment, samples, size), iterations)
    assert [sizes.samples_at((i, 1)) for i in range(iterations + 1)] == [(count, 1) for count in counts]
    assert [Fraction(*sizes.iters_at((count, 1))) for count in counts] == list(range(iterations + 1))


@ramps_up
@given(ramp=ramps, micro=st.integers(1, 4), data_parallel=st.integers(1, 4))
def test_a_ramp_that_is_decreased_is_megatrons(ramp, micro, data_parallel):
    start, increment, samples, increments = ramp
    assume(start >= micro * data_parallel)
    size = start + increments * increment
    sizes = ramped(start, increment, samples, size, micro * data_parallel)
    calculator = megatron_ramp(start, increment, samples, size, micro=micro, data_parallel=data_parallel, decrease=True)
    iterations = min(2 * samples // start + 20, 1000)
    counts = consumed_by(calculator, iterations)
    assert [sizes.samples_at((i, 1)) for i in range(iterations + 1)] == [(count, 1) for count in counts]


@pytest.mark.parametrize(("size", "divisor", "running"), [(100, 1, 100), (100, 8, 96), (8, 8, 8)])
def test_one_size_is_megatrons(size, divisor, running):
    calculator = calculators.ConstantNumMicroBatchesCalculator(size, divisor, 1, True, 1)
    assert constant(size, divisor).samples_at((7, 1)) == (7 * running, 1)
    assert consumed_by(calculator, 7)[-1] == 7 * running


sizes = {"size": st.integers(1, 400), "micro": st.integers(1, 4), "data_parallel": st.integers(1, 8)}


def decreased(size, micro, data_parallel, **keys):
    """A run whose batches Megatron decreases to a multiple of what the ranks take at once, and its arguments."""
    batches = {"global_batch_size": size, "micro_batch_size": micro, "data_parallel_size": data_parallel}
    schedule = Schedule(max_lr=1.0, **batches, decrease_batch_size_if_needed=True, **keys)
    args = Namespace(train_samples=None, train_iters=None)
    fill(args, schedule, ())
    return schedule, args


@given(**sizes, iterations=st.integers(2, 200))
def test_iterations_of_decreased_batches_stay_what_they_are(size, micro, data_parallel, iterations):
    assume(size >= micro * data_parallel)
    schedule, args = decreased(size, micro, data_parallel, train_iters=iterations, lr_warmup_steps="1 iters")
    calculator = calculators.ConstantNumMicroBatchesCalculator(size, micro, data_parallel, True, 1)
    assert schedule.train_steps == consumed_by(calculator, iterations)[-1]
    assert (args.train_iters, args.lr_decay_iters, args.lr_warmup_iters) == (iterations, iterations, 1)
    assert args.train_samples is None


@given(**sizes, samples=st.integers(400, 9000))
def test_samples_in_decreased_batches_are_all_trained(size, micro, data_parallel, samples):
    assume(size >= micro * data_parallel)
    _, args = decreased(size, micro, data_parallel, train_samples=samples)
    calculator = calculators.ConstantNumMicroBatchesCalculator(size, micro, data_parallel, True, 1)
    consumed = consumed_by(calculator, args.train_iters + 1)
    assert consumed[-2] <= samples < consumed[-1]


RAMPED = getattr(calculators, "RampupBatchsizeNumMicroBatchesCalculator", None)


@pytest.mark.skipif(RAMPED is None, reason="Megatron Core has no ramp-up of the batch size from 0.18 on")
@given(ramp=ramps, micro=st.integers(1, 4), data_parallel=st.integers(1, 4), iterations=st.integers(1, 300))
def test_a_ramp_of_decreased_batches_ends_in_the_sample_where_megatrons_does(ramp, micro, data_parallel, iterations):
    start, increment, samples, increments = ramp
    assume(start >= micro * data_parallel)
    size = start + increments * increment
    keys = {"rampup_batch_size": [start, increment, samples], "train_iters": iterations}
    schedule, args = decreased(size, micro, data_parallel, **keys)
    calculator = megatron_ramp(start, increment, samples, size, micro=micro, data_parallel=data_parallel, decrease=True)
    consumed = consumed_by(calculator, iterations)
    assert args.train_samples == args.lr_decay_samples == schedule.train_steps == consumed[-1]
    assert schedule.units_at(consumed[-1])["iters"] == iterations


@pytest.mark.parametrize(
    ("iterations", "said"),
    [
        (100, "Megatron trains 100 iterations, which are 800 of 1000 samples: it does not count that batches are"),
        (125, ""),
        (124, "Megatron trains 124 iterations, which are 992 of 1000 samples"),
    ],
)
def test_samples_that_megatron_does_not_train_are_reported(iterations, said):
    schedule, args = decreased(10, 4, 2, train_samples=1000)
    args.train_iters = iterations
    assert unreached(args, schedule).startswith(said)
    assert bool(unreached(args, schedule)) == bool(said)


STEPPED = getattr(calculators, "StepBatchsizeNumMicroBatchesCalculator", None)


@pytest.mark.skipif(STEPPED is None, reason="Megatron Core has step schedules of the batch size from 0.17 on")
def test_a_step_schedule_is_megatrons():
    schedule = "0:8,100:64 1K:16, 5K:24"
    counts = consumed_by(STEPPED(1, 1, False, 1, schedule, 4), 300)
    sizes = stepped(schedule, 4)
    assert [sizes.samples_at((i, 1)) for i in range(301)] == [(count, 1) for count in counts]


RUN = {"max_lr": 1.0, "lr_warmup_steps": "10 iters", "global_batch_size": 16, "rampup_batch_size": [8, 8, 160]}
TAIL = {"style": "WSD", "wsd_decay_steps": "20 iters", "lr_wsd_decay_style": "linear"}


@ramps_up
def test_a_run_in_iterations_is_what_it_says_under_a_ramp():
    """NVIDIA-NeMo/Megatron-Bridge issue 2609: there the peak comes at 20, decay begins at 90, and the end is 0.5."""
    schedule = Schedule(**RUN, train_iters=100, lr_decay_style=TAIL)
    scheduler = schedule.build(Optimizer())
    calculator = megatron_ramp(8, 8, 160, 16)
    lrs, consumed = [scheduler.get_lr({})], 0
    for _ in range(100):
        calculator.update(consumed, consistency_check=False)
        size = calculator.get_current_running_global_batch_size()
        consumed += size
        scheduler.step(size)
        lrs.append(scheduler.get_lr({}))
    assert lrs[9] < lrs[10] == lrs[80] == 1.0 > lrs[81]
    assert lrs[5] == 0.5
    assert lrs[90] == 0.5
    assert lrs[100] == schedule.min_lr == 0.0
    assert scheduler.num_steps == schedule.lr_decay_steps == schedule.train_steps == 1440


def test_the_same_run_in_samples_is_megatrons():
    from megatron.core.optimizer_param_scheduler import OptimizerParamScheduler

    said = {"init_lr": 0.0, "max_lr": 1.0, "min_lr": 0.0, "start_wd": 0.1, "end_wd": 0.1, "wd_incr_steps": 1600}
    theirs = OptimizerParamScheduler(
        Optimizer(),
        **said,
        lr_warmup_steps=160,
        lr_decay_steps=1600,
        lr_decay_style="WSD",
        wd_incr_style="constant",
        wsd_decay_steps=320,
        lr_wsd_decay_style="linear",
    )
    ours = Schedule(
        **{key: value for key, value in said.items() if key != "wd_incr_steps"},
        global_batch_size=16,
        train_samples=1600,
        lr_warmup_steps="160 samples",
        lr_decay_style={**TAIL, "wsd_decay_steps": "320 samples"},
    ).build(Optimizer())
    for _ in range(210):
        theirs.step(8)
        ours.step(8)
        assert ours.optimizer.param_groups[0]["lr"] == theirs.optimizer.param_groups[0]["lr"]
