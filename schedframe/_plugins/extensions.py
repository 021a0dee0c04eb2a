"""Objects by name: those built in, and what installed distributions add in one group of entry points."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from typing import Any, Generic, TypeVar

from schedframe._errors import FAILURES, PluginError, did_you_mean
from schedframe._plugins.claims import Claim, claims

Value = TypeVar("Value")


class Extensions(Mapping[str, Value], Generic[Value]):
    """A mapping from names to objects. Iterating imports nothing; ``extensions["name"]`` imports that one."""

    def __init__(
        self, kind: str, group: str, builtins: Mapping[str, Callable[[], Value]], accept: Callable[[Any, str], Value]
    ) -> None:
        """Describe what there is.

        Args:
            kind: what an object is called in messages, such as ``loss law``.
            group: the group of entry points.
            builtins: what returns each built-in object, by its name.
            accept: takes what an entry point loads, and its name; returns the object, or raises `ValueError` with
                what is wrong with it, as a sentence.
        """
        self._kind, self._group, self._builtins, self._accept = kind, group, builtins, accept

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the built-in objects, then those of installed ones, sorted."""
        yield from self._builtins
        installed = {claim.entry_point.name for claim in claims(self._group) if not claim.blocked}
        yield from sorted(installed - self._builtins.keys())

    def __len__(self) -> int:
        """Count the names that `iter` yields."""
        return sum(1 for _ in self)

    def __getitem__(self, name: str) -> Value:
        """Return the object called `name`.

        Raises:
            PluginError: nothing has this name, several distributions provide it, or it cannot be imported or used.
        """
        if name in self._builtins:
            return self._builtins[name]()
        claimed = [claim for claim in claims(self._group, name) if not claim.blocked]
        if not claimed:
            near = did_you_mean(name, self) or "."
            raise PluginError(f"there is no {self._kind} {name!r}{near} Installed: {', '.join(self)}")
        if len(claimed) > 1:
            providers = "; ".join(map(str, claimed))
            raise PluginError(
                f"the {self._kind} {name!r} is provided more than once: {providers}; uninstall all but one"
            )
        return self._loaded(claimed[0])

    def _loaded(self, claim: Claim) -> Value:
        name, fault = claim.entry_point.name, claim.distribution.incompatibility
        try:
            if not fault:
                with redirect_stdout(sys.stderr):
                    loaded = claim.entry_point.load()
                try:
                    return self._accept(loaded, name)
                except ValueError as error:
                    fault = str(error)
        except FAILURES as error:
            fault = f"{type(error).__name__}: {error}"
        raise PluginError(f"the {self._kind} {name!r} from {claim} cannot be used: {fault}; repair or reinstall it")
