"""The declared schedule: validated, frozen, in Megatron's words."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator, model_validator
from pydantic_core.core_schema import ValidationInfo

from schedframe import _engine
from schedframe._byname import AnyLRStyle, AnyWDStyle
from schedframe._document import Document, read
from schedframe._errors import ConfigError, Problem
from schedframe._lengths import Length, Number, Rate, Steps
from schedframe._problems import broken_rule, problems_of, written
from schedframe._rules import RULES
from schedframe._style import LRStyle, WDStyle
from schedframe.styles.lr import WSD, Linear
from schedframe.styles.wd import WDConstant

if TYPE_CHECKING:
    from schedframe._scheduler import OptimizerParamScheduler

_STANDS_IN = {
    "lr_decay_steps": ("train_samples",),
    "wd_incr_steps": ("train_samples", "lr_decay_steps"),
    "start_wd": ("end_wd",),
    "end_wd": ("start_wd",),
}
"""Keys that default to another key, the first that is given."""

_FLAT_WSD = ("wsd_decay_steps", "lr_wsd_decay_style")
"""Options of WSD that Megatron spells beside ``lr_decay_style``."""


class Schedule(BaseModel):
    """A learning-rate and weight-decay schedule: what it says never changes.

    Keys are Megatron's constructor arguments. A step is one unit of the scheduler's clock; Megatron
    counts samples. Lengths are steps: ``2000``, ``500M``, ``2e9``, ``1_000_000``, or a percentage of
    ``lr_decay_steps``. A style is a name, or a table with the style's options.

    Examples:
        >>> schedule = Schedule(max_lr=1.0, lr_decay_steps=100, lr_warmup_steps="10%", lr_decay_style="cosine")
        >>> schedule.lr_at(5), schedule.lr_at(55), schedule.lr_at(100)
        (0.5, 0.5, 0.0)

    Raises:
        ConfigError: with every problem that was found.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, json_schema_extra=lambda schema: _admit_shortcuts(schema)
    )
    all_keys: ClassVar[tuple[str, ...]]

    train_samples: Steps | None = Field(None, description="Length of the run, in steps.")
    lr_decay_steps: Steps = Field(description="Where the decay ends; needed unless train_samples is given.")
    max_lr: Number = Field(description="The peak learning rate; it is always needed.")
    min_lr: Rate = Field(0.0, description="The floor; a percentage is of max_lr.")
    init_lr: Rate = Field(0.0, description="The learning rate at step 0; a percentage is of max_lr.")
    lr_warmup_steps: Length = Field(0, description="Length of the linear warm-up.")
    lr_decay_style: AnyLRStyle = Field(Linear(), description="Style after the warm-up.")
    start_wd: Number | None = Field(None, description="Weight decay at step 0; defaults to end_wd.")
    end_wd: Number | None = Field(None, description="Weight decay at the end; defaults to start_wd.")
    wd_incr_steps: Length = Field(description="Where the weight-decay schedule ends; defaults to the run.")
    wd_incr_style: AnyWDStyle = Field(WDConstant(), description="Style of the weight-decay schedule.")

    _document: Document | None = PrivateAttr(None)

    def __init__(self, /, **keys: Any) -> None:
        """Validate `keys`; see the class for what they mean."""
        try:
            super().__init__(**keys)
        except ValidationError as error:
            raise ConfigError("the schedule", _as_written(error, keys)) from None

    def __eq__(self, other: object) -> bool:
        """Two schedules are equal when all their keys are, wherever they came from."""
        return isinstance(other, Schedule) and self._values() == other._values()

    def __hash__(self) -> int:
        """Hash by the keys."""
        return hash(self._values())

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, keys: Any) -> Any:
        if not isinstance(keys, dict):
            return keys
        keys = dict(keys)
        flat = {name: keys[name] for name in _FLAT_WSD if name in keys}
        if flat and _is_wsd_by_name(keys.get("lr_decay_style")):
            keys["lr_decay_style"] = {"style": "WSD", **flat}
            for name in flat:
                del keys[name]
        for name, others in _STANDS_IN.items():
            given = [keys[other] for other in others if keys.get(other) is not None]
            if keys.get(name) is None and given:
                keys[name] = given[0]
        return keys

    @field_validator("*", mode="after")
    @classmethod
    def _obey_rules(cls, value: Any, info: ValidationInfo) -> Any:
        values = {**info.data, str(info.field_name): value}
        for rule in RULES:
            if rule.key == info.field_name:
                broken = rule.broken(values)
                if broken:
                    raise broken_rule(broken, rule.option, getattr(value, rule.option, value))
        return value

    @property
    def lr_style(self) -> LRStyle:
        """The learning-rate style, the object behind ``lr_decay_style``."""
        return self.lr_decay_style

    @property
    def wd_style(self) -> WDStyle:
        """The weight-decay style, the object behind ``wd_incr_style``."""
        return self.wd_incr_style

    def lr_at(self, step: float, param_group: _engine.Group | None = None) -> float:
        """Return the learning rate at `step`.

        Args:
            step: the scheduler's count, from 0.
            param_group: a group whose own ``max_lr``/``min_lr`` win; without it the schedule's bounds hold.

        Raises:
            ValueError: `step` is negative.
        """
        return _engine.lr_at(self, _not_negative(step), param_group or {})

    def wd_at(self, step: float, param_group: _engine.Group | None = None) -> float | None:
        """Return the weight decay at `step`, before the group's ``wd_mult``; ``None`` where it is left alone.

        Args:
            step: the scheduler's count, from 0.
            param_group: a group whose own ``start_wd``/``end_wd`` win.

        Raises:
            ValueError: `step` is negative.
        """
        return _engine.wd_at(self, _not_negative(step), param_group or {})

    def landmarks(self) -> dict[str, float]:
        """Return the steps that matter, by label, in their order: start, end of warm-up, where styles bend, end."""
        marks: dict[str, float] = {"start": 0.0}
        if self.lr_warmup_steps:
            marks["warm-up end"] = self.lr_warmup_steps
        marks["decay end"] = self.lr_decay_steps
        for label, step in self.lr_style.landmarks(self.lr_warmup_steps, self.lr_decay_steps).items():
            marks[f"{label} of {self.lr_style.style}" if label in marks else label] = step
        if self.start_wd is not None:
            for label, step in self.wd_style.landmarks(self.wd_incr_steps).items():
                marks[f"weight decay {label}"] = step
            if self.start_wd != self.end_wd:
                marks["weight decay end"] = self.wd_incr_steps
        if self.train_samples is not None:
            marks["run end"] = self.train_samples
        return dict(sorted(marks.items(), key=lambda mark: mark[1]))

    def build(
        self,
        optimizer: Any,
        *,
        use_checkpoint_opt_param_scheduler: bool = False,
        override_opt_param_scheduler: bool = False,
    ) -> "OptimizerParamScheduler":
        """Return the scheduler that runs this schedule on `optimizer`, after its first ``step(0)``.

        Args:
            optimizer: anything with ``param_groups``: a torch optimizer, Megatron's ChainedOptimizer.
            use_checkpoint_opt_param_scheduler: on resume the checkpoint's schedule wins.
            override_opt_param_scheduler: on resume this schedule wins. With neither flag, a difference
                between the two is refused.

        Raises:
            ConfigError: the optimizer's groups contradict the schedule, or a house rule of an installed
                plugin is broken.
            PluginError: an installed hook plugin fails.
        """
        from schedframe import _groups, _hooks
        from schedframe._scheduler import OptimizerParamScheduler

        problems = [Problem("", complaint) for complaint in _hooks.complaints(self)]
        problems += [
            self._located(Problem(key, message, str(getattr(self, key))))
            for key, message in _groups.contradictions(self, list(optimizer.param_groups))
        ]
        if problems:
            raise ConfigError(self._where(), problems)
        return OptimizerParamScheduler(
            optimizer,
            init_lr=self.init_lr,
            max_lr=self.max_lr,
            min_lr=self.min_lr,
            lr_warmup_steps=self.lr_warmup_steps,
            lr_decay_steps=self.lr_decay_steps,
            lr_decay_style=self.lr_decay_style,
            start_wd=self.start_wd,
            end_wd=self.end_wd,
            wd_incr_steps=self.wd_incr_steps,
            wd_incr_style=self.wd_incr_style,
            use_checkpoint_opt_param_scheduler=use_checkpoint_opt_param_scheduler,
            override_opt_param_scheduler=override_opt_param_scheduler,
        )

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in type(self).model_fields)

    def _where(self) -> str:
        return str(self._document.path) if self._document is not None else "the schedule"

    def _located(self, problem: Problem) -> Problem:
        return _with_line(problem, self._document) if self._document is not None else problem


