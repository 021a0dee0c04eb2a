"""The registry of laws: those built in, and what installed distributions add in the group ``schedframe.loss_laws``."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from inspect import isabstract

from schedframe._errors import FAILURES, PluginError, did_you_mean
from schedframe._plugins.claims import Claim, claims
from schedframe.foresight._laws.functional_scaling import FunctionalScaling
from schedframe.foresight._laws.intrinsic_time import IntrinsicTime
from schedframe.foresight._laws.law import LossLaw
from schedframe.foresight._laws.momentum import Momentum
from schedframe.foresight._laws.multi_power import MultiPower

GROUP = "schedframe.loss_laws"
"""The entry-point group in which distributions declare laws."""

DEFAULT = IntrinsicTime.name
"""The law whose errors are known; the others are second opinions."""

_BUILTIN: dict[str, type[LossLaw]] = {law.name: law for law in (IntrinsicTime, MultiPower, Momentum, FunctionalScaling)}


class Laws(Mapping[str, LossLaw]):
    """The laws, by name, the default first. Iterating imports nothing; ``laws["name"]`` imports that one."""

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the built-in laws, then those of installed ones, sorted."""
        yield from _BUILTIN
        yield from sorted({claim.entry_point.name for claim in claims(GROUP) if not claim.blocked} - _BUILTIN.keys())

    def __len__(self) -> int:
        """Count the names that `iter` yields."""
        return sum(1 for _ in self)

    def __getitem__(self, name: str) -> LossLaw:
        """Return the law called `name`.

        Raises:
            PluginError: no law has this name, several have it, or it cannot be imported or is no law.
        """
        if name in _BUILTIN:
            return _BUILTIN[name]()
        claimed = [claim for claim in claims(GROUP, name) if not claim.blocked]
        if not claimed:
            known = ", ".join(self)
            raise PluginError(f"there is no loss law {name!r}{did_you_mean(name, self) or '.'} Installed: {known}")
        if len(claimed) > 1:
            providers = "; ".join(map(str, claimed))
            raise PluginError(f"the loss law {name!r} is provided more than once: {providers}; uninstall all but one")
        return _loaded(claimed[0])


loss_laws = Laws()
"""The laws that can be fitted."""


def _loaded(claim: Claim) -> LossLaw:
    name = claim.entry_point.name
    fault = claim.distribution.incompatibility
    try:
        if not fault:
            with redirect_stdout(sys.stderr):
                law = claim.entry_point.load()
            fault = _fault(law, name)
    except FAILURES as error:
        fault = f"{type(error).__name__}: {error}"
    if fault:
        raise PluginError(f"the loss law {name!r} from {claim} cannot be used: {fault}; repair or reinstall it")
    found: LossLaw = law()
    return found


def _fault(law: object, name: str) -> str:
    if not (isinstance(law, type) and issubclass(law, LossLaw)):
        return "it is not a subclass of schedframe.foresight.LossLaw"
    missing = [field for field in ("formula", "source", "priors", "coefficients") if not getattr(law, field, None)]
    if isabstract(law) or missing:
        return f"it does not define {', '.join([*missing, *sorted(getattr(law, '__abstractmethods__', ()))])}"
    if getattr(law, "name", "") != name:
        return f"its name is {getattr(law, 'name', '')!r}, and its entry point {name!r}; make them the same"
    return ""
