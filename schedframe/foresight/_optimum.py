"""The lowest loss that a law predicts for any curve that falls from the peak."""

import numpy as np

from schedframe.foresight._curve import Array, Curve
from schedframe.foresight._declared import Declared
from schedframe.foresight._law import Law

_KNOTS = 40
_STEPS = 30
_RATE = 2.0
_SMALL = 1e-3


def lowest_loss(law: Law, run: Declared) -> float:
    """Return the lowest final loss that `law` predicts for the length, peak and warmup of `run`.

    The falls of the learning rate between 40 knots are weights that sum to 1, with one for what does not fall; they
    are found by exponentiated gradient descent. Such a curve exploits the errors of the law: it is no proposal.
    """
    knots = np.linspace(run.curve.warmup, run.curve.length, _KNOTS + 1)
    warmup = run.curve.updates < run.curve.warmup

    def loss(weights: Array) -> float:
        fallen = np.concatenate([[0.0], np.cumsum(weights[:-1])])
        updates = np.concatenate([run.curve.updates[warmup], knots])
        lr = np.concatenate([run.curve.lr[warmup], run.curve.peak * (1.0 - fallen)])
        curve = Curve(updates, np.maximum(lr, 0.0), run.curve.warmup)
        return law.loss_of(curve)

    weights = np.full(_KNOTS + 1, 1.0 / (_KNOTS + 1))
    best = loss(weights)
    rate = _RATE / best
    for _ in range(_STEPS):
        here = loss(weights)
        slopes = [(loss(_moved(weights, index)) - here) / _SMALL for index in range(len(weights))]
        step = np.exp(-rate * (np.array(slopes) - min(slopes)) * _KNOTS)
        weights = weights * step / (weights * step).sum()
        best = min(best, loss(weights))
    return best


def _moved(weights: Array, index: int) -> Array:
    """Return the weights with a little more at `index`, still of sum 1."""
    moved = weights * (1.0 - _SMALL)
    moved[index] += _SMALL
    return moved
