"""The public names of ``megatron.core.optimizer_param_scheduler``: a training script changes one import line.

::

    from schedframe.megatron import OptimizerParamScheduler

Only `install` and ``python -m schedframe.megatron``, which put the scheduler into Megatron-LM's own scripts, import
Megatron.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, cast

from schedframe.megatron._build import build
from schedframe.megatron._config_overrides import config_overrides
from schedframe.megatron._from_args import from_args
from schedframe.megatron._launch.install import install
from schedframe.megatron._scheduler import OptimizerParamScheduler

__all__ = [
    "OptimizerParamScheduler",
    "ParamGroupOverride",
    "build",
    "combine_param_group_overrides",
    "config_overrides",
    "from_args",
    "get_canonical_lr_for_logging",
    "install",
    "param_group_override_to_tuple",
]


class ParamGroupOverride(TypedDict, total=False):
    """The values that a param group may override; the scheduler reads the first five.

    Attributes:
        max_lr: the group's maximum learning rate.
        min_lr: the group's minimum learning rate.
        start_wd: the group's weight decay at step 0.
        end_wd: the group's weight decay at the end of its schedule.
        wd_mult: factor on the group's weight decay.
        optimizer: the group's optimizer, by name (Megatron Core 0.18 and later).
    """

    max_lr: float
    min_lr: float
    start_wd: float
    end_wd: float
    wd_mult: float
    optimizer: str


def get_canonical_lr_for_logging(param_groups: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the learning rate of the first group with ``default_config``; ``None`` where there is none.

    Args:
        param_groups: an optimizer's groups, empty ones included.
    """
    return next((group.get("lr") for group in param_groups if group.get("default_config")), None)


def param_group_override_to_tuple(
    param_group_override: ParamGroupOverride | None,
) -> tuple[tuple[str, Any], ...] | None:
    """Return an override as a hashable tuple, the same for any order of its keys.

    Args:
        param_group_override: the override, or ``None``, which stays ``None``.
    """
    return None if param_group_override is None else tuple(sorted(param_group_override.items()))


def combine_param_group_overrides(
    param_group_overrides: Sequence[ParamGroupOverride | None],
) -> ParamGroupOverride:
    """Merge overrides into one.

    Args:
        param_group_overrides: the overrides; ``None`` is skipped.

    Raises:
        ValueError: two of them set one key to different values.
    """
    combined: dict[str, Any] = {}
    for override in param_group_overrides:
        for key, value in (override or {}).items():
            if key in combined and combined[key] != value:
                raise ValueError(f"two overrides set {key} of one param group, to {combined[key]} and to {value}")
            combined[key] = value
    return cast(ParamGroupOverride, combined)
