"""The scheduler where Megatron's loop calls it: it passes samples."""

from typing import Any, ClassVar, final

from schedframe._errors import Problem
from schedframe._plan import evaluate as _engine
from schedframe._run import scheduler as _scheduler
from schedframe._schedule.schedule import Schedule
from schedframe._units.units import parse_clock

CLOCKS = ("samples",)
"""What Megatron passes to ``step()``, in every loop since ``increment`` is there."""


@final
class OptimizerParamScheduler(_scheduler.OptimizerParamScheduler):
    __doc__ = _scheduler.OptimizerParamScheduler.__doc__

    _clocks: ClassVar[tuple[str, ...]] = CLOCKS


@final
class OptimizerParamScheduler015(_scheduler.OptimizerParamScheduler):
    """The same with the rules of Megatron Core up to 0.15.

    A group's ``lr_mult`` multiplies its learning rate, and its own ``start_wd`` and ``end_wd`` do not count
    (NVIDIA/Megatron-LM:megatron/core/optimizer_param_scheduler.py at core_v0.15.3).
    """

    _clocks: ClassVar[tuple[str, ...]] = CLOCKS
    _ignores_lr_mult: ClassVar[bool] = False

    def step(self, increment: int) -> None:
        """Advance, and write ``lr`` and ``weight_decay`` into every param group, as the class itself does."""
        super().step(increment)
        for group in self.optimizer.param_groups:
            lr_mult = group.get("lr_mult", 1.0)
            if lr_mult not in (1.0, None):
                group["lr"] = self.get_lr(group) * lr_mult
            if group.get("start_wd") is not None or group.get("end_wd") is not None:
                wd = self._wd_of_all(group)
                if wd is not None:
                    group["weight_decay"] = wd * group.get("wd_mult", 1.0)

    def _wd_of_all(self, group: dict[str, Any]) -> float | None:
        """The weight decay at `num_steps` of what `group` follows, whatever bounds it has of its own."""
        run = self._run_of(group)
        others = {key: value for key, value in group.items() if key not in ("start_wd", "end_wd")}
        return _engine.wd_at(run, self.num_steps - self.start_step, others)


def build(schedule: Schedule, optimizer: Any, **options: Any) -> _scheduler.OptimizerParamScheduler:
    """Return the scheduler that runs `schedule` in Megatron's loop, which passes samples: `Schedule.build`.

    Args:
        schedule: its clock must count samples.
        optimizer: Megatron's optimizer, or several.
        options: those of `Schedule.build`.

    Raises:
        ConfigError: the clock counts something else, or what `Schedule.build` refuses.
        PluginError: an installed hook plugin fails.
    """
    refuse_other_clocks(schedule)
    return schedule.build(optimizer, **options)


def refuse_other_clocks(schedule: Schedule) -> None:
    """Refuse a schedule whose steps are not what Megatron passes.

    Raises:
        ConfigError: its clock counts something else.
    """
    try:
        parse_clock(schedule.clock, known=CLOCKS)
    except ValueError as error:
        raise schedule.origin.error([Problem("clock", str(error), schedule.clock)]) from None
