"""WSD-S, for schedframe."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Literal, final

from pydantic import Field, model_validator

from schedframe.styles import AnyLRCurve, Cooldown, Length, LRShape
from schedframe.styles.lr import Linear

_SHARE = 0.1
_DIGITS = 6
"""So many decimals of a step are more than rounding: 7 % of 100 steps is 7.000000000000001."""


@final
class WSDS(LRShape):
    """Warmup-stable-decay, simplified: each period ends in a decay, and the next one continues at max LR from there.

    Every period ends with a usable model, and training continues from it.

    Formula:
        in a period of length l, decay of length d = decay_share * l or decay_steps, t steps into it:
        c = 1 up to l - d, then the lr_wsd_decay_style at (t - (l - d)) / d

    At the edges:
        The peak where the warmup ends. The next period begins at its boundary: its first step has the peak. With
        ``boundaries: closed`` the boundary has the end of the decay, min_lr. Periods fill the time from the end of the
        warmup to lr_decay_steps, or with ``first_period: from-start`` from step 0; min_lr at lr_decay_steps and after.

    Examples:
        >>> style = WSDS(period_steps=[100, 300], decay_share=0.5, lr_wsd_decay_style="linear")
        >>> [style.coefficient_at(step, 0, 400) for step in (50, 75, 99, 100, 250, 325, 400)]
        [1.0, 0.5, 0.020000000000000018, 1.0, 1.0, 0.5, 0.0]

    References:
        Understanding Warmup-Stable-Decay Learning Rates: A River Valley Loss Landscape Perspective,
        https://arxiv.org/abs/2410.05192, whose decays are ``harmonic``, of the plugin schedframe-cooldowns, and whose
        share is of the period without the warmup
        (stanford-crfm/levanter:src/levanter/optim/config.py at 2a7847e);
        WSDS, allenai/OLMo-core:src/olmo_core/optim/scheduler.py at v3.0.0, is ``first_period: from-start`` with
        ``boundaries: closed``
    """

    style: Literal["wsd-s"] = "wsd-s"
    period_steps: tuple[Length, ...] = Field(min_length=1, description="Lengths of the periods, in their order.")
    decay_share: float = Field(_SHARE, gt=0, le=1, description="The part of each period that is its decay.")
    decay_steps: Length | None = Field(None, description="Length of each decay, in place of its part of the period.")
    lr_wsd_decay_style: AnyLRCurve = Field(Linear(), description="Curve of the decays.")
    first_period: Literal["after-warmup", "from-start"] = Field(
        "after-warmup", description="Whether the first period, and so its share, has the warmup in it, as in OLMo-core."
    )
    boundaries: Literal["open", "closed"] = Field(
        "open", description="Whether the next period begins at its boundary, or one update later."
    )

    @model_validator(mode="after")
    def _one_length(self) -> "WSDS":
        if self.decay_steps is not None and self.decay_share != _SHARE:
            raise ValueError("has either decay_share or decay_steps, not both")
        return self

    def coefficient_at(self, step: float, warmup_steps: float, decay_steps: float) -> float:
        """Return the coefficient of the period in which `step` lies.

        Raises:
            ValueError: the periods do not fill the time up to `decay_steps`.
        """
        begin = self._begin(warmup_steps)
        ends, room = [round(end, _DIGITS) for end in accumulate(self.period_steps)], decay_steps - begin
        if abs(ends[-1] - room) > 1e-9 * room:
            first = "step 0" if begin == 0 else "the end of the warmup"
            raise ValueError(
                f"the periods have {ends[-1]:g} steps together, and the decay has {room:g} from {first} on"
            )
        inside = round(min(step - begin, ends[-1]), _DIGITS)
        bisect = bisect_left if self.boundaries == "closed" else bisect_right
        period = min(bisect(ends, inside), len(ends) - 1)
        left, decay = ends[period] - inside, self._decay(self.period_steps[period])
        return self.lr_wsd_decay_style.coefficient(1.0 - left / decay) if left < decay else 1.0

    def _decay(self, length: float) -> float:
        return self.decay_share * length if self.decay_steps is None else self.decay_steps

    def _begin(self, warmup_steps: float) -> float:
        return warmup_steps if self.first_period == "after-warmup" else 0

    def landmarks(self, warmup_steps: float, decay_steps: float) -> dict[str, float]:
        """Return where each decay begins, and each period but the first."""
        marks, begin = {}, self._begin(warmup_steps)
        for number, length in enumerate(self.period_steps, 1):
            marks |= {f"period {number}": begin} if number > 1 else {}
            begin += length
            marks[f"decay {number}"] = begin - self._decay(length)
        return marks

    def faults(self, warmup_steps: float, decay_steps: float) -> Iterator[tuple[str, str]]:
        """Yield a decay that does not fit into its period, or begins within the warmup."""
        if self.decay_steps is not None and self.decay_steps > min(self.period_steps):
            yield "decay_steps", f"is longer than the shortest period, of {min(self.period_steps):g} steps"
        first = self.period_steps[0] - self._decay(self.period_steps[0])
        if self.first_period == "from-start" and first < warmup_steps:
            yield (
                "decay_share" if self.decay_steps is None else "decay_steps",
                f"lets the first decay begin at step {first:g}, within the warmup of {warmup_steps:g} steps",
            )

    def cooldown(self, step: float, warmup_steps: float, decay_steps: float) -> Cooldown:
        """Return the decay of a period."""
        return Cooldown(self.lr_wsd_decay_style)

    def jumps_at(self, warmup_steps: float, decay_steps: float) -> list[float]:
        """Return where each period ends, and the next one begins at the peak."""
        return [self._begin(warmup_steps) + end for end in accumulate(self.period_steps)]
