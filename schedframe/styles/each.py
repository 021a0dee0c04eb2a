"""The style that multiplies the learning rate again and again."""

from collections.abc import Sequence
from math import ceil, floor
from typing import Literal, final

from pydantic import Field, model_validator

from schedframe._units.lengths import Length
from schedframe._units.numbers import Share, settled
from schedframe.styles._base import LRPoint, LRStyle

_MOST_JUMPS = 400


@final
class Each(LRStyle):
    """An exponential decay: the learning rate is multiplied by a factor in every stretch of a length.

    The options are the numbers of PyTorch's ``ExponentialLR`` and ``StepLR``, of optax's and Keras' exponential decay
    and of EfficientNet's::

        lr_decay_style: {style: each, factor: 97%, every: 2.4 epochs, stairs: true}

    Formula:
        lr = max(min_lr, max_lr * factor**(t / every)), t the steps since the end of the warmup; with stairs the
        exponent is the whole number of stretches that are over

    At the edges:
        The peak where the warmup ends. A stair begins at its boundary, or with ``boundaries: closed`` one update later.
        It goes on past lr_decay_steps, and never falls below min_lr.

    Examples:
        >>> steady, stairs = Each(factor=0.25, every=10), Each(factor=0.5, every=10, stairs=True)
        >>> [steady.lr(LRPoint(step, 0, 100, max_lr=1.0, min_lr=0.0)) for step in (0, 5, 10)]
        [1.0, 0.5, 0.25]
        >>> [stairs.lr(LRPoint(step, 0, 100, max_lr=1.0, min_lr=0.0)) for step in (9, 10, 20, 100)]
        [1.0, 0.5, 0.25, 0.0009765625]

    References:
        torch.optim.lr_scheduler.ExponentialLR and StepLR, pytorch/pytorch:torch/optim/lr_scheduler.py at v2.13.0;
        exponential_decay, google-deepmind/optax:optax/schedules/_schedule.py at v0.2.8
    """

    style: Literal["each"] = "each"
    factor: Share = Field(description="What the learning rate is multiplied by in each stretch: 0.97 or 97%.")
    every: Length = Field(description="Length of a stretch.")
    stairs: bool = Field(default=False, description="Multiply at the end of each stretch, not steadily within it.")
    boundaries: Literal["open", "closed"] = Field(
        default="open", description="Whether a stair begins at its boundary, or one update later."
    )

    @model_validator(mode="after")
    def _has_a_length(self) -> "Each":
        if self.every <= 0:
            raise ValueError("every must be above 0")
        return self

    def lr(self, point: LRPoint) -> float:
        """Return the peak times the power of the factor, at least min_lr."""
        count = float(point.step - point.warmup_steps) / float(self.every)
        if self.stairs:
            count = settled(count)
            count = floor(count) if self.boundaries == "open" else max(ceil(count) - 1, 0)
        return float(max(point.min_lr, point.max_lr * self.factor**count))

    def jumps_at(self, warmup_steps: float, decay_steps: float) -> Sequence[float]:
        """Return where the first stairs begin, four hundred at most."""
        if not self.stairs:
            return ()
        count = min(ceil((decay_steps - warmup_steps) / self.every), _MOST_JUMPS)
        return [warmup_steps + number * self.every for number in range(1, count + 1)]
