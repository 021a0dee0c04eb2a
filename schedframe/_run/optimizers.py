"""Several optimizers as one: Muon for matrices, AdamW for the rest."""

from collections.abc import Sequence
from typing import Any, Protocol

from schedframe._errors import ConfigError, Problem


class HasParamGroups(Protocol):
    """An optimizer: torch's, Megatron's, or any other object with param groups."""

    @property
    def param_groups(self) -> Any: ...


class Optimizers:
    """Several optimizers, whose param groups are one list, in their order."""

    def __init__(self, optimizers: Sequence[HasParamGroups]) -> None:
        """Keep `optimizers`, in this order."""
        self.optimizers = tuple(optimizers)

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups that the optimizers have now: loading an optimizer replaces its groups."""
        return [group for optimizer in self.optimizers for group in optimizer.param_groups]


def as_one(optimizer: Any) -> HasParamGroups:
    """Return `optimizer`, or a list of them as one.

    Raises:
        ConfigError: it is neither.
    """
    optimizers = optimizer if isinstance(optimizer, list | tuple) else [optimizer]
    others = [other for other in optimizers if not hasattr(other, "param_groups")]
    if others or not optimizers:
        what = f"a {type(others[0]).__name__} without param_groups" if others else "an empty list"
        fault = f"must be an optimizer, whose param_groups are scheduled, or a list of them, and is {what}"
        raise ConfigError("optimizer", [Problem("", fault)])
    return Optimizers(optimizer) if isinstance(optimizer, list | tuple) else optimizer
