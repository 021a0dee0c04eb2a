"""A schedule as the ``lr_scheduler`` of ``deepspeed.initialize``.

DeepSpeed takes a scheduler, or a callable that makes one for the optimizer; `lr_scheduler` returns such a callable. The
engine steps the scheduler at the boundary of gradient accumulation, after each update that did not overflow, and saves
its state with its checkpoints (deepspeedai/DeepSpeed:deepspeed/runtime/engine.py at v0.19.6, ``_take_model_step``).

`schedframe.adapters.torch.ScheduledLR` on the optimizer that the engine gets works too; this module adds the check of
the config.
"""

from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import hjson

from schedframe._errors import ConfigError, Problem
from schedframe.adapters._updates import ScheduleLike
from schedframe.adapters.torch import ScheduledLR

Config = Mapping[str, Any] | str | PathLike[str]
"""DeepSpeed's config, or the path of its file."""


def lr_scheduler(
    schedule: ScheduleLike, *, config: Config | None = None, **options: Any
) -> Callable[[Any], ScheduledLR]:
    """Return what makes the scheduler for the optimizer of the engine.

    Args:
        schedule: a `Schedule`, or the path of its file. One update, a ``train_batch_size``, is one of its iterations.
        config: what ``deepspeed.initialize`` gets as its config, to be checked.
        options: those of `ScheduledLR`, such as ``num_training_steps``.

    Raises:
        ConfigError: `config` has a ``scheduler`` block, which DeepSpeed ignores beside a scheduler that is passed, or
            cannot be read. What is returned raises the errors of `ScheduledLR`.
    """
    if config is not None:
        _check(config)
    return lambda optimizer: ScheduledLR(optimizer, schedule, **options)


def _check(config: Config) -> None:
    where, table = ("config", config) if isinstance(config, Mapping) else (str(config), _read(Path(config)))
    if table.get("scheduler") is not None:
        fault = "is ignored by DeepSpeed beside a scheduler that is passed to deepspeed.initialize; remove this block"
        raise ConfigError(where, [Problem("scheduler", fault, str(table["scheduler"]))])


def _read(path: Path) -> Mapping[str, Any]:
    """Read the file as DeepSpeed does, as Hjson, of which JSON is a part."""
    try:
        table: Mapping[str, Any] = hjson.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(str(path), [Problem("", f"cannot be read as DeepSpeed's config: {error}")]) from None
    return table
