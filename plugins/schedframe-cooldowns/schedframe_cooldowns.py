"""Cooldown shapes, for schedframe: curves that also serve as the cooldown of WSD."""

import math
from typing import Literal, final

from pydantic import Field

from schedframe.styles import LRCurve


@final
class MirrorCosine(LRCurve):
    """The cosine mirrored at the straight line: fast first, slow in the middle, fast at the end.

    Formula:
        c = 2 * (1 - p) - (1 + cos(pi * p)) / 2

    At the edges:
        max_lr where it starts, min_lr where it ends and after, both exactly.

    Examples:
        >>> [MirrorCosine().coefficient(p) for p in (0.0, 0.5, 1.0)]
        [1.0, 0.5, 0.0]

    References:
        epfml/schedules-and-scaling:src/optim/utils.py, of https://arxiv.org/abs/2405.18392
    """

    style: Literal["mirror-cosine"] = "mirror-cosine"

    def coefficient(self, progress: float) -> float:
        """Return 2 * (1 - p) - (1 + cos(pi * p)) / 2."""
        return 2.0 * (1.0 - progress) - 0.5 * (1.0 + math.cos(math.pi * progress))


@final
class ExponentialTo(LRCurve):
    """An exponential down to a ratio of the peak, moved so that it ends at min_lr.

    Formula:
        c = (ratio**p - ratio) / (1 - ratio)

    At the edges:
        max_lr where it starts, min_lr where it ends and after, both exactly.

    Examples:
        >>> [round(ExponentialTo(ratio=0.01).coefficient(p), 6) for p in (0.0, 0.5, 1.0)]
        [1.0, 0.090909, 0.0]

    References:
        ratio**p is the cooldown ``exp`` of epfml/schedules-and-scaling:src/optim/utils.py; ratio 0.5 is Megatron's
        ``exponential``
    """

    style: Literal["exponential-to"] = "exponential-to"
    ratio: float = Field(0.1, gt=0, lt=1, description="Where the exponential ends, as a part of the peak.")

    def coefficient(self, progress: float) -> float:
        """Return (ratio**p - ratio) / (1 - ratio)."""
        return (self.ratio**progress - self.ratio) / (1.0 - self.ratio)


@final
class HalfLife(LRCurve):
    """Halves at equal intervals, and ends above min_lr.

    Formula:
        c = 0.5**(half_lives * p)

    At the edges:
        max_lr where it starts; 0.5**half_lives where it ends, and a step down to min_lr after it.

    Examples:
        >>> [HalfLife(half_lives=4).coefficient(p) for p in (0.0, 0.25, 1.0)]
        [1.0, 0.5, 0.0625]

    References:
        MiniCPM's decay, 0.5**((n - S) / T), which never reaches min_lr: https://arxiv.org/abs/2404.06395
    """

    style: Literal["half-life"] = "half-life"
    half_lives: float = Field(10.0, gt=0, description="Number of halvings until the end.")

    def coefficient(self, progress: float) -> float:
        """Return 0.5**(half_lives * p)."""
        return float(0.5 ** (self.half_lives * progress))


@final
class Harmonic(LRCurve):
    """A straight line of the inverse learning rate, from 1 to 1 / ratio, moved so that it ends at min_lr.

    Formula:
        c = (1 / (p / ratio + 1 - p) - ratio) / (1 - ratio)

    At the edges:
        max_lr where it starts, min_lr where it ends and after. With ratio = min_lr / max_lr the learning rate
        is 1 / (p / min_lr + (1 - p) / max_lr).

    Examples:
        >>> [round(Harmonic(ratio=0.1).coefficient(p), 6) for p in (0.0, 0.5, 1.0)]
        [1.0, 0.090909, 0.0]

    References:
        Understanding Warmup-Stable-Decay Learning Rates: A River Valley Loss Landscape Perspective,
        https://arxiv.org/abs/2410.05192
    """

    style: Literal["harmonic"] = "harmonic"
    ratio: float = Field(0.1, gt=0, lt=1, description="The end as a part of the peak.")

    def coefficient(self, progress: float) -> float:
        """Return (1 / (p / ratio + 1 - p) - ratio) / (1 - ratio)."""
        return (1.0 / (progress / self.ratio + (1.0 - progress)) - self.ratio) / (1.0 - self.ratio)