def _keys_with_flat_wsd() -> Iterator[str]:
    for name in Schedule.model_fields:
        yield name
        if name == "lr_decay_style":
            yield from _FLAT_WSD


Schedule.all_keys = tuple(_keys_with_flat_wsd())


def _admit_shortcuts(schema: dict[str, Any]) -> None:
    """Describe in the JSON schema what `Schedule` fills in: keys that another key stands in for, flat WSD keys."""
    schema["required"] = [name for name in schema["required"] if name not in _STANDS_IN]
    for name in _FLAT_WSD:
        field = WSD.model_fields[name]
        schema["properties"][name] = {"description": f"{field.description} Only with lr_decay_style: WSD."}


def load(path: str | Path) -> Schedule:
    """Read the schedule declared in a YAML 1.2, TOML or JSON file.

    Nothing that the file says is executed or imported, but for the installed styles that it names.

    Raises:
        ConfigError: with every problem of the file, each with its line.
    """
    document = read(path)
    try:
        schedule = Schedule(**document.data)
    except ConfigError as error:
        problems = [
            _with_line(problem, document) for problem in error.problems if problem.path not in document.unreadable
        ]
        raise ConfigError(str(document.path), [*document.problems, *problems]) from None
    if document.problems:
        raise ConfigError(str(document.path), document.problems)
    schedule._document = document
    return schedule


