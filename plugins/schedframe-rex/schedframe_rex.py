"""REX, the reflected exponential learning-rate style, for schedframe."""

from typing import Literal, final

from pydantic import Field

from schedframe.styles import LRCurve


@final
class Rex(LRCurve):
    """Reflected exponential: it holds the learning rate high for long, then falls fast at the end.

    It lies above ``linear``, and the more so the larger beta is: near 0 it is almost linear, near 1 it stays
    at the peak and drops at the very end. With beta 0.5 it is the profile of the paper,
    (1 - p) / (1/2 + (1 - p)/2).

    Formula:
        c = (1 - p) / (1 - beta * p)

    At the edges:
        max_lr where the warmup ends, min_lr at lr_decay_steps and after, both exactly.

    Examples:
        >>> Rex().coefficient(0.0), Rex().coefficient(0.5), Rex().coefficient(1.0)
        (1.0, 0.6666666666666666, 0.0)

    References:
        REX: Revisiting Budgeted Training with an Improved Schedule, https://arxiv.org/abs/2107.04197
    """

    style: Literal["rex"] = "rex"
    beta: float = Field(0.5, gt=0, lt=1, description="How late the curve falls: near 0 it is almost linear.")

    def coefficient(self, progress: float) -> float:
        """Return (1 - p) / (1 - beta * p)."""
        return (1.0 - progress) / (1.0 - self.beta * progress)
