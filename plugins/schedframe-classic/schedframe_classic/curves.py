"""Curves: coefficients of progress."""

import math
from typing import Literal, final

from pydantic import Field

from schedframe.styles import LRCurve


@final
class Tanh(LRCurve):
    """A hyperbolic tangent: it holds the peak, falls in the middle, and holds min_lr.

    It is scaled so that it reaches both bounds; the paper's misses them, by 0.0000008 and 0.0025 with these options.

    Formula:
        c = (tanh(upper) - tanh(x)) / (tanh(upper) - tanh(lower)), x = lower * (1 - p) + upper * p

    At the edges:
        The peak where the warmup ends, min_lr at lr_decay_steps and after, both exactly.

    Examples:
        >>> [round(Tanh().coefficient(p), 6) for p in (0.0, 0.5, 1.0)]
        [1.0, 0.98197, 0.0]

    References:
        Stochastic Gradient Descent with Hyperbolic-Tangent Decay on Classification, https://arxiv.org/abs/1806.01593;
        the options as in huggingface/pytorch-image-models:timm/scheduler/tanh_lr.py
    """

    style: Literal["tanh"] = "tanh"
    lower: float = Field(-7.0, ge=-20, lt=0, description="Where on the tangent it starts.")
    upper: float = Field(3.0, gt=0, le=20, description="Where on the tangent it ends.")

    def coefficient(self, progress: float) -> float:
        """Return the tangent, scaled."""
        first, last = math.tanh(self.lower), math.tanh(self.upper)
        return (last - math.tanh(self.lower * (1.0 - progress) + self.upper * progress)) / (last - first)


@final
class KDecay(LRCurve):
    """A cosine of a power of progress: it stays high for longer, and falls faster.

    Formula:
        c = (1 + cos(pi * p**k)) / 2

    At the edges:
        The peak where the warmup ends, min_lr at lr_decay_steps and after, both exactly. With k = 1 it is ``cosine``.

    Examples:
        >>> [round(KDecay(k=2).coefficient(p), 6) for p in (0.0, 0.5**0.5, 1.0)]
        [1.0, 0.5, 0.0]

    References:
        k-decay: A New Method for Learning Rate Schedule, https://arxiv.org/abs/2004.05909
    """

    style: Literal["k-decay"] = "k-decay"
    k: float = Field(2.0, gt=0, description="The power of progress.")

    def coefficient(self, progress: float) -> float:
        """Return (1 + cos(pi * p**k)) / 2."""
        return 0.5 * (1.0 + math.cos(math.pi * progress**self.k))


@final
class HalfCosine(LRCurve):
    """The second half of a cosine wave, scaled to the bounds: it falls fast at first, then ever more slowly.

    Formula:
        c = 1 - sin(pi * p / 2)

    At the edges:
        The peak where the warmup ends, min_lr at lr_decay_steps and after, both exactly. OLMo-core's
        ``half_cos_with_warmup`` is this curve with a max LR halfway between its two learning rates, which is where its
        warmup ends.

    Examples:
        >>> [round(HalfCosine().coefficient(p), 6) for p in (0.0, 1 / 3, 1.0)]
        [1.0, 0.5, 0.0]

    References:
        HalfCosWithWarmup, allenai/OLMo-core:src/olmo_core/optim/scheduler.py at v3.0.0
    """

    style: Literal["half-cosine"] = "half-cosine"

    def coefficient(self, progress: float) -> float:
        """Return 1 - sin(pi * p / 2)."""
        return 1.0 - math.sin(0.5 * math.pi * progress)


@final
class CosinePower(LRCurve):
    """A power of half a cosine wave.

    Formula:
        c = ((1 + cos(pi * p)) / 2)**power

    At the edges:
        The peak where the warmup ends, min_lr at lr_decay_steps and after, both exactly. With power 1 it is ``cosine``.

    Examples:
        >>> round(CosinePower(power=2).coefficient(0.5), 12)
        0.25

    References:
        The argument ``exponent`` of cosine_decay_schedule, google-deepmind/optax:optax/schedules/_schedule.py at v0.2.8
    """

    style: Literal["cosine-power"] = "cosine-power"
    power: float = Field(gt=0, description="Exponent of the cosine; optax and levanter call it exponent.")

    def coefficient(self, progress: float) -> float:
        """Return ((1 + cos(pi * p)) / 2)**power."""
        return float((0.5 * (1.0 + math.cos(math.pi * progress))) ** self.power)


@final
class CosineCycles(LRCurve):
    """A cosine wave that goes down and up again: half a cycle is ``cosine``.

    Formula:
        c = (1 + cos(2 * pi * cycles * p)) / 2

    At the edges:
        The peak where the warmup ends, min_lr after lr_decay_steps. Where the cycles end above min_lr, the learning
        rate jumps there.

    Examples:
        >>> [round(CosineCycles(cycles=1.5).coefficient(p), 6) for p in (0.0, 1 / 3, 2 / 3, 1.0)]
        [1.0, 0.0, 1.0, 0.0]

    References:
        get_cosine_schedule_with_warmup, whose num_cycles is cycles,
        huggingface/transformers:src/transformers/optimization.py at v5.0.0
    """

    style: Literal["cosine-cycles"] = "cosine-cycles"
    cycles: float = Field(0.5, gt=0, description="Number of whole waves, transformers' num_cycles.")

    def coefficient(self, progress: float) -> float:
        """Return (1 + cos(2 * pi * cycles * p)) / 2."""
        return 0.5 * (1.0 + math.cos(math.pi * self.cycles * 2.0 * progress))

    def may_rise(self) -> bool:
        """Return whether there is more than half a cycle."""
        return self.cycles > 0.5
