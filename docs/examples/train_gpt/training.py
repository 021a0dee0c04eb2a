"""Megatron's training loop, with the learning rate and the weight decay of a schedule, and its checkpoint."""

from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

import gpt
import text
import torch
import torch.distributed as dist
from history import Row, held
from megatron.core.distributed import DistributedDataParallel, finalize_model_grads
from megatron.core.optimizer import MegatronOptimizer

from schedframe import OptimizerParamScheduler, Schedule


class Parts(NamedTuple):
    """What is trained, and with what: all that a checkpoint has."""

    model: DistributedDataParallel
    optimizer: MegatronOptimizer
    opt_param_scheduler: OptimizerParamScheduler

    def save(self, file: BinaryIO) -> None:
        """Write a checkpoint."""
        torch.save({name: part.state_dict() for name, part in self._asdict().items()}, file)

    def load(self, file: BinaryIO) -> None:
        """Read a checkpoint: the scheduler last, because it restores the bounds of the optimizer's groups."""
        state: dict[str, Any] = torch.load(file, weights_only=True)
        for name, part in self._asdict().items():
            part.load_state_dict(state[name])


def build_optimizer(
    model: DistributedDataParallel, schedule: Schedule
) -> tuple[MegatronOptimizer, OptimizerParamScheduler]:
    """Return the optimizer and its scheduler; the values of OptimizerConfig come from the schedule as well.

    Megatron copies them into the param groups, where they take precedence over the scheduler. `Schedule.build` refuses
    groups whose bounds differ from the schedule.

    Raises:
        ConfigError: the groups contradict the schedule.
    """
    optimizer = gpt.build_optimizer(model, schedule.max_lr, schedule.min_lr, schedule.start_wd or 0.0)
    return optimizer, schedule.build(optimizer)


def train(parts: Parts, data: torch.Tensor, iterations: int, batch: int, length: int) -> Iterator[Row]:
    """Train from where the scheduler is, yielding a row before each update and one after the last.

    Args:
        parts: the model, its optimizer, and the scheduler of that.
        data: the text.
        iterations: number of updates, from the start of the run.
        batch: samples in one update, over all ranks.
        length: tokens in one sample.
    """
    model, optimizer, scheduler = parts
    rank, ranks = dist.get_rank(), dist.get_world_size()
    step = int(scheduler.num_steps)
    for iteration in range(step // batch, iterations + 1):
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
