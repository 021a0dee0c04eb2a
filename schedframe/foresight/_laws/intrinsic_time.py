"""The law of intrinsic time, which is schedframe's own."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from schedframe.foresight._curve import Array, Grid
from schedframe.foresight._laws.law import LossLaw, Prior, Reference


class IntrinsicTime(LossLaw):
    """Progress is sublinear in the learning rate, and the noise that a fall removes goes in intrinsic time.

    With the learning rate eta, the peak and length e and n of the reference, the sum S_k(t) of eta from update k to t,
    and the progress U(t), the sum of (eta / e)^p up to t::

        L(t) = L0 + A (U(t) / n)^-alpha + B ((peak / e)^q - 1) - B sum_k -d(eta^q)_k / e^q x / (1 + x)
        x = c S_k(t) / peak

    The priors are what five sets of public curves of 25M to 400M models agree on; c is a rate for each update.
    """

    name: ClassVar[str] = "intrinsic-time"
    formula: ClassVar[str] = (
        "L0 + A (U/n)^-alpha + B ((peak/e)^q - 1) - B sum -d(eta^q)/e^q x/(1+x), U = sum (eta/e)^p, x = c S/peak"
    )
    source: ClassVar[str] = "schedframe: docs/explanation/evidence.md"
    priors: ClassVar[Mapping[str, Prior]] = {
        "alpha": Prior(0.5, 0.15),
        "c": Prior(0.025, 0.40),
        "p": Prior(0.60, 0.15),
        "q": Prior(0.72, 0.30),
    }
    coefficients: ClassVar[tuple[str, ...]] = ("L0", "A", "B")

    def columns(self, parameters: Mapping[str, float], grid: Grid, reference: Reference) -> Array:
        """Return 1, the progress to the power of -alpha, and the noise against that of the reference."""
        progress = grid.summed((grid.lr / reference.peak) ** parameters["p"])[grid.asked] / reference.length
        x = parameters["c"] / grid.peak * grid.area_since
        level = (grid.lr / reference.peak) ** parameters["q"]
        noise = (grid.peak / reference.peak) ** parameters["q"] - 1.0 - (x / (1.0 + x)) @ grid.fall(level)
        return np.stack([np.ones_like(progress), progress ** -parameters["alpha"], noise], axis=1)
