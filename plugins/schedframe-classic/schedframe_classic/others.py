"""Styles with a formula of their own: tri-stage, the Transformer's, fractal levels."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, final

from pydantic import Field

from schedframe.styles import Cooldown, Length, LRPoint, LRShape, LRStyle
from schedframe.styles.lr import Geometric


@final
class TriStage(LRStyle):
    """Warmup, hold, and an exponential decay, as used in speech recognition.

    Formula:
        lr = max_lr                                 for hold_steps
        lr = max_lr * (min_lr / max_lr)**q          after it, q its progress

    At the edges:
        The peak where the warmup ends, min_lr at lr_decay_steps and after. Both bounds must be above 0.

    Examples:
        >>> style = TriStage(hold_steps=100)
        >>> [round(style.lr(LRPoint(step, 0, 300, 1.0, 0.01)), 6) for step in (0, 100, 200, 300, 400)]
        [1.0, 1.0, 0.1, 0.01, 0.01]

    References:
        SpecAugment, https://arxiv.org/abs/1904.08779;
        facebookresearch/fairseq:fairseq/optim/lr_scheduler/tri_stage_lr_scheduler.py
    """

    style: Literal["tri-stage"] = "tri-stage"
    hold_steps: Length = Field(description="Length of the hold, from the end of the warmup on.")

    def lr(self, point: LRPoint) -> float:
        """Return the value of the stage at this step.

        Raises:
            ValueError: a bound is 0, or the hold takes the whole decay.
        """
        if point.max_lr <= 0 or point.min_lr <= 0:
            raise ValueError(f"tri-stage needs max_lr and min_lr above 0, got {point.max_lr} and {point.min_lr}")
        held = point.warmup_steps + self.hold_steps
        if held >= point.decay_steps:
            raise ValueError(f"hold_steps = {self.hold_steps} leaves nothing of the decay")
        if point.step <= held:
            return point.max_lr
        if point.step >= point.decay_steps:
            return point.min_lr
        return point.max_lr * (point.min_lr / point.max_lr) ** ((point.step - held) / (point.decay_steps - held))

    def landmarks(self, warmup_steps: float, decay_steps: float) -> dict[str, float]:
        """Return where the hold ends."""
        return {"hold end": warmup_steps + self.hold_steps}

    def cooldown(self, step: float, warmup_steps: float, decay_steps: float) -> Cooldown:
        """Return the exponential decay."""
        return Cooldown(Geometric())


@final
class TanhDecay(LRStyle):
    """A hyperbolic tangent as in timm, which falls a little at its first step and ends above min_lr.

    ``tanh`` is the same curve, scaled to both bounds, which can be a part of other styles.

    Formula:
        lr = min_lr + (max_lr - min_lr) * (1 - tanh(x)) / 2, x = lower * (1 - p) + upper * p

    At the edges:
        max_lr where the warmup ends, and min_lr from lr_decay_steps on. Just before, it is 0.0025 of the span above it,
        with the default options.

    Examples:
        >>> [round(TanhDecay().lr(LRPoint(step, 0, 100, 1.0, 0.0)), 6) for step in (0, 50, 99, 100)]
        [1.0, 0.982014, 0.003018, 0.0]

    References:
        Stochastic Gradient Descent with Hyperbolic-Tangent Decay on Classification, https://arxiv.org/abs/1806.01593;
        huggingface/pytorch-image-models:timm/scheduler/tanh_lr.py at v1.0.31
    """

    style: Literal["tanh-decay"] = "tanh-decay"
    lower: float = Field(-7.0, ge=-20, lt=0, description="Where on the tangent it starts.")
    upper: float = Field(3.0, gt=0, le=20, description="Where on the tangent it ends.")

    def lr(self, point: LRPoint) -> float:
        """Return max_lr at the start, as timm's constructor sets it, min_lr past the end, the tangent between."""
        if point.step <= point.warmup_steps:
            return point.max_lr
        if point.step >= point.decay_steps:
            return point.min_lr
        progress = (point.step - point.warmup_steps) / (point.decay_steps - point.warmup_steps)
        span = 0.5 * (point.max_lr - point.min_lr)
        return point.min_lr + span * (1.0 - math.tanh(self.lower * (1.0 - progress) + self.upper * progress))

    def jumps_at(self, warmup_steps: float, decay_steps: float) -> Sequence[float]:
        """Return the end, where it falls to min_lr."""
        return [decay_steps]