def _is_wsd_by_name(style: object) -> bool:
    return style in ("WSD", "wsd")


def _not_negative(step: float) -> float:
    if not step >= 0:
        raise ValueError(f"step must {'not be negative' if step < 0 else 'be a number'}, got {step}")
    return step


def _with_line(problem: Problem, document: Document) -> Problem:
    above = "lr_decay_style" if problem.path in _FLAT_WSD else ""
    return replace(problem, line=problem.line or document.line_of(problem.path) or document.line_of(above))


def _as_written(error: ValidationError, keys: dict[str, Any]) -> list[Problem]:
    """`error`'s problems in terms of the `keys` that were given, before defaults were filled in."""
    own, filled_in = [], []
    for problem in problems_of(error, Schedule):
        top, _, rest = problem.path.partition(".")
        if top in _STANDS_IN and keys.get(top) is None:
            filled_in.append(problem)
        elif top == "lr_decay_style" and rest.split(".")[0] in _FLAT_WSD and _is_wsd_by_name(keys.get(top)):
            own.append(replace(problem, path=rest))
        elif problem.path in _FLAT_WSD:
            own.append(replace(problem, message=_misplaced(keys.get("lr_decay_style", "linear"))))
        elif top in Schedule.model_fields and top not in keys:
            own.append(replace(problem, value=""))
        else:
            own.append(problem)
    blamed = {problem.path for problem in own}
    for problem in filled_in:
        given = [name for name in _STANDS_IN[problem.path] if keys.get(name) is not None]
        path = given[0] if given else problem.path
        if path not in blamed and not (problem.path == "wd_incr_steps" and not given):
            own.append(replace(problem, path=path))
            blamed.add(path)
    return [_given(problem, keys) for problem in own]


def _given(problem: Problem, keys: dict[str, Any]) -> Problem:
    """`problem` with its value as it was given: a rule sees `90%` as a number."""
    value: Any = keys
    for part in problem.path.split("."):
        if not isinstance(value, dict) or part not in value:
            return problem
        value = value[part]
    return replace(problem, value=written(value)) if problem.value else problem


def _misplaced(style: object) -> str:
    """What is wrong with a flat option of WSD beside `style`, which is no bare WSD."""
    name = style.get("style") if isinstance(style, dict) else getattr(style, "style", style)
    if _is_wsd_by_name(name):
        return "is said beside the table of lr_decay_style; say it in the table"
    return f"is only for lr_decay_style: WSD, and that is {name!r} here"
