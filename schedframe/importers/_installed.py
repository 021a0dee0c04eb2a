"""The registry of importers: those built in, and what installed distributions add in ``schedframe.importers``."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from importlib import import_module

from schedframe._errors import FAILURES, PluginError, did_you_mean
from schedframe._plugins.claims import Claim, claims
from schedframe.importers._importer import Importer

GROUP = "schedframe.importers"
"""The entry-point group in which distributions declare importers."""

_BUILTIN = {
    "megatron": "megatron",
    "hf": "hf",
    "trl": "trl",
    "axolotl": "axolotl",
    "llama-factory": "llama_factory",
    "ms-swift": "ms_swift",
    "olmo-core": "olmo_core",
    "deepspeed": "deepspeed",
    "nanotron": "nanotron",
    "llm-foundry": "llm_foundry",
    "megatron-bridge": "megatron_bridge",
    "nemo": "nemo",
    "torchtitan": "torchtitan",
}
"""The modules of the built-in importers, by their names."""


class Importers(Mapping[str, Importer]):
    """The importers, by name. Iterating imports nothing; ``importers["name"]`` imports that one."""

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the built-in importers, then those of installed ones, sorted."""
        yield from _BUILTIN
        yield from sorted({claim.entry_point.name for claim in claims(GROUP) if not claim.blocked} - _BUILTIN.keys())

    def __len__(self) -> int:
        """Count the names that `iter` yields."""
        return sum(1 for _ in self)

    def __getitem__(self, name: str) -> Importer:
        """Return the importer called `name`.

        Raises:
            PluginError: no importer has this name, several have it, or it cannot be imported or is none.
        """
        if name in _BUILTIN:
            found: Importer = import_module(f"schedframe.importers._frameworks.{_BUILTIN[name]}").IMPORTER
            return found
        claimed = [claim for claim in claims(GROUP, name) if not claim.blocked]
        if not claimed:
            known = ", ".join(self)
            raise PluginError(f"there is no importer {name!r}{did_you_mean(name, self) or '.'} Installed: {known}")
        if len(claimed) > 1:
            providers = "; ".join(map(str, claimed))
            raise PluginError(f"the importer {name!r} is provided more than once: {providers}; uninstall all but one")
        return _loaded(claimed[0])


importers = Importers()
"""The importers that can be used."""


def _loaded(claim: Claim) -> Importer:
    name, fault = claim.entry_point.name, claim.distribution.incompatibility
    try:
        if not fault:
            with redirect_stdout(sys.stderr):
                found = claim.entry_point.load()
            if not isinstance(found, Importer):
                fault = "it is no schedframe.importers.Importer"
            elif found.name != name:
                fault = f"its name is {found.name!r}, and its entry point {name!r}; make them the same"
    except FAILURES as error:
        fault = f"{type(error).__name__}: {error}"
    if fault:
        raise PluginError(f"the importer {name!r} from {claim} cannot be used: {fault}; repair or reinstall it")
    importer: Importer = found
    return importer
