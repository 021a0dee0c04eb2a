"""A schedule in a loop of Hugging Face accelerate: ``scheduler_for(accelerator, optimizer, "run.yaml")``, then prepare.

The scheduler is given to ``accelerator.prepare``, before or after the optimizer, and saved and loaded by ``save_state``
and ``load_state``. accelerate's wrapper decides when it is stepped, so that the loop calls ``scheduler.step()`` once in
each ``accelerator.accumulate`` block.
"""

from typing import Any

from accelerate import Accelerator

from schedframe.adapters._updates import ScheduleLike
from schedframe.adapters.torch import ScheduledLR


def scheduler_for(accelerator: Accelerator, optimizer: Any, schedule: ScheduleLike, **options: Any) -> ScheduledLR:
    """Return the scheduler of `schedule`, which counts the calls that `accelerator` makes for each update.

    The scheduler that ``accelerator.prepare`` returns forwards ``step()`` only at the end of a window of gradient
    accumulation, not after an update that mixed precision skipped, and ``num_processes`` times then, so that it goes on
    as if the batch of each process were an update. Only once it does so with ``split_batches``, where the batch of an
    update is that of the loader, and with ``step_scheduler_with_optimizer=False``, where it forwards every call of the
    loop (huggingface/accelerate:src/accelerate/scheduler.py at v1.15.0).

    Args:
        accelerator: the ``Accelerator`` that prepares the result.
        optimizer: a torch optimizer, as it is or as ``accelerator.prepare`` returns it.
        schedule: a `Schedule`, or the path of its file.
        options: arguments of `ScheduledLR`: ``num_training_steps``, the number of updates, not multiplied by the number
            of processes, ``last_epoch``, ``allow_jump``, ``override_opt_param_scheduler`` and others.

    Raises:
        ConfigError: see `ScheduledLR`.
        StateError: see `ScheduledLR`.
    """
    is_once = accelerator.split_batches or not accelerator.step_scheduler_with_optimizer
    return ScheduledLR(optimizer, schedule, calls_per_update=1 if is_once else accelerator.num_processes, **options)
