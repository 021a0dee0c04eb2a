"""Schedules that go on from another one: a cooldown that starts now, a later end, a new warm-up."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from math import inf, nextafter
from pathlib import Path
from typing import Any, Literal

from schedframe import _hooks, _state
from schedframe._document import Document, from_text
from schedframe._errors import ConfigError, Problem
from schedframe._files import write_new
from schedframe._lengths import compact, parse_length, parse_number, parse_rate, whole
from schedframe._plan import CURRENT, Plan, fingerprint
from schedframe._policy import Parent, Resume
from schedframe._resume import decide
from schedframe._rewrite import REMOVED, rewritten
from schedframe._schedule import Schedule
from schedframe._shorthand import FLAT_WSD
from schedframe._style import LRPoint, Style
from schedframe.styles.lr import WSD, Exponential
from schedframe.styles.wd import WDConstant

_LENGTHS = frozenset(
    ("lr_decay_steps", "lr_warmup_steps", "start_step", "step", "train_samples", "wd_incr_steps", "wsd_decay_steps")
)

Position = float | str | Mapping[str, Any]
"""Where a schedule is left: a step, ``450M``, or the scheduler's state of a checkpoint."""


@dataclass(frozen=True)
class Continuation:
    """A schedule that goes on from its parent, and the seam between the two.

    Attributes:
        operation: ``"branch"``, ``"extend"`` or ``"rewarm"``.
        parent: the schedule that is left.
        schedule: the one that goes on.
        step: the scheduler's count at the seam.
        lr_before: the parent's learning rate at the seam.
        wd_before: the parent's weight decay at the seam; ``None`` where it is left alone.
        changes: the parent's config keys that are not the same any more, `REMOVED` where they are gone.
    """

    operation: str
    parent: Schedule
    schedule: Schedule
    step: float
    lr_before: float
    wd_before: float | None
    changes: Mapping[str, Any]

    @cached_property
    def lr_after(self) -> float:
        """The learning rate of `schedule` at the seam."""
        return self.schedule.lr_at(self.step)

    @cached_property
    def wd_after(self) -> float | None:
        """The weight decay of `schedule` at the seam; ``None`` where it is left alone."""
        return self.schedule.wd_at(self.step)

    def write(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write `schedule` as a config file, whole or not at all; the parent's file is never touched.

        It is the parent's file with the keys that changed, and with all its comments.

        Args:
            path: the new file, of the same format as the parent's; of a parent that is from no file, YAML.
            overwrite: replace the file at `path`, unless it is the parent's.

        Raises:
            ConfigError: the file is there already, is the parent's, or cannot be written.
        """
        path = Path(path)
        document = document_of(self.parent)
        heading = [f"schedframe {self.operation} of {document.path.name} at step {_spelled('step', self.step)}"]
        text = rewritten(document, self.changes, heading=heading, suffix=path.suffix)
        write_new(path, text, overwrite=overwrite, never=[document.path])


def branch(
    schedule: Schedule,
    at: Position,
    *,
    wsd_decay_steps: float | str,
    lr_wsd_decay_style: str | Mapping[str, Any] | None = None,
    min_lr: float | str | None = None,
    stable_until: float | str | None = None,
    end_wd: float | str | None = None,
) -> Continuation:
    """Start a cooldown from a stable phase.

    Examples:
        >>> stable = Schedule(max_lr=1.0, lr_decay_steps="1M", lr_decay_style="constant")
        >>> cooldown = branch(stable, 1000, wsd_decay_steps=200, lr_wsd_decay_style="minus_sqrt")
        >>> [cooldown.schedule.lr_at(step) for step in (1000, 1050, 1200)]
        [1.0, 0.5, 0.0]

    Args:
        schedule: the parent.
        at: the step, or the checkpoint's scheduler state, from which to go on.
        wsd_decay_steps: length of the cooldown, in steps.
        lr_wsd_decay_style: its curve; by default that of the parent's tail, else Megatron's, ``exponential``.
        min_lr: where it ends; by default the parent's floor. A percentage is of the parent's ``max_lr``.
        stable_until: the scheduler's count up to which the learning rate stays; by default it falls at once.
        end_wd: where weight decay goes, linearly, until the end of the cooldown; ``current`` holds it. It must
            be said where the parent's weight decay is still moving.

    Raises:
        ConfigError: `at` lies in no stable phase, or the new schedule cannot be used.
        StateError: the checkpoint is not of this schedule.
    """
    parent = _Leaving(schedule, at)
    parent.refuse_unless_stable()
    length = parent.length("wsd_decay_steps", wsd_decay_steps)
    stable = 0 if stable_until is None else parent.length("stable_until", stable_until) - parent.step
    if stable < 0:
        raise parent.refusal("stable_until", f"lies before step {parent.step}, where the branch starts", stable_until)
    own = parent.plan.lr_style
    tail = own.lr_wsd_decay_style if isinstance(own, WSD) else Exponential()
    floor = parent.plan.min_lr if min_lr is None else parent.rate("min_lr", min_lr)
    return parent.continuation(
        "branch",
        {
            "start_step": parent.step,
            "max_lr": _peak(parent.lr, floor),
            "min_lr": floor,
            "init_lr": REMOVED,
            "lr_warmup_steps": REMOVED,
            **parent.end(whole(stable + length)),
            **parent.style(
                {
                    "style": "WSD",
                    "wsd_decay_steps": length,
                    "lr_wsd_decay_style": _plain(tail if lr_wsd_decay_style is None else lr_wsd_decay_style),
                }
            ),
            **parent.weight_decay(end_wd),
        },
    )


def extend(schedule: Schedule, at: Position, *, lr_decay_steps: float | str, reshape: bool = False) -> Continuation:
    """Give a schedule a later end, without changing what is behind it.

    The stable phase of ``WSD`` grows; its tail, the warm-up and weight decay stay as they are. A style that
    cannot grow without being another one before `at`, as ``cosine`` and ``linear``, is refused.

    Examples:
        >>> short = Schedule(max_lr=1.0, lr_decay_steps=100, lr_decay_style={"style": "WSD", "wsd_decay_steps": 20})
        >>> extend(short, 70, lr_decay_steps=200).schedule.landmarks()
        {'start': 0.0, 'anneal start': 180, 'decay end': 200}

    Args:
        schedule: the parent.
        at: the step, or the checkpoint's scheduler state, from which to go on.
        lr_decay_steps: the new end, in steps from the schedule's own start.
        reshape: go on although the learning rate at `at` jumps to another curve.

    Raises:
        ConfigError: the style would have to be reshaped, or the new schedule cannot be used.
        StateError: the checkpoint is not of this schedule.
    """
    parent = _Leaving(schedule, at)
    end = parent.length("lr_decay_steps", lr_decay_steps)
    if end <= parent.own_step:
        raise parent.refusal("lr_decay_steps", f"must be after step {parent.own_step}, where it goes on", end)
    changes = {**parent.without_percentages(), **parent.end(end)}
    if changes.keys() >= {"train_samples", "lr_decay_steps"}:
        changes["train_samples"] = max(end, schedule.train_samples or 0)
    if "wd_incr_steps" not in parent.keys and not isinstance(parent.plan.wd_style, WDConstant):
        changes["wd_incr_steps"] = parent.plan.wd_incr_steps
    if schedule.init_lr == CURRENT:
        changes["init_lr"] = parent.plan.init_lr
    extended = parent.continuation("extend", changes)
    moved = parent.first_difference(extended.schedule)
    if moved is not None and not reshape:
        raise parent.refusal(
            "lr_decay_steps",
            f"{parent.plan.lr_style.style} cannot get another end without being another curve before step "
            f"{parent.step}: from step {moved} on it would have been different. The learning rate at step "
            f"{parent.step} is {parent.lr} and would become {extended.lr_after}, the weight decay {parent.wd} and "
            f"{extended.wd_after}. If that is meant, say reshape (--reshape)",
            lr_decay_steps,
        )
    return extended


def rewarm(
    schedule: Schedule,
    at: Position,
    *,
    lr_warmup_steps: float | str,
    lr_decay_steps: float | str,
    max_lr: float | str | None = None,
    init_lr: float | str | Literal["current"] = CURRENT,
    min_lr: float | str | None = None,
    lr_decay_style: str | Mapping[str, Any] | None = None,
    end_wd: float | str | None = None,
) -> Continuation:
    """Start a new warm-up, as in continual pre-training, and a decay after it.

    Re-warming and re-decaying are studied in arXiv 2308.04014 and arXiv 2403.08763.

    Examples:
        >>> first = Schedule(max_lr=1.0, min_lr=0.25, lr_decay_steps=1000, lr_decay_style="cosine")
        >>> second = rewarm(first, 1000, lr_warmup_steps=100, lr_decay_steps=500, max_lr=0.75)
        >>> [second.schedule.lr_at(step) for step in (1000, 1050, 1100, 1500)]
        [0.25, 0.5, 0.75, 0.25]

    Args:
        schedule: the parent.
        at: the step, or the checkpoint's scheduler state, from which to go on.
        lr_warmup_steps: length of the new warm-up, in steps, or a percentage of the new `lr_decay_steps`.
        lr_decay_steps: where the new decay ends, in steps from `at`.
        max_lr: the new peak; by default the parent's.
        init_lr: where the new warm-up begins; by default at the learning rate that the parent has there.
        min_lr: the new floor; by default the parent's. A percentage is of the new peak.
        lr_decay_style: the style after the warm-up, a name or a table; by default the parent's.
        end_wd: where weight decay goes, linearly, until the new end; ``current`` holds it. It must be said
            where the parent's weight decay is still moving.

    Raises:
        ConfigError: the new schedule cannot be used.
        StateError: the checkpoint is not of this schedule.
    """
    parent = _Leaving(schedule, at)
    style = parent.plan.lr_style if lr_decay_style is None else lr_decay_style
    return parent.continuation(
        "rewarm",
        {
            "start_step": parent.step,
            "max_lr": parent.plan.max_lr if max_lr is None else parent.rate("max_lr", max_lr),
            "min_lr": parent.plan.min_lr if min_lr is None else min_lr,
            "init_lr": parent.lr if init_lr == CURRENT else init_lr,
            "lr_warmup_steps": lr_warmup_steps,
            **parent.end(parent.length("lr_decay_steps", lr_decay_steps)),
            **parent.style(_plain(style)),
            **parent.weight_decay(end_wd),
        },
    )


class _Leaving:
    """A schedule at the step where it is left."""

    def __init__(self, schedule: Schedule, at: Position) -> None:
        self.schedule = schedule
        self.document = document_of(schedule)
        self.keys = self.document.data
        self.plan = Plan.of(schedule)
        if isinstance(at, Mapping):
            saved = _state.read(_hooks.translated(at))
            decision = decide(saved, self.plan, policy="strict", parent=schedule.parent)
            self.plan, self.step = decision.plan, decision.position
        else:
            self.step = self.length("start_step", at)
        self.own_step = self.step - self.plan.start_step
        if self.own_step < 0:
            raise self.refusal("start_step", f"lies after step {self.step}, where it goes on", self.plan.start_step)
        self.lr, self.wd = self.plan.finite_at(self.step)

    def refusal(self, path: str, message: str, value: Any) -> ConfigError:
        return ConfigError(str(self.document.path), [Problem(path, message, str(value))])

    def length(self, key: str, value: Any) -> float:
        return self._parsed(key, value, parse_length)

    def rate(self, key: str, value: Any) -> float:
        return self._parsed(key, value, lambda given: parse_rate(given, self.plan.max_lr))

    def _parsed(self, key: str, value: Any, parse: Callable[[Any], float]) -> float:
        try:
            return parse(value)
        except ValueError as error:
            raise self.refusal(key, str(error), repr(value)) from None

    def continuation(self, operation: str, changes: Mapping[str, Any]) -> Continuation:
        changes = {
            **changes,
            "resume": REMOVED,
            "parent": {"fingerprint": fingerprint(self.plan), "step": self.step},
        }
        changes = {key: _spelled(key, value) for key, value in changes.items() if not self.says(key, value, changes)}
        keys = {key: value for key, value in {**self.keys, **changes}.items() if value is not REMOVED}
        try:
            schedule = Schedule(**keys)
        except ConfigError as error:
            raise ConfigError(f"the {operation} of {self.document.path.name}", error.problems) from None
        return Continuation(operation, self.schedule, schedule, self.step, self.lr, self.wd, changes)

    def says(self, key: str, value: Any, changes: Mapping[str, Any]) -> bool:
        """Say whether the parent's file says `value` for `key` already, in its own words."""
        if key not in self.keys:
            return value is REMOVED
        same_peak = changes.get("max_lr", self.schedule.max_lr) == self.schedule.max_lr
        return same_peak and key in ("max_lr", "min_lr", "init_lr") and value == getattr(self.schedule, key)

    def refuse_unless_stable(self) -> None:
        """Refuse a step at which the learning rate is not the peak that it has had since the end of warm-up."""
        plan, first = self.plan, max(self.plan.lr_warmup_steps, 0)
        if self.own_step < first:
            raise self.refusal("lr_warmup_steps", f"step {self.step} lies in the warm-up, in no stable phase", first)
        now, then = (
            plan.lr_style.lr(LRPoint(step, first, plan.lr_decay_steps, plan.max_lr, plan.min_lr))
            for step in (self.own_step, first)
        )
        if now != then:
            raise self.refusal(
                "lr_decay_style",
                f"step {self.step} lies in no stable phase: the learning rate is {now} there, and was {then} where "
                f"the warm-up ended. Branch from an earlier step, or start a new decay with rewarm",
                plan.lr_style.style,
            )

    def first_difference(self, other: Schedule) -> float | None:
        """Return the first of many steps up to the seam at which `other` is not the same; ``None`` if there is none."""
        marks = sorted(
            {0.0, self.own_step, *(step - self.plan.start_step for step in self.schedule.landmarks().values())}
        )
        inside = [first + (last - first) * part / 16 for first, last in pairwise(marks) for part in range(16)]
        for own_step in [*inside, marks[-1]]:
            step = self.plan.start_step + whole(own_step)
            if own_step <= self.own_step and self.plan.finite_at(step) != (other.lr_at(step), other.wd_at(step)):
                return step
        return None

    def end(self, steps: float) -> dict[str, Any]:
        """Return the keys that say where the decay ends, those that the parent uses for it."""
        said = [key for key in ("train_samples", "lr_decay_steps") if self.keys.get(key) is not None]
        return dict.fromkeys(said, steps)

    def style(self, table: Any) -> dict[str, Any]:
        """Return the keys that say the style: Megatron's flat ones where the parent has those."""
        flat = [key for key in FLAT_WSD if key in self.keys]
        if not flat:
            return {"lr_decay_style": table}
        gone: dict[str, Any] = dict.fromkeys(flat, REMOVED)
        if isinstance(table, Mapping) and table["style"] == "WSD":
            return {**gone, "lr_decay_style": "WSD", **{key: table[key] for key in FLAT_WSD if key in table}}
        return {**gone, "lr_decay_style": table}

    def weight_decay(self, end_wd: float | str | None) -> dict[str, Any]:
        """Return the keys that let weight decay go on from its value at the seam."""
        if self.wd is None:
            return {}
        plan = self.plan
        if isinstance(plan.wd_style, WDConstant) and end_wd in (None, CURRENT):
            return {}
        moving = not isinstance(plan.wd_style, WDConstant) and not (
            self.own_step >= plan.wd_incr_steps and self.wd == plan.end_wd
        )
        if moving and end_wd is None:
            raise self.refusal(
                "wd_incr_style",
                f"weight decay is still moving at step {self.step}: it is {self.wd} there, on its way to "
                f"{plan.end_wd}. Say where it goes with end_wd (--end-wd): {plan.end_wd}, or `current` to hold it",
                plan.wd_style.style,
            )
        end = self.wd if end_wd in (None, CURRENT) else self._parsed("end_wd", end_wd, parse_number)
        style = REMOVED if end == self.wd else "linear"
        return {"start_wd": self.wd, "end_wd": end, "wd_incr_steps": REMOVED, "wd_incr_style": style}

    def without_percentages(self) -> dict[str, Any]:
        """Return the keys that are said in percent of `lr_decay_steps`, as the numbers that they are."""
        schedule = self.schedule
        said = {"lr_warmup_steps": schedule.lr_warmup_steps, "wd_incr_steps": schedule.wd_incr_steps}
        numbers: dict[str, Any] = {key: value for key, value in said.items() if _is_percentage(self.keys.get(key))}
        flat = [key for key in FLAT_WSD if _is_percentage(self.keys.get(key))]
        numbers.update({key: getattr(schedule.lr_style, key) for key in flat})
        for key, style in (("lr_decay_style", schedule.lr_style), ("wd_incr_style", schedule.wd_style)):
            if any(_is_percentage(leaf) for leaf in _leaves(self.keys.get(key))):
                numbers[key] = _plain(style)
        return numbers


def document_of(schedule: Schedule) -> Document:
    """Return the file that `schedule` was loaded from; of one that is from no file, one that says the same."""
    if schedule._document is not None:
        return schedule._document
    fields = type(schedule).model_fields
    said = {key: _plain(getattr(schedule, key)) for key in fields if getattr(schedule, key) != fields[key].default}
    return from_text(Path("schedule.yaml"), "".join(f"{key}: {json.dumps(value)}\n" for key, value in said.items()))


def _peak(lr: float, floor: float) -> float:
    """Return the peak from which the engine's sum ``floor + (peak - floor)`` is `lr` exactly."""
    near = (lr, nextafter(lr, inf), nextafter(lr, -inf))
    return next((peak for peak in near if floor + 1.0 * (peak - floor) == lr), lr)


def _plain(value: Any) -> Any:
    """`value` as a config says it: a style without options is its name."""
    if isinstance(value, Style):
        table = {name: _plain(getattr(value, name)) for name in type(value).model_fields}
        return table if len(table) > 1 else value.style
    if isinstance(value, Resume | Parent):
        return asdict(value)
    return list(value) if isinstance(value, tuple) else value


def _spelled(key: str, value: Any) -> Any:
    """`value` with its lengths as a person writes them."""
    if isinstance(value, Mapping):
        return {inner: _spelled(inner, said) for inner, said in value.items()}
    return compact(value) if key in _LENGTHS and isinstance(value, int | float) and value >= 1_000_000 else value


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _leaves(inner)
    else:
        yield value


def _is_percentage(value: Any) -> bool:
    return isinstance(value, str) and value.strip().endswith("%")
