"""The built-in weight-decay styles that follow the learning rate.

Each modifies another weight-decay style, its ``base``, by the learning rate of the same param group at the same step.
Where the learning rate or the max LR is 0, the weight decay is 0.
"""

from collections.abc import Iterator
from typing import Literal, final

from pydantic import Field

from schedframe.styles._base import WDPoint, WDStyle
from schedframe.styles._byname import AnyWDStyle
from schedframe.styles.wd import WDConstant


class _OnBase(WDStyle):
    base: AnyWDStyle = Field(WDConstant(), description="The weight decay at max LR.")

    def faults(self, start_wd: float, end_wd: float) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the base."""
        yield from self.base.faults(start_wd, end_wd)

    @property
    def uncoupled(self) -> WDStyle:
        """The base, without its own dependence on the learning rate."""
        return self.base.uncoupled

    def on(self, base: WDStyle) -> WDStyle:
        """Return the same coupling on another base."""
        return self.model_copy(update={"base": self.base.on(base)})


@final
class AdamC(_OnBase):
    """Weight decay in proportion to the learning rate, so that their ratio stays the same.

    AdamW multiplies the weight decay by the learning rate once more; then the norm of weights before a
    normalisation does not grow while the learning rate falls.

    Formula:
        wd = (base / max_lr) * lr, in this order

    At the edges:
        base at max LR, 0 where the learning rate is 0.

    Examples:
        >>> AdamC().wd(WDPoint(50, 100, 0.1, 0.1, lr=0.5, max_lr=1.0))
        0.05

    References:
        AdamC, Why Gradients Rapidly Increase Near the End of Training, https://arxiv.org/abs/2506.02285
    """

    style: Literal["adamc"] = "adamc"

    def wd(self, point: WDPoint) -> float:
        """Return (base / max_lr) * lr."""
        return (self.base.wd(point) / point.max_lr) * point.lr if point.max_lr else 0.0


@final
class Independent(_OnBase):
    """Weight decay that does not depend on the max LR: lr * wd depends only on the shape of the schedule.

    Formula:
        wd = base / max_lr

    At the edges:
        lr * wd is base at max LR, and 0 where the learning rate is 0.

    Examples:
        >>> Independent().wd(WDPoint(50, 100, 1e-4, 1e-4, lr=1e-3, max_lr=2e-3))
        0.05

    References:
        Decoupled Weight Decay Regularization, https://arxiv.org/abs/1711.05101, whose decay depends on the
        schedule and not on the max LR; studied again in https://arxiv.org/abs/2510.19093
    """

    style: Literal["independent"] = "independent"
    base: AnyWDStyle = Field(WDConstant(), description="The decay per step at max LR, lr * wd.")

    def wd(self, point: WDPoint) -> float:
        """Return base / max_lr, and 0 where the learning rate is 0."""
        return self.base.wd(point) / point.max_lr if point.max_lr and point.lr else 0.0


@final
class ConstantEffective(_OnBase):
    """Weight decay that rises as the learning rate falls, so that lr * wd stays the same.

    Formula:
        wd = base * max_lr / lr    after the warmup
        wd = base                  in it, as at its end

    At the edges:
        base where the warmup ends, 0 where the learning rate is 0. A learning rate near 0 gives a large one.

    Examples:
        >>> ConstantEffective().wd(WDPoint(50, 100, 0.1, 0.1, lr=0.5, max_lr=1.0))
        0.2

    References:
        The time scale 1 / (lr * wd) of AdamW, https://arxiv.org/abs/2405.13698, which stays constant
    """

    style: Literal["constant-effective"] = "constant-effective"

    def wd(self, point: WDPoint) -> float:
        """Return base * max_lr / lr after the warmup, base in it."""
        if not point.lr:
            return 0.0
        if point.step <= point.warmup_steps and point.warmup_steps > 0:
            return self.base.wd(point._replace(step=point.warmup_steps, lr=point.max_lr))
        return self.base.wd(point) * point.max_lr / point.lr
