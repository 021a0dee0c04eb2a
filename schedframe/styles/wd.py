"""The built-in weight-decay styles.

Megatron's own keep its formulas and its order of operations, so that they are equal float for float
(``megatron/core/optimizer_param_scheduler.py`` at core_v0.16.1 to core_v0.19.0). In the formulas,
``p`` is ``step / wd_incr_steps``. Unlike Megatron's, the weight decay may fall as well as rise.
"""

from math import cos, pi, pow
from typing import Literal, final

from schedframe._style import WDCurve, WDPoint, WDShape, WDStyle


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
    """Half an exponential, shifted so that it reaches end_wd: ``exponential`` of the learning rate, turned round.

    Formula:
        c = 2 - 2 * 0.5**p

    At the edges:
        start_wd at step 0, end_wd at wd_incr_steps and after.

    Examples:
        >>> WDExponential().coefficient(1.0)
        1.0

    References:
        The complement of the tail of that name in
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
