"""A schedule's curves as columns of points: for tables, pictures and programs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy
    import pandas


@dataclass(frozen=True)
class Samples(Mapping[str, list[Any]]):
    """The curves of the param groups with one role, as columns of equal length.

    Attributes:
        role: the role; ``default`` for groups without a rule.
        unit: the unit over which a line through the points is close to the curves.
        columns: by name: ``step``, the scheduler's count from the start of the run; the position in every other known
            unit; ``lr``; ``wd`` after its ``wd_mult``, and ``lr_wd``, the product, where weight decay is scheduled;
            ``phase``.
    """

    role: str
    unit: str
    columns: Mapping[str, list[Any]]

    def __getitem__(self, name: str) -> list[Any]:
        """Return the column `name`."""
        return self.columns[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the columns."""
        return iter(self.columns)

    def __len__(self) -> int:
        """Return the number of columns."""
        return len(self.columns)

    @property
    def positions(self) -> list[float]:
        """The positions in `unit`."""
        return self.columns.get(self.unit, self.columns["step"])

    def to_numpy(self) -> "dict[str, numpy.ndarray[Any, Any]]":
        """Return the columns as arrays of ``float64``, the phases as an array of ``str``; numpy is needed."""
        import numpy

        return {name: numpy.asarray(values) for name, values in self.columns.items()}

    def to_pandas(self) -> "pandas.DataFrame":
        """Return the columns as a data frame; pandas is needed."""
        import pandas

        return pandas.DataFrame(dict(self.columns))
