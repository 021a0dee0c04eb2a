"""Where each iteration lies, against Megatron's own calculators of the batch size."""

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from megatron.core import num_microbatches_calculator as calculators

from schedframe import Schedule
from schedframe._units.batches import constant, ramped, stepped

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


ramps = st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 20_000), st.integers(1, 30))


@given(ramp=ramps)
def test_a_ramp_is_megatrons_at_every_iteration(ramp):
    start, increment, samples, increments = ramp
    size = start + increments * increment
    sizes = ramped(start, increment, samples, size)
    iterations = min(2 * samples // start + 20, 3000)
    counts = consumed_by(megatron_ramp(start, increment, samples, size), iterations)
    assert [sizes.samples_at(Fraction(i)) for i in range(iterations + 1)] == counts
    assert [sizes.iters_at(Fraction(count)) for count in counts] == list(range(iterations + 1))


@given(ramp=ramps, micro=st.integers(1, 4), data_parallel=st.integers(1, 4))
def test_a_ramp_that_is_decreased_is_megatrons(ramp, micro, data_parallel):
    start, increment, samples, increments = ramp
    assume(start >= micro * data_parallel)
    size = start + increments * increment
    sizes = ramped(start, increment, samples, size, micro * data_parallel)
    calculator = megatron_ramp(start, increment, samples, size, micro=micro, data_parallel=data_parallel, decrease=True)
    iterations = min(2 * samples // start + 20, 1000)
    counts = consumed_by(calculator, iterations)
    assert [sizes.samples_at(Fraction(i)) for i in range(iterations + 1)] == counts


@pytest.mark.parametrize(("size", "divisor", "running"), [(100, 1, 100), (100, 8, 96), (8, 8, 8)])
def test_one_size_is_megatrons(size, divisor, running):
    calculator = calculators.ConstantNumMicroBatchesCalculator(size, divisor, 1, True, 1)
    assert constant(size, divisor).samples_at(Fraction(7)) == 7 * running
    assert consumed_by(calculator, 7)[-1] == 7 * running


STEPPED = getattr(calculators, "StepBatchsizeNumMicroBatchesCalculator", None)


@pytest.mark.skipif(STEPPED is None, reason="Megatron Core has step schedules of the batch size from 0.17 on")
def test_a_step_schedule_is_megatrons():
    schedule = "0:8,100:64 1K:16, 5K:24"
    counts = consumed_by(STEPPED(1, 1, False, 1, schedule, 4), 300)
    sizes = stepped(schedule, 4)
    assert [sizes.samples_at(Fraction(i)) for i in range(301)] == counts


RUN = {"max_lr": 1.0, "lr_warmup_steps": "10 iters", "global_batch_size": 16, "rampup_batch_size": [8, 8, 160]}
TAIL = {"style": "WSD", "wsd_decay_steps": "20 iters", "lr_wsd_decay_style": "linear"}


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
