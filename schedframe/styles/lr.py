"""The built-in learning-rate styles.

Megatron's own keep its formulas and its order of operations, so that they are bit-for-bit identical
(``megatron/core/optimizer_param_scheduler.py`` at core_v0.16.1 to core_v0.19.0). In the formulas,
``p`` is progress through the decay, ``(step - lr_warmup_steps) / (lr_decay_steps - lr_warmup_steps)``.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import cos, pi, pow, sqrt
from typing import Literal, final

from pydantic import Field, model_validator

from schedframe._units.lengths import CooldownLength, Length, Milestone, compact
from schedframe._units.numbers import Share, quotient, ratio_of, settled
from schedframe.styles._base import Cooldown, LaterOptions, LRCurve, LRPoint, LRShape, LRStyle
from schedframe.styles._byname import AnyLRCurve


@final
class Constant(LRStyle):
    """The max LR at every step after the warmup.

    min_lr is never used.

    Formula:
        lr = max_lr

    At the edges:
        Past lr_decay_steps it stays at max_lr.

    Examples:
        >>> from schedframe.styles import LRPoint
        >>> Constant().lr(LRPoint(500, 10, 100, max_lr=1.0, min_lr=0.1))
        1.0

    References:
        NVIDIA/Megatron-LM:megatron/core/optimizer_param_scheduler.py at core_v0.16.1
    """

    style: Literal["constant"] = "constant"

    def lr(self, point: LRPoint) -> float:
        """Return the group's peak."""
        return point.max_lr


@final
class Linear(LRCurve):
    """A straight line from max_lr to min_lr.

    Formula:
        c = 1 - p

    At the edges:
        max_lr where the warmup ends, min_lr at lr_decay_steps and after.

    Examples:
        >>> Linear().coefficient(0.25)
        0.75

    References:
        NVIDIA/Megatron-LM:megatron/core/optimizer_param_scheduler.py at core_v0.16.1
    """

    style: Literal["linear"] = "linear"

    def coefficient(self, progress: float) -> float:
        """Return 1 - p."""
        return 1.0 - progress


@final
class Cosine(LRCurve):
    """Half a cosine wave from max_lr to min_lr.

    Formula:
        c = (cos(pi * p) + 1) / 2

    At the edges:
        max_lr where the warmup ends, min_lr at lr_decay_steps and after; it does not rise again.

    Examples:
        >>> Cosine().coefficient(0.5)
        0.5

    References:
        SGDR, https://arxiv.org/abs/1608.03983;
        NVIDIA/Megatron-LM:megatron/core/optimizer_param_scheduler.py at core_v0.16.1
    """

    style: Literal["cosine"] = "cosine"

    def coefficient(self, progress: float) -> float:
        """Return (cos(pi * p) + 1) / 2."""
        return 0.5 * (cos(pi * progress) + 1.0)


@final
class InverseSquareRoot(LRStyle):
    """The max LR times the square root of warmup over step.

    It depends on the step itself, not on progress: lr_decay_steps only sets where it ends.

    Formula:
        lr = max(min_lr, max_lr * sqrt(max(lr_warmup_steps, 1)) / sqrt(max(step, 1)))

    At the edges:
        max_lr where the warmup ends. Past lr_decay_steps it is min_lr, which is a jump down where the
        curve had not reached min_lr.

    Examples:
        >>> from schedframe.styles import LRPoint
        >>> InverseSquareRoot().lr(LRPoint(400, 100, 1000, max_lr=1.0, min_lr=0.1))
        0.5

    References:
        NVIDIA/Megatron-LM:megatron/core/optimizer_param_scheduler.py at core_v0.16.1
    """

    style: Literal["inverse-square-root"] = "inverse-square-root"

    def lr(self, point: LRPoint) -> float:
        """Return the peak scaled by sqrt(warmup / step), at least min_lr."""
        if point.step > point.decay_steps:
            return point.min_lr
        warmup_steps, step = max(point.warmup_steps, 1), max(point.step, 1)
        return max(point.min_lr, float(point.max_lr * warmup_steps**0.5 / (step**0.5)))


