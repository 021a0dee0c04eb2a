"""What is logged, once for all ranks."""

import logging
import os
import sys

_logger = logging.getLogger("schedframe")


def log_once(message: str, *arguments: object) -> None:
    """Log at level INFO, on the first rank only."""
    if _is_first_rank():
        _logger.info(message, *arguments)


def _is_first_rank() -> bool:
    """Say whether this process should speak for all; torch is not imported to find out."""
    distributed = getattr(sys.modules.get("torch"), "distributed", None)
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return bool(distributed.get_rank() == 0)
    return os.environ.get("RANK", "0") == "0"
