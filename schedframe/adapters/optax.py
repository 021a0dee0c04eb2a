"""Schedules as functions of optax, from the number of updates to a value.

Optax evaluates a schedule at the number of updates that were made before this one
(google-deepmind/optax:optax/_src/transform.py at v0.2.8, ``scale_by_schedule``). The functions look the value up in a
table with one number for each update, so that they run under ``jax.jit`` on every device and give exactly the numbers
of the schedule, rounded to float32, or to float64 with ``jax_enable_x64``. The table takes 4 bytes an update.

After the end of the run the last value stays. Before the start of a schedule that continues another run it is NaN.
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from schedframe.adapters._table import lrs_by_update, wds_by_update
from schedframe.adapters._updates import ScheduleLike

Count = Any
"""How many updates were made: a number, or a traced array of JAX."""


def lr_schedule(
    schedule: ScheduleLike, *, num_training_steps: int | None = None, role: str | None = None
) -> Callable[[Count], Any]:
    """Return the learning rate as a schedule of optax, for ``optax.adamw(learning_rate=...)``.

    Args:
        schedule: a `Schedule`, or the path of its file. One update is one of its iterations.
        num_training_steps: how many updates the loop makes. It must be the length of the schedule's run; a schedule
            without one is evaluated for this one.
        role: the param groups whose learning rate it is: the name of a rule of ``groups``, several with ``+`` between
            them, or by default ``default``; for ``optax.partition``.

    Raises:
        ConfigError: the schedule has problems, its run has another length, or there is none.
        ValueError: there is no such rule.
    """
    return _function(lrs_by_update(schedule, num_training_steps, role))


def wd_schedule(
    schedule: ScheduleLike, *, num_training_steps: int | None = None, role: str | None = None
) -> Callable[[Count], Any]:
    """Return the weight decay as a schedule of optax, for ``optax.adamw(weight_decay=...)``.

    The arguments are those of `lr_schedule`.

    Raises:
        ConfigError: as for `lr_schedule`, or the schedule has no weight decay.
        ValueError: there is no such rule.
    """
    return _function(wds_by_update(schedule, num_training_steps, role))


def _function(values: list[float]) -> Callable[[Count], Any]:
    table = jnp.asarray(values, dtype=float)
    return lambda count: table[jnp.minimum(count, len(values) - 1)]
