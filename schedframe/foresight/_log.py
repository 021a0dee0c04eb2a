"""The loss of a run, as its log has it."""

from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from schedframe._errors import LogError
from schedframe._files.logs.formats import READABLE, open_log
from schedframe._files.logs.record import ITERATION, folded, name_of, number
from schedframe.foresight._curve import Array


@dataclass(frozen=True, eq=False)
class Log:
    """The loss over the updates of one run; the last value of an update counts.

    Attributes:
        steps: after how many updates each loss was logged, rising.
        loss: finite numbers, in nats.
        lr: the learning rate that was logged with each, NaN where there is none; ``None`` where none is logged.
        name: what the log is called in messages.
        unreadable: how many values were no finite numbers.
    """

    steps: Array
    loss: Array
    lr: Array | None = None
    name: str = "the log"
    unreadable: int = 0

    def __len__(self) -> int:
        """Return the number of losses."""
        return len(self.steps)


def log_of(steps: ArrayLike, loss: ArrayLike, lr: ArrayLike | None = None, name: str = "the log") -> Log:
    """Return the log of values that a program holds, in any order; the last value of an update counts.

    Args:
        steps: after how many updates each loss was measured.
        loss: in nats; values that are not finite are left out.
        lr: the learning rate with each.
        name: what the log is called in messages.

    Raises:
        LogError: the columns have other lengths, or there is no finite loss.
    """
    at, values = np.asarray(steps, float), np.asarray(loss, float)
    rates = None if lr is None else np.asarray(lr, float)
    if at.ndim != 1 or at.shape != values.shape or (rates is not None and rates.shape != at.shape):
        raise LogError(f"{name}: steps, loss and lr must be columns of one length")
    usable = np.isfinite(values) & np.isfinite(at) & (at >= 0)
    if not usable.any():
        raise LogError(f"{name}: no update with a finite loss was found")
    order = np.flatnonzero(usable)[np.argsort(at[usable], kind="stable")]
    last = np.append(np.diff(at[order]) > 0, True)
    kept = order[last]
    return Log(at[kept], values[kept], None if rates is None else rates[kept], name, int((~usable).sum()))


def read(path: str | Path, loss: str | None = None, step: str | None = None) -> Log:
    """Read the loss of a run from its log: what `schedframe.audit` reads too.

    Args:
        path: what Megatron-LM prints, a TensorBoard event file, JSON Lines, CSV or ``trainer_state.json``.
        loss: the name of its column or tag; by default ``loss``, ``lm loss`` or ``train_loss``.
        step: the name of the column with the number of updates; by default ``iteration``, ``iter``, ``global_step``
            or ``step``.

    Raises:
        LogError: it cannot be read, or has no finite loss.
    """
    path = Path(path)
    wanted = "loss" if loss is None else name_of(loss)
    losses: dict[int, float] = {}
    rates: dict[int, float] = {}
    with open_log(path, {wanted, "lr"}, iteration=ITERATION if step is None else (folded(step),)) as log:
        for iterations, numbers in log.columns:
            for name, values in ((wanted, losses), ("lr", rates)):
                column = zip(iterations, numbers.get(name, ()), strict=False)
                values.update((iteration, number(value)) for iteration, value in column if value is not None)
        format = log.format.words
    if not losses:
        raise LogError(
            f"{path}: no update with the number {loss or 'loss'!r} was found in it as {format}; name its columns, "
            f"as in --loss val_loss --step update. {READABLE}"
        )
    lr = [rates.get(iteration, nan) for iteration in losses]
    return log_of(list(losses), list(losses.values()), lr if any(map(isfinite, lr)) else None, str(path))
