"""Styles in cycles: restarts, triangles, one cycle, and the rise of a range test."""

import math
from typing import Literal, NamedTuple, final

from pydantic import Field, model_validator

from schedframe.styles import Length, LRPoint, LRShape, LRStyle

_MOST_MARKS = 20


class _Period(NamedTuple):
    """A period: its number from 0, where it begins, and its length, in steps from the end of the warmup."""

    number: int
    begin: float
    length: float


def _whole(count: float) -> float:
    """Return `count` without what rounding adds to a whole number or takes from it."""
    nearest = round(count)
    return nearest if abs(count - nearest) <= 4 * math.ulp(count) else count


def _period(inside: float, length: float, mult: float, *, is_closed: bool) -> _Period:
    """Return the period in which the step `inside` lies: at a boundary the next one, or the one before if closed."""
    if mult == 1.0:
        count = _whole(inside / length)
        number = max(math.ceil(count) - 1, 0) if is_closed else math.floor(count)
        return _Period(number, number * length, length)
    number, begin = 0, 0.0
    while (count := _whole((inside - begin) / length)) > 1 or (count == 1 and not is_closed):
        number, begin, length = number + 1, begin + length, length * mult
    return _Period(number, begin, length)


@final
class CosineRestarts(LRStyle):
    """SGDR: cosines, each from the peak; each may be longer, and its peak lower, than the one before.

    Either the length of the first period is given, or how many cycles fill the decay.

    Formula:
        in period i, t steps into it:
        lr = min_lr + (peak - min_lr) * (1 + cos(pi * t / (period_steps * period_mult**i))) / 2,
        peak = max(max_lr * peak_mult**i, min_lr)

    At the edges:
        The peak where the warmup ends. A restart takes place at its boundary: the first step of a period has the peak.
        With ``boundaries: closed`` the period before still holds there. lr_decay_steps cuts the last period, and no
        restart lies on it; min_lr after it.

    Examples:
        >>> style = CosineRestarts(period_steps=100, period_mult=2)
        >>> at = [style.lr(LRPoint(step, 0, 300, 1.0, 0.0)) for step in (0, 50, 100, 200, 300)]
        >>> [round(lr, 6) for lr in at]
        [1.0, 0.5, 1.0, 0.5, 0.0]

    References:
        SGDR: Stochastic Gradient Descent with Warm Restarts, https://arxiv.org/abs/1608.03983;
        torch.optim.lr_scheduler.CosineAnnealingWarmRestarts, pytorch/pytorch:torch/optim/lr_scheduler.py at v2.13.0;
        peak_mult is cycle_decay of huggingface/pytorch-image-models:timm/scheduler/cosine_lr.py at v1.0.31, and
        lr_shrink of facebookresearch/fairseq:fairseq/optim/lr_scheduler/cosine_lr_scheduler.py; cycles is num_cycles of
        transformers' cosine_with_restarts
    """

    style: Literal["cosine-restarts"] = "cosine-restarts"
    period_steps: Length | None = Field(None, description="Length of the first period.")
    cycles: int | None = Field(None, ge=1, description="Number of periods that fill the decay, instead of a length.")
    period_mult: float = Field(1.0, ge=1, description="Factor on the length from one period to the next.")
    peak_mult: float = Field(1.0, gt=0, le=1, description="Factor on the peak from one period to the next.")
    boundaries: Literal["open", "closed"] = Field(
        "open", description="Whether a restart takes place at its boundary, or one update later."
    )

    @model_validator(mode="after")
    def _one_length(self) -> "CosineRestarts":
        if (self.period_steps is None) == (self.cycles is None):
            raise ValueError("needs either period_steps or cycles")
        if self.period_steps is not None and self.period_steps <= 0:
            raise ValueError("period_steps must be above 0")
        return self

    def _first_length(self, room: float) -> float:
        if self.cycles is None:
            return self.period_steps or 0.0
        mult = self.period_mult
        return room / self.cycles if mult == 1.0 else room * (mult - 1.0) / (mult**self.cycles - 1.0)

    def lr(self, point: LRPoint) -> float:
        """Return the learning rate of the period in which the step lies."""
        if point.step > point.decay_steps:
            return point.min_lr
        is_closed = self.boundaries == "closed" or point.step == point.decay_steps
        inside = float(point.step - point.warmup_steps)
        first = self._first_length(point.decay_steps - point.warmup_steps)
        number, begin, length = _period(inside, first, self.period_mult, is_closed=is_closed)
        peak = max(point.max_lr * self.peak_mult**number, point.min_lr)
        part = min(max((inside - begin) / length, 0.0), 1.0)
        return point.min_lr + (peak - point.min_lr) * (1.0 + math.cos(math.pi * part)) / 2

    def landmarks(self, warmup_steps: float, decay_steps: float) -> dict[str, float]:
        """Return where the first restarts are, twenty at most."""
        length = self._first_length(decay_steps - warmup_steps)
        marks, at = {}, float(warmup_steps)
        for number in range(1, _MOST_MARKS + 1):
            at, length = _whole(at + length), length * self.period_mult
            if at >= decay_steps or number == self.cycles:
                break
            marks[f"restart {number}"] = at
        return marks

    def jumps_at(self, warmup_steps: float, decay_steps: float) -> list[float]:
        """Return where the first restarts are."""
        return list(self.landmarks(warmup_steps, decay_steps).values())

    def may_rise(self) -> bool:
        """Return that it rises at restarts, also at those behind the first twenty."""
        return True


