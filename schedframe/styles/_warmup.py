"""How the learning rate rises to max LR."""

from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property
from math import cos, log, pi, sqrt
from typing import Any, final

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    model_serializer,
    model_validator,
)
from pydantic.fields import FieldInfo

from schedframe._elsewhere import hint_for_warmup
from schedframe._errors import SchedframeError, did_you_mean
from schedframe._problems import explained
from schedframe._units.lengths import JSON_LENGTH, Length, Scale, scale_in
from schedframe.styles._base import LRCurve, Style
from schedframe.styles._byname import MARK, by_lr_curve
from schedframe.styles._installed import lr_styles

SHAPES = ("linear", "cosine", "quadratic", "log", "1-sqrt", "constant")
"""Shapes of a warmup that have names of their own."""

OWN = ("style", "shift", "stretched", "least", "delay")
"""The options of a warmup; a table's others are those of its curve."""

_LATER = ("least", "delay")
"""Options that early versions did not have; at 0 they are in no state."""

_ONE = "1 iters"


@final
class Warmup(Style):
    """The warmup: from init_lr to max_lr over lr_warmup_steps.

    Its shape is one of its own, or any curve, mirrored: what the curve falls, the warmup rises.

    Formula:
        lr = init_lr + (max_lr - init_lr) * w(p),
        p = min(max(n - delay + shift, least) / (lr_warmup_steps + (shift)), 1), the second shift only if it is
        stretched, n - delay 0 at least
        linear: w = p; cosine: w = (1 - cos(pi * p)) / 2; quadratic: w = p**2; 1-sqrt: w = 1 - sqrt(1 - p);
        constant: w = 0, and 1 at the end; any curve: w = 1 - c(p);
        log: w = ln((n - delay) / shift + 1) / ln(lr_warmup_steps / shift), 1 at most

    At the edges:
        init_lr at step 0 unless it is shifted, max_lr at lr_warmup_steps; with a delay the decay begins below max_lr.

    Examples:
        >>> [Warmup(style="quadratic").share(step, 10) for step in (0, 5, 10)]
        [0.0, 0.25, 1.0]
        >>> Warmup(shift=1).share(0, 10), Warmup(shift=1, stretched=True).share(0, 9)
        (0.1, 0.1)
        >>> Warmup(style="polynomial", power=2).share(5, 10)
        0.75

    References:
        NVIDIA/Megatron-LM:megatron/core/optimizer_param_scheduler.py at core_v0.16.1 (n / N);
        pytorch/torchtitan:torchtitan/components/optimizer/lr_scheduler.py at b5bcd76 ((n + 1) / N);
        NVIDIA/NeMo:nemo/core/optim/lr_scheduler.py at 8cfedd7 ((n + 1) / (N + 1));
        EleutherAI/gpt-neox:megatron/learning_rates.py at ea7aefd (max(n, 1) / N);
        deepspeedai/DeepSpeed:deepspeed/runtime/lr_schedules.py at v0.19.8 (log);
        the shapes of huggingface/transformers:src/transformers/optimization.py (cosine, 1-sqrt) and of axolotl
        (quadratic)
    """

    style: str = "linear"
    shift: Length = Field(default=0, description="By how much the warmup is advanced, such as `1 iters`.")
    stretched: bool = Field(default=False, description="Whether the shift is also added to the length.")
    least: Length = Field(default=0, description="The earliest step at which the warmup is read, such as `1 iters`.")
    delay: Length = Field(default=0, description="By how much the warmup is read later than the decay.")
    curve: LRCurve | None = Field(default=None, description="The curve, if the shape is one.", exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _split_off_the_curve(cls, table: Any, info: ValidationInfo) -> Any:
        if not isinstance(table, Mapping) or table.get("style", "linear") in SHAPES or "curve" in table:
            return {"shift": _ONE, **table} if isinstance(table, Mapping) and table.get("style") == "log" else table
        options = {key: value for key, value in table.items() if key == "style" or key not in OWN}
        own = {key: value for key, value in table.items() if key in OWN}
        try:
            curve = by_lr_curve.resolve(options, scale_in(info))
        except SchedframeError as error:
            raise ValueError(str(error)) from error
        return {**own, "style": curve.style, "curve": curve}

    @model_validator(mode="after")
    def _check_log(self) -> "Warmup":
        if self.style == "log" and (self.stretched or self.least or not self.shift):
            raise ValueError("log has only the options delay and shift, the length of one update, above 0")
        return self

    @model_serializer(mode="wrap")
    def _as_table(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        own = {key: value for key, value in dump(self).items() if key not in _LATER or value}
        options = {} if self.curve is None else self.curve.model_dump(mode="json", exclude={"style"})
        return {**own, **options}

    @property
    def options(self) -> dict[str, Any]:
        """The options of the warmup and its curve, as a config gives them."""
        return {key: value for key, value in self.model_dump().items() if key != "style"}

    @cached_property
    def is_megatrons(self) -> bool:
        """Whether it is the warmup of Megatron's class."""
        return self.style == "linear" and not (self.shift or self.least or self.delay)

    def share(self, step: float, warmup_steps: float) -> float:
        """Return w at `step`, 0 to 1, of a warmup of `warmup_steps` steps."""
        step = max(step - self.delay, 0) if self.delay else step
        if self.style == "log":
            return _logarithm(step / self.shift, warmup_steps / self.shift)
        read = max(step + self.shift, self.least)
        progress = float(read) / float(warmup_steps + (self.shift if self.stretched else 0))
        if progress >= 1.0:
            return 1.0
        if self.curve is not None:
            return 1.0 - self.curve.coefficient(progress)
        match self.style:
            case "cosine":
                return 0.5 * (1.0 - cos(pi * progress))
            case "quadratic":
                return progress**2
            case "1-sqrt":
                return 1.0 - sqrt(1.0 - progress)
            case "constant":
                return 0.0
        return progress

    @classmethod
    def of_table(cls, table: Mapping[str, Any]) -> "Warmup":
        """Return the warmup that a state or a rule holds as `table`."""
        return MEGATRONS if table == MEGATRONS_TABLE else cls(**table)


def options_of(style: Style) -> dict[str, Any]:
    """Return every option of `style`, of a warmup those that a config gives."""
    if isinstance(style, Warmup):
        return style.options
    return {name: getattr(style, name) for name in type(style).model_fields if name != "style"}


def fields_of(style: Style) -> dict[str, FieldInfo]:
    """Return the field of every option in `options_of`, of a warmup those of its curve too."""
    curve = style.curve if isinstance(style, Warmup) else None
    return {**type(style).model_fields, **({} if curve is None else type(curve).model_fields)}


def _logarithm(updates: float, length: float) -> float:
    """Return ln(n + 1) / ln(N) of `updates` n and a `length` N, 1 at most; N counts as 2 at least."""
    if updates >= length:
        return 1.0
    return min(log(updates + 1) * (1.0 / log(max(length, 2.0))), 1.0)


MEGATRONS = Warmup()
MEGATRONS_TABLE = MEGATRONS.model_dump(mode="json")

PRESETS: dict[str, dict[str, Any]] = {
    "megatron": {"style": "linear"},
    "hf": {"style": "linear"},
    "torchtitan": {"style": "linear", "shift": _ONE},
    "nanochat": {"style": "linear", "shift": _ONE},
    "nanogpt": {"style": "linear", "shift": _ONE, "stretched": True},
    "nemo": {"style": "linear", "shift": _ONE, "stretched": True},
    "deepspeed": {"style": "log", "shift": _ONE},
    "gpt-neox": {"style": "linear", "least": _ONE},
}
"""Warmups by the name of the code base that has them."""

_AMBIGUOUS = "minus_sqrt"


def parse_warmup(value: Any, scale: Scale | None = None, warmup_steps: float = 0) -> Warmup:
    """Return `value` as a warmup: a shape, a code base's name, a curve's name, or a table with options.

    Args:
        value: ``"cosine"``, ``"torchtitan"``, ``{"style": "polynomial", "power": 2}``.
        scale: what a shift is measured with.
        warmup_steps: length of the warmup, over which an iteration must have one length.

    Raises:
        ValueError: `value` is not a warmup; a `ValidationError` where an option is wrong.
    """
    if isinstance(value, Warmup):
        return value
    table = PRESETS.get(value, {"style": value}) if isinstance(value, str) else value
    if not isinstance(table, Mapping):
        raise ValueError("must be the name of a warmup, or a table with style and its options")
    shape = table.get("style", "linear")
    if not isinstance(shape, str) or (shape not in SHAPES and shape not in lr_styles):
        known = (*SHAPES, *PRESETS)
        if hint := hint_for_warmup(str(shape)):
            raise ValueError(f"is the warmup that schedframe calls {hint}")
        near = did_you_mean(str(shape), (*known, *lr_styles)) or ";"
        raise ValueError(f"is not a warmup{near} they are {', '.join(known)}, and every curve")
    if shape == _AMBIGUOUS:
        raise ValueError(
            "may be 1 - sqrt(1 - p) or sqrt(p) as a warmup; the first is called `1-sqrt`, as in transformers, and the "
            "second is `{style: minus-power, power: 0.5}`"
        )
    if "curve" in table:
        raise ValueError("has the option curve; a curve is named as the style")
    try:
        warmup = Warmup.model_validate(dict(table), context={"scale": scale or Scale()})
    except ValidationError as error:
        raise explained(error, Warmup) from None
    in_iterations = any("iter" in str(table.get(option, "")) for option in ("shift", "least", "delay"))
    if scale is not None and (in_iterations or shape == "log"):
        _refuse_a_ramp(scale, warmup_steps)
    return warmup


def _refuse_a_ramp(scale: Scale, warmup_steps: float) -> None:
    one = scale.steps("1 iters")
    if one * Fraction(scale.in_unit(warmup_steps, "iters")) != Fraction(warmup_steps):
        raise ValueError("is shifted by iterations, but the batch size changes within the warmup; use clock: iters")


_OPTIONS = {"shift": JSON_LENGTH, "stretched": {"type": "boolean"}, "least": JSON_LENGTH, "delay": JSON_LENGTH}
_TABLE = {
    "type": "object",
    "properties": {"style": {"enum": list(SHAPES)}, **_OPTIONS},
    "additionalProperties": False,
}
_SHIFTED_CURVE = {
    "type": "object",
    "properties": {"style": {"type": "string"}, **_OPTIONS},
    "required": ["style"],
    "anyOf": [{"required": [option]} for option in _OPTIONS],
}
WARMUP_SCHEMA = {"anyOf": [{"enum": [*SHAPES, *PRESETS]}, _TABLE, {MARK: by_lr_curve.mark}, _SHIFTED_CURVE]}
"""The JSON schema of what `parse_warmup` takes."""
