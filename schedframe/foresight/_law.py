"""A law that was fitted, and what it predicts."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import erf, log2, sqrt
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from schedframe._errors import ForesightError
from schedframe._schedule.schedule import Schedule
from schedframe.foresight._curve import Array, Curve, Grid
from schedframe.foresight._declared import Declared, declared
from schedframe.foresight._laws.installed import loss_laws
from schedframe.foresight._laws.law import Reference
from schedframe.foresight._least_squares import Model
from schedframe.foresight._reasons import Reason, refuse
from schedframe.foresight._same_run import Run, nearest_peak, reasons_of_target, warnings_of_target

# These four were chosen on the public curves of docs/explanation/evidence.md, which shows what their bars hold.
_BASE = 0.0020
"""The relative error of a law that was fitted well, on a run of the same length and peak: a standard deviation."""

_HORIZON = 0.0030
"""What each doubling of the length of the longest fitted run adds to it."""

_PEAK = 0.0025
"""What each doubling or halving of the nearest fitted peak adds to it."""

_SHAPE = 0.0065
"""The error of a difference of two runs of one length and peak in nats, beside that of the parameters."""

CLOSE = 0.005
"""A predicted difference below this one, in nats, is too close to call."""

_SURE = 0.75
"""So is one whose sign is right less often."""


@dataclass(frozen=True)
class Forecast:
    """A predicted loss curve.

    Attributes:
        schedule: what the schedule is called.
        steps: updates, rising.
        loss: at each of them.
        deviation: the standard deviation of each, in nats.
        final: the loss after the last update of the run.
        final_deviation: the standard deviation of it.
        warnings: what is known to go wrong with predictions like this one.
    """

    schedule: str
    steps: list[float]
    loss: list[float]
    deviation: list[float]
    final: float
    final_deviation: float
    warnings: tuple[str, ...]

    def bounds(self, level: float = 0.95) -> tuple[list[float], list[float]]:
        """Return between which losses the run lies at each of `steps` in a share `level` of such cases.

        Raises:
            ValueError: `level` is not between 0 and 1.
        """
        width = _quantile(level)
        pairs = list(zip(self.loss, self.deviation, strict=True))
        return [loss - width * sd for loss, sd in pairs], [loss + width * sd for loss, sd in pairs]

    def final_bounds(self, level: float = 0.95) -> tuple[float, float]:
        """Return between which losses the run ends in a share `level` of such cases.

        Raises:
            ValueError: `level` is not between 0 and 1.
        """
        half = _quantile(level) * self.final_deviation
        return self.final - half, self.final + half


@dataclass(frozen=True)
class Difference:
    """Which of two schedules ends lower.

    Attributes:
        difference: the final loss of the first minus that of the second, in nats: negative where the first is better.
        reliability: how often the sign of such a difference is right, from 0.5 to 1.
    """

    difference: float
    reliability: float

    @property
    def is_close(self) -> bool:
        """Whether it is too close to call."""
        return abs(self.difference) < CLOSE or self.reliability < _SURE


class End(NamedTuple):
    """The end of a run, as a law sees it.

    Attributes:
        loss: the loss after the last update.
        gradient: its derivative by each entry of the law's vector.
        length: the updates of the run.
        peak: the highest learning rate.
    """

    loss: float
    gradient: tuple[float, ...]
    length: float
    peak: float


@dataclass(frozen=True)
class Law:
    """A fitted law of the loss. It holds for the same model, data, batch size, optimizer and weight decay.

    Attributes:
        name: of the formula, one of `loss_laws`.
        vector: the logarithms of the formula's parameters, then its coefficients.
        covariance: of `vector`.
        reference: what the formula is measured with.
        noise: the relative error of an independent point.
        runs: what was fitted.
        warnings: what makes the fit doubtful.
    """

    name: str
    vector: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    reference: Reference
    noise: float
    runs: tuple[Run, ...]
    warnings: tuple[str, ...]

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters of the formula and its coefficients, by name."""
        law, count = loss_laws[self.name], len(self._model.names)
        shape = zip(law.priors, np.exp(self.vector[:count]).tolist(), strict=True)
        return {**dict(shape), **dict(zip(law.coefficients, self.vector[count:], strict=True))}

    @property
    def widths_from_prior(self) -> dict[str, float]:
        """How far each parameter lies from its prior, in widths of it."""
        model = self._model
        far = (np.asarray(self.vector[: len(model.names)]) - model.centers) / model.widths
        return dict(zip(model.names, far.tolist(), strict=True))

    @cached_property
    def _model(self) -> Model:
        return Model(loss_laws[self.name], self.reference)

    @property
    def longest(self) -> float:
        """The updates of the longest fitted run."""
        return max(run.length for run in self.runs)

    def predict(self, schedule: Schedule, steps: Iterable[float] | None = None) -> Forecast:
        """Predict the loss of a run with `schedule`.

        Args:
            schedule: the schedule of the whole run.
            steps: at which updates; by default 100 of them, from where the law holds to the end of the run.

        Raises:
            ForesightError: the runs that were fitted do not determine it, with every reason.
            ValueError: one of `steps` does not lie within the run, or before the law holds.
        """
        return self.forecast(self._accepted(schedule), steps)

    def forecast(self, run: Declared, steps: Iterable[float] | None = None) -> Forecast:
        """Return what `predict` returns, of a run that was accepted."""
        asked = _asked(run, steps)
        grid = run.curve.grid([*asked, run.curve.length])
        loss, deviation = self._loss(grid), self._deviation(run, grid)
        return Forecast(
            run.name,
            asked,
            loss[:-1].tolist(),
            deviation[:-1].tolist(),
            float(loss[-1]),
            float(deviation[-1]),
            tuple(warnings_of_target(run, self.runs)),
        )

    def loss_at(self, schedule: Schedule, steps: Iterable[float]) -> list[float]:
        """Return the value of the formula at `steps`, in updates, whatever is known of its errors there."""
        return [float(loss) for loss in self._loss(declared(schedule).curve.grid(steps))]

    def compare(self, first: Schedule, second: Schedule) -> Difference:
        """Return how far the final losses of two schedules lie apart, and how often such a sign is right.

        Raises:
            ForesightError: the runs that were fitted do not determine it, with every reason.
        """
        return self.difference_of(self.end_of(self._accepted(first)), self.end_of(self._accepted(second)))

    def end_of(self, run: Declared) -> End:
        """Return what the law predicts of the end of a run, whatever is known of its errors there."""
        grid = run.curve.grid([run.curve.length])
        loss, gradient = float(self._loss(grid)[0]), self._gradient(grid)[0]
        return End(loss, tuple(gradient.tolist()), run.curve.length, run.curve.peak)

    def difference_of(self, first: End, second: End) -> Difference:
        """Return how far two ends lie apart, and how often such a sign is right."""
        apart = np.asarray(first.gradient) - np.asarray(second.gradient)
        longer, higher = log2(first.length / second.length), log2(first.peak / second.peak)
        relative = (_HORIZON * longer) ** 2 + (_PEAK * higher) ** 2
        of_parameters = float(apart @ np.asarray(self.covariance) @ apart)
        deviation = sqrt(of_parameters + _SHAPE**2 + relative * first.loss**2)
        difference = first.loss - second.loss
        return Difference(difference, (1 + erf(abs(difference) / deviation / sqrt(2))) / 2)

    def loss_of(self, curve: Curve) -> float:
        """Return the value of the formula after the last update of `curve`."""
        return float(self._loss(curve.grid([curve.length]))[0])

    def _accepted(self, schedule: Schedule) -> Declared:
        run = declared(schedule)
        refuse(reasons_of_target(run, self.runs))
        return run

    def _loss(self, grid: Grid) -> Array:
        return self._model.loss(np.asarray(self.vector), grid)

    def _gradient(self, grid: Grid) -> Array:
        return self._model.gradient(np.asarray(self.vector), grid)

    def _deviation(self, run: Declared, grid: Grid) -> Array:
        """Return the standard deviation of the losses: that of the parameters, and the law's own errors."""
        loss, gradient = self._loss(grid), self._gradient(grid)
        of_parameters = np.einsum("ij,jk,ik->i", gradient, np.asarray(self.covariance), gradient)
        longer = max(0.0, log2(run.curve.length / self.longest))
        apart = nearest_peak(run.curve.peak, self.runs)
        relative = _BASE**2 + (_HORIZON * longer) ** 2 + (_PEAK * apart) ** 2
        return np.asarray(np.sqrt(of_parameters + relative * loss**2))

    def to_json(self) -> str:
        """Return the law as JSON, from which `from_json` makes an equal one."""
        values = {field: getattr(self, field) for field in ("name", "vector", "covariance", "noise", "warnings")}
        runs = [run._asdict() for run in self.runs]
        return json.dumps({**values, "reference": self.reference._asdict(), "runs": runs})

    @classmethod
    def from_json(cls, text: str) -> "Law":
        """Return the law that `to_json` wrote.

        Raises:
            ForesightError: the text is no such JSON.
        """
        try:
            data = json.loads(text)
            return cls(
                name=str(data["name"]),
                vector=tuple(map(float, data["vector"])),
                covariance=tuple(tuple(map(float, row)) for row in data["covariance"]),
                reference=Reference(**data["reference"]),
                noise=float(data["noise"]),
                runs=tuple(_run_of(run) for run in data["runs"]),
                warnings=tuple(map(str, data["warnings"])),
            )
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            sentence = f"it is no fitted law as Law.to_json writes it: {type(error).__name__}: {error}"
            raise ForesightError([Reason("no-law", "the text", sentence)]) from None


def _run_of(data: dict[str, Any]) -> Run:
    sizes = tuple(tuple(map(int, stretch)) for stretch in data["batch_sizes"])
    weight_decay = tuple(map(float, data["weight_decay"]))
    return Run(**{**data, "batch_sizes": sizes, "weight_decay": weight_decay})


def _asked(run: Declared, steps: Iterable[float] | None) -> list[float]:
    if steps is None:
        return [float(step) for step in np.linspace(run.fit_from, run.curve.length, 100)]
    asked = sorted(map(float, steps))
    if not asked or not run.fit_from <= asked[0] <= asked[-1] <= run.curve.length:
        raise ValueError(f"steps must lie between {run.fit_from:g} and {run.curve.length:g}, in updates")
    return asked


def _quantile(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, got {level}")
    return NormalDist().inv_cdf((1 + level) / 2)
