"""The built-in weight-decay styles.

Megatron's own keep its formulas and its order of operations, so that they are bit-for-bit identical
(``megatron/core/optimizer_param_scheduler.py`` at core_v0.16.1 to core_v0.19.0). In the formulas,
``p`` is ``step / wd_incr_steps``. Unlike Megatron's, the weight decay may fall as well as rise.
"""

from collections.abc import Iterator
from math import cos, pi, pow
from typing import Literal, final

from pydantic import Field

from schedframe._units.lengths import CooldownLength
from schedframe.styles._base import WDCurve, WDPoint, WDShape, WDStyle
from schedframe.styles._byname import AnyLRCurve, AnyWDStyle
from schedframe.styles.lr import Linear as LRLinear


@final
class WDConstant(WDShape):
    """One weight decay for the whole run.

    Formula:
        wd = end_wd, where start_wd and end_wd are the same

    At the edges:
        The same before, at and after wd_incr_steps.

    Examples:
        >>> from schedframe.styles import WDPoint
        >>> WDConstant().wd(WDPoint(7, 100, start_wd=0.1, end_wd=0.1, lr=0.0, max_lr=1.0))
        0.1

    References:
        NVIDIA/Megatron-LM:megatron/core/optimizer_param_scheduler.py at core_v0.16.1
    """

    style: Literal["constant"] = "constant"

    def coefficient_at(self, step: float, incr_steps: float) -> float:
        """Return 1: start_wd and end_wd are the same."""
        return 1.0

    @property
    def is_constant(self) -> bool:
        """It is."""
        return True

    def faults(self, start_wd: float, end_wd: float) -> Iterator[tuple[str, str]]:
        """Yield bounds that are not the same."""
        if start_wd != end_wd:
            yield (
                "",
                f"is constant, but start_wd ({start_wd}) and end_wd ({end_wd}) differ; "
                f"name a style that changes, such as linear or cosine, or make them the same",
            )


@final
class WDLinear(WDCurve):
    """A straight line from start_wd to end_wd.

    Formula:
        c = p

    At the edges:
        start_wd at step 0, end_wd at wd_incr_steps and after.

    Examples:
        >>> WDLinear().coefficient(0.25)
        0.25

    References:
        NVIDIA/Megatron-LM:megatron/core/optimizer_param_scheduler.py at core_v0.16.1
    """

    style: Literal["linear"] = "linear"

    def coefficient(self, progress: float) -> float:
        """Return p."""
        return progress


@final
class WDCosine(WDCurve):
    """Half a cosine wave from start_wd to end_wd.

    Formula:
        c = (cos(pi * (1 - p)) + 1) / 2

    At the edges:
        start_wd at step 0, end_wd at wd_incr_steps and after.

    Examples:
        >>> WDCosine().coefficient(1.0)
        1.0

    References:
        NVIDIA/Megatron-LM:megatron/core/optimizer_param_scheduler.py at core_v0.16.1
    """

    style: Literal["cosine"] = "cosine"

    def coefficient(self, progress: float) -> float:
        """Return (cos(pi * (1 - p)) + 1) / 2."""
        return 0.5 * (cos(pi * (1 - progress)) + 1.0)


@final
class WDExponential(WDCurve):
    """Half an exponential, shifted so that it reaches end_wd: ``exponential`` of the learning rate, mirrored.

    Formula:
        c = 2 - 2 * 0.5**p

    At the edges:
        start_wd at step 0, end_wd at wd_incr_steps and after.

    Examples:
        >>> WDExponential().coefficient(1.0)
        1.0

    References:
        The complement of the cooldown of that name in
        NVIDIA/Megatron-LM:megatron/core/optimizer_param_scheduler.py at core_v0.16.1
    """

    style: Literal["exponential"] = "exponential"

    def coefficient(self, progress: float) -> float:
        """Return 2 - 2 * 0.5**p."""
        return 2.0 - 2.0 * pow(0.5, progress)


@final
class WDGeometric(WDStyle):
    """A straight line on a logarithmic scale from start_wd to end_wd.

    Formula:
        wd = start_wd * (end_wd / start_wd)**p

    At the edges:
        start_wd at step 0, end_wd at wd_incr_steps and after. Both must be above 0.

    Examples:
        >>> from schedframe.styles import WDPoint
        >>> WDGeometric().wd(WDPoint(50, 100, start_wd=0.01, end_wd=0.04, lr=0.0, max_lr=1.0))
        0.02

    References:
        The weight-decay twin of the learning-rate style ``geometric``
    """

    style: Literal["geometric"] = "geometric"

    def wd(self, point: WDPoint) -> float:
        """Return start_wd * (end_wd / start_wd)**p."""
        if point.start_wd <= 0.0 or point.end_wd <= 0.0:
            raise ValueError(f"geometric needs start_wd and end_wd above 0, got {point.start_wd} and {point.end_wd}")
        if point.step >= point.incr_steps:
            return point.end_wd
        progress = float(point.step) / float(point.incr_steps)
        return float(point.start_wd * (point.end_wd / point.start_wd) ** progress)


