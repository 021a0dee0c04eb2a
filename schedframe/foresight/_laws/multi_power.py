"""The multi-power law."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from schedframe.foresight._curve import Array, Grid
from schedframe.foresight._laws.law import LossLaw, Prior, Reference

_LOWEST = 1e-3
"""The share of the peak below which a learning rate is taken to be this share: its power of -gamma is finite."""


class MultiPower(LossLaw):
    """A power law of the summed learning rate, minus what each fall of the learning rate gains.

    ::

        L(t) = L0 + A S(t)^-alpha - B sum_k (eta_(k-1) - eta_k) G(eta_k^-gamma S_k(t)),  G(x) = 1 - (1 + C x)^-beta

    Here eta is in units of the reference's peak, and S(t), the sum of it, in units of the reference's length, so that
    C is a rate for each update. The priors are wide, around what the paper's fits have.
    """

    name: ClassVar[str] = "multi-power"
    formula: ClassVar[str] = "L0 + A S^-alpha - B sum -d(eta) G(eta^-gamma S_k), G(x) = 1 - (1 + C x)^-beta"
    source: ClassVar[str] = "Luo et al., A Multi-Power Law for Loss Curve Prediction, arXiv 2503.12811"
    priors: ClassVar[Mapping[str, Prior]] = {
        "alpha": Prior(0.5, 0.3),
        "beta": Prior(0.5, 0.4),
        "gamma": Prior(0.65, 0.4),
        "C": Prior(0.05, 1.0),
    }
    coefficients: ClassVar[tuple[str, ...]] = ("L0", "A", "B")

    def columns(self, parameters: Mapping[str, float], grid: Grid, reference: Reference) -> Array:
        """Return 1, the sum to the power of -alpha, and minus the gain of the falls."""
        sums = grid.area[grid.asked] / (reference.peak * reference.length)
        lr = np.maximum(grid.lr[grid.moves + 1], _LOWEST * grid.peak) / reference.peak
        x = parameters["C"] * lr ** -parameters["gamma"] * grid.area_since / reference.peak
        gain = (1.0 - (1.0 + x) ** -parameters["beta"]) @ grid.fall(grid.lr / reference.peak)
        return np.stack([np.ones_like(sums), sums ** -parameters["alpha"], -gain], axis=1)
