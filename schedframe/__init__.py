"""Learning-rate and weight-decay schedules for LLM training, with pip-installable styles.

Declare a schedule in a file, look at it, and build the scheduler that runs it::

    import schedframe

    schedule = schedframe.load("run.yaml")
    schedule.lr_at(1_000_000)
    scheduler = schedule.build(optimizer)

Importing this package imports neither torch nor pydantic nor any plugin: each name below is loaded
when it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from schedframe._version import __version__ as __version__

if TYPE_CHECKING:
    from schedframe._errors import ConfigError as ConfigError
    from schedframe._errors import ForesightError as ForesightError
    from schedframe._errors import LogError as LogError
    from schedframe._errors import PluginError as PluginError
    from schedframe._errors import Problem as Problem
    from schedframe._errors import RankMismatchError as RankMismatchError
    from schedframe._errors import SchedframeError as SchedframeError
    from schedframe._errors import SchedframeWarning as SchedframeWarning
    from schedframe._errors import StateError as StateError
    from schedframe._errors import StyleConflictError as StyleConflictError
    from schedframe._errors import StyleLoadError as StyleLoadError
    from schedframe._errors import UnknownMegatronError as UnknownMegatronError
    from schedframe._errors import UnknownStyleError as UnknownStyleError
    from schedframe._plugins.hooks import hookimpl as hookimpl
    from schedframe._plugins.registry import Registry as Registry
    from schedframe._plugins.source import Source as Source
    from schedframe._run.scheduler import OptimizerParamScheduler as OptimizerParamScheduler
    from schedframe._schedule.schedule import Schedule as Schedule
    from schedframe._schedule.schedule import load as load
    from schedframe._tools.audit.audit import Audit as Audit
    from schedframe._tools.audit.audit import audit as audit
    from schedframe._tools.comparison import Comparison as Comparison
    from schedframe._tools.comparison import diff as diff
    from schedframe._tools.continuation.continuation import Continuation as Continuation
    from schedframe._tools.continuation.operations import branch as branch
    from schedframe._tools.continuation.operations import extend as extend
    from schedframe._tools.continuation.operations import rewarm as rewarm
    from schedframe.styles._installed import lr_styles as lr_styles
    from schedframe.styles._installed import source_of as source_of
    from schedframe.styles._installed import wd_styles as wd_styles

_HOMES = {
    "_tools.comparison": ("Comparison", "diff"),
    "_tools.continuation.continuation": ("Continuation",),
    "_errors": (
        "ConfigError",
        "ForesightError",
        "LogError",
        "PluginError",
        "Problem",
        "RankMismatchError",
        "SchedframeError",
        "SchedframeWarning",
        "StateError",
        "StyleConflictError",
        "StyleLoadError",
        "UnknownMegatronError",
        "UnknownStyleError",
    ),
    "_tools.audit.audit": ("Audit", "audit"),
    "_plugins.hooks": ("hookimpl",),
    "_tools.continuation.operations": ("branch", "extend", "rewarm"),
    "_plugins.registry": ("Registry",),
    "_plugins.source": ("Source",),
    "styles._installed": ("lr_styles", "source_of", "wd_styles"),
    "_schedule.schedule": ("Schedule", "load"),
    "_run.scheduler": ("OptimizerParamScheduler",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
__all__ = sorted([*_HOME_OF, "__version__"])


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
