"""The functional scaling law."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from schedframe.foresight._curve import Array, Grid
from schedframe.foresight._laws.law import LossLaw, Prior, Reference


class FunctionalScaling(LossLaw):
    """A power law in intrinsic time, plus noise that enters with the learning rate and is forgotten as a power of it.

    ::

        L(t) = L0 + A T(t)^-s + B integral of K(T(t) - T(z)) eta(z) dT(z),  K(x) = (1 + c x)^-kappa

    The intrinsic time T is the sum of eta, in units of the reference's peak times its length; x is in updates at the
    reference's peak. The noise of a constant learning rate is one of the terms, so that the integral is written by
    parts: the noise of the peak, minus what each fall removes.
    """

    name: ClassVar[str] = "functional-scaling"
    formula: ClassVar[str] = "L0 + A T^-s + B integral K(T - T') eta dT', K(x) = (1 + c x)^-kappa"
    source: ClassVar[str] = "Li et al., Functional Scaling Laws in Kernel Regression, arXiv 2509.19189"
    priors: ClassVar[Mapping[str, Prior]] = {
        "s": Prior(0.5, 0.3),
        "c": Prior(0.025, 0.8),
        "kappa": Prior(1.7, 0.2),
    }
    coefficients: ClassVar[tuple[str, ...]] = ("L0", "A", "B")

    def columns(self, parameters: Mapping[str, float], grid: Grid, reference: Reference) -> Array:
        """Return 1, the intrinsic time to the power of -s, and the noise."""
        time = grid.area[grid.asked] / (reference.peak * reference.length)
        x = parameters["c"] * grid.area_since / reference.peak
        forgotten = 1.0 - (1.0 + x) ** (1.0 - parameters["kappa"])
        noise = grid.peak / reference.peak - forgotten @ grid.fall(grid.lr / reference.peak)
        return np.stack([np.ones_like(time), time ** -parameters["s"], noise], axis=1)
