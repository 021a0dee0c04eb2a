"""Logs of runs that never ran: what each format would have of a learning rate."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from schedframe import Schedule

LINE = (
    " [2025-01-01 10:00:00.123456] iteration {n:8d}/{end:8d} | consumed samples: {samples:12d} | elapsed time per "
    "iteration (ms): 101.5 | learning rate: {lr} | global batch size: {size:5d} | lm loss: 2.345678E+00 | loss scale: "
    "1.0 | grad norm: 0.123 | number of skipped iterations: {skipped:3d} | number of nan iterations:   0 |"
)
"""What Megatron-LM prints for an iteration."""

KEYS = {
    "max_lr": 3e-4,
    "min_lr": 3e-5,
    "lr_warmup_steps": "100 iters",
    "train_iters": 1000,
    "global_batch_size": 8,
    "lr_decay_style": "cosine",
}
"""A run of 1000 iterations."""

Rate = Callable[[int], float]
"""The learning rate that is logged at an iteration."""


def of(schedule: Schedule, iteration: float) -> float:
    """Return the learning rate of the update after `iteration` updates."""
    return schedule.lr_at(schedule.step_at(f"{iteration} iters"))


def lines(
    rate: Rate,
    iterations: Iterable[int],
    *,
    digits: int = 6,
    size: int = 8,
    skipped: Callable[[int], int] = lambda n: 0,
) -> Iterator[str]:
    """Yield what Megatron-LM prints."""
    for n in iterations:
        lr = f"{rate(n):.{digits}E}"
        yield LINE.format(n=n, end=1000, samples=n * size, lr=lr, size=size, skipped=skipped(n))


def write(path: Path, text: Iterable[str]) -> Path:
    """Write lines into the file at `path`."""
    path.write_text("\n".join(text) + "\n")
    return path
