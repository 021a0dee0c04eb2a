"""The one file that every trainer is given, and what every trainer must then run."""

from pathlib import Path
from typing import Any

import torch

import schedframe

UPDATES = 40
"""Length of the run of `FILE`."""

FILE = """\
train_samples: 320
global_batch_size: 8
seq_length: 128
max_lr: 1e-3
min_lr: 1e-4
lr_warmup_steps: 4 iters
lr_decay_style: {style: WSD, wsd_decay_steps: 10 iters, lr_wsd_decay_style: minus_sqrt}
start_wd: 0.1
end_wd: 0.01
wd_incr_style: cosine
groups:
  - {role: head, match: {param: "*head*"}, lr_mult: 0.5}
"""

Values = list[list[float]]
"""Learning rate and weight decay of each param group."""


class Net(torch.nn.Module):
    """Matrices and biases in a body and in a head, which a rule of `FILE` names."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = torch.nn.Linear(4, 8)
        self.head = torch.nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.tanh(self.body(x)))


def write_file(folder: Path, text: str = FILE) -> Path:
    """Write the file into `folder`."""
    path = folder / "run.yaml"
    path.write_text(text)
    return path


def values_of(optimizer: Any) -> Values:
    """Return what the groups of `optimizer` hold."""
    return [[float(group["lr"]), float(group["weight_decay"])] for group in optimizer.param_groups]


def expected(groups: list[dict[str, Any]], schedule: schedframe.Schedule, updates: int = UPDATES) -> list[Values]:
    """Return what the Megatron drop-in writes into `groups` for each update, stepped by the samples of its batch."""
    optimizer = torch.optim.AdamW([dict(group) for group in groups], lr=1.0, weight_decay=0.1)
    scheduler = schedule.build(optimizer)
    values = []
    for _ in range(updates):
        values.append(values_of(optimizer))
        scheduler.step(schedule.global_batch_size)
    return values