@final
class OneCycle(LRStyle):
    """One cycle, as in PyTorch: up, down, and far below where it began.

    The rise is part of the style, so the schedule has no warmup of its own: lr_warmup_steps stays 0.

    Formula:
        T = lr_decay_steps, u = steps_per_update, low = max_lr / div_factor, last = low / final_div_factor
        from low to max_lr over 0 to pct_start * T - u, then to last at T - u;
        with three_phase to low at 2 * (pct_start * T - u), then to last at T - u;
        each way by half a cosine or on a straight line

    At the edges:
        low at step 0, last from the update before lr_decay_steps on. It is never below min_lr.

    Examples:
        >>> style = OneCycle(pct_start=0.25, div_factor=10, shape="linear", steps_per_update=1)
        >>> [round(style.lr(LRPoint(step, 0, 40, 1.0, 0.0)), 6) for step in (0, 9, 24, 39)]
        [0.1, 1.0, 0.500005, 1e-05]

    References:
        Super-Convergence, https://arxiv.org/abs/1708.07120;
        torch.optim.lr_scheduler.OneCycleLR, pytorch/pytorch:torch/optim/lr_scheduler.py at v2.13.0
    """

    style: Literal["one-cycle"] = "one-cycle"
    pct_start: float = Field(0.3, gt=0, lt=1, description="Part of lr_decay_steps in which the learning rate rises.")
    div_factor: float = Field(25.0, ge=1, description="The max LR divided by the first learning rate.")
    final_div_factor: float = Field(1e4, gt=0, description="The first learning rate divided by the last one.")
    shape: Literal["cosine", "linear"] = Field("cosine", description="Shape of every way.")
    three_phase: bool = Field(False, description="Fall as long as it rose, then far below.")
    steps_per_update: Length = Field("1 iters", gt=0, description="Steps of one update.")  # type: ignore[assignment]

    @model_validator(mode="after")
    def _ends_below_the_peak(self) -> "OneCycle":
        if self.div_factor * self.final_div_factor < 1:
            raise ValueError("div_factor * final_div_factor must be at least 1, so that the cycle ends below its peak")
        return self

    def lr(self, point: LRPoint) -> float:
        """Return the learning rate of the way on which the step lies.

        Raises:
            ValueError: the rise is not longer than an update, or leaves nothing of the decay.
        """
        low = max(point.max_lr / self.div_factor, point.min_lr)
        last = max(point.max_lr / self.div_factor / self.final_div_factor, point.min_lr)
        top, bottom, end = self._ends(point.decay_steps - point.warmup_steps)
        if not 0 < top < bottom <= end or (self.three_phase and bottom == end):
            raise ValueError(
                f"one-cycle rises until step {top:g}, which does not fit into the {end:g} steps of the cycle"
            )
        step = point.step - point.warmup_steps
        if step <= top:
            return self._way(low, point.max_lr, step / top)
        if step > end:
            return last
        if not self.three_phase:
            return self._way(point.max_lr, last, (step - top) / (end - top))
        if step <= bottom:
            return self._way(point.max_lr, low, (step - top) / (bottom - top))
        return self._way(low, last, (step - bottom) / (end - bottom))

    def _ends(self, total: float) -> tuple[float, float, float]:
        """Return where the rise ends, where the fall ends, and where the last way ends."""
        update = self.steps_per_update
        top, end = self.pct_start * total - update, total - update
        return top, 2 * self.pct_start * total - 2 * update if self.three_phase else end, end

    def _way(self, start: float, end: float, part: float) -> float:
        if self.shape == "linear":
            return (end - start) * part + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)

    def landmarks(self, warmup_steps: float, decay_steps: float) -> dict[str, float]:
        """Return where the rise ends, and where the last way begins."""
        top, bottom, _ = self._ends(decay_steps - warmup_steps)
        marks = {"fall start": warmup_steps + top}
        return {**marks, "cycle end": warmup_steps + bottom} if self.three_phase else marks

    def may_rise(self) -> bool:
        """Return that it rises first."""
        return True