@final
class Noam(LRStyle):
    """The schedule of the Transformer paper: an inverse square root whose scale depends on the model's width.

    The peak follows from the width and the warmup, so a config need not give max_lr. One that is given must be equal to
    it; otherwise the error contains its value.

    Formula:
        lr = factor * d_model**-0.5 * n**-0.5, n the updates so far, step / steps_per_update

    At the edges:
        The peak, factor * (d_model * n)**-0.5 at the end of the warmup; it falls without end, but not below min_lr.

    Examples:
        >>> style = Noam(d_model=512, steps_per_update=1)
        >>> [round(style.lr(LRPoint(step, 4000, 10**5, (512 * 4000) ** -0.5, 0.0)), 8) for step in (4000, 16000)]
        [0.00069877, 0.00034939]

    References:
        Attention Is All You Need, section 5.3, https://arxiv.org/abs/1706.03762
    """

    style: Literal["noam"] = "noam"
    d_model: float = Field(gt=0, description="Width of the model.")
    factor: float = Field(1.0, gt=0, description="Factor on the whole.")
    steps_per_update: Length = Field("1 iters", gt=0, description="Steps of one update.")  # type: ignore[assignment]

    def lr(self, point: LRPoint) -> float:
        """Return the inverse square root, not below min_lr.

        Raises:
            ValueError: there is no warmup, or `max_lr` is not the peak that follows.
        """
        if point.warmup_steps <= 0:
            raise ValueError("noam needs a warmup")
        peak = self._law(point.warmup_steps)
        if not math.isclose(peak, point.max_lr, rel_tol=1e-6):
            raise ValueError(f"noam's peak is {peak} with this width and warmup; make max_lr that, not {point.max_lr}")
        return max(point.max_lr * math.sqrt(point.warmup_steps / max(point.step, point.warmup_steps)), point.min_lr)

    def peak(self, warmup_steps: float) -> float | None:
        """Return the learning rate of the law where the warmup ends; without a warmup it has none."""
        return self._law(warmup_steps) if warmup_steps > 0 else None

    def _law(self, step: float) -> float:
        return self.factor / math.sqrt(self.d_model * (step / self.steps_per_update))


@final
class Chebyshev(LRShape):
    """Reciprocal Chebyshev nodes in fractal order: it jumps up and down by design.

    A level holds for lr_decay_steps / levels; the order mixes large and small steps so that their product stays small.

    Formula:
        level i of T: g_i = 1 / ((1 + low) / 2 - (1 - low) / 2 * cos((order_i + 1/2) * pi / T))
        order: starts as (0), and is doubled to interlace it with (2 * length - 1 - order)
        c = (g_i - g_last) / (g_0 - g_last), g_last the smallest

    At the edges:
        The peak in the first level; min_lr after lr_decay_steps.

    Examples:
        >>> style = Chebyshev(levels=4)
        >>> [round(style.coefficient_at(step, 0, 400), 4) for step in (0, 150, 250, 350)]
        [1.0, 0.0, 0.1775, 0.0357]

    References:
        Acceleration via Fractal Learning Rate Schedules, https://arxiv.org/abs/2103.01338
    """

    style: Literal["chebyshev"] = "chebyshev"
    levels: Literal[2, 4, 8, 16, 32, 64, 128] = Field(8, description="Number of levels, a power of two.")
    low: float = Field(0.05, gt=0, lt=1, description="Smallest curvature, of a largest of 1.")

    def coefficient_at(self, step: float, warmup_steps: float, decay_steps: float) -> float:
        """Return the level in which `step` lies."""
        progress = (step - warmup_steps) / (decay_steps - warmup_steps)
        return _chebyshev_levels(self.levels, self.low)[min(int(progress * self.levels), self.levels - 1)]

    def jumps_at(self, warmup_steps: float, decay_steps: float) -> list[float]:
        """Return where each level after the first begins."""
        length = (decay_steps - warmup_steps) / self.levels
        return [warmup_steps + level * length for level in range(1, self.levels)]

    def may_rise(self) -> bool:
        """Return that some levels lie above the one before."""
        return True


@lru_cache(maxsize=128)
def _chebyshev_levels(count: int, low: float) -> tuple[float, ...]:
    order = [0]
    while len(order) < count:
        order = [node for one in order for node in (one, 2 * len(order) - 1 - one)]
    nodes = [1.0 / ((1.0 + low) / 2 - (1.0 - low) / 2 * math.cos((one + 0.5) * math.pi / count)) for one in order]
    largest, smallest = nodes[0], min(nodes)
    return tuple((node - smallest) / (largest - smallest) for node in nodes)