@final
class WDFromLRCurve(WDStyle):
    """Any curve of the learning rate, mirrored where weight decay rises.

    A learning-rate curve may be named as the weight-decay style itself: ``wd_incr_style: minus_sqrt`` is this one
    with that curve.

    Formula:
        wd = end_wd + c * (start_wd - end_wd), c the curve's coefficient, 1 to 0

    At the edges:
        start_wd at step 0, end_wd at wd_incr_steps and after.

    Examples:
        >>> from schedframe.styles import WDPoint
        >>> WDFromLRCurve(curve="minus_sqrt").wd(WDPoint(25, 100, start_wd=0.5, end_wd=0.25, lr=0.0, max_lr=1.0))
        0.375

    References:
        The curve's own
    """

    style: Literal["lr-curve"] = "lr-curve"
    curve: AnyLRCurve = Field(description="The learning-rate curve.")

    def wd(self, point: WDPoint) -> float:
        """Return end_wd + c * (start_wd - end_wd)."""
        if point.step >= point.incr_steps:
            return point.end_wd
        coefficient = self.curve.coefficient(float(point.step) / float(point.incr_steps))
        if coefficient == 1.0:  # where the sum may round to another number
            return point.start_wd
        return point.end_wd + coefficient * (point.start_wd - point.end_wd)


@final
class WDCooldown(WDStyle):
    """Another weight decay, and a cooldown to an end value over the last steps.

    Formula:
        wd = base                                       for step <= wd_incr_steps - wd_cooldown_steps
        wd = final_wd + c(q) * (base - final_wd)        after, base as where the cooldown begins,
             q = (step - (wd_incr_steps - wd_cooldown_steps)) / wd_cooldown_steps

    At the edges:
        final_wd at wd_incr_steps and after.

    Examples:
        >>> from schedframe.styles import WDPoint
        >>> last = WDCooldown(wd_cooldown_steps=20, wd_cooldown_style="linear")
        >>> [last.wd(WDPoint(step, 100, 0.1, 0.1, lr=0.0, max_lr=1.0)) for step in (80, 90, 100)]
        [0.1, 0.05, 0.0]

    References:
        NVIDIA/Megatron-LM pull request 1551: linear, cosine, minus_sqrt, and minus-power with 0.45, 0.4, 0.333, 0.25
    """

    style: Literal["cooldown"] = "cooldown"
    wd_cooldown_steps: CooldownLength = Field(description="Length of the cooldown, in steps before wd_incr_steps.")
    wd_cooldown_style: AnyLRCurve = Field(LRLinear(), description="Curve of the cooldown.")
    final_wd: float = Field(0.0, ge=0, description="Where the cooldown ends.")
    base: AnyWDStyle = Field(WDConstant(), description="The weight decay before the cooldown.")

    def wd(self, point: WDPoint) -> float:
        """Return the base until the cooldown begins, then its way to final_wd."""
        start = point.incr_steps - self.wd_cooldown_steps
        if start < 0 or not self.wd_cooldown_steps:
            raise ValueError(f"wd_cooldown_steps = {self.wd_cooldown_steps} must lie between 0 and {point.incr_steps}")
        if point.step <= start:
            return self.base.wd(point)
        if point.step >= point.incr_steps:
            return self.final_wd
        coefficient = self.wd_cooldown_style.coefficient(float(point.step - start) / float(self.wd_cooldown_steps))
        return self.final_wd + coefficient * (self.base.wd(point._replace(step=start)) - self.final_wd)

    def landmarks(self, incr_steps: float) -> dict[str, float]:
        """Return where the cooldown begins."""
        return {"cooldown start": incr_steps - self.wd_cooldown_steps}

    def faults(self, start_wd: float, end_wd: float) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the base."""
        yield from self.base.faults(start_wd, end_wd)

    @property
    def uncoupled(self) -> WDStyle:
        """The same cooldown from a base that does not follow the learning rate."""
        return self.model_copy(update={"base": self.base.uncoupled})

    def on(self, base: WDStyle) -> WDStyle:
        """Return the base's coupling, on another base and without the cooldown."""
        return self.base.on(base)
