"""The power scheduler, for schedframe."""

from typing import Literal, final

from pydantic import Field

from schedframe.styles import AnyLRCurve, Cooldown, CooldownLength, LRPoint, LRStyle
from schedframe.styles.lr import Exponential


@final
class Power(LRStyle):
    """A power law of the tokens seen and the batch size, capped by the peak, with a decay at the end.

    Its amplitude and exponent are to hold for any batch size, number of tokens and (with muP) model size, and the law
    itself needs no end: with ``wsd_decay_steps: 0`` and ``lr_decay_steps: open`` it is open-ended.

    Formula:
        lr = min(max_lr, batch_size * amplitude * n**exponent), n = tokens_per_step * step
        in the last wsd_decay_steps: min_lr + d * (lr where they begin - min_lr), d the lr_wsd_decay_style

    At the edges:
        max_lr where the warmup ends; where the law lies below max_lr there, the peak is refused with the law's value,
        because warmup would jump down. Never below min_lr, which it is after lr_decay_steps if there is a decay.

    Examples:
        >>> style = Power(batch_size=1024, tokens_per_step=4096, wsd_decay_steps=0)
        >>> at = [style.lr(LRPoint(step, 100_000, 10**9, 0.02, 0.0)) for step in (100_000, 25_000_000)]
        >>> [round(lr, 6) for lr in at]
        [0.02, 0.009934]

    References:
        Power Scheduler: A Batch Size and Token Number Agnostic Learning Rate Scheduler, equations 7 and 8, with
        a = 4 and b = -0.51: https://arxiv.org/abs/2408.13359
    """

    style: Literal["power"] = "power"
    batch_size: float = Field(gt=0, description="Sequences of an iteration; the law is in proportion to it.")
    tokens_per_step: float = Field(gt=0, description="Tokens of one step: the sequence length where it is a sample.")
    amplitude: float = Field(4.0, gt=0, description="The paper's a.")
    exponent: float = Field(-0.51, lt=0, description="The paper's b.")
    wsd_decay_steps: CooldownLength = Field(description="Length of the decay at the end; 0 for none.")
    lr_wsd_decay_style: AnyLRCurve = Field(Exponential(), description="Curve of that decay.")

    def lr(self, point: LRPoint) -> float:
        """Return the law, or the decay from it.

        Raises:
            ValueError: the law lies below the peak where the warmup ends.
        """
        first = self._law(max(point.warmup_steps, 1))
        if first < point.max_lr:
            raise ValueError(
                f"the power law is {first} where the warmup ends, below max_lr ({point.max_lr}); make it that"
            )
        decay_begins = point.decay_steps - self.wsd_decay_steps
        if not self.wsd_decay_steps or point.step <= decay_begins:
            return max(min(point.max_lr, self._law(max(point.step, 1))), point.min_lr)
        if point.step > point.decay_steps:
            return point.min_lr
        start = max(min(point.max_lr, self._law(decay_begins)), point.min_lr)
        progress = (point.step - decay_begins) / self.wsd_decay_steps
        return point.min_lr + self.lr_wsd_decay_style.coefficient(progress) * (start - point.min_lr)

    def landmarks(self, warmup_steps: float, decay_steps: float) -> dict[str, float]:
        """Return where the decay at the end begins."""
        return {"cooldown start": decay_steps - self.wsd_decay_steps} if self.wsd_decay_steps else {}

    def cooldown(self, step: float, warmup_steps: float, decay_steps: float) -> Cooldown | None:
        """Return the decay at the end."""
        return Cooldown(self.lr_wsd_decay_style) if self.wsd_decay_steps else None

    def _law(self, step: float) -> float:
        return self.batch_size * self.amplitude * (self.tokens_per_step * step) ** self.exponent
