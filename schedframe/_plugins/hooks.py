"""The hooks of pluggy, for what many plugins may answer.

A hook plugin is a module or object that an installed distribution names in the entry-point group
``schedframe``. Hook plugins are loaded one by one when the first hook is called, never by an import of
schedframe, by listing, or by styles. None runs inside ``step()``.
"""

import functools
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from typing import Any

import pluggy

from schedframe._errors import FAILURES, PluginError, did_you_mean
from schedframe._plugins.claims import Claim, claims

HOOK_GROUP = "schedframe"
"""The entry-point group of hook plugins."""

hookimpl = pluggy.HookimplMarker(HOOK_GROUP)
"""Marks a function of a hook plugin as an implementation of the hook of its name."""

_muted = ContextVar("_muted", default=False)

_hookspec = pluggy.HookspecMarker(HOOK_GROUP)


@_hookspec
def schedframe_check(schedule: Any) -> "list[str] | None":
    """Return complaints about a schedule that breaks a policy check; it is then refused with all of them.

    Called by ``schedframe check`` and ``Schedule.build``::

        import schedframe


        @schedframe.hookimpl
        def schedframe_check(schedule):
            if schedule.max_lr > 1e-2:
                return [f"max_lr {schedule.max_lr} is above this cluster's cap of 1e-2"]
    """


@_hookspec
def schedframe_rules() -> "list[Any] | None":
    """Return rules for the linter.

    ``schedframe check`` and ``Schedule.findings`` use them beside their own::

    import schedframe
    from schedframe.lint import Found, rule


    @rule("ACME01", "pilot-run", "warning")
    def find_pilot_runs(context):
        if context.run_steps is not None and context.run_steps < 20_000_000:
            yield Found("train_samples", "is shorter than a pilot run")


    @schedframe.hookimpl
    def schedframe_rules():
        return [find_pilot_runs]
    """


@_hookspec
def schedframe_built(scheduler: Any) -> None:
    """See a scheduler once, right after it was built and has written its first values.

    For logs and dashboards::

        import schedframe


        @schedframe.hookimpl
        def schedframe_built(scheduler):
            print("lr style:", scheduler.lr_decay_style)
    """


@_hookspec(firstresult=True)
def schedframe_read_state(state: Mapping[str, Any]) -> "Mapping[str, Any] | None":
    """Translate a checkpoint's scheduler state that is not Megatron's; return ``None`` for others.

    Called by ``load_state_dict`` before it reads anything; return a new mapping with Megatron's keys::

        import schedframe


        @schedframe.hookimpl
        def schedframe_read_state(state):
            if "my_trainer_step" in state:
                return {**state["megatron"], "num_steps": state["my_trainer_step"]}
    """


HOOKS = {hook.__name__: hook for hook in (schedframe_check, schedframe_rules, schedframe_built, schedframe_read_state)}
"""The specification of every hook, by name."""


def complaints_by_plugin(schedule: Any) -> list[tuple[str, str]]:
    """Return the complaints of the installed policy checks about `schedule`, each after its plugin."""
    answers = _call("schedframe_check", _sentences, schedule=schedule)
    return [(plugin, text) for plugin, sentences in answers for text in sentences]


def rules_by_plugin() -> list[tuple[str, list[Any]]]:
    """Return the lint rules of each plugin that has some."""
    return _call("schedframe_rules", _rules)


def announce(scheduler: Any) -> None:
    """Show a `scheduler` that was just built to the plugins."""
    _call("schedframe_built", scheduler=scheduler)


def translate_state(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the first plugin that knows `state` translates it to; `state` itself if none does."""
    answers = _call("schedframe_read_state", state=state)
    return next((answer for _, answer in answers if answer is not None), state)


def is_muted() -> bool:
    """Return whether this is within a block of `muted`."""
    return _muted.get()


@contextmanager
def muted() -> Iterator[None]:
    """Call and load no plugin within the block: for schedules that nobody runs, as in the conformance kit."""
    token = _muted.set(True)
    try:
        yield
    finally:
        _muted.reset(token)


def _sentences(answers: list[Any]) -> list[str]:
    sentences: list[str] = []
    for answer in answers:
        texts = [answer] if isinstance(answer, str) else list(answer)
        if not all(isinstance(text, str) for text in texts):
            raise TypeError(f"complaints are sentences, got {answer!r}")
        sentences += texts
    return sentences


def _rules(answers: list[Any]) -> list[Any]:
    return [rule for answer in answers for rule in answer]


def _call(hook: str, read: Callable[[Any], Any] = lambda answer: answer, **arguments: Any) -> list[tuple[str, Any]]:
    """Return each plugin that implements `hook`, with its answer as `read` understands it.

    The plugins are called one by one, so that a `PluginError` names the one that fails.
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
            answers.append((name, read(caller(**arguments))))
        except FAILURES as error:
            raise PluginError(
                f"the hook {hook} of {name} failed: {type(error).__name__}: {error}; repair the plugin, "
                f"or keep it out with SCHEDFRAME_BLOCK={name.split()[0]}"
            ) from error
    return answers


@functools.cache
def _manager() -> pluggy.PluginManager:
    """Return a manager with every hook plugin."""
    manager = _empty()
    for claim in claims(HOOK_GROUP):
        if not claim.blocked:
            load_plugin(claim, manager)
    return manager


def _empty() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(HOOK_GROUP)
    manager.add_hookspecs(sys.modules[__name__])
    return manager


def load_plugin(claim: Claim, manager: pluggy.PluginManager | None = None) -> None:
    """Load one hook plugin into `manager`; by itself where there is none.

    Raises:
        PluginError: it cannot be loaded, or implements an unknown hook.
    """
    manager = manager or _empty()
    way_out = f"repair or reinstall it, or set SCHEDFRAME_BLOCK={claim.distribution.name}"
    fault = claim.distribution.incompatibility
    if fault:
        raise PluginError(f"the hook plugin {claim} cannot be used: {fault}; {way_out}")
    try:
        with redirect_stdout(sys.stderr):
            plugin = claim.entry_point.load()
        if not manager.is_registered(plugin):
            manager.register(plugin, name=str(claim))
    except FAILURES as error:
        raise PluginError(
            f"the hook plugin {claim} cannot be loaded: {type(error).__name__}: {error}; {way_out}"
        ) from error
    unknown = [hook.name for hook in manager.get_hookcallers(plugin) or () if not hook.has_spec()]
    if unknown:
        raise PluginError(
            f"the hook plugin {claim} implements {unknown[0]!r}, and there is no such hook"
            f"{did_you_mean(unknown[0], HOOKS) or '.'} The hooks: {', '.join(HOOKS)}; {way_out}"
        )


def hooks_of(plugin: object) -> list[str]:
    """Return the names in `plugin` that are marked as implementations of hooks."""
    manager = _empty()
    return [name for name in dir(plugin) if manager.parse_hookimpl_opts(plugin, name)]
