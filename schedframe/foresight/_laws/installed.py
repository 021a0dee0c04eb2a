"""The registry of laws: those built in, and what installed distributions add in the group ``schedframe.loss_laws``."""

from inspect import isabstract

from schedframe._plugins.extensions import Extensions
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


def _fault(law: object, name: str) -> str:
    if not (isinstance(law, type) and issubclass(law, LossLaw)):
        return "it is not a subclass of schedframe.foresight.LossLaw"
    missing = [field for field in ("formula", "source", "priors", "coefficients") if not getattr(law, field, None)]
    if isabstract(law) or missing:
        return f"it does not define {', '.join([*missing, *sorted(getattr(law, '__abstractmethods__', ()))])}"
    if getattr(law, "name", "") != name:
        return f"its name is {getattr(law, 'name', '')!r}, and its entry point {name!r}; make them the same"
    return ""


def _accepted(law: object, name: str) -> LossLaw:
    fault = _fault(law, name)
    if fault:
        raise ValueError(fault)
    found: LossLaw = law()  # type: ignore[operator]
    return found


loss_laws = Extensions("loss law", GROUP, _BUILTIN, _accepted)
"""The laws that can be fitted, by name, the default first."""
