"""The hooks of pluggy, for what many plugins may answer.

A hook plugin is a module or object that an installed distribution names in the entry-point group
``schedframe``. Hook plugins are loaded one by one when the first hook is called, never by an import of
schedframe, by listing, or by styles. None runs inside ``step()``.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import pluggy

from schedframe._errors import PluginError, did_you_mean
from schedframe._plugins.claims import Claim, claims

HOOK_GROUP = "schedframe"
"""The entry-point group of hook plugins."""

hookimpl = pluggy.HookimplMarker(HOOK_GROUP)
"""Marks a function of a hook plugin as an implementation of the hook of its name."""

_hookspec = pluggy.HookspecMarker(HOOK_GROUP)

_muted = ContextVar("_muted", default=False)


class Hooks:
    """The hooks that a plugin may implement."""

    @_hookspec
    def schedframe_check(self, schedule: Any) -> "list[str] | None":
        """Return complaints about a schedule that breaks a house rule; it is then refused with all of them.

        Asked by ``schedframe check`` and ``Schedule.build``::

            import schedframe


            @schedframe.hookimpl
            def schedframe_check(schedule):
                if schedule.max_lr > 1e-2:
                    return [f"max_lr {schedule.max_lr} is above this cluster's cap of 1e-2"]
        """

    @_hookspec
    def schedframe_built(self, scheduler: Any) -> None:
        """See a scheduler once, right after it was built and has written its first values.

        For logs and dashboards::

            import schedframe


            @schedframe.hookimpl
            def schedframe_built(scheduler):
                print("lr style:", scheduler.lr_decay_style)
        """

    @_hookspec(firstresult=True)
    def schedframe_read_state(self, state: Mapping[str, Any]) -> "Mapping[str, Any] | None":
        """Translate a checkpoint's scheduler state that is not Megatron's; return ``None`` for others.

        Asked by ``load_state_dict`` before it reads anything; return a new mapping with Megatron's keys::

            import schedframe


            @schedframe.hookimpl
            def schedframe_read_state(state):
                if "my_trainer_step" in state:
                    return {**state["megatron"], "num_steps": state["my_trainer_step"]}
        """


def complaints(schedule: Any) -> list[str]:
    """Return what the installed house rules say against `schedule`."""
    return [sentence for sentences in _ask("schedframe_check", _sentences, schedule=schedule) for sentence in sentences]


def built(scheduler: Any) -> None:
    """Show `scheduler` to the plugins."""
    _ask("schedframe_built", lambda answer: None, scheduler=scheduler)


def translated(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return `state`, or what the first plugin that knows it translates it to."""
    answers = _ask("schedframe_read_state", lambda answer: answer, state=state)
    return next((answer for answer in answers if answer is not None), state)


@contextmanager
def muted() -> Iterator[None]:
    """Ask no plugin, and load none: for a schedule that is nobody's, as the conformance kit makes one."""
    token = _muted.set(True)
    try:
        yield
    finally:
        _muted.reset(token)


def _sentences(answers: list[Any]) -> list[str]:
    found: list[str] = []
    for answer in answers:
        sentences = [answer] if isinstance(answer, str) else list(answer)
        if not all(isinstance(sentence, str) for sentence in sentences):
            raise TypeError(f"complaints are sentences, got {answer!r}")
        found += sentences
    return found


def _ask(hook: str, read: Callable[[Any], Any], **arguments: Any) -> list[Any]:
    """Return what each plugin that implements `hook` answers, as `read` understands it.

    Raises:
        PluginError: naming the one plugin that fails.
    """
    if _muted.get():
        return []
    manager = _manager()
    answers = []
    plugins = dict(manager.list_name_plugin())
    for name, plugin in plugins.items():
        caller = manager.subset_hook_caller(hook, [other for other in plugins.values() if other is not plugin])
        if not caller.get_hookimpls():
            continue
        try:
            answers.append(read(caller(**arguments)))
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"the hook {hook} of {name} failed: {type(error).__name__}: {error}; repair the plugin, "
                f"or keep it out with SCHEDFRAME_BLOCK={name.split()[0]}"
            ) from error
    return answers


@functools.cache
def _manager() -> pluggy.PluginManager:
    """Load every hook plugin.

    Raises:
        PluginError: one cannot be loaded, or implements a hook that there is not.
    """
    manager = _empty()
    for claim in claims(HOOK_GROUP):
        if not claim.blocked:
            _load(claim, manager)
    return manager


def try_plugin(claim: Claim) -> None:
    """Load one hook plugin by itself.

    Raises:
        PluginError: it cannot be loaded, or implements a hook that there is not.
    """
    _load(claim, _empty())


def hooks_of(plugin: object) -> list[str]:
    """Return the names in `plugin` that are marked as implementations of hooks."""
    manager = _empty()
    return [name for name in dir(plugin) if manager.parse_hookimpl_opts(plugin, name)]


def _empty() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(HOOK_GROUP)
    manager.add_hookspecs(Hooks)
    return manager


def _load(claim: Claim, manager: pluggy.PluginManager) -> None:
    way_out = f"repair or reinstall it, or set SCHEDFRAME_BLOCK={claim.distribution.name}"
    fault = claim.distribution.incompatibility
    if fault:
        raise PluginError(f"the hook plugin {claim} cannot be used: {fault}; {way_out}")
    try:
        plugin = claim.entry_point.load()
        manager.register(plugin, name=str(claim))
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"the hook plugin {claim} cannot be loaded: {type(error).__name__}: {error}; {way_out}"
        ) from error
    unknown = [hook.name for hook in manager.get_hookcallers(plugin) or () if not hook.has_spec()]
    if unknown:
        known = [name for name in vars(Hooks) if name.startswith("schedframe_")]
        hint = did_you_mean(unknown[0], known) or "."
        raise PluginError(
            f"the hook plugin {claim} implements {unknown[0]!r}, and there is no such hook{hint} "
            f"The hooks: {', '.join(known)}; {way_out}"
        )
