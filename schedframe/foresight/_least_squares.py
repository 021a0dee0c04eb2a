"""Fits a law to losses: Levenberg and Marquardt's method with Huber's weights."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from schedframe.foresight._curve import Array, Grid
from schedframe.foresight._laws.law import LossLaw, Reference

_POINTS = 100.0
"""As many independent points each run stands for, against the priors, however many it has."""

_SCALE = 3e-3
"""The relative error of a point that a parameter one width from its prior is worth."""

_HUBER = 1e-3
"""A relative error above this one counts linearly: spikes do not draw the curve."""

_MOST_STEPS = 60
_MOST_DAMPINGS = 12
_CONVERGED = 1e-10
_NOTHING = 1e-12


@dataclass(frozen=True)
class Observed:
    """The losses of one run.

    Attributes:
        grid: its schedule, with the updates at which the losses were logged.
        loss: at each of them.
    """

    grid: Grid
    loss: Array


@dataclass(frozen=True)
class Fitted:
    """Where a fit has arrived.

    Attributes:
        vector: the logarithms of the law's parameters, then the coefficients.
        residuals: of each run, relative to the loss.
        jacobian: of the residuals of all runs, without priors.
    """

    vector: Array
    residuals: list[Array]
    jacobian: Array


class Model:
    """A law as a function of one vector: the logarithms of its parameters, then its coefficients."""

    def __init__(self, law: LossLaw, reference: Reference) -> None:
        """Hold the law and what it is measured with."""
        self.law, self.reference = law, reference
        self.names = tuple(law.priors)
        self.centers = np.log([prior.center for prior in law.priors.values()])
        self.widths = np.array([prior.width for prior in law.priors.values()])

    def columns(self, vector: Array, grid: Grid) -> Array:
        """Return the law's columns."""
        values = np.exp(vector[: len(self.names)]).tolist()
        return self.law.columns(dict(zip(self.names, values, strict=True)), grid, self.reference)

    def loss(self, vector: Array, grid: Grid) -> Array:
        """Return the loss at the updates asked for."""
        return np.asarray(self.columns(vector, grid) @ vector[len(self.names) :])

    def gradient(self, vector: Array, grid: Grid) -> Array:
        """Return the derivative of the loss by each entry of `vector`, one row for each update asked for."""
        count, columns = len(self.names), self.columns(vector, grid)
        loss = columns @ vector[count:]
        derivatives = []
        for index in range(count):
            step = 1e-6 * max(1.0, abs(vector[index]))
            moved = vector.copy()
            moved[index] += step
            derivatives.append((self.loss(moved, grid) - loss) / step)
        return np.concatenate([np.stack(derivatives, axis=1), columns], axis=1)


@np.errstate(all="ignore")
def solve(model: Model, runs: Sequence[Observed]) -> Fitted:
    """Return the parameters of `model` that fit `runs` best, with its priors; a step that overflows is not made.

    The relative errors of each run have the weight of the same number of points, whatever number it has.
    """
    count = len(model.names)
    weights = np.concatenate([np.full(len(run.loss), np.sqrt(_POINTS / len(run.loss))) for run in runs])
    loss = np.concatenate([run.loss for run in runs])

    def errors(vector: Array) -> Array:
        return np.asarray(np.concatenate([model.loss(vector, run.grid) for run in runs]) / loss - 1.0, float)

    def distance(vector: Array) -> Array:
        return np.asarray(_SCALE * (vector[:count] - model.centers) / model.widths)

    def cost(errors: Array, distance: Array) -> float:
        size = np.abs(errors)
        huber = np.where(size < _HUBER, size**2, 2 * _HUBER * size - _HUBER**2)
        return float((weights**2 * huber).sum() + (distance**2).sum())

    vector = _begin(model, runs, loss)
    residual, damping = errors(vector), 1e-3
    best = cost(residual, distance(vector))
    for _ in range(_MOST_STEPS):
        before = best
        jacobian = np.concatenate([model.gradient(vector, run.grid) for run in runs]) / loss[:, None]
        robust = weights**2 * np.minimum(1.0, _HUBER / np.maximum(np.abs(residual), _NOTHING))
        pull = np.diag(np.concatenate([(_SCALE / model.widths) ** 2, np.zeros(len(vector) - count)]))
        hessian = (jacobian.T * robust) @ jacobian + pull
        slope = (jacobian.T * robust) @ residual
        slope[:count] += _SCALE / model.widths * distance(vector)
        for _ in range(_MOST_DAMPINGS):
            tried = vector - _solved(hessian + damping * np.diag(np.diag(hessian) + _NOTHING), slope)
            tried[count:] = np.maximum(tried[count:], 0.0)
            tried_residual = errors(tried)
            reached = cost(tried_residual, distance(tried))
            if reached < best:
                vector, residual, best, damping = tried, tried_residual, reached, max(damping / 5, 1e-9)
                break
            damping *= 4
        if before - best < _CONVERGED * max(before, _NOTHING):
            break
    jacobian = np.concatenate([model.gradient(vector, run.grid) for run in runs]) / loss[:, None]
    ends = np.cumsum([len(run.loss) for run in runs])[:-1]
    return Fitted(vector, list(np.split(residual, ends)), jacobian)


def _solved(matrix: Array, right: Array) -> Array:
    """Return the solution of a system, or one that is not finite where there is none."""
    try:
        return np.asarray(np.linalg.solve(matrix, right))
    except np.linalg.LinAlgError:
        return np.full(len(right), np.nan)


def _begin(model: Model, runs: Sequence[Observed], loss: Array) -> Array:
    """Return the centers of the priors, and the coefficients that fit best with them."""
    columns = np.concatenate([model.columns(model.centers, run.grid) for run in runs]) / loss[:, None]
    coefficients = np.linalg.lstsq(columns, np.ones(len(loss)), rcond=None)[0]
    return np.concatenate([model.centers, np.maximum(coefficients, 1e-3)])
