"""What frameworks of PyTorch have in common: a scheduler is stepped after every update."""

from collections.abc import Callable
from typing import Any

import torch


def optimizer_with(lr: float) -> torch.optim.Optimizer:
    """Return an optimizer of one parameter."""
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)


def trained(optimizer: Any, updates: int, step: Callable[[], Any]) -> list[float]:
    """Return the learning rate of each update of `optimizer`; `step` steps the scheduler after it."""
    read = []
    for _ in range(updates):
        read.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        step()
    return read


def stepped(make: Callable[..., Any], lr: float, updates: int, **options: Any) -> Callable[[], list[float]]:
    """Return what makes a scheduler with its `options`, steps it after each update, and returns the learning rates."""

    def rates() -> list[float]:
        optimizer = optimizer_with(lr)
        return trained(optimizer, updates, make(optimizer, **options).step)

    return rates