@final
class Triangular(LRShape):
    """A cyclical learning rate: up and down on straight lines between min_lr and max LR.

    The rise is part of the style, so the schedule has no warmup of its own: lr_warmup_steps stays 0.

    Formula:
        in cycle i, x = t / (up_steps + down_steps) of it: c = peak_mult**i * x / r for x <= r, and
        c = peak_mult**i * (1 - x) / (1 - r) after, r = up_steps / (up_steps + down_steps)

    At the edges:
        min_lr at step 0 and where each cycle ends, and after lr_decay_steps.

    Examples:
        >>> style = Triangular(up_steps=10, peak_mult=0.5)
        >>> [style.coefficient_at(step, 0, 60) for step in (0, 5, 10, 20, 30)]
        [0.0, 0.5, 1.0, 0.0, 0.5]

    References:
        Cyclical Learning Rates for Training Neural Networks, https://arxiv.org/abs/1506.01186;
        torch.optim.lr_scheduler.CyclicLR, pytorch/pytorch:torch/optim/lr_scheduler.py at v2.13.0, whose triangular2 has
        peak_mult 0.5, and whose exp_range is a ``product`` with ``each``
    """

    style: Literal["triangular"] = "triangular"
    up_steps: Length = Field(description="Length of a rise.")
    down_steps: Length | None = Field(None, description="Length of a fall; by default that of a rise.")
    peak_mult: float = Field(1.0, gt=0, le=1, description="Factor on the height from one cycle to the next.")

    @model_validator(mode="after")
    def _rises(self) -> "Triangular":
        if self.up_steps <= 0 or self.down_steps == 0:
            raise ValueError("up_steps and down_steps must be above 0")
        return self

    def coefficient_at(self, step: float, warmup_steps: float, decay_steps: float) -> float:
        """Return the coefficient of the cycle in which `step` lies."""
        total = self._length()
        count = float(step - warmup_steps) / total
        cycle = math.floor(1.0 + count)
        part, ratio = 1.0 + count - cycle, self.up_steps / total
        height = part / ratio if part <= ratio else (part - 1.0) / (ratio - 1.0)
        return min(max(height, 0.0), 1.0) * self.peak_mult ** (cycle - 1)

    def _length(self) -> float:
        return float(self.up_steps + (self.up_steps if self.down_steps is None else self.down_steps))

    def landmarks(self, warmup_steps: float, decay_steps: float) -> dict[str, float]:
        """Return where the first tops are, and where their cycles end, twenty at most."""
        marks: dict[str, float] = {}
        for number in range(_MOST_MARKS // 2):
            begin = warmup_steps + number * self._length()
            places = {f"top {number + 1}": begin + self.up_steps, f"cycle {number + 2}": begin + self._length()}
            marks |= {label: at for label, at in places.items() if at < decay_steps}
        return marks

    def may_rise(self) -> bool:
        """Return that it rises in every cycle."""
        return True


@final
class RangeTest(LRStyle):
    """A learning-rate range test: it rises from min_lr to max LR, to find where training diverges.

    The rise is the style, so the schedule has no warmup of its own: lr_warmup_steps stays 0.

    Formula:
        lr = min_lr + (max_lr - min_lr) * p               linear
        lr = min_lr * (max_lr / min_lr)**p                geometric
        with stairs, p is that of the last multiple of stairs

    At the edges:
        min_lr at step 0, max LR at lr_decay_steps and after.

    Examples:
        >>> [RangeTest().lr(LRPoint(step, 0, 100, 1.0, 0.0)) for step in (0, 25, 100)]
        [0.0, 0.25, 1.0]

    References:
        Cyclical Learning Rates for Training Neural Networks, section 3.3, https://arxiv.org/abs/1506.01186;
        LRRangeTest, deepspeedai/DeepSpeed:deepspeed/runtime/lr_schedules.py at v0.19.8, which rises without an end
    """

    style: Literal["range-test"] = "range-test"
    rise: Literal["linear", "geometric"] = Field("linear", description="Shape of the rise.")
    stairs: Length | None = Field(None, description="Length of a stair; without it the rise is continuous.")

    def lr(self, point: LRPoint) -> float:
        """Return the learning rate of the rise.

        Raises:
            ValueError: the rise is geometric, and min_lr is 0, or a stair has no length.
        """
        if self.rise == "geometric" and (point.min_lr <= 0 or point.max_lr <= 0):
            raise ValueError(f"a geometric range test needs min_lr and max_lr above 0, got {point.min_lr}")
        if self.stairs == 0:
            raise ValueError("stairs must be above 0")
        if point.step >= point.decay_steps:
            return point.max_lr
        inside = float(point.step - point.warmup_steps)
        if self.stairs is not None:
            inside = math.floor(_whole(inside / self.stairs)) * self.stairs
        progress = inside / float(point.decay_steps - point.warmup_steps)
        if self.rise == "geometric":
            return float(point.min_lr * (point.max_lr / point.min_lr) ** progress)
        return point.min_lr + (point.max_lr - point.min_lr) * progress

    def may_rise(self) -> bool:
        """Return that it rises."""
        return True

    def jumps_at(self, warmup_steps: float, decay_steps: float) -> list[float]:
        """Return where the first stairs end, four hundred at most."""
        if not self.stairs:
            return []
        count = min(math.ceil((decay_steps - warmup_steps) / self.stairs), 400)
        return [warmup_steps + number * self.stairs for number in range(1, count + 1)]
