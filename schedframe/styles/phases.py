"""The styles that are lists of phases."""

from functools import cached_property, partial
from math import inf
from typing import Annotated, Literal, final

from pydantic import AfterValidator, Field

from schedframe.styles._base import Cooldown, LaterOptions, LRPoint, LRStyle, WDPoint, WDStyle
from schedframe.styles._phase import BOUNDARIES, AnyPhases, Boundaries, Bounds, Course, without_word


@final
class Phases(LaterOptions, LRStyle):
    """A list of styles that run one after the other, each with a length and a target.

    A phase runs its style like a separate run: its max LR is the value at which the previous phase ended (of the first
    phase, the run's max LR), and its min LR is its target. So the learning rate is continuous, except where a phase
    has ``jump: true`` and ``from``. One phase may have no length: it fills the time that the others leave.

    Keys of a phase: ``style`` (any learning-rate style, phases too), ``length``, ``to`` (``min_lr``, ``31.6%`` of
    the peak, or an absolute number), ``from``, ``jump``, ``name``::

        lr_decay_style:
          style: phases
          phases:
            - {style: constant}
            - {style: minus_sqrt, length: 20%, to: min_lr, name: cooldown}

    Formula:
        lr = style_i(t - b_i), with max_lr = the value at b_i, min_lr = to_i, lr_decay_steps = length_i,
        b_i the step where phase i begins, t the steps since the end of the warmup

    At the edges:
        A phase begins at its boundary: where it jumps, the boundary itself has the new value, or with
        ``boundaries: closed`` the old one. Together the phases fill the time from the end of the warmup to
        lr_decay_steps; past it the last phase's style decides.

    Examples:
        >>> two = Phases(phases=[{"style": "linear", "length": 50, "to": "50%"}, {"style": "constant"}])
        >>> [two.lr(LRPoint(step, 0, 100, max_lr=1.0, min_lr=0.0)) for step in (0, 25, 50, 75, 500)]
        [1.0, 0.75, 0.5, 0.5, 0.5]

    References:
        Of the schedules that it can express: docs/how-to/write-phases.md
    """

    style: Literal["phases"] = "phases"
    phases: Annotated[AnyPhases, AfterValidator(partial(without_word, "end_wd"))] = Field(
        description="The phases, in their order."
    )
    boundaries: Boundaries = Field("open", description=BOUNDARIES)

    @cached_property
    def _course(self) -> Course:
        return Course(self.phases, self.boundaries)

    def lr(self, point: LRPoint) -> float:
        """Return the value of the phase at this step."""
        step, total = point.step - point.warmup_steps, point.decay_steps - point.warmup_steps
        bounds = Bounds(point.max_lr, point.min_lr, point.min_lr, point.max_lr)
        return self._course.value_at(step, total, bounds)

    def landmarks(self, warmup_steps: float, decay_steps: float) -> dict[str, float]:
        """Return where each phase begins; the first one if it has a name."""
        return dict(self._course.starts(warmup_steps, decay_steps - warmup_steps))

    def jumps_at(self, warmup_steps: float, decay_steps: float) -> list[float]:
        """Return where a phase with ``jump: true`` begins, and where the style of a phase jumps by itself."""
        return list(self._course.jumps(warmup_steps, decay_steps - warmup_steps))

    def may_rise(self) -> bool:
        """Return whether a phase has a target of its own, or a style that may rise."""
        return any(phase.to not in (None, "min_lr") or phase.style.may_rise() for phase in self.phases)

    def cooldown(self, step: float, warmup_steps: float, decay_steps: float) -> Cooldown | None:
        """Return the last phase that is not constant, where it lies behind `step`."""
        return self._course.last_cooldown(step - warmup_steps, decay_steps - warmup_steps)


@final
class WDPhases(LaterOptions, WDStyle):
    """A list of styles that run one after the other, each with a length and a target, from start_wd on.

    As ``phases`` of the learning rate, with its styles: a target is ``end_wd``, a percentage of start_wd, or a
    number, and weight decay may rise and fall::

        start_wd: 0.8
        end_wd: 1.25
        wd_incr_style:
          style: phases
          phases:
            - {style: linear, length: 50%, to: 0.1}
            - {style: linear, to: end_wd}

    Formula:
        wd = style_i(t - b_i), with max_lr = the value at b_i, min_lr = to_i, lr_decay_steps = length_i,
        b_i the step where phase i begins

    At the edges:
        start_wd at step 0. Together the phases fill wd_incr_steps; past it the last phase's style decides.

    Examples:
        >>> both = WDPhases(phases=[{"style": "linear", "length": 50, "to": 0.1}, {"style": "linear"}])
        >>> [both.wd(WDPoint(step, 100, 0.5, 1.1, lr=0.0, max_lr=1.0)) for step in (0, 50, 75, 100, 101)]
        [0.5, 0.1, 0.6000000000000001, 1.1, 1.1]

    References:
        qlabs-eng/slowrun pull request 38 falls and rises so
    """

    style: Literal["phases"] = "phases"
    phases: Annotated[AnyPhases, AfterValidator(partial(without_word, "min_lr"))] = Field(
        description="The phases, in their order."
    )
    boundaries: Boundaries = Field("open", description=BOUNDARIES)

    @cached_property
    def _course(self) -> Course:
        return Course(self.phases, self.boundaries)

    def wd(self, point: WDPoint) -> float:
        """Return the value of the phase at this step."""
        return self._course.value_at(point.step, point.incr_steps, Bounds(point.start_wd, point.end_wd, 0.0, inf))

    def landmarks(self, incr_steps: float) -> dict[str, float]:
        """Return where each phase begins; the first one if it has a name."""
        return dict(self._course.starts(0, incr_steps))