@final
class Exponential(LRCurve):
    """Half an exponential, shifted so that it reaches min_lr.

    As a cooldown it is Megatron's ``exponential``; here it may also run over the whole decay.

    Formula:
        c = 2 * 0.5**p - 1

    At the edges:
        max_lr where it starts, min_lr where it ends and after.

    Examples:
        >>> Exponential().coefficient(1.0)
        0.0

    References:
        NVIDIA/Megatron-LM:megatron/core/optimizer_param_scheduler.py at core_v0.16.1, as a cooldown of WSD
    """

    style: Literal["exponential"] = "exponential"

    def coefficient(self, progress: float) -> float:
        """Return 2 * 0.5**p - 1."""
        return (2.0 * pow(0.5, progress)) - 1.0


@final
class MinusSqrt(LRCurve):
    """One minus the square root of progress: fast at first, then slow.

    Also spelled ``1-sqrt``, as elsewhere. It is meant as the cooldown of ``WSD``.

    Formula:
        c = 1 - sqrt(p)

    At the edges:
        max_lr where it starts, min_lr where it ends and after.

    Examples:
        >>> MinusSqrt().coefficient(0.25)
        0.5

    References:
        Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations,
        https://arxiv.org/abs/2405.18392;
        NVIDIA/Megatron-LM:megatron/core/optimizer_param_scheduler.py at core_v0.16.1, as a cooldown of WSD
    """

    style: Literal["minus_sqrt"] = "minus_sqrt"

    def coefficient(self, progress: float) -> float:
        """Return 1 - sqrt(p)."""
        return 1.0 - sqrt(progress)


@final
class WSD(LRShape):
    """Warmup, stable, decay: the max LR until a cooldown lowers it to min_lr.

    The cooldown is the last wsd_decay_steps steps before lr_decay_steps. Its curve is any installed curve,
    by name or as a table with options. Also spelled ``wsd``.

    Formula:
        c = 1                for step <= lr_decay_steps - wsd_decay_steps
        c = cooldown(q)          after, with q = (step - (lr_decay_steps - wsd_decay_steps)) / wsd_decay_steps

    At the edges:
        max_lr where the warmup ends, min_lr at lr_decay_steps and after. A cooldown longer than the decay
        would begin inside the warmup and jump: a `Schedule` rejects it.

    Examples:
        >>> style = WSD(wsd_decay_steps=20, lr_wsd_decay_style="linear")
        >>> style.coefficient_at(80, 10, 100), style.coefficient_at(90, 10, 100)
        (1.0, 0.5)

    References:
        MiniCPM, https://arxiv.org/abs/2404.06395;
        NVIDIA/Megatron-LM:megatron/core/optimizer_param_scheduler.py at core_v0.16.1
    """

    style: Literal["WSD"] = "WSD"
    wsd_decay_steps: CooldownLength = Field(
        description="Length of the cooldown, in steps or percent of lr_decay_steps."
    )
    lr_wsd_decay_style: AnyLRCurve = Field(Exponential(), description="Curve of the cooldown.")

    def coefficient_at(self, step: float, warmup_steps: float, decay_steps: float) -> float:
        """Return 1 until the cooldown begins, then the cooldown's coefficient."""
        return self.over(warmup_steps, decay_steps)(step)

    def over(self, warmup_steps: float, decay_steps: float) -> Callable[[float], float]:
        """Return the coefficient as a function of the step."""
        anneal_start, length = decay_steps - self.wsd_decay_steps, float(self.wsd_decay_steps)
        cooldown = self.lr_wsd_decay_style.coefficient

        def coefficient(step: float) -> float:
            if step <= anneal_start:
                return 1.0
            progress = float(step - anneal_start) / length
            return cooldown(progress if progress < 1.0 else 1.0)  # a fractional length may round to just above 1

        return coefficient

    def landmarks(self, warmup_steps: float, decay_steps: float) -> dict[str, float]:
        """Return where the cooldown begins."""
        return {"cooldown start": decay_steps - self.wsd_decay_steps}

    def phase(self, step: float, warmup_steps: float, decay_steps: float) -> str:
        """Return ``stable``, then ``cooldown``."""
        return "stable" if step <= decay_steps - self.wsd_decay_steps else "cooldown"

    def faults(self, warmup_steps: float, decay_steps: float) -> Iterator[tuple[str, str]]:
        """Yield a cooldown that has no length, or does not fit after the warmup."""
        room = decay_steps - warmup_steps
        if self.wsd_decay_steps == 0:
            yield "wsd_decay_steps", "must be above 0; the style without a cooldown is `constant`"
        elif self.wsd_decay_steps > room:
            yield (
                "wsd_decay_steps",
                f"is longer than the {room} steps between the end of the warmup and lr_decay_steps, "
                f"so the learning rate would jump where the warmup ends; make it at most {room}",
            )

    def cooldown(self, step: float, warmup_steps: float, decay_steps: float) -> Cooldown:
        """Return the cooldown's curve."""
        return Cooldown(self.lr_wsd_decay_style)

    def may_rise(self) -> bool:
        """Return whether the cooldown does."""
        return self.lr_wsd_decay_style.may_rise()


