"""What a schedule declares of a run that its loss depends on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from schedframe._plan.sampling import breakpoints, end_of, steps_between
from schedframe._schedule.schedule import Schedule
from schedframe._units.lengths import OPEN
from schedframe._units.notation import rate, whole_number
from schedframe.foresight._curve import Array, Curve
from schedframe.foresight._reasons import Reason, refuse

FIT_FROM = 0.1
"""Laws describe a run from this share of its updates on: earlier ones, and warmup, follow no power law."""

_POINTS = 200
_PARTS = 21
_PEAKS = (1e-12, 1e6)
_SAME = 0.01
_AT_PEAK = 0.999


@dataclass(frozen=True, eq=False)
class Declared:
    """A run as its schedule declares it, in updates.

    Attributes:
        name: what the schedule is called in messages.
        curve: the learning rate of the param groups without a rule.
        batch_sizes: stretches of the run by first update, first sample and batch size; empty where it is not declared.
        weight_decay: at 21 evenly spaced updates; empty where it is not scheduled.
        unlike: the role of param groups whose learning rate is no multiple of the others', or an empty string.
    """

    name: str
    curve: Curve
    batch_sizes: tuple[tuple[int, int, int], ...]
    weight_decay: tuple[float, ...]
    unlike: str

    @property
    def fit_from(self) -> float:
        """The update from which on a law describes the run."""
        return max(self.curve.warmup, FIT_FROM * self.curve.length)

    @cached_property
    def trough(self) -> float:
        """The lowest learning rate behind the warmup, as a share of the peak."""
        return float(self.curve.lr[self.curve.updates >= self.curve.warmup].min()) / self.curve.peak

    @cached_property
    def decay(self) -> tuple[float, float]:
        """The updates at which the decay begins and ends; both are the end where there is none."""
        updates, lr = self.curve.updates, self.curve.lr
        lowest = lr[-1]
        if lowest > _AT_PEAK * self.curve.peak:
            return self.curve.length, self.curve.length
        begin = updates[np.flatnonzero(lr >= _AT_PEAK * self.curve.peak)[-1]]
        above = np.flatnonzero(lr > lowest + (1 - _AT_PEAK) * self.curve.peak)
        return float(begin), float(updates[min(above[-1] + 1, len(updates) - 1)])

    @property
    def decay_share(self) -> float:
        """The share of the run in which the learning rate falls."""
        begin, end = self.decay
        return (end - begin) / self.curve.length

    @cached_property
    def fullness(self) -> float:
        """The mean learning rate over the decay, between its end (0) and its beginning (1): 0.5 of a linear one."""
        begin, end = self.decay
        if end <= begin:
            return 1.0
        lr = self.curve.at(np.linspace(begin, end, 201))
        return float((lr.mean() - lr[-1]) / (lr[0] - lr[-1]))

    @cached_property
    def largest_step(self) -> float:
        """The most that the learning rate falls between two updates, as a share of the peak, behind the warmup."""
        updates = self.curve.updates[self.curve.updates >= self.curve.warmup]
        falls = self.curve.at(updates) - self.curve.at(updates + 1.0)
        return float(falls.max()) / self.curve.peak

    @cached_property
    def rise(self) -> float | None:
        """The update at which the learning rate rises again after it has fallen; ``None`` where it does not."""
        lowest = np.minimum.accumulate(np.where(self._has_fallen, self.curve.lr, np.inf))
        rises = np.flatnonzero(self.curve.lr - lowest > _SAME * self.curve.peak)
        return float(self.curve.updates[rises[0]]) if len(rises) else None

    @property
    def _has_fallen(self) -> Array:
        highest = np.maximum.accumulate(self.curve.lr)
        return np.asarray(np.logical_or.accumulate(highest - self.curve.lr > _SAME * self.curve.peak), bool)

    @property
    def shape(self) -> str:
        """How the learning rate falls, as a text: ``decay over 98 %, to 10 %, fullness 0.5``."""
        return f"decay over {self.decay_share:.0%}, to {self.trough:.0%}, fullness {self.fullness:.1f}"

    def reasons(self) -> Iterator[Reason]:
        """Yield why no law describes the run."""
        if self.rise is not None:
            yield Reason(
                "re-warmup",
                self.name,
                f"the learning rate rises again at update {whole_number(self.rise)}, and nothing is known of the loss "
                f"after that; compare schedules that only fall after their warmup",
            )
        if self.unlike:
            yield Reason(
                "other-groups",
                self.name,
                f"the param groups {self.unlike} have another curve of the learning rate than the others; a law knows "
                f"one curve: give them a multiple of it (lr_mult)",
            )
        last = self.batch_sizes[-1][0] if self.batch_sizes else 0
        if last > self.fit_from:
            yield Reason(
                "batch-ramp",
                self.name,
                f"the batch size changes up to update {whole_number(last)}, after update {whole_number(self.fit_from)} "
                f"from which on the loss is described; a ramp must end before",
            )


def declared(schedule: Schedule, name: str = "") -> Declared:
    """Return what `schedule` declares of a run.

    Args:
        schedule: the schedule; its clock is converted to updates by its batch sizes.
        name: what it is called in messages; by default its file.

    Raises:
        ForesightError: it has no end, is only a part of a run, or cannot be converted to updates.
        PluginError: a style fails.
        StateError: `init_lr` is ``current``.
    """
    name = name or _name_of(schedule)
    refuse(_unknown(schedule, name))
    steps = _steps(schedule)
    updates, lr = _updates(schedule, steps), np.asarray(schedule.lr_at(steps), float)
    peaks = np.flatnonzero(lr >= _AT_PEAK * lr.max())
    curve = Curve(updates, lr, float(updates[peaks[0]]))
    return Declared(name, curve, _stretches(schedule), _weight_decay(schedule, steps[-1]), _unlike(schedule, steps, lr))


def _name_of(schedule: Schedule) -> str:
    document = schedule.origin.document
    return "the schedule" if document is None else str(Path(document.path))


def _unknown(schedule: Schedule, name: str) -> Iterator[Reason]:
    if "iters" not in schedule.scale.units.known():
        yield Reason(
            "no-updates",
            name,
            f"its {schedule.clock} cannot be converted to updates; give global_batch_size"
            f"{' and seq_length' if schedule.clock == 'tokens' else ''}, or write `clock: iters`",
        )
    if schedule.start_step:
        yield Reason(
            "part-of-a-run",
            name,
            f"it begins at step {schedule.start_step}, and the loss depends on the whole run; declare the run from its "
            f"first update on",
        )
    lowest, highest = _PEAKS
    if not lowest <= schedule.max_lr <= highest:
        sentence = f"its max_lr is {rate(schedule.max_lr)}, and peaks from {rate(lowest)} to {rate(highest)} make sense"
        yield Reason("odd-peak", name, sentence)
    if schedule.train_steps is None and schedule.lr_decay_steps == OPEN:
        yield Reason("open-ended", name, "it has no end; give train_iters, train_samples or train_tokens")


def _steps(schedule: Schedule) -> list[float]:
    """Return steps of the scheduler's count between which the learning rate is close to straight lines."""
    plan = schedule.plan
    end = end_of(plan, schedule.train_steps)
    changes = (schedule.step_at(f"{first} iters") for first, _, _ in _stretches(schedule)[1:])
    marks = [0.0, *breakpoints(plan, end), *(step for step in changes if 0 < step < end), end]
    return steps_between(marks, _POINTS, lambda step: (schedule.lr_at(step),), (plan.max_lr,))


def _stretches(schedule: Schedule) -> tuple[tuple[int, int, int], ...]:
    sizes = schedule.scale.units.batch_sizes
    return () if sizes is None else sizes.stretches


def _updates(schedule: Schedule, steps: Sequence[float]) -> Array:
    """Return the updates that `steps` are; they are proportional where the batch size never changes."""
    if schedule.clock == "iters":
        return np.asarray(steps, float)
    if len(_stretches(schedule)) == 1:
        return np.asarray(steps, float) * (schedule.units_at(steps[-1])["iters"] / steps[-1])
    return np.array([schedule.units_at(step)["iters"] for step in steps])


def _weight_decay(schedule: Schedule, end: float) -> tuple[float, ...]:
    if schedule.start_wd is None:
        return ()
    return tuple(schedule.wd_at(end * part / (_PARTS - 1)) or 0.0 for part in range(_PARTS))


def _unlike(schedule: Schedule, steps: Sequence[float], lr: Array) -> str:
    own = lr / lr.max()
    for rule in schedule.groups:
        other = np.asarray(schedule.lr_at(steps, rule.role), float)
        if other.max() > 0 and np.abs(other / other.max() - own).max() > _SAME:
            return rule.role
    return ""
