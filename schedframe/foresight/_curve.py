"""The learning rate over the updates of a run, on the grid on which laws evaluate it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]

_EVEN = 800
"""Nodes of a grid that lie evenly, so that the integrals of a law are exact to about 1e-5 of the loss."""


@dataclass(frozen=True, eq=False)
class Curve:
    """The learning rate of a run, from its first update to its last, as straight lines between nodes.

    Attributes:
        updates: positions of the nodes, in updates from the start of the run, rising.
        lr: the learning rate at each.
        warmup: where the warmup ends, in updates.
    """

    updates: Array
    lr: Array
    warmup: float

    @property
    def length(self) -> float:
        """The number of updates."""
        return float(self.updates[-1])

    @property
    def peak(self) -> float:
        """The highest learning rate."""
        return float(self.lr.max())

    def at(self, updates: Any) -> Array:
        """Return the learning rate at `updates`."""
        return np.asarray(np.interp(updates, self.updates, self.lr), float)

    def grid(self, asked: Iterable[float]) -> "Grid":
        """Return the grid of this curve on which a law gives the loss at the `asked` updates."""
        return Grid(self, np.clip(np.asarray(list(asked), float), 0.0, self.length))


class Grid:
    """A curve as a law evaluates it: nodes, sums up to each of them, and the distances to the updates asked for.

    Attributes:
        updates: positions of the N nodes, rising; the updates asked for are among them.
        lr: the learning rate at each node.
        area: the sum of the learning rate over the updates up to each node.
        asked: the index of the node of each of the M updates asked for.
        peak: the highest learning rate of the whole curve.
    """

    def __init__(self, curve: Curve, asked: Array) -> None:
        """Lay the grid up to the last of the updates asked for."""
        last = float(asked.max())
        inside = curve.updates[curve.updates <= last]
        even = np.linspace(0.0, last, _EVEN + 1)
        early = np.linspace(0.0, min(curve.warmup, last), 20)
        self.updates = np.unique(np.concatenate([inside, even, early, asked]))
        self.lr = curve.at(self.updates)
        self.asked = np.searchsorted(self.updates, asked)
        self.peak = curve.peak
        self.area = self.summed(self.lr)
        self._top = int(np.searchsorted(self.updates, curve.warmup))

    def summed(self, values: Array) -> Array:
        """Return the sum of `values`, one at each node, over the updates up to each node."""
        parts = (values[1:] + values[:-1]) / 2 * np.diff(self.updates)
        return np.concatenate([[0.0], np.cumsum(parts)])

    @cached_property
    def moves(self) -> NDArray[np.intp]:
        """The K intervals behind the warmup in which the learning rate changes, by the index of their first node."""
        changed = np.flatnonzero(np.diff(self.lr) != 0.0)
        return changed[changed >= self._top]

    def fall(self, values: Array) -> Array:
        """Return how far `values`, one at each node, fall in each of the `moves`."""
        return values[self.moves] - values[self.moves + 1]

    @cached_property
    def heard(self) -> NDArray[np.bool_]:
        """Whether each of the `moves` (columns, K) lies before each update asked for (rows, M)."""
        heard: NDArray[np.bool_] = self.asked[:, None] > self.moves[None, :]
        return heard

    @cached_property
    def updates_since(self) -> Array:
        """The updates from the middle of each of the `moves` (K) to each update asked for (M), 0 before it."""
        return self._since(self.updates)

    @cached_property
    def area_since(self) -> Array:
        """The sum of the learning rate from the middle of each of the `moves` (K) to each update asked for (M)."""
        return self._since(self.area)

    def _since(self, position: Array) -> Array:
        middle = (position[self.moves] + position[self.moves + 1]) / 2
        return np.where(self.heard, position[self.asked][:, None] - middle[None, :], 0.0)
