"""What a law of the loss is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

from schedframe.foresight._curve import Array, Grid


class Prior(NamedTuple):
    """What is known of a parameter before the fit: it is log-normal.

    Attributes:
        center: its median, above 0.
        width: the standard deviation of its logarithm; 0.15 is a factor of 1.16 both ways.
    """

    center: float
    width: float


class Reference(NamedTuple):
    """What a fit measures with, so that parameters are numbers without a unit.

    Attributes:
        peak: the highest learning rate of the first fitted run.
        length: the updates of the longest fitted run.
    """

    peak: float
    length: float


class LossLaw(ABC):
    """A formula of the loss under a schedule: a sum of columns, each times a coefficient of at least 0.

    The columns depend on the schedule and on the parameters, which are above 0. The first column is 1: its coefficient
    is the loss that no training goes below.

    Attributes:
        name: lower-case words with hyphens; the name of its entry point in the group ``schedframe.loss_laws``.
        formula: in one line, for people.
        source: the paper.
        priors: of each parameter, by name.
        coefficients: the name of the coefficient of each column.
    """

    name: ClassVar[str]
    formula: ClassVar[str]
    source: ClassVar[str]
    priors: ClassVar[Mapping[str, Prior]]
    coefficients: ClassVar[tuple[str, ...]]

    @abstractmethod
    def columns(self, parameters: Mapping[str, float], grid: Grid, reference: Reference) -> Array:
        """Return the columns at the updates asked for.

        Args:
            parameters: those of `priors`, by name.
            grid: the schedule.
            reference: the peak learning rate and the length that values are divided by.

        Returns:
            An array of one row for each of ``grid.asked`` and one column for each of `coefficients`.
        """
