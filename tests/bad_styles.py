"""Styles that are wrong in one way each; the name of a class is that of the check that must catch it."""

import math
import threading
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field, PrivateAttr, field_serializer

from schedframe.styles import LRCurve, LRPoint, LRStyle


class Good(LRCurve):
    """Falls on a straight line.

    Formula:
        c = (1 - p)**power

    At the edges:
        max_lr where it starts, min_lr where it ends and after.

    Examples:
        >>> Good().coefficient(0.25)
        0.75

    References:
        none
    """

    style: Literal["good"] = "good"
    power: float = Field(1.0, gt=0, description="How late it falls.")

    def coefficient(self, progress: float) -> float:
        return (1.0 - progress) ** self.power


class _Line(LRCurve):
    def coefficient(self, progress: float) -> float:
        return 1.0 - progress


class name(_Line):
    """There is a built-in of this name."""

    style: Literal["linear"] = "linear"


class frozen(_Line):
    """An option may be assigned."""

    model_config = ConfigDict(frozen=False)
    style: Literal["thawed"] = "thawed"


class hashable(_Line):
    """It holds a list."""

    style: Literal["listed"] = "listed"
    marks: list[float] = Field([0.5], description="Marks.")


class picklable(_Line):
    """It holds a lock."""

    style: Literal["locked"] = "locked"
    _lock: Any = PrivateAttr(default_factory=threading.Lock)


class round_trip(_Line):
    """Its option is written rounded."""

    style: Literal["rounded"] = "rounded"
    power: float = Field(1 / 3, description="A third.")

    @field_serializer("power")
    def _short(self, value: float) -> float:
        return round(value, 2)


class schema(_Line):
    """Its schema says a type that is none."""

    model_config = ConfigDict(json_schema_extra={"type": 12})
    style: Literal["typed"] = "typed"


class options(_Line):
    """Nobody knows what its option is."""

    style: Literal["silent"] = "silent"
    power: float = 1.0


class docstring(_Line):
    """It says not much.

    Formula:
        c = 1 - p
    """

    style: Literal["brief"] = "brief"


class example(_Line):
    """Its example is wrong.

    Examples:
        >>> example().coefficient(0.25)
        0.5
    """

    style: Literal["boasting"] = "boasting"


class unknown_keys(_Line):
    """It takes whatever it is given."""

    model_config = ConfigDict(extra="ignore")
    style: Literal["greedy"] = "greedy"


class finite(LRCurve):
    """It has a hole."""

    style: Literal["holed"] = "holed"

    def coefficient(self, progress: float) -> float:
        return 1.0 - progress if not 0.4 < progress < 0.6 else math.nan


class pure(LRCurve):
    """It counts how often it is asked."""

    style: Literal["counting"] = "counting"
    asked: ClassVar[list[int]] = [0]

    def coefficient(self, progress: float) -> float:
        self.asked[0] += 1
        return (1.0 - progress) / (1.0 + self.asked[0] * 1e-9)


class start(LRCurve):
    """It starts below the peak."""

    style: Literal["low"] = "low"

    def coefficient(self, progress: float) -> float:
        return 0.9 * (1.0 - progress)


class bounds(LRCurve):
    """It overshoots."""

    style: Literal["overshooting"] = "overshooting"

    def coefficient(self, progress: float) -> float:
        return 1.0 - progress + 2.0 * progress * (1.0 - progress)


class past_the_end(LRStyle):
    """Its cosine comes back up, as several libraries' do."""

    style: Literal["rebounding"] = "rebounding"

    def lr(self, point: LRPoint) -> float:
        progress = (point.step - point.warmup_steps) / (point.decay_steps - point.warmup_steps)
        return point.min_lr + (point.max_lr - point.min_lr) * 0.5 * (1.0 + math.cos(math.pi * progress))


class group_bounds(LRStyle):
    """It has the bounds of the first group that asks."""

    style: Literal["first-come"] = "first-come"

    def lr(self, point: LRPoint) -> float:
        progress = (point.step - point.warmup_steps) / (point.decay_steps - point.warmup_steps)
        return 0.05 + 0.75 * (1.0 - min(progress, 1.0))


class resume(LRCurve):
    """What it holds is not in its state."""

    style: Literal["forgetful"] = "forgetful"
    power: float = Field(1.0, description="How late it falls.", exclude=True)

    def coefficient(self, progress: float) -> float:
        return (1.0 - progress) ** self.power
