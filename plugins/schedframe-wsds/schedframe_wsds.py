"""WSD-S, for schedframe."""

from bisect import bisect_left
from itertools import accumulate
from typing import Literal, final

from pydantic import Field

from schedframe.styles import AnyLRCurve, Cooldown, Length, LRShape
from schedframe.styles.lr import Linear


@final
class WSDS(LRShape):
    """Warmup-stable-decay, simplified: each period ends in a decay, and the next one continues at max LR from there.

    Every period ends with a usable model, and training continues from it.

    Formula:
        in a period of length l, decay of length d = decay_share * l, t steps into it:
        c = 1 up to l - d, then the lr_wsd_decay_style at (t - (l - d)) / d

    At the edges:
        max_lr where the warmup ends and just after each period, min_lr where a period ends. Periods fill the time
        from the end of the warmup to lr_decay_steps; min_lr after it.

    Examples:
        >>> style = WSDS(period_steps=[100, 300], decay_share=0.5, lr_wsd_decay_style="linear")
        >>> [style.coefficient_at(step, 0, 400) for step in (50, 75, 100, 101, 250, 325, 400)]
        [1.0, 0.5, 0.0, 1.0, 1.0, 0.5, 0.0]

    References:
        The paper's decays are ``harmonic``, of the plugin schedframe-cooldowns.
        Understanding Warmup-Stable-Decay Learning Rates: A River Valley Loss Landscape Perspective,
        https://arxiv.org/abs/2410.05192
    """

    style: Literal["wsd-s"] = "wsd-s"
    period_steps: tuple[Length, ...] = Field(min_length=1, description="Lengths of the periods, in their order.")
    decay_share: float = Field(0.1, gt=0, le=1, description="The part of each period that is its decay.")
    lr_wsd_decay_style: AnyLRCurve = Field(Linear(), description="Curve of the decays.")

    def coefficient_at(self, step: float, warmup_steps: float, decay_steps: float) -> float:
        """Return the coefficient of the period in which `step` lies.

        Raises:
            ValueError: the periods do not fill the time from the end of the warmup to `decay_steps`.
        """
        ends, room = list(accumulate(self.period_steps)), decay_steps - warmup_steps
        if abs(ends[-1] - room) > 1e-9 * room:
            raise ValueError(
                f"the periods have {ends[-1]:g} steps together, and the decay has {room:g} from the end of the "
                f"warmup on"
            )
        inside = min(step - warmup_steps, ends[-1])
        period = bisect_left(ends, inside)
        left, decay = ends[period] - inside, self.decay_share * self.period_steps[period]
        return self.lr_wsd_decay_style.coefficient(1.0 - left / decay) if left < decay else 1.0

    def landmarks(self, warmup_steps: float, decay_steps: float) -> dict[str, float]:
        """Return where each decay begins, and each period but the first."""
        marks, begin = {}, warmup_steps
        for number, length in enumerate(self.period_steps, 1):
            marks |= {f"period {number}": begin} if number > 1 else {}
            begin += length
            marks[f"decay {number}"] = begin - self.decay_share * length
        return marks

    def cooldown(self, step: float, warmup_steps: float, decay_steps: float) -> Cooldown:
        """Return the decay of a period."""
        return Cooldown(self.lr_wsd_decay_style)

    def jumps_at(self, warmup_steps: float, decay_steps: float) -> list[float]:
        """Return where each period ends, and the next one begins at the peak."""
        return [warmup_steps + end for end in accumulate(self.period_steps)]
