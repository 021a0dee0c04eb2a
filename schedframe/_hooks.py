"""The hooks of pluggy, for what many plugins may answer.

A hook plugin is a module or object that an installed distribution names in the entry-point group
``schedframe``. Hook plugins are loaded one by one when the first hook is called, never by an import of
schedframe, by listing, or by styles. None runs inside ``step()``.
"""

import functools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pluggy

from schedframe._errors import PluginError
from schedframe._plugins import HOOK_GROUP, claims, incompatibility

if TYPE_CHECKING:
    from schedframe._schedule import Schedule
    from schedframe._scheduler import OptimizerParamScheduler

hookimpl = pluggy.HookimplMarker(HOOK_GROUP)
"""Marks a function of a hook plugin as an implementation of the hook of its name."""

_hookspec = pluggy.HookspecMarker(HOOK_GROUP)


class Hooks:
    """The hooks that a plugin may implement."""

    @_hookspec
    def schedframe_check(self, schedule: "Schedule") -> "list[str] | None":
        """Return complaints about a schedule that breaks a house rule; it is then refused with all of them.

        Asked by ``schedframe check`` and ``Schedule.build``::

            @schedframe.hookimpl
            def schedframe_check(schedule):
                if schedule.max_lr > 1e-2:
                    return [f"max_lr {schedule.max_lr} is above this cluster's cap of 1e-2"]
        """

    @_hookspec
    def schedframe_built(self, scheduler: "OptimizerParamScheduler") -> None:
        """See a scheduler once, right after it was built and has written its first values.

        For logs and dashboards::

            @schedframe.hookimpl
            def schedframe_built(scheduler):
                print("lr style:", scheduler.lr_decay_style)
        """

    @_hookspec(firstresult=True)
    def schedframe_read_state(self, state: Mapping[str, Any]) -> "Mapping[str, Any] | None":
        """Translate a checkpoint's scheduler state that is not Megatron's; return ``None`` for others.

        Asked by ``load_state_dict`` before it reads anything; return a new mapping with Megatron's keys::

            @schedframe.hookimpl
            def schedframe_read_state(state):
                if "my_trainer_step" in state:
                    return {**state["megatron"], "num_steps": state["my_trainer_step"]}
        """


def complaints(schedule: "Schedule") -> Iterator[str]:
    """Yield what the installed house rules say against `schedule`."""
    for answer in _call("schedframe_check", schedule=schedule):
        yield from [answer] if isinstance(answer, str) else answer


def built(scheduler: "OptimizerParamScheduler") -> None:
    """Show `scheduler` to the plugins."""
    _call("schedframe_built", scheduler=scheduler)


def translated(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return `state`, or what a plugin translates it to."""
    answer = _call("schedframe_read_state", state=state)
    return state if answer is None else answer


def _call(hook: str, **arguments: Any) -> Any:
    manager = _manager()
    try:
        return getattr(manager.hook, hook)(**arguments)
    except Exception as error:
        names = ", ".join(name for name, _ in manager.list_name_plugin())
        raise PluginError(
            f"the hook {hook} of an installed plugin ({names}) failed: {type(error).__name__}: {error}; "
            f"repair the plugin, or keep it out with SCHEDFRAME_BLOCK"
        ) from error


@functools.cache
def _manager() -> pluggy.PluginManager:
    """Load every hook plugin.

    Raises:
        PluginError: one cannot be loaded, or implements a hook that there is not.
    """
    manager = pluggy.PluginManager(HOOK_GROUP)
    manager.add_hookspecs(Hooks)
    for claim in claims(HOOK_GROUP):
        if claim.blocked:
            continue
        way_out = f"repair or reinstall it, or set SCHEDFRAME_BLOCK={claim.distribution}"
        fault = incompatibility(claim)
        if fault:
            raise PluginError(f"the hook plugin {claim} cannot be used: {fault}; {way_out}")
        try:
            manager.register(claim.entry_point.load(), name=str(claim))
            manager.check_pending()
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"the hook plugin {claim} cannot be loaded: {type(error).__name__}: {error}; {way_out}"
            ) from error
    return manager
