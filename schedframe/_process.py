"""What is logged, once for all ranks."""

import functools
import logging
import os
import sys
from collections.abc import Iterable
from typing import Any

_logger = logging.getLogger("schedframe")


def log_once(message: str, *arguments: object, warn: bool = False) -> None:
    """Log on the first rank only, at level INFO, or WARNING where `warn`."""
    if is_first_rank():
        _logger.log(logging.WARNING if warn else logging.INFO, message, *arguments)


@functools.cache
def log_the_first_time(message: str, *arguments: str) -> None:
    """Log at level INFO, on the first rank, and never the same again in this process."""
    log_once(message, *arguments)


def is_first_rank() -> bool:
    """Return whether this process reports for all; torch is not imported to find out."""
    distributed = getattr(sys.modules.get("torch"), "distributed", None)
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return bool(distributed.get_rank() == 0)
    return os.environ.get("RANK", "0") == "0"


def gathered(value: Any, process_group: Any) -> Iterable[Any]:
    """`value` of each rank; of the only one where torch.distributed is not initialised."""
    distributed = getattr(sys.modules.get("torch"), "distributed", None)
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return [value]
    if distributed.get_rank(process_group) < 0:
        return [value]
    everyone: list[Any] = [None] * distributed.get_world_size(process_group)
    distributed.all_gather_object(everyone, value, group=process_group)
    return everyone
