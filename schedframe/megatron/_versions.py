"""Everything that depends on the version of Megatron Core and Megatron-LM: what is known, and where it lies in them."""

import importlib
import inspect
import sys
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, final

from schedframe._errors import ConfigError, Problem, UnknownMegatronError
from schedframe._plan.evaluate import Value, values_at
from schedframe._plan.plan import Plan
from schedframe._run import scheduler as _scheduler
from schedframe._version import __version__
from schedframe.megatron._scheduler import CLOCKS, OptimizerParamScheduler

KNOWN = "Megatron-LM 0.14 to 0.19"
"""The versions that are tested."""

TRAINING = "megatron.training.training"
ARGUMENTS = "megatron.training.arguments"
YAML_ARGUMENTS = "megatron.training.yaml_arguments"
_SCHEDULER = "megatron.core.optimizer_param_scheduler"
_CALCULATOR = "megatron.core.num_microbatches_calculator"

IDENTITY = "param_group_identifier_keys"
"""The keys by which a param group is found in a checkpoint."""

MATCHERS = ("megatron.core.optimizer.optimizer", "megatron.core.optimizer.distrib_optimizer")
"""The modules that have `IDENTITY`."""

_LOOKED_FOR = {
    MATCHERS[0]: (IDENTITY,),
    _SCHEDULER: ("OptimizerParamScheduler",),
    "megatron.training": ("get_args",),
    ARGUMENTS: ("add_megatron_arguments", "parse_args", "validate_args"),
    YAML_ARGUMENTS: ("load_yaml", "validate_yaml"),
    TRAINING: ("OptimizerParamScheduler", "get_optimizer_param_scheduler", "setup_model_and_optimizer"),
}

VALIDATORS = {
    "validate_args": (ARGUMENTS, "megatron.training.initialize"),
    "validate_yaml": (YAML_ARGUMENTS, "megatron.training.initialize"),
}
"""The functions that validate the arguments, each with the modules that call it under their own name."""

OVERRIDES = "get_megatron_optimizer_config"
"""The function of `TRAINING` whose overrides make param groups; there from 0.16 on."""


def modules() -> dict[str, Any]:
    """Return the modules of Megatron-LM that are changed, by name.

    Raises:
        UnknownMegatronError: Megatron-LM cannot be imported, or lacks what is replaced in it.
    """
    imported = {}
    for name in _LOOKED_FOR:
        try:
            imported[name] = importlib.import_module(name)
        except ImportError as error:
            raise UnknownMegatronError(
                f"Megatron-LM cannot be imported: {name}: {error}; run this with the script of a Megatron-LM checkout, "
                f"or install megatron-core 0.17 or later, whose wheel has megatron.training"
            ) from error
    names = [(module, name) for module, names in _LOOKED_FOR.items() for name in names]
    missing = [f"{module}.{name}" for module, name in names if not hasattr(imported[module], name)]
    if missing:
        version = getattr(importlib.import_module("megatron.core"), "__version__", "of unknown version")
        raise UnknownMegatronError(
            f"Megatron-LM {version} has no {', '.join(missing)}, which schedframe {__version__} looks for: it knows "
            f"{KNOWN}. A newer schedframe may know this one"
        )
    return imported


def refuse_missing_flags(flags: Iterable[str], known: Mapping[str, Any]) -> None:
    """Refuse a Megatron-LM whose parser does not know all of `flags`.

    Raises:
        UnknownMegatronError: some are not in `known`.
    """
    missing = [flag for flag in flags if flag not in known]
    if missing:
        raise UnknownMegatronError(
            f"this Megatron-LM has no flag {' and no '.join(missing)}, which schedframe looks for; it knows the flags "
            f"of {KNOWN}"
        )


def takes_ramps() -> bool:
    """Return whether this Megatron Core ramps the batch size up: from 0.18 on it ignores ``--rampup-batch-size``."""
    return hasattr(importlib.import_module(_CALCULATOR), "RampupBatchsizeNumMicroBatchesCalculator")


def constant_batch_size() -> int | None:
    """Return the size in samples of all batches of Megatron's loop; ``None`` where they change or are not known yet."""
    module = sys.modules.get(_CALCULATOR)
    calculator = getattr(module, "_GLOBAL_NUM_MICROBATCHES_CALCULATOR", None)
    constant = getattr(module, "ConstantNumMicroBatchesCalculator", ())
    return int(calculator.get_current_global_batch_size()) if isinstance(calculator, constant) else None


def override_keys() -> tuple[Any, Any]:
    """Return Megatron Core's ``ParamKey`` and ``ParamWithNamePredicate``.

    Raises:
        ConfigError: Megatron Core is older than 0.16.
    """
    try:
        from megatron.core.optimizer.optimizer_config import ParamKey, ParamWithNamePredicate
    except ImportError as error:
        fault = (
            f"need Megatron Core 0.16 or later, whose megatron.core.optimizer.optimizer_config has ParamKey and "
            f"ParamWithNamePredicate: {error}"
        )
        raise ConfigError("rules for param groups", [Problem("groups", fault, error=error)]) from None
    return ParamKey, ParamWithNamePredicate


def _values_at_015(plan: Plan, step: float, groups: list[dict[str, Any]]) -> list[Value]:
    """Return what Megatron Core up to 0.15 writes into `groups` at `step`."""
    ignored = ("start_wd", "end_wd")
    others = [{key: value for key, value in group.items() if key not in ignored} for group in groups]
    return [
        (group, lr if group.get("lr_mult") is None else lr * group["lr_mult"], wd)
        for group, (_, lr, wd) in zip(groups, values_at(plan, step, others), strict=True)
    ]


@final
class OptimizerParamScheduler015(_scheduler.OptimizerParamScheduler):
    """The scheduler with the rules of Megatron Core up to 0.15.

    A group's ``lr_mult`` multiplies its learning rate, and its own ``start_wd`` and ``end_wd`` have no effect
    (NVIDIA/Megatron-LM:megatron/core/optimizer_param_scheduler.py at core_v0.15.3).
    """

    _clocks: ClassVar[tuple[str, ...]] = CLOCKS
    _ignores_lr_mult: ClassVar[bool] = False
    _values_at = staticmethod(_values_at_015)


def scheduler_class(megatron: Mapping[str, Any]) -> type[_scheduler.OptimizerParamScheduler]:
    """Return the scheduler with the rules of this Megatron Core: up to 0.15, all groups have one weight decay.

    Args:
        megatron: its modules by name.
    """
    parameters = inspect.signature(megatron[_SCHEDULER].OptimizerParamScheduler.get_wd).parameters
    return OptimizerParamScheduler if "param_group" in parameters else OptimizerParamScheduler015
