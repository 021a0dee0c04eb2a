"""The keys of a config: what each of them is, and what must hold between them."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core.core_schema import ValidationInfo

from schedframe._errors import ConfigError, SchedframeError
from schedframe._plain import plain
from schedframe._plan.conditions import CONDITIONS, CONDITIONS_OF_GROUPS, Condition, by_key
from schedframe._plan.plan import NAMES, WARMUP, Plan
from schedframe._plan.rule import key_of
from schedframe._plugins.claims import snapshot
from schedframe._problems import broken_condition, problems_of
from schedframe._run.policy import Resume
from schedframe._schedule import fields, shorthand
from schedframe._schedule.groups import GroupRulesField, GroupsInput
from schedframe._units.lengths import Scale
from schedframe._units.numbers import Count, Number
from schedframe.styles._base import LRStyle
from schedframe.styles._byname import by_lr_style
from schedframe.styles._flat_wsd import FLAT_WSD
from schedframe.styles._warmup import MEGATRONS
from schedframe.styles.lr import Linear
from schedframe.styles.wd import WDConstant

if TYPE_CHECKING:
    from typing_extensions import Self


class Keys(BaseModel):
    """The validated keys of a config, which never change.

    Raises:
        ConfigError: with every problem of the keys.
    """

    model_config = ConfigDict(
        title="schedule",
        frozen=True,
        extra="forbid",
        validate_default=True,
        defer_build=True,
        json_schema_extra=shorthand.describe,
    )

    clock: fields.ClockField = Field(
        "samples",
        description="The step unit, which `step` counts: samples (as in Megatron), iters or tokens.",
        examples=["iters"],
    )
    global_batch_size: Count | None = Field(
        None, description="Samples per iteration; with a ramp-up, at its end.", examples=[1024]
    )
    seq_length: Count | None = Field(None, description="Tokens per sample.", examples=[4096])
    dataset_samples: Count | None = Field(None, description="Samples per epoch.", examples=["1.2M"])
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
    rampup_batch_size: fields.RampField | None = Field(
        None, description="Ramp-up of the batch size: first size, increment, samples.", examples=[[256, 256, "20M"]]
    )
    step_batch_size_schedule: str | None = Field(
        None,
        description="Batch sizes by tokens, as '0:768 250B:1536'; instead of global_batch_size.",
        examples=["0:768 250B:1536"],
    )
    start_step: fields.StartField = Field(
        0, description="The scheduler's count at which this schedule's own step 0 lies.", examples=["450M"]
    )
    train_samples: fields.RunField | None = Field(None, description="Length of the run, in samples.", examples=["500M"])
    train_iters: fields.RunField | None = Field(
        None, description="Length of the run, in iterations.", examples=[100_000]
    )
    train_tokens: fields.RunField | None = Field(None, description="Length of the run, in tokens.", examples=["2T"])
    lr_decay_steps: fields.EndField = Field(
        description="Where the decay ends; needed unless train_samples, train_iters or train_tokens is given. "
        "`open` if the end is not known.",
        examples=["90% of run"],
    )
    max_lr: Number = Field(description="The peak learning rate.", examples=[3e-4])
    min_lr: fields.RateField = Field(0.0, description="The min LR; a percentage is of max_lr.", examples=["10%"])
    init_lr: fields.InitLRField = Field(
        0.0,
        description="The learning rate at step 0; a percentage is of max_lr, `current` is the checkpoint's.",
        examples=[1e-7],
    )
    lr_warmup_steps: fields.LengthField = Field(0, description="Length of the warmup.", examples=["2000 iters"])
    lr_warmup_style: fields.WarmupField = Field(
        MEGATRONS,
        description="Its shape: linear, cosine, quadratic, or as in megatron, nemo, torchtitan, hf.",
        examples=["torchtitan"],
    )
    first_update: fields.FirstUpdateField = Field(
        0,
        description="Where the curves are read at the first update: 0, 1 update ahead, or -1 behind.",
        examples=[1],
    )
    interval: fields.IntervalField = Field(
        0,
        description="How long the curves hold their values, as with a scheduler that is stepped once an epoch.",
        examples=[20],
    )
    decay_from: fields.DecayFromField = Field(
        WARMUP,
        description="Where the decay begins: warmup, its end, or 0, below the warmup from the start of the run.",
        examples=[0],
    )
    lr_decay_style: fields.LRStyleField = Field(
        Linear(),
        description="Style of the learning rate after the warmup.",
        examples=[{"style": "WSD", "wsd_decay_steps": "10%", "lr_wsd_decay_style": "minus_sqrt"}],
    )
    start_wd: Number | None = Field(None, description="Weight decay at step 0; defaults to end_wd.", examples=[0.033])
    end_wd: Number | None = Field(None, description="Weight decay at the end; defaults to start_wd.", examples=[0.1])
    wd_incr_steps: fields.HorizonField = Field(
        description="Where the weight-decay schedule ends; defaults to the run.", examples=["250M"]
    )
    wd_incr_style: fields.WDStyleField = Field(
        WDConstant(),
        description="Style of the weight-decay schedule.",
        examples=[{"style": "cooldown", "wd_cooldown_steps": "20%"}],
    )
    groups: GroupRulesField = Field(
        (),
        description="Rules for param groups that have another schedule.",
        examples=[[{"role": "router", "match": {"param": "*.router.*"}, "lr_mult": 0.1}]],
    )
    resume: fields.ResumeField = Field(
        Resume(),
        description="Which schedule is used on resume: strict, checkpoint, override, or a table.",
        examples=[{"policy": "strict", "override": ["max_lr"]}],
    )
    ignore: fields.IgnoreField | None = Field(
        None,
        description="Lint rules that are not applied here, by code or name, each with the reason.",
        examples=[{"SF202": "the minimum holds for a while as in GPT-3"}],
    )
    parent: fields.ParentField | None = Field(
        None,
        description="The schedule that this one continues: its fingerprint, a step.",
        examples=[{"fingerprint": "9f31c07be2d10c55", "step": "450M"}],
    )

    _conditions: ClassVar[Mapping[str, tuple[Condition, ...]]] = by_key(CONDITIONS)

    def __init__(self, /, **keys: Any) -> None:
        """Validate `keys`; see the fields for what they mean."""
        keys = plain(keys)
        try:
            with snapshot():
                super().__init__(**keys)
        except ValidationError as error:
            problems = problems_of(error, Keys, shorthand.all_keys(Keys.model_fields))
            raise ConfigError("the schedule", shorthand.as_written(problems, keys)) from None

    def __eq__(self, other: object) -> bool:
        """Two schedules are equal when all their keys are, wherever they came from."""
        return isinstance(other, Keys) and self._values() == other._values()

    def __hash__(self) -> int:
        """Hash by the keys."""
        return hash(self._values())

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in Keys.model_fields)

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, keys: Any) -> Any:
        if not isinstance(keys, Mapping):
            return keys
        keys = plain(keys)
        if keys.get("max_lr") is None and (peak := _peak_of(keys)) is not None:
            keys = {**keys, "max_lr": peak}
        expanded = shorthand.expand(keys)
        if expanded.get("groups") is not None:
            others = {key: value for key, value in keys.items() if key != "groups"}
            expanded["groups"] = GroupsInput(keys["groups"], others, KeysOfGroups)
        return expanded

    @field_validator("*", mode="after")
    @classmethod
    def _obey_conditions(cls, value: Any, info: ValidationInfo) -> Any:
        name = str(info.field_name)
        for condition in cls._conditions.get(name, ()):
            fault = condition.fault({**info.data, name: value})
            if fault is not None:
                raise broken_condition(fault.message, fault.option, getattr(value, fault.option, value))
        return value

    @property
    def ignored(self) -> tuple[str, ...]:
        """The codes and names of the lint rules that are not applied."""
        return tuple(name for name, _ in self.ignore or ())

    @cached_property
    def plan(self) -> Plan:
        """Everything that determines both curves."""
        return Plan(**{name: getattr(self, key_of(name)) for name in NAMES})

    @cached_property
    def scale(self) -> Scale:
        """The scale with which lengths on this run are converted."""
        return fields.scale_of({name: getattr(self, name) for name in Keys.model_fields})

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> "Self":
        """Return a copy, with the values of `update`, which are not validated."""
        copied = super().model_copy(update=update, deep=deep)
        for name in ("plan", "scale"):
            copied.__dict__.pop(name, None)
        return copied


class KeysOfGroups(Keys):
    """The keys of a config as they are for some param groups, which a max LR of 0 freezes."""

    _conditions: ClassVar[Mapping[str, tuple[Condition, ...]]] = by_key(CONDITIONS_OF_GROUPS)


_DEPEND_ON_MAX_LR = ("max_lr", "min_lr", "init_lr", "lr_decay_style", *FLAT_WSD, "wd_incr_style", "groups")


def _peak_of(keys: Mapping[str, Any]) -> float | None:
    """Return the max LR that follows from the options of the style and the warmup; ``None`` where none does."""
    table = keys.get("lr_decay_style")
    name = table.get("style") if isinstance(table, Mapping) else None
    try:
        cls = by_lr_style.model_of(name) if isinstance(name, str) else None
        if cls is None or not issubclass(cls, LRStyle) or cls.peak is LRStyle.peak:
            return None
        others = {key: value for key, value in keys.items() if key not in _DEPEND_ON_MAX_LR}
        run = KeysOfGroups(**others, max_lr=1.0)
        style = by_lr_style.resolve(table, replace(run.scale, begin=run.lr_warmup_steps, end=run.lr_decay_steps))
    except (SchedframeError, ValueError):
        return None  # the validation of the keys reports it
    return style.peak(run.lr_warmup_steps) if isinstance(style, LRStyle) else None
