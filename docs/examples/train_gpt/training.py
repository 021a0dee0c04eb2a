"""Megatron's training loop, with the learning rate and the weight decay of a schedule."""

from collections.abc import Iterator

import gpt
import text
import torch
import torch.distributed as dist
from history import Row, held
from megatron.core.distributed import DistributedDataParallel, finalize_model_grads
from megatron.core.optimizer import MegatronOptimizer

from schedframe import OptimizerParamScheduler, Schedule


def build_optimizer(
    model: DistributedDataParallel, schedule: Schedule
) -> tuple[MegatronOptimizer, OptimizerParamScheduler]:
    """Return the optimizer and its scheduler; what OptimizerConfig is told comes from the schedule as well.

    Megatron copies it into the param groups, where it wins over the scheduler. `Schedule.build` refuses groups
    that say something else than the schedule.

    Raises:
        ConfigError: the groups contradict the schedule.
    """
    optimizer = gpt.build_optimizer(model, schedule.max_lr, schedule.min_lr, schedule.start_wd or 0.0)
    return optimizer, schedule.build(optimizer)


def train(
    model: DistributedDataParallel,
    optimizer: MegatronOptimizer,
    scheduler: OptimizerParamScheduler,
    data: torch.Tensor,
    iterations: int,
    batch: int,
    length: int,
) -> Iterator[Row]:
    """Train, yielding a row before each update and one after the last.

    Args:
        model: what is trained.
        optimizer: Megatron's, of `model`.
        scheduler: schedframe's, of `optimizer`.
        data: the text.
        iterations: number of updates.
        batch: samples in one update, over all ranks.
        length: tokens in one sample.
    """
    rank, ranks = dist.get_rank(), dist.get_world_size()
    step = 0
    for iteration in range(iterations + 1):
        model.zero_grad_buffer()
        optimizer.zero_grad()
        first = iteration * batch
        loss = gpt.loss_of(model, text.samples(data, range(first + rank, first + batch, ranks), length))
        yield Row(iteration, step, gpt.mean_over_ranks(loss), held(optimizer.param_groups))
        if iteration == iterations:
            return
        loss.backward()
        finalize_model_grads([model])
        updated, _, _ = optimizer.step()
        if updated:
            scheduler.step(increment=batch)
            step += batch
