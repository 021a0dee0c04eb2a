"""The declared schedule: validated, frozen, in Megatron's words."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator, model_validator
from pydantic_core.core_schema import ValidationInfo

from schedframe._errors import ConfigError, Problem
from schedframe._files.config.document import Document, read
from schedframe._plan import evaluate as _engine
from schedframe._plan.conditions import PEAK_MAY_BE_ZERO, RULES, Rule
from schedframe._plan.plan import NAMES, Plan, fingerprint
from schedframe._plan.rule import key_of, merged, rules_of
from schedframe._plugins.claims import snapshot
from schedframe._problems import broken_rule, problems_of
from schedframe._run.groups import roles as _roles
from schedframe._run.groups.roles import rules_for
from schedframe._run.policy import AnyParent, AnyResume, Resume
from schedframe._schedule import shorthand as _shorthand
from schedframe._schedule.groups import AnyGroupRules, Asked
from schedframe._units.lengths import OPEN, EndLength, Horizon, Length, RunLength, Scale, StartStep, scale_of
from schedframe._units.numbers import Count, InitLR, Number, Rate
from schedframe._units.units import AnyClock, Ramp
from schedframe.styles._base import LRStyle, WDStyle
from schedframe.styles._byname import AnyLRStyle, AnyWDStyle
from schedframe.styles._warmup import MEGATRONS, AnyWarmup
from schedframe.styles.lr import Linear
from schedframe.styles.wd import WDConstant

if TYPE_CHECKING:
    from schedframe._run.scheduler import OptimizerParamScheduler


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

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, json_schema_extra=_shorthand.describe)

    clock: AnyClock = Field(
        "samples", description="What `step` counts: samples, as Megatron, iters or tokens.", examples=["iters"]
    )
    global_batch_size: Count | None = Field(
        None, description="Samples of an iteration; with a ramp, at its end.", examples=[1024]
    )
    seq_length: Count | None = Field(None, description="Tokens of a sample.", examples=[4096])
    dataset_samples: Count | None = Field(None, description="Samples of an epoch.", examples=["1.2M"])
    micro_batch_size: Count | None = Field(None, description="Needed for decrease_batch_size_if_needed.", examples=[4])
    data_parallel_size: Count | None = Field(
        None, description="Needed for decrease_batch_size_if_needed.", examples=[8]
    )
    decrease_batch_size_if_needed: bool = Field(
        False,
        strict=True,
        description="Batch sizes are decreased to multiples of micro_batch_size * data_parallel_size.",
        examples=[True],
    )
    rampup_batch_size: Ramp | None = Field(
        None, description="Ramp-up of the batch size: first size, increment, samples.", examples=[[256, 256, "20M"]]
    )
    step_batch_size_schedule: str | None = Field(
        None,
        description="Batch sizes by tokens, as '0:768 250B:1536'; instead of global_batch_size.",
        examples=["0:768 250B:1536"],
    )
    start_step: StartStep = Field(
        0, description="The scheduler's count at which this schedule's own step 0 lies.", examples=["450M"]
    )
    train_samples: RunLength | None = Field(None, description="Length of the run, in samples.", examples=["500M"])
    train_iters: RunLength | None = Field(None, description="Length of the run, in iterations.", examples=[100_000])
    train_tokens: RunLength | None = Field(None, description="Length of the run, in tokens.", examples=["2T"])
    lr_decay_steps: EndLength = Field(
        description="Where the decay ends; needed unless train_samples, train_iters or train_tokens is given. "
        "`open` where that is not known.",
        examples=["90% of run"],
    )
    max_lr: Number = Field(description="The peak learning rate; it is always needed.", examples=[3e-4])
    min_lr: Rate = Field(0.0, description="The floor; a percentage is of max_lr.", examples=["10%"])
    init_lr: InitLR = Field(
        0.0,
        description="The learning rate at step 0; a percentage is of max_lr, `current` is the checkpoint's.",
        examples=[1e-7],
    )
    lr_warmup_steps: Length = Field(0, description="Length of the warm-up.", examples=["2000 iters"])
    lr_warmup_style: AnyWarmup = Field(
        MEGATRONS,
        description="Its shape: linear, cosine, quadratic, or as in megatron, nemo, torchtitan, hf.",
        examples=["torchtitan"],
    )
    lr_decay_style: AnyLRStyle = Field(
        Linear(),
        description="Style after the warm-up.",
        examples=[{"style": "WSD", "wsd_decay_steps": "10%", "lr_wsd_decay_style": "minus_sqrt"}],
    )
    start_wd: Number | None = Field(None, description="Weight decay at step 0; defaults to end_wd.", examples=[0.033])
    end_wd: Number | None = Field(None, description="Weight decay at the end; defaults to start_wd.", examples=[0.1])
    wd_incr_steps: Horizon = Field(
        description="Where the weight-decay schedule ends; defaults to the run.", examples=["250M"]
    )
    wd_incr_style: AnyWDStyle = Field(
        WDConstant(),
        description="Style of the weight-decay schedule.",
        examples=[{"style": "cooldown", "wd_cooldown_steps": "20%"}],
    )
    groups: AnyGroupRules = Field(
        (),
        description="Rules for param groups that are to have another schedule.",
        examples=[[{"role": "router", "match": {"param": "*.router.*"}, "lr_mult": 0.1}]],
    )
    resume: AnyResume = Field(
        Resume(),
        description="What counts on resume: strict, checkpoint, override, or a table.",
        examples=[{"policy": "strict", "override": ["max_lr"]}],
    )
    parent: AnyParent | None = Field(
        None,
        description="The schedule that this one continues: its fingerprint, a step.",
        examples=[{"fingerprint": "9f31c07be2d10c55", "step": "450M"}],
    )

    _document: Document | None = PrivateAttr(None)
    _said: dict[str, Any] = PrivateAttr(default_factory=dict)
    _rules: ClassVar[tuple[Rule, ...]] = RULES

    def __init__(self, /, **keys: Any) -> None:
        """Validate `keys`; see the class for what they mean."""
        try:
            with snapshot():
                super().__init__(**keys)
        except ValidationError as error:
            problems = problems_of(error, Schedule, _shorthand.all_keys(Schedule.model_fields))
            raise ConfigError("the schedule", _shorthand.as_written(problems, keys)) from None
        self._said = keys

    def __eq__(self, other: object) -> bool:
        """Two schedules are equal when all their keys are, wherever they came from."""
        return isinstance(other, Schedule) and self._values() == other._values()

    def __hash__(self) -> int:
        """Hash by the keys."""
        return hash(self._values())

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, keys: Any) -> Any:
        if not isinstance(keys, dict):
            return keys
        expanded = _shorthand.expand(keys)
        if expanded.get("groups") is not None:
            others = {key: value for key, value in keys.items() if key != "groups"}
            expanded["groups"] = Asked(keys["groups"], others, _GroupSchedule)
        return expanded

    @field_validator("*", mode="after")
    @classmethod
    def _obey_rules(cls, value: Any, info: ValidationInfo) -> Any:
        values = {**info.data, str(info.field_name): value}
        for rule in cls._rules:
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

    @property
    def fingerprint(self) -> str:
        """A digest of everything that determines the curves, and of nothing else: 16 hexadecimal digits.

        Equal in every process, for every spelling of the same schedule; plugin versions do not count.
        """
        return fingerprint(self)

    @property
    def train_steps(self) -> float | None:
        """Length of the run in the scheduler's steps; ``None`` where it is not said."""
        return self._scale.run_steps

    @property
    def _scale(self) -> Scale:
        return scale_of({name: getattr(self, name) for name in type(self).model_fields})

    def step_at(self, position: float | str) -> float:
        """Return the scheduler's count at a `position` of the run, such as ``"2000 iters"`` or ``"10B tokens"``.

        Args:
            position: from the start of the run; a plain number is the scheduler's count itself.

        Raises:
            ValueError: it is no length, a percentage, or a key that converts it is missing.
        """
        return replace(self._scale, start=0).absolute(position)

    def units_at(self, step: float) -> dict[str, float]:
        """Return the position at the scheduler's count `step` in every unit that is known, the clock's own first.

        Args:
            step: the scheduler's count, from the start of the run.
        """
        scale = replace(self._scale, start=0)
        return {unit: scale.in_unit(step, unit) for unit in scale.units.known()}

    def lr_at(self, step: float, param_group: _engine.Group | str | None = None) -> float:
        """Return the learning rate at `step`.

        Args:
            step: the scheduler's count, from `start_step`.
            param_group: a group whose own ``max_lr``/``min_lr`` win, under the rules of `groups` that it tells it is
                made for; or the name of a rule, of several with ``+`` between them. Without it the schedule's bounds
                hold.

        Raises:
            ValueError: `step` lies before `start_step`, or there is no such rule.
            StateError: `init_lr` is ``current``, and `step` lies in the warm-up.
        """
        group = {} if param_group is None or isinstance(param_group, str) else param_group
        return _engine.lr_at(self._run_for(param_group), self._own(step), group)

    def wd_at(self, step: float, param_group: _engine.Group | str | None = None) -> float | None:
        """Return the weight decay at `step`; ``None`` where it is left alone.

        Args:
            step: the scheduler's count, from `start_step`.
            param_group: a group whose own ``start_wd``/``end_wd`` win, before its ``wd_mult``, under the rules of
                `groups` that it tells it is made for; or the name of a rule, after that rule's ``wd_mult``.

        Raises:
            ValueError: `step` lies before `start_step`, or there is no such rule.
        """
        if not isinstance(param_group, str):
            return _engine.wd_at(self._run_for(param_group), self._own(step), param_group or {})
        wd = _engine.wd_at(self._run_for(param_group), self._own(step), {})
        return None if wd is None else wd * merged(rules_of(self.groups, param_group)).get("wd_mult", 1.0)

    def for_role(self, role: str) -> "Schedule":
        """Return the schedule of the param groups with `role`, as one of its own, but for ``wd_mult``.

        Args:
            role: the name of a rule of `groups`, several with ``+`` between them, or ``default``.

        Raises:
            ValueError: there is no such rule, or several contradict each other.
        """
        plan = self._run_for(role)
        own = self.model_copy(update={key_of(name): getattr(plan, name) for name in NAMES})
        own._document = None
        return own

    def _run_for(self, param_group: _engine.Group | str | None) -> Any:
        """Return what the groups follow that have a role, or one group by itself."""
        if isinstance(param_group, str):
            return Plan.of(self).under(rules_of(self.groups, param_group))
        if not self.groups or param_group is None:
            return self
        return Plan.of(self).under(rules_for(self.groups, param_group))

    def landmarks(self) -> dict[str, float]:
        """Return the steps that matter, by label, in their order: start, end of warm-up, where styles bend, end.

        They are the scheduler's counts: the first is `start_step`.
        """
        marks: dict[str, float] = {"start": 0.0}
        if self.lr_warmup_steps:
            marks["warm-up end"] = self.lr_warmup_steps
        if self.lr_decay_steps != OPEN:
            marks["decay end"] = self.lr_decay_steps
        if self.train_steps is not None:
            marks["run end"] = self.train_steps
        for label, step in self.lr_style.landmarks(self.lr_warmup_steps, self.lr_decay_steps).items():
            marks[f"{label} of {self.lr_style.style}" if label in marks else label] = step
        if self.start_wd is not None:
            for label, step in self.wd_style.landmarks(self.wd_incr_steps).items():
                marks[f"weight decay {label}"] = step
            if self.start_wd != self.end_wd:
                marks["weight decay end"] = self.wd_incr_steps
        return {label: self.start_step + step for label, step in sorted(marks.items(), key=lambda mark: mark[1])}

    def param_groups(self, model: Any, *, process_group: Any = None) -> list[dict[str, Any]]:
        """Return the param groups of `model` for a torch optimizer, one for each set of rules that fits a parameter.

        Each has ``params`` and its ``role``, the rule's name (``router``, ``router+muon`` for both, ``default`` for
        none). Only parameters with ``requires_grad`` are in them; tied weights are one parameter with several names.
        Under ``torch.distributed`` it is a collective, and every rank has the same groups, empty where it lacks the
        parameters.

        Args:
            model: a module, several, or pairs of name and parameter.
            process_group: the ranks that call it; by default all.

        Raises:
            ConfigError: a rule fits no parameter of any rank, or two rules set one thing to different values.
        """
        try:
            return _roles.made(self.groups, model, process_group)
        except ConfigError as error:
            raise ConfigError(self._where(), map(self._located, error.problems)) from None

    def build(
        self,
        optimizer: Any,
        *,
        process_group: Any = None,
        use_checkpoint_opt_param_scheduler: bool | None = None,
        override_opt_param_scheduler: bool | None = None,
    ) -> "OptimizerParamScheduler":
        """Return the scheduler that runs this schedule on `optimizer`, after its first ``step(0)``.

        Args:
            optimizer: anything with ``param_groups``: a torch optimizer, Megatron's ChainedOptimizer, or a list of
                such optimizers.
            process_group: the ranks that build; by default all. Where a rule of `groups` matches by key or index,
                building is a collective under ``torch.distributed``.
            use_checkpoint_opt_param_scheduler: on resume the checkpoint's schedule counts: `resume` as
                ``checkpoint``.
            override_opt_param_scheduler: on resume this schedule counts: `resume` as ``override``. Both
                flags false are ``strict``; without any, `resume` says it.

        Raises:
            ConfigError: the optimizer's groups contradict the schedule, the flags contradict `resume`, or a
                house rule of an installed plugin is broken.
            PluginError: an installed hook plugin fails.
        """
        from schedframe._schedule.build import build

        return build(
            self,
            optimizer,
            use_checkpoint=use_checkpoint_opt_param_scheduler,
            override=override_opt_param_scheduler,
            process_group=process_group,
        )

    def _own(self, step: float) -> float:
        """Return `step` as this schedule counts it, from its own step 0."""
        if not step >= self.start_step:
            what = "be a number" if step != step else "not be negative" if step < 0 else ""
            raise ValueError(f"step must {what or f'not lie before start_step, {self.start_step}'}, got {step}")
        return step - self.start_step

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in type(self).model_fields)

    def _where(self) -> str:
        """The file that it is from, for errors."""
        return str(self._document.path) if self._document is not None else "the schedule"

    def _located(self, problem: Problem) -> Problem:
        """`problem` with its line in the file that the schedule is from."""
        return _with_line(problem, self._document) if self._document is not None else problem


class _GroupSchedule(Schedule):
    """The schedule of some param groups, which a peak of 0 freezes."""

    _rules: ClassVar[tuple[Rule, ...]] = PEAK_MAY_BE_ZERO


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


def _with_line(problem: Problem, document: Document) -> Problem:
    line = document.line_of(problem.path) or document.line_of(_shorthand.stands_on(problem.path))
    return replace(problem, line=problem.line or line)
