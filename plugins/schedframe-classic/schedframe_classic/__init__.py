"""Classic learning-rate styles, for schedframe."""

from schedframe_classic.curves import CosineCycles, CosinePower, HalfCosine, KDecay, Tanh
from schedframe_classic.cycles import CosineRestarts, OneCycle, RangeTest, Triangular
from schedframe_classic.others import Chebyshev, Noam, TanhDecay, TriStage

__all__ = [
    "Chebyshev",
    "CosineCycles",
    "CosinePower",
    "CosineRestarts",
    "HalfCosine",
    "KDecay",
    "Noam",
    "OneCycle",
    "RangeTest",
    "Tanh",
    "TanhDecay",
    "TriStage",
    "Triangular",
]
