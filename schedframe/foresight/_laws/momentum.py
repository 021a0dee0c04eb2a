"""The momentum law."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from schedframe.foresight._curve import Array, Grid
from schedframe.foresight._laws.law import LossLaw, Prior, Reference


class Momentum(LossLaw):
    """A power law of the summed learning rate, minus the area of a fall that is delayed by a momentum.

    ::

        L(t) = L0 + A S1(t)^-alpha - C S2(t),  S2(t) = sum_k (eta_(k-1) - eta_k) (1 - lambda^(t - k)) / (1 - lambda)

    Here eta is in units of the reference's peak, and S1 in units of its length. The memory of the momentum in updates,
    1 / (1 - lambda), is about 1000 in the paper.
    """

    name: ClassVar[str] = "momentum"
    formula: ClassVar[str] = "L0 + A S1^-alpha - C S2, S2 = sum -d(eta) (1 - lambda^(t - k)) / (1 - lambda)"
    source: ClassVar[str] = "Tissue et al., Scaling Law with Learning Rate Annealing, arXiv 2408.11029"
    priors: ClassVar[Mapping[str, Prior]] = {"alpha": Prior(0.5, 0.3), "memory": Prior(1000.0, 0.5)}
    coefficients: ClassVar[tuple[str, ...]] = ("L0", "A", "C")

    def columns(self, parameters: Mapping[str, float], grid: Grid, reference: Reference) -> Array:
        """Return 1, the sum to the power of -alpha, and minus the delayed area."""
        sums = grid.area[grid.asked] / (reference.peak * reference.length)
        delayed = 1.0 - np.exp(-grid.updates_since / parameters["memory"])
        area = delayed @ grid.fall(grid.lr / reference.peak)
        return np.stack([np.ones_like(sums), sums ** -parameters["alpha"], -area], axis=1)
