"""How the learning rate rises to max LR."""

from collections.abc import Mapping
from fractions import Fraction
from math import cos, pi
from typing import Any, Literal, final, get_args

from pydantic import Field, ValidationError

from schedframe._elsewhere import hint_for_warmup
from schedframe._errors import did_you_mean
from schedframe._problems import explained
from schedframe._units.lengths import JSON_LENGTH, Length, Scale
from schedframe.styles._base import Style

Shape = Literal["linear", "cosine", "quadratic"]


@final
class Warmup(Style):
    """The warmup: from init_lr to max_lr over lr_warmup_steps.

    Formula:
        lr = init_lr + (max_lr - init_lr) * w(p), p = min((n + shift) / (lr_warmup_steps + (shift)), 1)
        linear: w = p; cosine: w = (1 - cos(pi * p)) / 2; quadratic: w = p**2; the second shift only if it is stretched

    At the edges:
        init_lr at step 0 unless it is shifted, max_lr at lr_warmup_steps.

    Examples:
        >>> [Warmup(style="quadratic").share(step, 10) for step in (0, 5, 10)]
        [0.0, 0.25, 1.0]
        >>> Warmup(shift=1).share(0, 10), Warmup(shift=1, stretched=True).share(0, 9)
        (0.1, 0.1)

    References:
        NVIDIA/Megatron-LM:megatron/core/optimizer_param_scheduler.py at core_v0.16.1 (n / N);
        pytorch/torchtitan:torchtitan/components/optimizer/lr_scheduler.py at b5bcd76 ((n + 1) / N);
        NVIDIA/NeMo:nemo/core/optim/lr_scheduler.py at 8cfedd7 ((n + 1) / (N + 1));
        the shapes of huggingface/transformers:src/transformers/optimization.py (cosine) and of axolotl (quadratic)
    """

    style: Shape = "linear"
    shift: Length = Field(default=0, description="By how much the warmup is advanced, such as `1 iters`.")
    stretched: bool = Field(default=False, description="Whether the shift is also added to the length.")

    @property
    def is_megatrons(self) -> bool:
        """Whether it is the warmup of Megatron's class."""
        return self.style == "linear" and not self.shift

    def share(self, step: float, warmup_steps: float) -> float:
        """Return w at `step`, 0 to 1, of a warmup of `warmup_steps` steps."""
        progress = float(step + self.shift) / float(warmup_steps + (self.shift if self.stretched else 0))
        progress = min(progress, 1.0)
        if self.style == "cosine":
            return 0.5 * (1.0 - cos(pi * progress))
        return progress**2 if self.style == "quadratic" else progress

    @classmethod
    def of_table(cls, table: Mapping[str, Any]) -> "Warmup":
        """Return the warmup that a state or a rule holds as `table`."""
        return MEGATRONS if table == MEGATRONS_TABLE else cls(**table)


MEGATRONS = Warmup()
MEGATRONS_TABLE = MEGATRONS.model_dump(mode="json")

PRESETS: dict[str, dict[str, Any]] = {
    "megatron": {"style": "linear"},
    "hf": {"style": "linear"},
    "torchtitan": {"style": "linear", "shift": "1 iters"},
    "nanochat": {"style": "linear", "shift": "1 iters"},
    "modded-nanogpt": {"style": "linear", "shift": "1 iters"},
    "nemo": {"style": "linear", "shift": "1 iters", "stretched": True},
}
"""Warmups by the name of the code base that has them."""


def parse_warmup(value: Any, scale: Scale | None = None, warmup_steps: float = 0) -> Warmup:
    """Return `value` as a warmup: a shape, a code base's name, or a table with options.

    Args:
        value: ``"cosine"``, ``"torchtitan"`` or ``{"style": "linear", "shift": "1 iters"}``.
        scale: what a shift is measured with.
        warmup_steps: length of the warmup, over which an iteration must have one length.

    Raises:
        ValueError: `value` is not a warmup; a `ValidationError` where an option is wrong.
    """
    if isinstance(value, Warmup):
        return value
    table = PRESETS.get(value, {"style": value}) if isinstance(value, str) else value
    if not isinstance(table, Mapping):
        raise ValueError("must be the name of a warmup, or a table with style, shift and stretched")
    shape = table.get("style", "linear")
    if shape not in get_args(Shape):
        known = (*get_args(Shape), *PRESETS)
        if hint := hint_for_warmup(str(shape)):
            raise ValueError(f"is the warmup that schedframe calls {hint}")
        raise ValueError(f"is not a warmup{did_you_mean(str(shape), known) or ';'} they are {', '.join(known)}")
    try:
        warmup = Warmup.model_validate(dict(table), context={"scale": scale or Scale()})
    except ValidationError as error:
        raise explained(error, Warmup) from None
    if scale is not None and "iter" in str(table.get("shift", "")):
        _refuse_a_ramp(scale, warmup_steps)
    return warmup


def _refuse_a_ramp(scale: Scale, warmup_steps: float) -> None:
    one = scale.steps("1 iters")
    if one * Fraction(scale.in_unit(warmup_steps, "iters")) != Fraction(warmup_steps):
        raise ValueError("is shifted by iterations, but the batch size changes within the warmup; use clock: iters")


_OPTIONS = {"style": {"enum": list(get_args(Shape))}, "shift": JSON_LENGTH, "stretched": {"type": "boolean"}}
_TABLE = {"type": "object", "properties": _OPTIONS, "additionalProperties": False}
WARMUP_SCHEMA = {"anyOf": [{"enum": [*get_args(Shape), *PRESETS]}, _TABLE]}
"""The JSON schema of what `parse_warmup` takes."""