@final
class Geometric(LRStyle):
    """A straight line on a logarithmic scale from max_lr to min_lr.

    Formula:
        lr = max_lr * (min_lr / max_lr)**p

    At the edges:
        max_lr where the warmup ends, min_lr at lr_decay_steps and after. Both must be above 0.

    Examples:
        >>> from schedframe.styles import LRPoint
        >>> Geometric().lr(LRPoint(50, 0, 100, max_lr=1.0, min_lr=0.25))
        0.5

    References:
        Exponential decay with a given end value, as in OLMo-core's ``exponential``,
        allenai/OLMo-core:src/olmo_core/optim/scheduler.py at fa6c501
    """

    style: Literal["geometric"] = "geometric"

    def lr(self, point: LRPoint) -> float:
        """Return max_lr * (min_lr / max_lr)**p."""
        if point.max_lr <= 0.0 or point.min_lr <= 0.0:
            raise ValueError(f"geometric needs max_lr and min_lr above 0, got {point.max_lr} and {point.min_lr}")
        if point.step >= point.decay_steps:
            return point.min_lr
        progress = float(point.step - point.warmup_steps) / float(point.decay_steps - point.warmup_steps)
        return float(point.max_lr * (point.min_lr / point.max_lr) ** progress)


@final
class Polynomial(LaterOptions, LRCurve):
    """A power of the remaining progress, of which a power may be taken first.

    Formula:
        c = (1 - p**k)**power

    At the edges:
        max_lr where the warmup ends, min_lr at lr_decay_steps and after. With power 1 and k 1, the defaults, it
        is ``linear``.

    Examples:
        >>> Polynomial(power=2.0).coefficient(0.5)
        0.25

    References:
        torch.optim.lr_scheduler.PolynomialLR, pytorch/pytorch:torch/optim/lr_scheduler.py at v2.13.0;
        k is k_decay of huggingface/pytorch-image-models:timm/scheduler/poly_lr.py at v1.0.31
    """

    style: Literal["polynomial"] = "polynomial"
    power: float = Field(1.0, gt=0, description="Exponent: above 1 it falls fast at first, below 1 late.")
    k: float = Field(1.0, gt=0, description="Power of progress: above 1 it stays high for longer.")

    def coefficient(self, progress: float) -> float:
        """Return (1 - p**k)**power."""
        return float((1.0 - progress**self.k) ** self.power)


