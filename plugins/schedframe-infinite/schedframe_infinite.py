"""The infinite learning-rate schedule, for schedframe."""

import math
from typing import Literal, final

from pydantic import Field

from schedframe.styles import Cooldown, CooldownLength, Length, LRPoint, LRStyle
from schedframe.styles.lr import Geometric


@final
class Infinite(LRStyle):
    """A cooldown to a constant learning rate, a constant phase of any length, and an exponential anneal.

    With ``anneal_steps: 0`` and ``lr_decay_steps: open`` the constant has no end.

    Formula:
        k = max_lr * constant, t the steps since the end of the warmup
        cooldown, cosine:               lr = k + (max_lr - k) / 2 * (cos(pi * t / cooldown_steps) + 1)
        cooldown, inverse-square-root:  lr = max_lr + (k - max_lr) / h(1) * h(t / cooldown_steps),
                                        h(x) = 1 / sqrt(1 + timescale * x) - 1
        constant:                       lr = k
        anneal:                         lr = k * (min_lr / k)**q, q its progress

    At the edges:
        max_lr where the warmup ends, min_lr at lr_decay_steps and after, if there is an anneal; the constant where
        there is none.

    Examples:
        >>> style = Infinite(cooldown_steps=100, constant=0.5, anneal_steps=100)
        >>> [round(style.lr(LRPoint(step, 0, 1000, 1.0, 0.005)), 6) for step in (0, 50, 100, 900, 950, 1000, 2000)]
        [1.0, 0.75, 0.5, 0.5, 0.05, 0.005, 0.005]

    References:
        Simple and Scalable Strategies to Continually Pre-train Large Language Models, section 7.4,
        https://arxiv.org/abs/2403.08763
    """

    style: Literal["infinite"] = "infinite"
    cooldown_steps: Length = Field(description="Length of the cooldown, from the end of the warmup on.")
    cooldown_style: Literal["cosine", "inverse-square-root"] = Field("cosine", description="Curve of the cooldown.")
    timescale: float = Field(10.0, gt=0, description="How fast inverse-square-root falls first.")
    constant: float = Field(0.55, gt=0, le=1, description="The constant, as a part of the peak.")
    anneal_steps: CooldownLength = Field(description="Length of the anneal at the end; 0 for none.")

    def lr(self, point: LRPoint) -> float:
        """Return the value of the phase at this step.

        Raises:
            ValueError: the phases do not fit, the constant lies below min_lr, or the anneal would end at 0.
        """
        constant, since = point.max_lr * self.constant, point.step - point.warmup_steps
        anneal_begins = point.decay_steps - self.anneal_steps
        if self.anneal_steps and anneal_begins < point.warmup_steps + self.cooldown_steps:
            raise ValueError("cooldown and anneal are longer together than the time from the end of the warmup on")
        if constant < point.min_lr or (self.anneal_steps and point.min_lr <= 0):
            raise ValueError(f"the constant, {constant}, and min_lr, {point.min_lr}, must be above 0 in this order")
        if since <= self.cooldown_steps:
            return self._cooldown(since / self.cooldown_steps if self.cooldown_steps else 1.0, point.max_lr, constant)
        if not self.anneal_steps or point.step <= anneal_begins:
            return constant
        if point.step >= point.decay_steps:
            return point.min_lr
        return constant * (point.min_lr / constant) ** ((point.step - anneal_begins) / self.anneal_steps)

    def landmarks(self, warmup_steps: float, decay_steps: float) -> dict[str, float]:
        """Return where the constant begins, and the anneal."""
        marks = {"constant": warmup_steps + self.cooldown_steps}
        return {**marks, "anneal start": decay_steps - self.anneal_steps} if self.anneal_steps else marks

    def cooldown(self, step: float, warmup_steps: float, decay_steps: float) -> Cooldown | None:
        """Return the anneal, which goes on from the constant."""
        return Cooldown(Geometric(), name="anneal") if self.anneal_steps else None

    def _cooldown(self, progress: float, peak: float, constant: float) -> float:
        if self.cooldown_style == "cosine":
            return constant + (peak - constant) * (0.5 * (math.cos(math.pi * progress) + 1.0))
        fallen = (1.0 / math.sqrt(1.0 + self.timescale * progress) - 1.0) / (
            1.0 / math.sqrt(1.0 + self.timescale) - 1.0
        )
        return peak + (constant - peak) * fallen
