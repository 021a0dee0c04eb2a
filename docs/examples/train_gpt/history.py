"""What a run held at every step, compared with the schedule and with a run that was resumed."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from schedframe import Schedule


@dataclass(frozen=True)
class Held:
    """What one param group of the optimizer held."""

    lr: float
    weight_decay: float
    wd_mult: float


@dataclass(frozen=True)
class Row:
    """One iteration: the loss before its update, and what the param groups held for it.

    Attributes:
        iteration: from 0.
        step: the schedule's step, which is the number of samples that are behind.
        loss: mean over the batch.
        groups: one `Held` for each param group.
    """

    iteration: int
    step: int
    loss: float
    groups: tuple[Held, ...]


def held(param_groups: Iterable[Mapping[str, Any]]) -> tuple[Held, ...]:
    """Read what the optimizer's groups hold now."""
    return tuple(Held(group["lr"], group["weight_decay"], group["wd_mult"]) for group in param_groups)


def deviations(rows: Sequence[Row], schedule: Schedule) -> Iterator[str]:
    """Yield a sentence for each value that is not exactly the schedule's.

    The schedule is asked for its own values, never for a group's: a group with bounds of its own is found.
    """
    for row in rows:
        lr, wd = schedule.lr_at(row.step), schedule.wd_at(row.step) or 0.0
        for index, group in enumerate(row.groups):
            for name, found, right in (("lr", group.lr, lr), ("weight_decay", group.weight_decay, wd * group.wd_mult)):
                if found != right:
                    yield f"at step {row.step} param_groups[{index}] held {name} = {found}; the schedule has {right}"


def departures(rows: Sequence[Row], resumed: Sequence[Row]) -> Iterator[str]:
    """Yield a sentence for each row of a resumed run that differs from that of the whole run, in any bit."""
    for whole, again in zip(rows[-len(resumed) :], resumed, strict=True):
        if whole != again:
            yield f"at iteration {whole.iteration} the resumed run had {again}; the whole run had {whole}"


def write_log(path: Path, rows: Sequence[Row], interval: int) -> None:
    """Write the mean loss of every `interval` iterations to `path`, as JSON Lines: what `schedframe predict` reads."""
    with path.open("w", encoding="utf-8") as log:
        for last in range(interval, len(rows), interval):
            loss = mean(row.loss for row in rows[last - interval + 1 : last + 1])
            entry = {"iteration": last, "lr": rows[last].groups[0].lr, "loss": round(loss, 4)}
            log.write(json.dumps(entry) + "\n")


def write_json(path: Path, facts: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """Write `facts` and the history to `path`, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps({**facts, "history": [asdict(row) for row in rows]}, indent=1) + "\n", encoding="utf-8")
    part.replace(path)
