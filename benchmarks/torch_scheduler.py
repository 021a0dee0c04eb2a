"""The time of one ``step()`` of `ScheduledLR` against ``LambdaLR`` with the same warmup and cosine.

``LambdaLR`` sets the learning rate alone; ours sets weight decay too. The peer's function is written as
transformers writes it (huggingface/transformers:src/transformers/optimization.py at v5.0.0), one for each group.
"""

import math
import sys
import warnings

import table
import torch
from torch.optim.lr_scheduler import LambdaLR

from schedframe import Schedule
from schedframe.adapters.torch import ScheduledLR

WARMUP, TOTAL, STEPS = 2_000, 10_000_000, 2_000
SCHEDULE = Schedule(
    clock="iters",
    train_iters=TOTAL,
    max_lr=1e-3,
    lr_warmup_steps=WARMUP,
    lr_decay_style="cosine",
    start_wd=0.1,
    end_wd=0.01,
    wd_incr_style="cosine",
)
LIMITS = {1: 1.3, 2: 1.0, 8: 0.8, 100: 0.5}
"""At most so many times the peer's time, by the number of param groups."""


def share(step: int) -> float:
    if step < WARMUP:
        return float(step) / float(max(1, WARMUP))
    progress = float(step - WARMUP) / float(max(1, TOTAL - WARMUP))
    return max(0.0, 0.5 * (1.0 + math.cos(math.pi * 0.5 * 2.0 * progress)))


def optimizer(groups: int) -> torch.optim.Optimizer:
    return torch.optim.AdamW([{"params": [torch.nn.Parameter(torch.zeros(1))]} for _ in range(groups)], lr=1e-3)


def stepped(scheduler: torch.optim.lr_scheduler.LRScheduler):
    def step() -> None:
        for _ in range(STEPS):
            scheduler.step()

    return step


def main() -> int:
    options = table.arguments(__doc__, pairs=9)
    warnings.simplefilter("ignore")  # no optimizer steps before the scheduler
    rows = table.Table("step() against LambdaLR", "ms")
    for groups, limit in LIMITS.items():
        ours, peer = ScheduledLR(optimizer(groups), SCHEDULE), LambdaLR(optimizer(groups), share)
        ours.step(epoch=WARMUP)
        peer.last_epoch = WARMUP
        rows.measure(f"{STEPS} steps, {groups} param groups", limit, stepped(ours), stepped(peer), options.pairs)
    return rows.finish(options.json)


if __name__ == "__main__":
    sys.exit(main())
