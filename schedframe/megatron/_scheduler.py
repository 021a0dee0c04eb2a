"""The scheduler where Megatron's loop calls it: it passes samples."""

from typing import ClassVar, final

from schedframe._errors import Problem
from schedframe._run import scheduler as _scheduler
from schedframe._schedule.schedule import Schedule
from schedframe._units.units import parse_clock

CLOCKS = ("samples",)
"""What Megatron passes to ``step()``, in every loop since ``increment`` is there."""


@final
class OptimizerParamScheduler(_scheduler.OptimizerParamScheduler):
    __doc__ = _scheduler.OptimizerParamScheduler.__doc__

    _clocks: ClassVar[tuple[str, ...]] = CLOCKS


def refuse_other_clocks(schedule: Schedule) -> None:
    """Refuse a schedule whose steps are not what Megatron passes.

    Raises:
        ConfigError: its clock counts something else.
    """
    try:
        parse_clock(schedule.clock, known=CLOCKS)
    except ValueError as error:
        raise schedule.origin.error([Problem("clock", str(error), schedule.clock)]) from None