@final
class MultiStep(LaterOptions, LRStyle):
    """Piecewise constant: the max LR times a multiplier that changes at milestones.

    DeepSeek LLM falls to 31.6 % of the peak after 80 % of the run and to 10 % after 90 %::

        lr_decay_style: {style: multi-step, milestones: [80%, 90%], multipliers: [31.6%, 10%]}

    A milestone is a part of lr_decay_steps, ``80%`` or ``0.8``, or a position, ``1.6T tokens`` or ``8000 iters``.

    Formula:
        lr = max(min_lr, m * max_lr), m the multiplier of the last milestone up to the step, 1 before the first

    At the edges:
        A multiplier holds from its milestone on, or with ``boundaries: closed`` from the update after it on. The last
        one also holds past lr_decay_steps. The learning rate is never below min_lr.

    Examples:
        >>> from schedframe.styles import LRPoint
        >>> deepseek = MultiStep(milestones=(0.8, 0.9), multipliers=(0.316, 0.1))
        >>> [deepseek.lr(LRPoint(step, 10, 100, max_lr=1.0, min_lr=0.0)) for step in (79, 80, 90, 500)]
        [1.0, 0.316, 0.1, 0.1]

    References:
        DeepSeek LLM, https://arxiv.org/abs/2401.02954;
        torch.optim.lr_scheduler.MultiStepLR, pytorch/pytorch:torch/optim/lr_scheduler.py at v2.13.0
    """

    style: Literal["multi-step"] = "multi-step"
    milestones: tuple[Milestone, ...] = Field(
        min_length=1, description="Parts of lr_decay_steps or positions, rising: 80%, 0.8, 1.6T tokens."
    )
    multipliers: tuple[Share, ...] = Field(
        min_length=1, description="Part of max_lr from each milestone on: 0.316 or 31.6%."
    )
    boundaries: Literal["open", "closed"] = Field(
        "open",
        description="Whether a multiplier holds from its milestone on, or from the update after it: open, closed.",
    )

    @model_validator(mode="after")
    def _one_multiplier_a_milestone(self) -> "MultiStep":
        if len(self.milestones) != len(self.multipliers):
            raise ValueError(
                f"needs one multiplier for each milestone, got {len(self.multipliers)} for {len(self.milestones)}"
            )
        for alike in ([m for m in self.milestones if m < 1], [m for m in self.milestones if m >= 1]):
            _refuse_unless_rising(alike)
        return self

    def lr(self, point: LRPoint) -> float:
        """Return max LR times the multiplier of the last milestone up to the step, at least min LR.

        Raises:
            ValueError: milestones in parts and in steps do not rise together.
        """
        bisect = bisect_right if self.boundaries == "open" else bisect_left
        behind = bisect(_steps_of(self.milestones, point.decay_steps), settled(point.step))
        multiplier = self.multipliers[behind - 1] if behind else 1.0
        return max(point.min_lr, multiplier * point.max_lr)

    def landmarks(self, warmup_steps: float, decay_steps: float) -> dict[str, float]:
        """Return the milestones in steps."""
        steps = _steps_of(self.milestones, decay_steps)
        labels = [milestone if milestone < 1 else compact(milestone) for milestone in self.milestones]
        return {f"milestone {label}": step for label, step in zip(labels, steps, strict=True)}

    def jumps_at(self, warmup_steps: float, decay_steps: float) -> Sequence[float]:
        """Return the milestones in steps."""
        return _steps_of(self.milestones, decay_steps)


@lru_cache(maxsize=256)
def _steps_of(milestones: tuple[float, ...], decay_steps: float) -> tuple[float, ...]:
    """Return where `milestones` lie, in steps; a fraction is of `decay_steps`, the decimal product."""
    steps = tuple(
        quotient(ratio_of(Fraction(repr(milestone)) * Fraction(decay_steps))) if milestone < 1 else milestone
        for milestone in milestones
    )
    _refuse_unless_rising(steps)
    return steps


