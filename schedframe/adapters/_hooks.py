"""Registers one hook of each kind on an optimizer: that of the scheduler that was built last."""

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

_registered: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()


def replace_hook(optimizer: Any, register: str, hook: Callable[..., Any]) -> None:
    """Register `hook` on `optimizer`, and take the one away that another scheduler has registered in this way.

    A trainer that trains twice builds a second scheduler on the same optimizer.

    Args:
        optimizer: a torch optimizer; any other is left as it is.
        register: the name of the method that registers the hook, such as ``register_step_post_hook``.
        hook: what is called.
    """
    if hasattr(optimizer, register):
        handles = _registered.setdefault(optimizer, {})
        if register in handles:
            handles[register].remove()
        handles[register] = getattr(optimizer, register)(hook)
