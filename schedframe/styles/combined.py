"""Styles that are made of other styles: products, and other ways to min_lr."""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Literal, final

from pydantic import Field

from schedframe.styles._base import Cooldown, LRPoint, LRStyle
from schedframe.styles._byname import AnyLRStyle

Floor = Literal["reach", "cut", "tend"]
"""What a style does at min_lr."""


@final
class Product(LRStyle):
    """Several styles, multiplied with each other.

    Each goes from 1 to 0 by itself, and their product from the peak to min_lr. It is what PyTorch's
    ``ChainedScheduler`` does::

        lr_decay_style:
          style: product
          of: [{style: each, factor: 0.9, every: 1 iters}, cosine]

    Formula:
        lr = min_lr + (max_lr - min_lr) * c_1 * c_2 * ..., c_i the learning rate of style i between 1 and 0

    At the edges:
        The peak where the warmup ends, if every style begins there. Past lr_decay_steps each style decides.

    Examples:
        >>> both = Product(of=("linear", "linear"))
        >>> [both.lr(LRPoint(step, 0, 100, max_lr=1.0, min_lr=0.2)) for step in (0, 50, 100)]
        [1.0, 0.4, 0.2]

    References:
        torch.optim.lr_scheduler.ChainedScheduler, pytorch/pytorch:torch/optim/lr_scheduler.py at v2.13.0, whose
        schedulers have no minimum of their own
    """

    style: Literal["product"] = "product"
    of: tuple[AnyLRStyle, ...] = Field(min_length=2, description="The styles, by name or as tables.")

    def lr(self, point: LRPoint) -> float:
        """Return min_lr plus the product of all coefficients times the span."""
        between = point._replace(max_lr=1.0, min_lr=0.0)
        return point.min_lr + prod(style.lr(between) for style in self.of) * (point.max_lr - point.min_lr)

    def landmarks(self, warmup_steps: float, decay_steps: float) -> dict[str, float]:
        """Return the breakpoints of every style."""
        marks: dict[str, float] = {}
        for style in self.of:
            for label, step in style.landmarks(warmup_steps, decay_steps).items():
                marks[f"{label} of {style.style}" if label in marks else label] = step
        return marks

    def faults(self, warmup_steps: float, decay_steps: float) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with a style, under its name."""
        for style in self.of:
            for option, fault in style.faults(warmup_steps, decay_steps):
                yield "of", f"{style.style}: {option} {fault}"

    def jumps_at(self, warmup_steps: float, decay_steps: float) -> Sequence[float]:
        """Return where a style jumps."""
        return [step for style in self.of for step in style.jumps_at(warmup_steps, decay_steps)]

    def may_rise(self) -> bool:
        """Return whether a style may rise."""
        return any(style.may_rise() for style in self.of)


@final
class Floored(LRStyle):
    """Another style, which meets min_lr in another way: it ends there, is cut there, or tends to it from above.

    A table of any style may have the key ``floor``, and is this one then: ``{style: cosine, floor: cut}``.

    Formula:
        c the learning rate of the style between 1 and 0, e its value at lr_decay_steps
        reach: lr = min_lr + (c - e) / (1 - e) * (max_lr - min_lr)
        cut:   lr = max(min_lr, c * max_lr)
        tend:  lr = min_lr + c * (max_lr - min_lr)

    At the edges:
        The peak where the warmup ends. With reach min_lr at lr_decay_steps and after; otherwise the style decides what
        c is there.

    Examples:
        >>> half = LRPoint(50, 0, 100, max_lr=1.0, min_lr=0.25)
        >>> Floored(of="linear", floor="cut").lr(half), Floored(of="linear", floor="tend").lr(half)
        (0.5, 0.625)

    References:
        cut: SquareAnnealing, NVIDIA/NeMo:nemo/core/optim/lr_scheduler.py at 8cfedd7, and the linear decay of
        EleutherAI/gpt-neox:megatron/learning_rates.py at ea7aefd; tend: InvSqrtWithWarmup,
        allenai/OLMo-core:src/olmo_core/optim/scheduler.py at v3.0.0
    """

    style: Literal["floored"] = "floored"
    of: AnyLRStyle = Field(description="The style.")
    floor: Floor = Field(description="It ends at min_lr, is cut there, or tends to it: reach, cut or tend.")

    def lr(self, point: LRPoint) -> float:
        """Return the style's learning rate, as `floor` brings it to min_lr.

        Raises:
            ValueError: min_lr lies above the peak, or the style ends at the peak.
        """
        if point.min_lr > point.max_lr:
            raise ValueError(f"floor: {self.floor} needs a learning rate that falls, and min_lr is above max_lr")
        between = point._replace(max_lr=1.0, min_lr=0.0)
        if self.floor == "reach" and point.step >= point.decay_steps:
            return point.min_lr
        coefficient = self.of.lr(between)
        if self.floor == "cut":
            return max(point.min_lr, coefficient * point.max_lr)
        if self.floor == "reach":
            last = self.of.lr(between._replace(step=point.decay_steps))
            if last >= 1.0:
                raise ValueError(f"floor: reach needs a style that falls, and {self.of.style} ends at its peak")
            coefficient = (coefficient - last) / (1.0 - last)
        return point.min_lr + coefficient * (point.max_lr - point.min_lr)

    def landmarks(self, warmup_steps: float, decay_steps: float) -> dict[str, float]:
        """Return the breakpoints of the style."""
        return self.of.landmarks(warmup_steps, decay_steps)

    def phase(self, step: float, warmup_steps: float, decay_steps: float) -> str:
        """Return the phase of the style."""
        return self.of.phase(step, warmup_steps, decay_steps)

    def faults(self, warmup_steps: float, decay_steps: float) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the style."""
        for option, fault in self.of.faults(warmup_steps, decay_steps):
            yield "of", f"{self.of.style}: {option} {fault}"

    def jumps_at(self, warmup_steps: float, decay_steps: float) -> Sequence[float]:
        """Return where the style jumps."""
        return self.of.jumps_at(warmup_steps, decay_steps)

    def may_rise(self) -> bool:
        """Return whether the style may rise."""
        return self.of.may_rise()

    def cooldown(self, step: float, warmup_steps: float, decay_steps: float) -> Cooldown | None:
        """Return the cooldown of a style that tends to min_lr; one that is scaled or cut has another course."""
        return self.of.cooldown(step, warmup_steps, decay_steps) if self.floor == "tend" else None