def _refuse_unless_rising(milestones: Sequence[float]) -> None:
    if any(later <= earlier for earlier, later in pairwise(milestones)):
        raise ValueError(f"milestones must rise, got {list(milestones)}")


@final
class MinusPower(LRCurve):
    """One minus a power of progress: with a power below 1 it falls fast at first, above 1 late.

    Formula:
        c = 1 - p**power

    At the edges:
        max_lr where it starts, min_lr where it ends and after. With power 0.5 it is ``minus_sqrt``, with 1
        ``linear``.

    Examples:
        >>> MinusPower(power=2.0).coefficient(0.5)
        0.75

    References:
        The fast phase of KellerJordan/modded-nanogpt pull request 351 (power 0.6); weight-decay cooldowns of
        NVIDIA/Megatron-LM pull request 1551 (0.45, 0.4, 0.333, 0.25)
    """

    style: Literal["minus-power"] = "minus-power"
    power: float = Field(gt=0, description="Exponent: below 1 it falls fast at first, above 1 late.")

    def coefficient(self, progress: float) -> float:
        """Return 1 - p**power."""
        return float(1.0 - progress**self.power)


@final
class QuarterCosine(LRCurve):
    """A quarter of a cosine wave: slow at first, and falling fastest where it ends.

    It is the first half of ``cosine``, scaled so that it reaches min_lr.

    Formula:
        c = cos(pi * p / 2)

    At the edges:
        max_lr where it starts, min_lr where it ends and after, exactly.

    Examples:
        >>> round(QuarterCosine().coefficient(2 / 3), 12), QuarterCosine().coefficient(1.0)
        (0.5, 0.0)

    References:
        The first phase of StableLM 2, https://arxiv.org/abs/2402.17834, which is the first quarter of a wave
    """

    style: Literal["quarter-cosine"] = "quarter-cosine"

    def coefficient(self, progress: float) -> float:
        """Return cos(pi * p / 2)."""
        return cos(0.5 * pi * progress) if progress < 1.0 else 0.0


@final
class PowerLaw(LRStyle):
    """The max LR times a power of the steps since the end of the warmup; it is open-ended.

    With exponent -0.5 it is the inverse square root of many code bases; timescale is the length of the warmup
    there, so that lr falls as 1 / sqrt(step).

    Formula:
        lr = max(min_lr, max_lr * (1 + t / timescale)**exponent), t the steps since the end of the warmup

    At the edges:
        max_lr where the warmup ends. It goes on past lr_decay_steps, and never falls below min_lr.

    Examples:
        >>> from schedframe.styles import LRPoint
        >>> PowerLaw(timescale=100).lr(LRPoint(400, 100, 1000, max_lr=1.0, min_lr=0.1))
        0.5

    References:
        transformers' inverse_sqrt, huggingface/transformers:src/transformers/optimization.py at v5.0.0;
        rsqrt of Scaling Vision Transformers, https://arxiv.org/abs/2106.04560;
        OLMo-core's power_lr (exponent -0.51), allenai/OLMo-core:src/olmo_core/optim/scheduler.py at fa6c501
    """

    style: Literal["power-law"] = "power-law"
    exponent: float = Field(-0.5, lt=0, description="The power; below 0.")
    timescale: Length | None = Field(
        None, description="Steps after which (1 + 1)**exponent is reached; by default the warmup."
    )

    def lr(self, point: LRPoint) -> float:
        """Return max LR times the power, at least min LR."""
        timescale = max(point.warmup_steps, 1) if self.timescale is None else self.timescale
        if not timescale:
            raise ValueError("power-law needs a timescale above 0")
        factor = (1.0 + float(point.step - point.warmup_steps) / float(timescale)) ** self.exponent
        return float(max(point.min_lr, point.max_lr * factor))
