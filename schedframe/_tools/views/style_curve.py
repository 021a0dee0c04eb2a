"""The curve of a style alone: a schedule that has the style, its defaults, and little else."""

from typing import NamedTuple

from schedframe._errors import FAILURES, SchedframeError
from schedframe._schedule.schedule import Schedule
from schedframe.styles import LRStyle, Style

STEPS = 10_000
WARMUP = FLOOR = "5%"
NEEDED = "20%"
"""What every option without a default gets; a style that needs anything but lengths cannot be drawn."""

_LOW, _HIGH = 0.05, 1.0


class StyleCurve(NamedTuple):
    """A schedule with one style.

    Attributes:
        schedule: over `STEPS` steps, with a learning rate and a weight decay of 1 at most.
        is_lr: whether the style is of the learning rate.
        needed: the names of the options that got `NEEDED`.
    """

    schedule: Schedule
    is_lr: bool
    needed: tuple[str, ...]

    def heights(self, count: int) -> list[float]:
        """Return `count` values of the curve, evenly spaced from the end of the warmup to the end of the run."""
        begin = self.schedule.lr_warmup_steps
        steps = [begin + (STEPS - begin) * index / (count - 1) for index in range(count)]
        return self.schedule.lr_at(steps) if self.is_lr else [value or 0.0 for value in self.schedule.wd_at(steps)]


def style_curve(name: str, style: type[Style]) -> StyleCurve | None:
    """Return the curve of `style`, which is installed as `name`; ``None`` where its defaults make no schedule."""
    needed = tuple(option for option, field in style.model_fields.items() if field.is_required())
    table = {"style": name, **dict.fromkeys(needed, NEEDED)}
    if issubclass(style, LRStyle):
        return _curve({"lr_decay_style": table}, True, needed)
    changing = {"wd_incr_style": table, "start_wd": _LOW, "end_wd": _HIGH}
    return _curve(changing, False, needed) or _curve({**changing, "start_wd": _HIGH}, False, needed)


def _curve(keys: dict[str, object], is_lr: bool, needed: tuple[str, ...]) -> StyleCurve | None:
    try:
        schedule = Schedule(lr_decay_steps=STEPS, max_lr=_HIGH, min_lr=FLOOR, lr_warmup_steps=WARMUP, **keys)
        curve = StyleCurve(schedule, is_lr, needed)
        curve.heights(10)
    except (SchedframeError, *FAILURES):
        return None
    return curve
